package kernel

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/platform"
	"machkernel/ports"
	"machkernel/vm"
)

// Task is an address space and a port name space, with threads in them.
//
//	state    active  threads     space, vmap   self
//	alive    true    any         in use        live kernel port
//	dying    false   leaving     in use        dead
//	gone     false   none        destroyed     dead; done is closed
type Task struct {
	k     *Kernel
	id    uint64
	name  string
	space *ports.Space
	vmap  *vm.Map
	pmap  *taskPmap // nil in a task whose threads are Go functions
	mem   taskMemory
	self  *ports.Port
	label label // what the kernel calls it

	record   taskRecord
	sampling sampling
	done     chan struct{} // closed when the task is gone

	mu       sync.Mutex
	active   bool
	stops    int                  // C: user_stop_count
	priority int32                // of threads to be made
	threads  map[*Thread]struct{} // not gone yet
	report   *Report              // why the kernel ended the task, if it did

	special   taskPorts  // guarded by mu
	emulation *emulation // guarded by mu; nil if there is none
}

// Report tells why the kernel ended a task: an exception that nobody handled,
// or the death of its process.
type Report struct {
	Exception Exception
	Thread    uint64    // id of the thread
	PC        mach.Addr // where its code stood
	Reason    string    // what the exception does not tell, one line
}

func (r *Report) String() string {
	if r.Exception.Kind == 0 {
		return r.Reason
	}
	s := fmt.Sprintf("%v at pc %v", r.Exception, r.PC)
	if r.Reason != "" {
		s += ": " + r.Reason
	}
	return s
}

// NewTask makes a task whose threads are Go functions. Its memory is empty.
func (k *Kernel) NewTask(name string) (*Task, error) {
	k.gate.Enter()
	defer k.gate.Leave()
	t, kr := k.newTask(name, nil, false, true)
	if kr != mach.KernSuccess {
		return nil, fmt.Errorf("cannot create a task: %v", kr)
	}
	return t, nil
}

// newTask makes a task. With inherit it has a copy of parent's memory by its
// inheritance; without, only parent's limits, and parent may be nil. The caller
// is inside the gate.
//
//	KERN_RESOURCE_SHORTAGE  no memory for the copy, or as many tasks as may be
//	KERN_FAILURE            the kernel is closing
func (k *Kernel) newTask(name string, parent *Task, inherit, goThreads bool) (*Task, mach.KernReturn) {
	t := &Task{
		k: k, id: k.ids.Add(1), name: name,
		done: make(chan struct{}), active: true, threads: map[*Thread]struct{}{},
		priority: taskPriority(parent),
	}
	var pm vm.Pmap
	if goThreads {
		pm = vm.NewSoftPmap(k.frames)
	} else {
		t.pmap = &taskPmap{}
		pm = t.pmap
	}
	if inherit {
		m, kr := parent.vmap.Fork(pm)
		if kr != mach.KernSuccess {
			return nil, kr
		}
		t.vmap = m
	} else {
		t.vmap = k.newMap(parent, pm)
	}
	t.mem = taskMemory{m: t.vmap, frames: k.frames}
	t.space = k.zone.NewSpace()
	t.self = k.zone.NewKernelPort(t)
	t.label.set(name)
	t.record.created = k.clock.uptime()
	t.initPorts(parent)
	if parent != nil {
		t.emulation = parent.emulated()
	}
	if kr := k.admit(t); kr != mach.KernSuccess {
		t.dropPorts()
		k.zone.DestroyPort(t.self)
		t.space.Destroy()
		t.vmap.Terminate()
		return nil, kr
	}
	k.announce(t, parent)
	return t, mach.KernSuccess
}

// newMap makes an empty map with the limits of parent's, or of nobody's.
func (k *Kernel) newMap(parent *Task, pm vm.Pmap) *vm.Map {
	m := vm.NewMap(k.frames, pm)
	k.memory.Prepare(m)
	limits := k.limits
	if parent != nil {
		limits = parent.vmap.Limits()
	}
	m.SetLimits(limits, true)
	return m
}

// What one client may take of the kernel's own memory: past these numbers
// comes KERN_RESOURCE_SHORTAGE.
const (
	maxTasks   = 16384 // of a kernel
	maxThreads = 4096  // of a task
)

// admit enters a new task into the kernel's list.
func (k *Kernel) admit(t *Task) mach.KernReturn {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.closed:
		return mach.KernFailure
	case len(k.tasks) >= maxTasks:
		return mach.KernResourceShortage
	}
	k.tasks[t] = struct{}{}
	k.running.Add(1)
	return mach.KernSuccess
}

