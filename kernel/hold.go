package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
)

// Holding, stopping and aborting threads.
//
// A thread is either on its way (in machine code, or inside the gate) or out:
// blocked, held, or not started. Only on its own way does it touch its
// registers, so whoever wants them sees to it that the thread is held and then
// waits until it is out. It stops at two points: before it goes (back) to
// machine code, which is its clean point, and where it comes back from a wait.
//
//	holds    what keeps it from running: thread_suspend's count as one, its
//	         task's as one, and one for each caller that looks at its registers
//	stops    thread_suspend's own count (C: user_stop_count)
//	out      it stands still
//	elsewhere  it is out for something else than messages and events
//	trapped  it is between an event of its machine code and its clean point
//	aborting thread_abort wants it at its clean point: holds do not keep it
//	clean, cut  what thread_abort waits for; see abort
//	halted   thread_abort has had it there while it was held (C: TH_HALTED)
//
// All are guarded by Thread.mu; moved is told of each change. Who waits for
// another thread does so out itself (Thread.outside), so two threads that stop
// one another stand still both, and neither waits for ever. The lock order is
// Task.mu, then Thread.mu; below both comes the IPC lock.

// Enter implements ports.Gate: the thread comes back from a wait. Held, it waits
// on, unless it is to die or to come to its clean point.
func (th *Thread) Enter() {
	th.mu.Lock()
	th.park()
	th.out = false
	th.turn(modeSystem)
	th.mu.Unlock()
	th.k.gate.Enter()
}

// Park waits while the thread is held.
func (th *Thread) Park() {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.park()
}

// park is Park with th.mu held.
func (th *Thread) park() {
	for th.holds > 0 && !th.dead && !th.aborting {
		th.moved.Wait()
	}
}

// Leave implements ports.Gate: the thread is about to block.
func (th *Thread) Leave() {
	th.k.gate.Leave()
	th.setOut()
}

func (th *Thread) setOut() {
	th.mu.Lock()
	th.out = true
	th.turn(modeNone)
	th.moved.Broadcast()
	th.mu.Unlock()
}

// pass is the thread's clean point: it waits there while it is held. It reports
// false if the thread must leave.
func (th *Thread) pass() bool {
	th.mu.Lock()
	defer th.mu.Unlock()
	th.arrive()
	if th.holds > 0 && !th.dead {
		th.out = true
		th.turn(modeNone)
		for th.holds > 0 && !th.dead {
			th.moved.Wait()
		}
	}
	th.out = false
	th.turn(modeUser)
	return !th.dead
}

// depart notes that the thread left its clean point, and takes the sample that
// is due.
func (th *Thread) depart() {
	th.mu.Lock()
	th.trapped = true
	th.turn(modeSystem)
	due := th.sampleDue
	th.sampleDue = false
	th.mu.Unlock()
	if due {
		th.sample(sampledPeriodic)
	}
}

// settle is arrive of a thread that runs a Go function.
func (th *Thread) settle() {
	th.mu.Lock()
	th.arrive()
	th.mu.Unlock()
}

// arrive notes that the thread is at its clean point. th.mu is held.
func (th *Thread) arrive() {
	if th.aborting {
		th.waiter.Resume()
	}
	th.trapped, th.aborting = false, false
	if th.clean != nil {
		close(th.clean)
		th.clean = nil
	}
	th.moved.Broadcast()
}

// hold keeps the thread from running, from its next stop on.
func (th *Thread) hold() {
	th.mu.Lock()
	th.holds++
	th.waiter.SetSuspended(true)
	hw, running := th.hw, !th.out
	th.mu.Unlock()
	if hw != nil && running {
		hw.Interrupt()
	}
}

// release takes one hold back. The last one lets the thread run; one that never
// ran is started. The error says why the host has no process or thread for it,
// and then the hold stays.
func (th *Thread) release() error {
	th.mu.Lock()
	defer th.mu.Unlock()
	if th.holds == 1 && !th.started && !th.dead {
		if err := th.start(); err != nil {
			return err
		}
	}
	th.holds--
	if th.holds == 0 {
		th.halted = false
		th.waiter.SetSuspended(false)
	}
	th.moved.Broadcast()
	return nil
}

// own makes the last hold of a thread that could not be started its own suspend
// count, so that thread_resume can try again.
func (th *Thread) own() {
	th.mu.Lock()
	th.stops++
	th.mu.Unlock()
}

// still waits until the thread, held, is out, or somebody else has let it go. The
// caller is another thread; if it is held itself it goes on to its clean point, so
// that what it does is answered first.
func (th *Thread) still(caller *Thread) {
	caller.setElsewhere(true)
	caller.Leave()
	th.mu.Lock()
	for !th.out && !th.dead && th.holds > 0 {
		th.moved.Wait()
	}
	th.mu.Unlock()
	caller.mu.Lock()
	caller.out, caller.elsewhere = false, false
	caller.turn(modeSystem)
	caller.mu.Unlock()
	caller.k.gate.Enter()
}

// suspends is the thread's own suspend count.
func (th *Thread) suspends() int {
	th.mu.Lock()
	defer th.mu.Unlock()
	return th.stops
}

// suspends is the task's suspend count.
func (t *Task) suspends() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stops
}

// Run states of a thread (C: TH_STATE_*), and its flags (C: TH_FLAGS_SWAPPED).
const (
	runStateRunning = 1
	runStateStopped = 2
	runStateWaiting = 3
	runStateHalted  = 5
	runFlagSwapped  = 1
)

