package kernel

import (
	"time"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// Priorities go from 0, the best, to 63.
const (
	priorities    = 64             // C: NRQS
	priorityUser  = 25             // C: BASEPRI_USER
	priorityLeast = priorities - 1 // a depressed thread's
	notDepressed  = -1
)

// Scheduling policies.
const (
	policyTimeshare = 1 // C: POLICY_TIMESHARE
	policyFixed     = 2 // C: POLICY_FIXEDPRI
)

func invalidPriority(p int32) bool { return p < 0 || p >= priorities }

func invalidPolicy(p int32) bool { return p != policyTimeshare && p != policyFixed }

// sched is what a thread's scheduling is said to be. The rules of the numbers
// are the real kernel's; who runs is the host's affair. Only a thread that gives
// way lets others go first (giveWay).
type sched struct {
	priority  int32     // of now: priorityLeast while the thread is depressed
	max       int32     // the best that thread_priority may give
	policy    int32     // one policy
	quantum   int32     // of policyFixed, in ticks (C: sched_data)
	depressed int32     // the priority to return to, or notDepressed (C: depress_priority)
	until     time.Time // when the depression ends by itself; zero is never

	giving *ports.Event // what the thread waits for that gives way; else nil
}

// newSched is a new thread's: its task's priority, if that is no better than
// what a thread, and one in its processor set, may have.
func newSched(task, set int32) sched {
	most := max(priorityUser, set)
	return sched{priority: max(task, most), max: most, policy: policyTimeshare, depressed: notDepressed}
}

// taskPriority is a new task's: its parent's, or a user's.
func taskPriority(parent *Task) int32 {
	if parent == nil {
		return priorityUser
	}
	parent.mu.Lock()
	defer parent.mu.Unlock()
	return parent.priority
}

// setPriority sets the priority now or, while s is depressed, that afterwards.
func (s *sched) setPriority(p int32) {
	if s.depressed != notDepressed {
		s.depressed = p
	} else {
		s.priority = p
	}
}

// setMax sets the best priority; one that is better than that becomes it.
func (s *sched) setMax(most int32) {
	s.max = most
	s.priority = max(s.priority, most)
	if s.depressed != notDepressed {
		s.depressed = max(s.depressed, most)
	}
}

// setPolicy sets the policy, and for policyFixed the quantum: data in
// milliseconds, in ticks rounded up, with the real kernel's 32 bits.
func (s *sched) setPolicy(policy, data int32) {
	s.policy = policy
	if policy != policyFixed {
		return
	}
	micros := data * 1000
	if micros%tickMicros != 0 {
		micros += tickMicros
	}
	s.quantum = micros / tickMicros
}

// undepress ends the depression, if there is one; who gives way goes on.
func (s *sched) undepress() {
	if s.depressed != notDepressed {
		s.priority, s.depressed, s.until = s.depressed, notDepressed, time.Time{}
	}
	if s.giving != nil {
		s.giving.Signal()
		s.giving = nil
	}
}

// schedule lets f see and change the thread's scheduling.
func (th *Thread) schedule(f func(*sched)) {
	th.mu.Lock()
	defer th.mu.Unlock()
	if s := &th.sched; !s.until.IsZero() && !time.Now().Before(s.until) {
		s.undepress()
	}
	f(&th.sched)
}

// depress gives the thread the least priority for a while, 0 being until
// somebody ends it (C: thread_depress_priority). A depressed thread that is
// depressed again returns to the least priority.
func (th *Thread) depress(d time.Duration) {
	th.schedule(func(s *sched) {
		s.depressed, s.priority, s.until = s.priority, priorityLeast, time.Time{}
		if d != 0 {
			s.until = time.Now().Add(d)
		}
	})
}

// depressAbort gives the thread its priority back (C: thread_depress_abort).
func (th *Thread) depressAbort() { th.schedule((*sched).undepress) }

// ThreadPriority is thread_priority (2620).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's; there is no such priority
//	KERN_FAILURE           it is better than the thread may have
func (hostService) ThreadPriority(_ *mig.Call, th *Thread, priority int32, setMax bool) mach.KernReturn {
	if th == nil || invalidPriority(priority) {
		return mach.KernInvalidArgument
	}
	kr := mach.KernSuccess
	th.schedule(func(s *sched) {
		if priority < s.max {
			kr = mach.KernFailure
			return
		}
		s.setPriority(priority)
		if setMax {
			s.max = priority
		}
	})
	return kr
}

// ThreadMaxPriority is thread_max_priority (2621). The set's control port is
// the permission to raise it.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's; set is no control port of a
//	                       processor set; there is no such priority
func (hostService) ThreadMaxPriority(_ *mig.Call, th *Thread, set *processorSet, most int32) mach.KernReturn {
	if th == nil || set == nil || invalidPriority(most) {
		return mach.KernInvalidArgument
	}
	th.schedule(func(s *sched) { s.setMax(most) })
	return mach.KernSuccess
}

// TaskPriority is task_priority (2622). It says with which priority the task's
// threads will be made. With changeThreads it is given to those that are, too.
//
//	KERN_INVALID_ARGUMENT  the port is no task's; there is no such priority
//	KERN_FAILURE           it is better than one of the threads may have; the
//	                       task and the others have it
func (s hostService) TaskPriority(c *mig.Call, t *Task, priority int32, changeThreads bool) mach.KernReturn {
	if t == nil || invalidPriority(priority) {
		return mach.KernInvalidArgument
	}
	t.mu.Lock()
	t.priority = priority
	t.mu.Unlock()
	if !changeThreads {
		return mach.KernSuccess
	}
	kr := mach.KernSuccess
	for _, th := range t.threadList() {
		if s.ThreadPriority(c, th, priority, false) != mach.KernSuccess {
			kr = mach.KernFailure
		}
	}
	return kr
}

// ThreadPolicy is thread_policy (2624). data is the quantum of fixed priority,
// in milliseconds.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's; there is no such policy
//	KERN_FAILURE           the thread has another, and the processor set does
//	                       not allow this one
func (hostService) ThreadPolicy(_ *mig.Call, th *Thread, policy, data int32) mach.KernReturn {
	if th == nil || invalidPolicy(policy) {
		return mach.KernInvalidArgument
	}
	kr := mach.KernSuccess
	th.schedule(func(s *sched) {
		if policy != s.policy && th.k.pset.policies.Load()&policy == 0 {
			kr = mach.KernFailure
			return
		}
		s.setPolicy(policy, data)
	})
	return kr
}

// ThreadDepressAbort is thread_depress_abort (2631). A thread that is not
// depressed stays as it is.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (hostService) ThreadDepressAbort(_ *mig.Call, th *Thread) mach.KernReturn {
	if th == nil {
		return mach.KernInvalidArgument
	}
	th.depressAbort()
	return mach.KernSuccess
}

// trapDepressAbort is the trap of the same name.
//
//	MACH_SEND_INTERRUPTED  the name denotes no send right to a thread
func trapDepressAbort(th *Thread, a *[maxArgs]uint64) uint64 {
	victim := th.threadNamed(mach.Name(a[0]))
	if victim == nil {
		return uint64(mach.SendInterrupted)
	}
	victim.depressAbort()
	return uint64(mach.KernSuccess)
}

// threadNamed is the living thread that name denotes in the thread's space.
func (th *Thread) threadNamed(name mach.Name) *Thread {
	if p := th.task.space.LookupSend(name); p != nil {
		return convertPortToThread(p.KObject())
	}
	return nil
}

// ThreadWire is thread_wire (2637). In the real kernel a wired thread gets
// memory when there is almost none, and keeps its kernel stack; here none waits
// for memory or is without a stack, so nothing is kept of it.
//
//	KERN_INVALID_ARGUMENT  the port is not the privileged host port; thread is
//	                       not the caller
func (hostService) ThreadWire(c *mig.Call, h *hostPriv, th *Thread, _ bool) mach.KernReturn {
	if h == nil || th != caller(c) {
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}
