package kernel

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"machkernel/gsync"
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/mig/gnumach"
	"machkernel/platform"
	"machkernel/ports"
	"machkernel/rules"
	"machkernel/vm"
	"machkernel/vmsvc"
)

// DefaultMemory is the memory of a kernel whose Config says nothing, in bytes.
const DefaultMemory = 4 << 30

// Config says what a kernel is made of. The zero value is a usable one.
type Config struct {
	// Memory is the physical memory in bytes: what all tasks together may
	// touch before allocation fails with KERN_RESOURCE_SHORTAGE. The host
	// gives pages as they are touched. 0 means DefaultMemory.
	Memory int64

	// Edition is whom to believe where manual and kernel disagree.
	Edition Edition

	// Version is the kernel to be: routines newer than it are not served. 0
	// means mach.VersionPackaged.
	Version mach.Version

	// LongWay has every message take the long way, through its port's queue. It
	// is for tests: nothing but speed tells the fast ways.
	LongWay bool

	// Console receives what clients print. nil discards it.
	Console io.Writer

	// Observer sees every trap, fault and exception; nil costs nothing.
	Observer Observer

	// OnReport is called for each task that the kernel had to end, when it is
	// gone, from a goroutine of its own. May be nil.
	OnReport func(*Task, *Report)
}

var errClosed = errors.New("the kernel is closed")

// Kernel is a running Mach kernel. It must be closed.
type Kernel struct {
	gate     gate
	zone     *ports.Zone
	ipc      *ipc.System
	frames   *vm.Frames
	rules    *rules.Set
	version  mach.Version  // immutable
	limits   vm.Limits     // of a task made for nobody
	memory   *vmsvc.Server // of the traps, too
	gsync    *gsync.Table
	objects  memoryObjects
	table    *mig.Table
	console  console
	observer Observer             // immutable
	onReport func(*Task, *Report) // immutable

	hostPort   *ports.Port // the unprivileged host port
	hostPriv   *ports.Port // the privileged one
	devicePort *ports.Port // device master: a port that serves nothing yet
	processor  *processor
	pset       *processorSet
	clock      clock
	sampler    sampler
	givers     givers

	ids      atomic.Uint64 // of tasks and threads
	running  sync.WaitGroup
	threads  atomic.Int64 // not gone yet, in all tasks
	halted   chan struct{}
	haltOnce sync.Once
	idle     chan struct{}
	idleOnce sync.Once

	mu       sync.Mutex
	tasks    map[*Task]struct{}     // alive or dying
	words    map[string]ports.Right // what boot arguments stand for: send rights
	newTasks ports.Right            // who is told of new tasks; null for nobody
	orphans  []*ports.Port          // reply ports of threads that are gone
	machine  *platform.Machine      // nil until a program is booted
	closed   bool
	gone     chan struct{} // closed when Close is done
	left     error         // what Close found left; set before gone is closed
}

// New makes a kernel with no task.
func New(cfg Config) (*Kernel, error) {
	if cfg.Memory == 0 {
		cfg.Memory = DefaultMemory
	}
	if cfg.Memory < mach.PageSize {
		return nil, errors.New("kernel memory is less than a page")
	}
	if cfg.Version == 0 {
		cfg.Version = mach.VersionPackaged
	}
	frames, err := vm.NewFrames(int(cfg.Memory / mach.PageSize))
	if err != nil {
		return nil, err
	}
	k := &Kernel{
		frames:   frames,
		rules:    rules.Of(rules.GNUMach, cfg.Edition),
		version:  cfg.Version,
		limits:   vm.Limits{Cur: vm.Unlimited, Max: vm.Unlimited},
		observer: cfg.Observer,
		onReport: cfg.OnReport,
		halted:   make(chan struct{}),
		idle:     make(chan struct{}),
		gone:     make(chan struct{}),
		tasks:    map[*Task]struct{}{},
		words:    map[string]ports.Right{},
	}
	k.objects.names, k.objects.proxies = map[*objectName]struct{}{}, map[*proxy]struct{}{}
	k.console.w = cfg.Console
	k.zone = ports.NewZone()
	k.ipc = ipc.NewSystem(k.zone, k)
	if cfg.LongWay {
		k.ipc.LongWay()
	}
	k.ipc.LimitMemory(min(cfg.Memory/2, ipc.DefaultMemory))
	k.gsync = gsync.New(k.zone)
	k.clock.run()
	h := &host{k: k}
	k.hostPort = k.zone.NewKernelPort(h)
	k.hostPriv = k.zone.NewKernelPort(&hostPriv{h})
	k.makeProcessor()
	k.devicePort = k.zone.NewKernelPort(&deviceMaster{})
	if cfg.Version >= mach.VersionSizeLimit {
		half := uint64(cfg.Memory / 2) // as the sources have it
		k.limits = vm.Limits{Cur: half, Max: half}
	}
	k.memory = vmsvc.New(vmsvc.Config{
		Rules:    k.rules,
		Frames:   frames,
		Region:   regionOf,
		Copy:     copyOf,
		Receiver: func(c ipc.Caller) *vm.Map { return c.(*Thread).task.VMMap() },
		Name:     k.nameOf,
		Object:   k.memoryObject,
	})
	k.table = mig.NewTable(
		since(cfg.Version, machDemux(gnumach.Mach, machService{k.memory, k})),
		since(cfg.Version, machHostDemux(gnumach.MachHost, hostService{})),
		since(cfg.Version, machPortDemux(gnumach.MachPort, portService{})),
		since(cfg.Version, gnumachDemux(gnumach.Gnumach, gnumachService{k.memory})),
		since(cfg.Version, mach4Demux(gnumach.Mach4, mach4Service{})),
		since(cfg.Version, machI386Demux(gnumach.MachI386, machI386Service{})),
	)
	return k, nil
}