// runState is what thread_info tells of the thread.
func (th *Thread) runState() (state, flags int32) {
	th.mu.Lock()
	defer th.mu.Unlock()
	waiting, sending := th.waiter.Waiting()
	if th.out && !sending {
		flags = runFlagSwapped // who waits to send keeps its kernel stack
	}
	switch {
	case th.halted:
		return runStateHalted, flags
	case !th.out:
		return runStateRunning, 0
	case th.holds > 0:
		return runStateStopped, flags
	case th.sched.giving != nil: // it could, if nobody else did
		return runStateRunning, 0
	case !th.trapped, !waiting && !th.elsewhere: // it is about to run
		return runStateRunning, 0
	}
	return runStateWaiting, flags
}

// ThreadSuspend is thread_suspend (2062): it returns when the thread stands
// still. A thread that suspends itself stops once its call is answered.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (machService) ThreadSuspend(c *mig.Call, th *Thread) mach.KernReturn {
	if th == nil {
		return mach.KernInvalidArgument
	}
	th.mu.Lock()
	th.stops++
	first := th.stops == 1
	th.mu.Unlock()
	if first {
		th.hold()
		if th != caller(c) {
			th.still(caller(c))
		}
	}
	return mach.KernSuccess
}

// ThreadResume is thread_resume (2063).
//
//	KERN_INVALID_ARGUMENT   the port is no thread's
//	KERN_FAILURE            the thread is not suspended
//	KERN_RESOURCE_SHORTAGE  the host has no process or thread for it
func (machService) ThreadResume(_ *mig.Call, th *Thread) mach.KernReturn {
	if th == nil {
		return mach.KernInvalidArgument
	}
	th.mu.Lock()
	if th.stops == 0 || th.dead {
		th.mu.Unlock()
		return mach.KernFailure
	}
	th.stops--
	last := th.stops == 0
	th.mu.Unlock()
	if !last {
		return mach.KernSuccess
	}
	if th.release() != nil {
		th.mu.Lock()
		th.stops++
		th.mu.Unlock()
		return mach.KernResourceShortage
	}
	return mach.KernSuccess
}

// TaskSuspend is task_suspend (2056): it returns when all the task's threads
// stand still. They are held by it beside what holds each.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated
func (machService) TaskSuspend(c *mig.Call, t *Task) mach.KernReturn {
	if t == nil {
		return mach.KernInvalidArgument
	}
	return t.suspend(caller(c))
}

func (t *Task) suspend(by *Thread) mach.KernReturn {
	t.mu.Lock()
	if !t.active {
		t.mu.Unlock()
		return mach.KernFailure
	}
	t.stops++
	if t.stops > 1 {
		t.mu.Unlock()
		return mach.KernSuccess
	}
	threads := make([]*Thread, 0, len(t.threads))
	for th := range t.threads {
		th.hold()
		threads = append(threads, th)
	}
	t.mu.Unlock()
	for _, th := range threads {
		if th != by {
			th.still(by)
		}
	}
	return mach.KernSuccess
}

// TaskResume is task_resume (2057).
//
//	KERN_INVALID_ARGUMENT   the port is no task's
//	KERN_FAILURE            the task is not suspended
//	KERN_RESOURCE_SHORTAGE  the host has no process or thread for one of its threads
func (machService) TaskResume(_ *mig.Call, t *Task) mach.KernReturn {
	if t == nil {
		return mach.KernInvalidArgument
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stops == 0 {
		return mach.KernFailure
	}
	t.stops--
	if t.stops > 0 {
		return mach.KernSuccess
	}
	kr := mach.KernSuccess
	for th := range t.threads {
		if th.release() != nil {
			th.own()
			kr = mach.KernResourceShortage
		}
	}
	return kr
}

// ThreadAbort is thread_abort (2064): a wait the thread is in ends with
// MACH_SEND_INTERRUPTED, MACH_RCV_INTERRUPTED or KERN_INTERRUPTED, and its
// registers say so when the call returns, also while it is suspended. A thread
// in machine code, or one that never ran, notices nothing.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's or the caller's own
func (machService) ThreadAbort(c *mig.Call, th *Thread) mach.KernReturn {
	by := caller(c)
	if th == nil || th == by {
		return mach.KernInvalidArgument
	}
	th.abort(by)
	return mach.KernSuccess
}

// abort brings the thread to its clean point and waits until it is there, or dies.
// Who waits here may die, or be aborted, itself: two threads that abort one
// another both come out. The waiter is interrupted under th.mu, so that the
// thread cannot reach its clean point in between and never take it back.
func (th *Thread) abort(by *Thread) {
	th.mu.Lock()
	if th.dead {
		th.mu.Unlock()
		return
	}
	th.halted = th.holds > 0
	waiting := th.trapped
	var clean chan struct{}
	if waiting {
		th.aborting = true
		if th.clean == nil {
			th.clean = make(chan struct{})
		}
		clean = th.clean
		th.waiter.Interrupt()
	}
	if th.cut != nil {
		close(th.cut)
		th.cut = nil
	}
	th.moved.Broadcast()
	th.mu.Unlock()
	if !waiting {
		return
	}
	by.mu.Lock()
	if by.aborting {
		by.mu.Unlock()
		return
	}
	cut := make(chan struct{})
	by.cut = cut
	by.mu.Unlock()
	by.outside(func() {
		select {
		case <-clean:
		case <-th.dying:
		case <-by.dying:
		case <-cut:
		}
	})
	by.mu.Lock()
	by.cut = nil
	by.mu.Unlock()
}