// ID is a number of the task's own, never used again in this kernel.
func (t *Task) ID() uint64 { return t.id }

// Name is what the task was called at its creation.
func (t *Task) Name() string { return t.name }

// Done is closed when the task is gone: its threads have left, its name
// space, memory and process are given back.
func (t *Task) Done() <-chan struct{} { return t.done }

// Share gives to a send right to the port whose receive right t has under
// name, and answers the name it has there. It is for programs that wire their
// tasks together; tasks themselves send rights in messages.
func (t *Task) Share(name mach.Name, to *Task) (mach.Name, error) {
	t.k.gate.Enter()
	defer t.k.gate.Leave()
	right, kr := t.space.ExtractRight(name, mach.TypeMakeSend)
	if kr != mach.KernSuccess {
		return mach.NameNull, fmt.Errorf("task %d has no receive right %v: %v", t.id, name, kr)
	}
	there, kr := to.space.Copyout(right)
	if kr != mach.KernSuccess {
		t.k.zone.Release(right)
		return mach.NameNull, fmt.Errorf("task %d has no room for a right: %v", to.id, kr)
	}
	return there, nil
}

// VMMap is the task's address map, nil once the task is dying.
func (t *Task) VMMap() *vm.Map {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.active {
		return nil
	}
	return t.vmap
}

// portSpace is the task's name space, nil once the task is dying.
func (t *Task) portSpace() *ports.Space {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.active {
		return nil
	}
	return t.space
}

// threadList is the task's threads that are not gone, in the order they were
// made.
func (t *Task) threadList() []*Thread {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.SortedFunc(maps.Keys(t.threads), func(a, b *Thread) int { return cmp.Compare(a.id, b.id) })
}

// Report tells why the kernel ended the task, nil if it did not.
func (t *Task) Report() *Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.report
}

// Terminate ends the task, as task_terminate does, and returns at once; Done
// tells when it is gone.
func (t *Task) Terminate() {
	t.k.gate.Enter()
	defer t.k.gate.Leave()
	t.k.terminate(t)
}

// terminate marks t as dying, wakes and interrupts its threads, and starts
// what waits for them. It reports false if t was dying already. The caller is
// inside the gate and may be a thread of t.
func (k *Kernel) terminate(t *Task) bool {
	t.mu.Lock()
	if !t.active {
		t.mu.Unlock()
		return false
	}
	t.active = false
	t.mu.Unlock()
	threads := t.threadList() // no more can be added
	for _, th := range threads {
		th.kill()
	}
	go k.reap(t, threads)
	return true
}

// reap waits until the task's threads have left and gives back what it had.
func (k *Kernel) reap(t *Task, threads []*Thread) {
	defer k.running.Done()
	for _, th := range threads {
		<-th.done
	}
	k.gate.Enter()
	t.dropPorts()
	t.space.Destroy(t.self) // its port after those of its threads and its own
	t.vmap.Terminate()
	k.mu.Lock()
	delete(k.tasks, t)
	k.mu.Unlock()
	k.gate.Leave()
	if r := t.Report(); r != nil && k.onReport != nil {
		k.onReport(t, r)
	}
	close(t.done)
}

// fail ends the task for a reason of the kernel's. The first reason counts.
func (t *Task) fail(r *Report) {
	t.mu.Lock()
	if t.report == nil && t.active {
		t.report = r
	}
	t.mu.Unlock()
	t.k.terminate(t)
}

// process is the task's stub process, started if need be.
func (t *Task) process() (*platform.Process, error) {
	t.k.mu.Lock()
	m := t.k.machine
	t.k.mu.Unlock()
	if m == nil || t.pmap == nil {
		return nil, fmt.Errorf("task %d cannot run machine code", t.id)
	}
	return t.pmap.process(func() (*platform.Process, error) {
		proc, err := m.NewProcess()
		if err == nil {
			t.k.running.Add(1)
			go t.watch(proc)
		}
		return proc, err
	})
}

// watch ends the task when its process dies, also while no thread runs in it.
func (t *Task) watch(proc *platform.Process) {
	defer t.k.running.Done()
	<-proc.Done()
	t.k.gate.Enter()
	defer t.k.gate.Leave()
	t.fail(&Report{Reason: proc.Epitaph()})
}

var _ ipc.Memory = taskMemory{}
