package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/rules"
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
//	KERN_INVALID_TASK       the port is no task's (rules.TaskCreateNoTask)
//	KERN_RESOURCE_SHORTAGE  no memory for the inherited copy
func (machService) TaskCreate(c *mig.Call, parent *Task, inherit bool) (*Task, mach.KernReturn) {
	if parent == nil || parent.VMMap() == nil {
		return nil, rules.TaskCreateNoTask.In(caller(c).k.rules)
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
func (machService) ThreadCreate(c *mig.Call, t *Task) (*Thread, mach.KernReturn) {
	if t == nil {
		return nil, mach.KernInvalidArgument
	}
	th, kr := t.newThread()
	if by := caller(c); kr == mach.KernSuccess && by.task == t {
		th.inheritControl(by)
	}
	return th, kr
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

// ThreadTerminateRelease is thread_terminate_release (4201): a thread gives up
// its port's name, its reply port and its stack in task, and ends. Whatever of
// this fails, the rest is done; nobody is answered. Without a task or a thread
// nothing is done.
func (gnumachService) ThreadTerminateRelease(c *mig.Call, th *Thread, t *Task, name, reply mach.Name, stack mach.Addr, size uint64) mach.KernReturn {
	if th == nil || t == nil || t.VMMap() == nil {
		return mach.MigNoReply
	}
	t.space.Deallocate(name)
	if reply != mach.NameNull {
		t.space.DestroyName(reply)
	}
	if stack != 0 || size != 0 {
		t.k.memory.Deallocate(t.vmap, stack, size)
	}
	caller(c).terminateThread(th)
	return mach.MigNoReply
}
