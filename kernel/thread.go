package kernel

import (
	"fmt"
	"sync"
	"time"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/platform"
	"machkernel/ports"
	"machkernel/vm"
)

// Thread is one flow of control in a task: machine code, or a Go function.
//
//	state      started  dying closed  done closed
//	new        false    no            no           suspended, as thread_create leaves it
//	running    true     no            no           a goroutine runs it or its waits
//	leaving    any      yes           no           on its way out of its trap or machine code
//	gone       any      yes           yes
//
// How it is held and stopped: see hold.go.
type Thread struct {
	k      *Kernel
	task   *Task
	id     uint64
	self   *ports.Port
	waiter *ports.Waiter
	mem    ipc.Memory    // the task's memory as this thread's traps see it
	dying  chan struct{} // closed when the thread must leave
	done   chan struct{} // closed when it has left

	label    label         // what the kernel calls it
	created  time.Duration // on the kernel's clock
	sampling sampling

	// regs are the registers of machine code, and state what else belongs to
	// them. They are the thread's own while it is on its way, and of whoever
	// holds mu while it is out.
	regs  platform.Regs
	state threadState

	served bool // the kernel served a message in the trap under way; its own goroutine's

	mu                        sync.Mutex
	moved                     *sync.Cond // of mu
	holds, stops              int
	out, elsewhere, trapped   bool
	aborting, halted, started bool
	dead                      bool             // dying is closed
	hw                        *platform.Thread // nil before machine code runs
	clean                     chan struct{}    // closed at the clean point; nil if nobody waits for that
	cut                       chan struct{}    // closed when the thread is aborted while it waits in abort; else nil
	sched                     sched
	special                   threadPorts
	times                     times
	sampleDue                 bool // the clock wants a sample of the machine code
}

// newThread makes a thread, suspended.
//
//	KERN_FAILURE            the task is dying
//	KERN_RESOURCE_SHORTAGE  it has as many threads as may be
func (t *Task) newThread() (*Thread, mach.KernReturn) {
	th := &Thread{
		k: t.k, task: t, id: t.k.ids.Add(1), mem: t.mem,
		dying: make(chan struct{}), done: make(chan struct{}), created: t.k.clock.uptime(),
	}
	th.moved = sync.NewCond(&th.mu)
	th.waiter = ports.NewWaiter(t.k.zone, th)
	th.out, th.holds, th.stops = true, 1, 1
	th.state.init()
	th.label.set(t.label.String())
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.active:
		th.waiter.Close()
		return nil, mach.KernFailure
	case len(t.threads) >= maxThreads:
		th.waiter.Close()
		return nil, mach.KernResourceShortage
	}
	if t.stops > 0 {
		th.holds++
	}
	th.self = t.k.zone.NewKernelPort(th)
	th.special.kernel = t.k.zone.MakeSend(th.self)
	t.threads[th] = struct{}{}
	th.sched = newSched(t.priority, t.k.pset.maxPriority.Load()) // after the thread is listed: see processorSet
	t.k.threads.Add(1)
	return th, mach.KernSuccess
}

// ID is a number of the thread's own, never used again in this kernel.
func (th *Thread) ID() uint64 { return th.id }

// Task is the thread's task.
func (th *Thread) Task() *Task { return th.task }

// Done is closed when the thread has left.
func (th *Thread) Done() <-chan struct{} { return th.done }

// Space implements ipc.Caller.
func (th *Thread) Space() *ports.Space { return th.task.space }

// Memory implements ipc.Caller.
func (th *Thread) Memory() ipc.Memory { return th.mem }

// Waiter implements ipc.Caller.
func (th *Thread) Waiter() *ports.Waiter { return th.waiter }

// start makes a thread's flow of control; it waits at its clean point while it
// is held. The error says why the host has no process or thread for it. th.mu is
// held.
func (th *Thread) start() error {
	proc, err := th.task.process()
	if err != nil {
		return err
	}
	hw, err := proc.NewThread()
	if err != nil {
		return err
	}
	if th.state.extended != nil {
		if err := hw.SetExtendedState(th.state.extended); err != nil {
			hw.Exit()
			return err
		}
		th.state.extended = nil
	}
	th.hw, th.started = hw, true
	go th.run()
	return nil
}

// launch starts a new thread, whatever its suspend count.
func (th *Thread) launch() error {
	th.mu.Lock()
	th.stops = 0
	th.mu.Unlock()
	return th.release()
}

// kill makes the thread leave: it is woken out of any wait, its machine code
// is interrupted. It reports false if it was leaving already.
func (th *Thread) kill() bool {
	th.mu.Lock()
	if th.dead {
		th.mu.Unlock()
		return false
	}
	th.dead = true
	th.moved.Broadcast()
	close(th.dying)
	hw, started := th.hw, th.started
	th.mu.Unlock()
	th.dropPorts()
	th.k.zone.DestroyPort(th.self)
	th.waiter.Terminate()
	if hw != nil {
		hw.Interrupt()
	}
	if !started {
		th.leave()
	}
	return true
}

