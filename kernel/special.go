package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// taskPorts are the ports a task has been given, as send rights that the kernel
// holds for it. All are guarded by Task.mu.
type taskPorts struct {
	kernel     ports.Right // C: itk_sself; what mach_task_self answers
	exception  ports.Right // C: itk_exception
	bootstrap  ports.Right // C: itk_bootstrap
	registered [mach.TaskPortRegisterMax]ports.Right
}

// all are the rights, in no order.
func (p *taskPorts) all() []ports.Right {
	return append([]ports.Right{p.kernel, p.exception, p.bootstrap}, p.registered[:]...)
}

// which is the place of special port number n, nil if there is none.
func (p *taskPorts) which(n int32) *ports.Right {
	switch n {
	case mach.TaskKernelPort:
		return &p.kernel
	case mach.TaskExceptionPort:
		return &p.exception
	case mach.TaskBootstrapPort:
		return &p.bootstrap
	}
	return nil
}

// initPorts gives a new task its own port, and what a child has of its parent.
func (t *Task) initPorts(parent *Task) {
	t.special.kernel = t.k.zone.MakeSend(t.self)
	if parent == nil {
		return
	}
	parent.mu.Lock()
	defer parent.mu.Unlock()
	t.special.exception = t.k.zone.CopySend(parent.special.exception)
	t.special.bootstrap = t.k.zone.CopySend(parent.special.bootstrap)
	for i, r := range parent.special.registered {
		t.special.registered[i] = t.k.zone.CopySend(r)
	}
}

// dropPorts releases the rights, when the task ends. The caller is inside the
// gate.
func (t *Task) dropPorts() {
	t.mu.Lock()
	held := t.special
	t.special = taskPorts{}
	t.mu.Unlock()
	for _, r := range held.all() {
		t.k.zone.Release(r)
	}
}

// rights are what the task holds, for an audit.
func (t *Task) rights() []ports.Right {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.special.all()
}

// copySpecial makes another right of one that the task holds. The caller owns
// it; it is null in a task without that port, dead for a port that died.
func (t *Task) copySpecial(place *ports.Right) ports.Right {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.k.zone.CopySend(*place)
}

// replaceSpecial puts a right in a place of special, and releases the old one.
func (t *Task) replaceSpecial(place *ports.Right, right ports.Right) mach.KernReturn {
	t.mu.Lock()
	if !t.active {
		t.mu.Unlock()
		return mach.KernFailure
	}
	old := *place
	*place = right
	t.mu.Unlock()
	t.k.zone.Release(old)
	return mach.KernSuccess
}

// setSpecial is task_set_special_port, by message and by trap. It takes right
// on success only; see TaskSetSpecialPort for the codes.
func (t *Task) setSpecial(which int32, right ports.Right) mach.KernReturn {
	place := t.special.which(which)
	if place == nil {
		return mach.KernInvalidArgument
	}
	return t.replaceSpecial(place, right)
}

// TaskGetSpecialPort is task_get_special_port (2058).
//
//	KERN_INVALID_ARGUMENT  the port is no task's; no such special port
//	KERN_FAILURE           the task is being terminated
func (machService) TaskGetSpecialPort(_ *mig.Call, t *Task, which int32) (ports.Right, mach.KernReturn) {
	if t == nil {
		return ports.Right{}, mach.KernInvalidArgument
	}
	place := t.special.which(which)
	if place == nil {
		return ports.Right{}, mach.KernInvalidArgument
	}
	if t.VMMap() == nil {
		return ports.Right{}, mach.KernFailure
	}
	return t.copySpecial(place), mach.KernSuccess
}

// TaskSetSpecialPort is task_set_special_port (2059). Null and dead rights will
// do.
//
//	KERN_INVALID_ARGUMENT  the port is no task's; no such special port
//	KERN_FAILURE           the task is being terminated
func (machService) TaskSetSpecialPort(_ *mig.Call, t *Task, which int32, right ports.Right) mach.KernReturn {
	if t == nil {
		return mach.KernInvalidArgument
	}
	return t.setSpecial(which, right)
}