// ownPorts are the ports of the kernel itself, which live as long as it does.
func (k *Kernel) ownPorts() []*ports.Port {
	return []*ports.Port{k.hostPort, k.hostPriv, k.devicePort, k.processor.self, k.processor.name, k.pset.self, k.pset.nameSelf}
}

// Serve implements ipc.KernelServer: it finds the object behind the port and
// the routine behind the id. k is not used after it.
func (k *Kernel) Serve(c ipc.Caller, m *ipc.Kmsg) *ipc.Kmsg {
	c.(*Thread).served = true
	return k.table.Serve(c, m.Dest().KObject(), m)
}

// Table is the kernel's routines by id: what it serves, and how to decode it.
func (k *Kernel) Table() *mig.Table { return k.table }

// Halted is closed when a client has halted the host (host_reboot).
func (k *Kernel) Halted() <-chan struct{} { return k.halted }

// Idle is closed when, for the first time, the last thread of all tasks has
// left: nothing can happen any more unless the program starts another.
func (k *Kernel) Idle() <-chan struct{} { return k.idle }

func (k *Kernel) halt() { k.haltOnce.Do(func() { close(k.halted) }) }

// MemoryUsed is the memory that tasks occupy now, in bytes.
func (k *Kernel) MemoryUsed() int64 { return int64(k.frames.Stats().Used) * mach.PageSize }

// openMachine makes the kernel able to run machine code.
func (k *Kernel) openMachine() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.machine != nil {
		return nil
	}
	if k.closed {
		return errClosed
	}
	m, err := platform.Open(platform.Config{FramesFD: k.frames.FD()})
	if err == nil {
		k.machine = m
	}
	return err
}

// Tasks lists the tasks that are not gone yet.
func (k *Kernel) Tasks() []*Task {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Keys(k.tasks))
}

// Close terminates every task, waits until all threads have left and all
// memory and processes are given back. Its error names what is left then, as
// Audit's does. Threads that are Go functions must
// come back from their traps by themselves: every trap of a dying thread
// answers at once. Closing again waits for the first call and answers the same.
func (k *Kernel) Close() error {
	k.mu.Lock()
	first := !k.closed
	k.closed = true
	words := k.words
	k.mu.Unlock()
	if first {
		k.left = k.end(words)
		close(k.gone)
	}
	<-k.gone
	return k.left
}

// end does the work of Close.
func (k *Kernel) end(words map[string]ports.Right) error {
	for _, t := range k.Tasks() {
		k.gate.Enter()
		k.terminate(t)
		k.gate.Leave()
	}
	k.running.Wait()
	k.sampler.stop()
	for _, right := range words {
		k.zone.Release(right)
	}
	k.mu.Lock()
	newTasks, orphans := k.newTasks, k.orphans
	k.newTasks, k.orphans = ports.Right{}, nil
	k.mu.Unlock()
	for _, p := range orphans {
		k.zone.DestroyPort(p)
	}
	k.zone.Release(newTasks)
	for _, p := range k.ownPorts() {
		k.zone.DestroyPort(p)
	}
	k.mu.Lock()
	m := k.machine
	k.machine = nil
	k.mu.Unlock()
	if m != nil {
		m.Close()
	}
	err := k.frames.Close()
	if n := k.zone.LivePorts(); n != 0 {
		err = errors.Join(err, fmt.Errorf("%d ports outlive the last task", n))
	}
	return err
}

// console serialises what clients print.
type console struct {
	mu sync.Mutex
	w  io.Writer
}

func (c *console) write(p []byte) {
	if c.w == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A console that cannot be written to is not the client's affair.
	_, _ = c.w.Write(p)
}
