package kernel

import (
	"encoding/binary"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/platform"
)

// taskRoutines is the task and thread part of GNU Mach's subsystem "mach".
func taskRoutines() []mig.Routine {
	return []mig.Routine{
		{
			ID: 2007, Name: "task_create", Serve: serveTaskCreate,
			Args: []mig.Arg{
				{Name: "inherit_memory", Dir: mig.In, Type: mig.Boolean},
				{Name: "child_task", Dir: mig.Out, Type: mig.SendRight},
			},
		},
		{ID: 2008, Name: "task_terminate", Serve: serveTaskTerminate},
		{ID: 2016, Name: "thread_terminate", Serve: serveThreadTerminate},
		{
			ID: 2018, Name: "thread_set_state", Serve: serveThreadSetState,
			Args: []mig.Arg{
				{Name: "flavor", Dir: mig.In, Type: mig.Int},
				{Name: "new_state", Dir: mig.In, Type: mig.ThreadState},
			},
		},
		{
			ID: 2061, Name: "thread_create", Serve: serveThreadCreate,
			Args: []mig.Arg{{Name: "child_thread", Dir: mig.Out, Type: mig.SendRight}},
		},
		{ID: 2063, Name: "thread_resume", Serve: serveThreadResume},
	}
}

// targetTask is the task behind the request port (C: convert_port_to_task).
func targetTask(c *mig.Call) *Task {
	t, _ := c.Object.(*Task)
	return t
}

// targetThread is the thread behind it (C: convert_port_to_thread).
func targetThread(c *mig.Call) *Thread {
	th, _ := c.Object.(*Thread)
	return th
}

// caller is the thread whose message is being served.
func caller(c *mig.Call) *Thread { return c.Caller.(*Thread) }

// serveTaskCreate is task_create (2007). The child has no thread and no names.
//
//	KERN_INVALID_TASK       the port is no task's (KERN_INVALID_ARGUMENT under
//	                        taskCreateInvalidArgument)
//	KERN_RESOURCE_SHORTAGE  no memory for the inherited copy
func serveTaskCreate(c *mig.Call) mach.KernReturn {
	parent := targetTask(c)
	if parent == nil || parent.VMMap() == nil {
		if caller(c).k.rules.taskCreateInvalidArgument {
			return mach.KernInvalidArgument
		}
		return mach.KernInvalidTask
	}
	child, kr := parent.k.newTask(childName(parent.name), parent, c.Bool(0), false)
	if kr != mach.KernSuccess {
		return mach.KernResourceShortage
	}
	c.SetRight(1, parent.k.zone.MakeSend(child.self))
	return kr
}

// childName is the name of a task's child: the parent's in parentheses, cut as
// the real kernel cuts it (C: TASK_NAME_SIZE).
func childName(parent string) string {
	const room = 32 - len("()") - 1
	return "(" + parent[:min(len(parent), room)] + ")"
}

// serveTaskTerminate is task_terminate (2008). Another task is gone when the
// call returns; of one's own nothing returns.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated already
func serveTaskTerminate(c *mig.Call) mach.KernReturn {
	t := targetTask(c)
	if t == nil {
		return mach.KernInvalidArgument
	}
	if !t.k.terminate(t) {
		return mach.KernFailure
	}
	if th := caller(c); th.task != t {
		th.await(t.done)
	}
	return mach.KernSuccess
}

// serveThreadCreate is thread_create (2061). The thread is suspended once, its
// registers are zero.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated
func serveThreadCreate(c *mig.Call) mach.KernReturn {
	t := targetTask(c)
	if t == nil {
		return mach.KernInvalidArgument
	}
	th, kr := t.newThread()
	if kr == mach.KernSuccess {
		c.SetRight(0, t.k.zone.MakeSend(th.self))
	}
	return kr
}

// serveThreadResume is thread_resume (2063).
//
//	KERN_INVALID_ARGUMENT   the port is no thread's
//	KERN_FAILURE            the thread is not suspended
//	KERN_RESOURCE_SHORTAGE  the host has no process or thread for it
func serveThreadResume(c *mig.Call) mach.KernReturn {
	th := targetThread(c)
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

// serveThreadTerminate is thread_terminate (2016).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
//	KERN_FAILURE           the thread is being terminated already
func serveThreadTerminate(c *mig.Call) mach.KernReturn {
	th := targetThread(c)
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

// serveThreadSetState is thread_set_state (2018).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's or the caller's own; an
//	                       unknown flavor; too few words; with REGS_SEGS a
//	                       code or stack selector that is null or not a user's
//	                       (a good one is checked, and not loaded: programs
//	                       here have one pair of them)
//
// A thread that runs already cannot be changed yet: KERN_FAILURE.
func serveThreadSetState(c *mig.Call) mach.KernReturn {
	th := targetThread(c)
	if th == nil || th == caller(c) {
		return mach.KernInvalidArgument
	}
	flavor := c.Int32(0)
	if flavor != flavorThreadState && flavor != flavorRegsSegs {
		return mach.KernInvalidArgument
	}
	var s mach.ThreadState
	if _, err := binary.Decode(c.Data(1), le, &s); err != nil {
		return mach.KernInvalidArgument // too few words
	}
	if flavor == flavorRegsSegs && (!userSelector(s.CS) || !userSelector(s.SS)) {
		return mach.KernInvalidArgument
	}
	return th.setRegs(func(r *platform.Regs) { setGeneral(r, &s) })
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