// MachPortsRegister is mach_ports_register (2033): the rights take the place of
// all that were registered, null ones fill up.
//
//	MIG_BAD_ARGUMENTS      no rights: in the real kernel an array out of line
//	                       without elements keeps the size that a name has,
//	                       and its stub wants a port's
//	KERN_INVALID_ARGUMENT  the port is no task's, or it is being terminated;
//	                       more rights than TASK_PORT_REGISTER_MAX
func (machService) MachPortsRegister(_ *mig.Call, t *Task, rights []ports.Right) mach.KernReturn {
	if len(rights) == 0 {
		return mach.MigBadArguments
	}
	if t == nil || len(rights) > mach.TaskPortRegisterMax {
		return mach.KernInvalidArgument
	}
	t.mu.Lock()
	if !t.active {
		t.mu.Unlock()
		return mach.KernInvalidArgument
	}
	old := t.special.registered
	t.special.registered = [mach.TaskPortRegisterMax]ports.Right{}
	copy(t.special.registered[:], rights)
	t.mu.Unlock()
	for _, r := range old {
		t.k.zone.Release(r)
	}
	return mach.KernSuccess
}

// MachPortsLookup is mach_ports_lookup (2034): always TASK_PORT_REGISTER_MAX
// rights.
//
//	KERN_INVALID_ARGUMENT  the port is no task's, or it is being terminated
func (machService) MachPortsLookup(_ *mig.Call, t *Task) ([]ports.Right, mach.KernReturn) {
	if t == nil {
		return nil, mach.KernInvalidArgument
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.active {
		return nil, mach.KernInvalidArgument
	}
	list := make([]ports.Right, 0, len(t.special.registered))
	for _, r := range t.special.registered {
		list = append(list, t.k.zone.CopySend(r))
	}
	return list, mach.KernSuccess
}

// threadPorts are the ports a thread has been given, as taskPorts. They are
// guarded by Thread.mu.
type threadPorts struct {
	kernel    ports.Right // C: ith_sself; what mach_thread_self answers
	exception ports.Right // C: ith_exception
}

// which is the place of special port number n, nil if there is none.
func (p *threadPorts) which(n int32) *ports.Right {
	switch n {
	case mach.ThreadKernelPort:
		return &p.kernel
	case mach.ThreadExceptionPort:
		return &p.exception
	}
	return nil
}

// rights are what the thread holds, for an audit.
func (th *Thread) rights() []ports.Right {
	th.mu.Lock()
	defer th.mu.Unlock()
	return []ports.Right{th.special.kernel, th.special.exception}
}

// dropPorts releases the rights, when the thread ends. The caller is inside
// the gate.
func (th *Thread) dropPorts() {
	th.mu.Lock()
	held := th.special
	th.special = threadPorts{}
	th.mu.Unlock()
	th.k.zone.Release(held.kernel)
	th.k.zone.Release(held.exception)
}

// copySpecial makes another right of one that the thread holds; see
// Task.copySpecial.
func (th *Thread) copySpecial(place *ports.Right) ports.Right {
	th.mu.Lock()
	defer th.mu.Unlock()
	return th.k.zone.CopySend(*place)
}

// ThreadGetSpecialPort is thread_get_special_port (2067).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's; no such special port
//	KERN_FAILURE           the thread is being terminated
func (machService) ThreadGetSpecialPort(_ *mig.Call, th *Thread, which int32) (ports.Right, mach.KernReturn) {
	if th == nil {
		return ports.Right{}, mach.KernInvalidArgument
	}
	place := th.special.which(which)
	if place == nil {
		return ports.Right{}, mach.KernInvalidArgument
	}
	if th.isDying() {
		return ports.Right{}, mach.KernFailure
	}
	return th.copySpecial(place), mach.KernSuccess
}

// ThreadSetSpecialPort is thread_set_special_port (2068). Null and dead rights
// will do.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's; no such special port
//	KERN_FAILURE           the thread is being terminated
func (machService) ThreadSetSpecialPort(_ *mig.Call, th *Thread, which int32, right ports.Right) mach.KernReturn {
	if th == nil {
		return mach.KernInvalidArgument
	}
	place := th.special.which(which)
	if place == nil {
		return mach.KernInvalidArgument
	}
	th.mu.Lock()
	if th.dead {
		th.mu.Unlock()
		return mach.KernFailure
	}
	old := *place
	*place = right
	th.mu.Unlock()
	th.k.zone.Release(old)
	return mach.KernSuccess
}
