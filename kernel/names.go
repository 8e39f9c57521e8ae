package kernel

import (
	"sync"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// nameSize is the room for a task's or a thread's name in the kernel, its zero
// included (C: TASK_NAME_SIZE, THREAD_NAME_SIZE).
const nameSize = 32

// label is the name of a task or a thread, for people who debug. A thread is
// called as its task was when the thread was made.
type label struct {
	mu   sync.Mutex // innermost
	text string
}

// set changes the name, cut where the kernel cuts it.
func (l *label) set(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text[:min(len(text), nameSize-1)]
}

func (l *label) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}

// childName is the name of a task's child: the parent's in parentheses, cut as
// the real kernel cuts it.
func childName(parent string) string {
	const room = nameSize - len("()") - 1
	return "(" + parent[:min(len(parent), room)] + ")"
}

// TaskSetName is task_set_name (4202). It has no reply, and nobody learns that
// the port is no task's.
func (gnumachService) TaskSetName(_ *mig.Call, t *Task, name string) mach.KernReturn {
	if t == nil {
		return mach.KernInvalidArgument
	}
	t.label.set(name)
	return mach.KernSuccess
}

// TaskSetEssential is task_set_essential (4211). In the sources the mark makes
// a task's exceptions stop in the kernel's debugger; a kernel without one, as
// the packaged one and this, does not look at it. It has no reply, and nobody
// learns that the port is no task's.
func (gnumachService) TaskSetEssential(_ *mig.Call, t *Task, _ bool) mach.KernReturn {
	if t == nil {
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}

// ThreadSetName is thread_set_name (4213). It has no reply, and nobody learns
// that the port is no thread's.
func (gnumachService) ThreadSetName(_ *mig.Call, th *Thread, name string) mach.KernReturn {
	if th == nil {
		return mach.KernInvalidArgument
	}
	th.label.set(name)
	return mach.KernSuccess
}

// ThreadGetName is thread_get_name (4214).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (gnumachService) ThreadGetName(_ *mig.Call, th *Thread) (string, mach.KernReturn) {
	if th == nil {
		return "", mach.KernInvalidArgument
	}
	return th.label.String(), mach.KernSuccess
}

// RegisterNewTaskNotification is register_new_task_notification (4203). The
// right is kept for ever; a null one registers nothing.
//
//	KERN_INVALID_HOST      the port is not the privileged host port
//	KERN_NO_ACCESS         a port is registered already
//	KERN_INVALID_ARGUMENT  it is not a send right (the real kernel takes any,
//	                       and miscounts)
func (gnumachService) RegisterNewTaskNotification(_ *mig.Call, h *hostPriv, right ports.Right) mach.KernReturn {
	if h == nil {
		return mach.KernInvalidHost
	}
	h.k.mu.Lock()
	defer h.k.mu.Unlock()
	switch {
	case !h.k.newTasks.IsNull():
		return mach.KernNoAccess
	case right.Valid() && right.Type != mach.TypePortSend:
		return mach.KernInvalidArgument
	}
	h.k.newTasks = right
	return mach.KernSuccess
}

// announce tells who wants to know that parent has a child
// (C: mach_notify_new_task). It never waits. The caller is inside the gate.
func (k *Kernel) announce(child, parent *Task) {
	k.mu.Lock()
	to := k.zone.CopySend(k.newTasks)
	k.mu.Unlock()
	if !to.Valid() {
		return
	}
	m := k.ipc.NewKmsg(to, mach.NotifyNewTask)
	m.AddRights(mach.TypePortSend, convertTaskToPort(child))
	var by ports.Right
	if parent != nil {
		by = convertTaskToPort(parent)
	}
	m.AddRights(mach.TypePortSend, by)
	k.ipc.Send(m)
}