// leave is the end of a thread that holds nothing any more.
func (th *Thread) leave() {
	th.task.mu.Lock()
	delete(th.task.threads, th)
	th.task.mu.Unlock()
	th.waiter.Close()
	close(th.done)
	if th.k.threads.Add(-1) == 0 {
		th.k.idleOnce.Do(func() { close(th.k.idle) })
	}
}

func (th *Thread) isDying() bool {
	select {
	case <-th.dying:
		return true
	default:
		return false
	}
}

// run is the life of a thread of machine code.
func (th *Thread) run() {
	defer th.leave()
	defer th.hw.Exit()
	defer th.addUp()
	defer th.setOut()
	for th.pass() {
		ev := th.hw.Run(&th.regs)
		th.depart()
		th.k.gate.Enter()
		th.handle(&ev)
		th.k.gate.Leave()
	}
}

// handle answers what machine code did. The thread is inside the gate.
func (th *Thread) handle(ev *platform.Event) {
	switch ev.Kind {
	case platform.EventTrap:
		th.machineTrap(ev.Trap)
	case platform.EventPageFault:
		th.pageFault(ev)
	case platform.EventException:
		th.fault(ev)
	case platform.EventInterrupted:
		// Somebody wanted the thread out of its code; the loop looks why.
	case platform.EventDied:
		th.task.fail(&Report{Thread: th.id, PC: mach.Addr(th.regs.RIP), Reason: ev.Reason})
	}
}

// kernelBase is where the real kernel's own addresses begin: its page fault
// handler does not look a fault there up in the task's map.
const kernelBase mach.Addr = 0xffffffff80000000

// pageFault makes the page resident, or raises the exception.
func (th *Thread) pageFault(ev *platform.Event) {
	if ev.Addr >= kernelBase {
		th.exception(Exception{Kind: ExcBadAccess, Code: codePage, Subcode: uint64(ev.Addr)}, ev.Reason)
		return
	}
	access := ev.Access | mach.ProtRead // x86: see taskPmap
	access &^= mach.ProtExecute
	start := th.k.now()
	kr, err := th.resolve(ev.Addr, access)
	th.observeFault(ev.Addr, access, kr, start)
	switch {
	case err != nil:
		th.task.fail(&Report{Thread: th.id, PC: mach.Addr(th.regs.RIP), Reason: err.Error()})
	case kr != mach.KernSuccess:
		th.exception(Exception{Kind: ExcBadAccess, Code: int32(kr), Subcode: uint64(ev.Addr)}, ev.Reason)
	case ev.Reason != "":
		// The memory is there, and machine code cannot have it on this host.
		th.exception(Exception{Kind: ExcBadAccess, Code: int32(mach.KernProtectionFailure), Subcode: uint64(ev.Addr)}, ev.Reason)
	}
}

// resolve makes the page resident, and takes the samples that are wanted of that.
func (th *Thread) resolve(addr mach.Addr, access mach.Prot) (mach.KernReturn, error) {
	if th.sampled()&sampledFaults == 0 {
		return th.task.vmap.Fault(addr, access)
	}
	filled, kr, err := th.task.vmap.FaultOne(addr, access)
	if kr == mach.KernSuccess {
		th.sample(sampledFault)
		switch filled {
		case vm.FilledZero:
			th.sample(sampledZeroFill)
		case vm.FilledByCopy:
			th.sample(sampledCopied)
		}
	}
	return kr, err
}

// terminateThread ends a thread. Another thread's end is waited for, unless
// the caller itself must leave meanwhile.
//
//	KERN_FAILURE  the thread was leaving already
func (th *Thread) terminateThread(victim *Thread) mach.KernReturn {
	if !victim.kill() {
		return mach.KernFailure
	}
	if victim != th {
		th.await(victim.done)
	}
	return mach.KernSuccess
}

// outside runs f outside the gate: f may block, and the thread holds nothing
// that moves meanwhile.
func (th *Thread) outside(f func()) {
	th.setElsewhere(true)
	th.Leave()
	defer th.Enter()
	defer th.setElsewhere(false)
	f()
}

func (th *Thread) setElsewhere(is bool) {
	th.mu.Lock()
	th.elsewhere = is
	th.mu.Unlock()
}

// await blocks until c is closed or the thread must leave.
func (th *Thread) await(c <-chan struct{}) {
	th.outside(func() {
		select {
		case <-c:
		case <-th.dying:
		}
	})
}

func (th *Thread) String() string { return fmt.Sprintf("thread %d of task %d", th.id, th.task.id) }

// now is the time for events, zero when nobody looks.
func (k *Kernel) now() time.Time {
	if k.observer == nil {
		return time.Time{}
	}
	return time.Now()
}
