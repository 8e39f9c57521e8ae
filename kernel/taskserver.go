package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/platform"
	"machkernel/vmsvc"
)

// machService serves subsystem mach: tasks and threads here, the vm_* routines
// by the VM server.
type machService struct {
	*vmsvc.Server
	k *Kernel
}

// TaskCreate is task_create (2007). The child has no thread and no names.
//
//	KERN_INVALID_TASK       the port is no task's (KERN_INVALID_ARGUMENT under
//	                        taskCreateInvalidArgument)
//	KERN_RESOURCE_SHORTAGE  no memory for the inherited copy
func (machService) TaskCreate(c *mig.Call, parent *Task, inherit bool) (*Task, mach.KernReturn) {
	if parent == nil || parent.VMMap() == nil {
		if caller(c).k.rules.taskCreateInvalidArgument {
			return nil, mach.KernInvalidArgument
		}
		return nil, mach.KernInvalidTask
	}
	return parent.newChild(inherit)
}

// newChild makes a task as task_create does.
//
//	KERN_RESOURCE_SHORTAGE  no memory for the inherited copy
func (t *Task) newChild(inherit bool) (*Task, mach.KernReturn) {
	child, kr := t.k.newTask(childName(t.label.String()), t, inherit, false)
	if kr != mach.KernSuccess {
		return nil, mach.KernResourceShortage
	}
	return child, kr
}

// TaskTerminate is task_terminate (2008). Another task is gone when the
// call returns; of one's own nothing returns.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated already
func (machService) TaskTerminate(c *mig.Call, t *Task) mach.KernReturn {
	if t == nil {
		return mach.KernInvalidArgument
	}
	return caller(c).terminateTask(t)
}

// terminateTask ends a task. Another task's end is waited for, unless the
// caller itself must leave meanwhile.
//
//	KERN_FAILURE  the task was being terminated already
func (th *Thread) terminateTask(t *Task) mach.KernReturn {
	if !t.k.terminate(t) {
		return mach.KernFailure
	}
	if th.task != t {
		th.await(t.done)
	}
	return mach.KernSuccess
}

// ThreadCreate is thread_create (2061). The thread is suspended once, its
// registers are zero.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated
func (machService) ThreadCreate(_ *mig.Call, t *Task) (*Thread, mach.KernReturn) {
	if t == nil {
		return nil, mach.KernInvalidArgument
	}
	return t.newThread()
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
	switch err := th.start(); err {
	case nil:
		return mach.KernSuccess
	case errNotSuspended:
		return mach.KernFailure
	default:
		return mach.KernResourceShortage
	}
}

// ThreadTerminate is thread_terminate (2016).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
//	KERN_FAILURE           the thread is being terminated already
func (machService) ThreadTerminate(c *mig.Call, th *Thread) mach.KernReturn {
	if th == nil {
		return mach.KernInvalidArgument
	}
	return caller(c).terminateThread(th)
}

// Flavors of thread state on x86 (C: i386_*_STATE), and rules of the registers.
const (
	flavorThreadState  = 1       // C: i386_THREAD_STATE
	flavorRegsSegs     = 5       // C: i386_REGS_SEGS_STATE
	threadStateCount   = 42      // C: i386_THREAD_STATE_COUNT
	userFlagsSet       = 0x200   // C: EFL_USER_SET: interrupts on
	userFlagsClear     = 0x17000 // C: EFL_USER_CLEAR: I/O privilege, nested task, resume
	requestedPrivilege = 3
)

// ThreadSetState is thread_set_state (2018).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's or the caller's own; an
//	                       unknown flavor; too few words; with REGS_SEGS a
//	                       code or stack selector that is null or not a user's
//	                       (a good one is checked, and not loaded: programs
//	                       here have one pair of them)
//
// A thread that runs already cannot be changed yet: KERN_FAILURE.
func (machService) ThreadSetState(c *mig.Call, th *Thread, flavor int32, words []uint32) mach.KernReturn {
	if th == nil || th == caller(c) {
		return mach.KernInvalidArgument
	}
	if flavor != flavorThreadState && flavor != flavorRegsSegs {
		return mach.KernInvalidArgument
	}
	if len(words) < threadStateCount {
		return mach.KernInvalidArgument
	}
	s := threadState(words)
	if flavor == flavorRegsSegs && (!userSelector(s.CS) || !userSelector(s.SS)) {
		return mach.KernInvalidArgument
	}
	return th.setRegs(func(r *platform.Regs) { setGeneral(r, &s) })
}

// threadState is the structure that the words of a state are.
func threadState(words []uint32) (s mach.ThreadState) {
	b := make([]byte, 4*threadStateCount)
	mig.PutElements(b, 0, words[:threadStateCount])
	mig.GetStruct(b, 0, &s)
	return s
}

func userSelector(s uint32) bool { s &= 0xffff; return s != 0 && s&3 == requestedPrivilege }

// setGeneral writes the general registers.
func setGeneral(r *platform.Regs, s *mach.ThreadState) {
	r.R8, r.R9, r.R10, r.R11 = s.R8, s.R9, s.R10, s.R11
	r.R12, r.R13, r.R14, r.R15 = s.R12, s.R13, s.R14, s.R15
	r.RDI, r.RSI, r.RBP, r.RBX = s.RDI, s.RSI, s.RBP, s.RBX
	r.RDX, r.RCX, r.RAX, r.RIP = s.RDX, s.RCX, s.RAX, s.RIP
	r.RFLAGS = s.RFL&^userFlagsClear | userFlagsSet
	r.RSP = s.URSP
}
