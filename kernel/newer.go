package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/vm"
)

// newerRoutines is what came to GNU Mach after the packaged kernel. It follows
// the sources; no recording judges it. Since says which version has what.
func newerRoutines() []mig.Routine {
	task := mig.Type{C: "task_t", Form: mig.PortArg, Name: mach.TypePortSend, Bits: 64, Number: 1}
	in := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.In, Type: t} }
	out := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.Out, Type: t} }
	return []mig.Routine{
		{
			ID: 3223, Name: "mach_port_set_ktype", Serve: serveSetKType,
			Args: []mig.Arg{in("task", task), in("name", mig.PortName), in("right", mig.PortRight), in("ktype", mig.Int)},
		},
		{
			ID: 4215, Name: "vm_set_size_limit", Serve: serveSetSizeLimit,
			Args: []mig.Arg{in("map", task), in("current_limit", mig.Size), in("max_limit", mig.Size)},
		},
		{
			ID: 4216, Name: "vm_get_size_limit", Serve: serveGetSizeLimit,
			Args: []mig.Arg{out("current_limit", mig.Size), out("max_limit", mig.Size)},
		},
	}
}

// taskArg is argument i, a task (C: convert_port_to_task), or nil.
func taskArg(c *mig.Call, i int) *Task {
	right, _ := c.Right(i)
	if !right.Valid() {
		return nil
	}
	t, _ := right.Port.KObject().(*Task)
	return t
}

// mapArg is the map of argument i, a task, or nil.
func mapArg(c *mig.Call, i int) *vm.Map {
	if t := taskArg(c, i); t != nil {
		return t.VMMap()
	}
	return nil
}

// serveSetSizeLimit is vm_set_size_limit (4215).
//
//	KERN_INVALID_ARGUMENT  the current limit is above the maximum
//	KERN_INVALID_TASK      map is no task's
//	KERN_INVALID_HOST      the request port is no host's
//	KERN_NO_ACCESS         the maximum would grow, and the host port is not the
//	                       privileged one
//
// The codes are found in this order.
func serveSetSizeLimit(c *mig.Call) mach.KernReturn {
	to := vm.Limits{Cur: c.Uint64(1), Max: c.Uint64(2)}
	if to.Cur > to.Max {
		return mach.KernInvalidArgument
	}
	m := mapArg(c, 0)
	if m == nil {
		return mach.KernInvalidTask
	}
	switch c.Object.(type) {
	case *hostPriv:
		return m.SetLimits(to, true)
	case *host:
		return m.SetLimits(to, false)
	}
	return mach.KernInvalidHost
}

// serveGetSizeLimit is vm_get_size_limit (4216).
//
//	KERN_INVALID_TASK  the port is no task's
func serveGetSizeLimit(c *mig.Call) mach.KernReturn {
	t := targetTask(c)
	if t == nil || t.VMMap() == nil {
		return mach.KernInvalidTask
	}
	l := t.vmap.Limits()
	c.SetUint64(0, l.Cur)
	c.SetUint64(1, l.Max)
	return mach.KernSuccess
}

// serveSetKType is mach_port_set_ktype (3223): it marks a port as a device
// driver's, or takes the mark away. In the sources the mark makes the kernel
// copy out-of-line memory for the port page by page and hold the pages; what is
// received is the same, and so nothing is kept of it here.
//
//	KERN_INVALID_HOST      the request port is not the privileged host port
//	KERN_INVALID_TASK      task is no task's
//	KERN_INVALID_ARGUMENT  ktype is none of the two; the port is the kernel's
//	KERN_INVALID_NAME      name denotes no right
//	KERN_INVALID_RIGHT     it denotes another than right, or not a port's
func serveSetKType(c *mig.Call) mach.KernReturn {
	if _, ok := c.Object.(*hostPriv); !ok {
		return mach.KernInvalidHost
	}
	t := taskArg(c, 0)
	var s *ports.Space
	if t != nil {
		s = t.portSpace()
	}
	if s == nil {
		return mach.KernInvalidTask
	}
	const none, userDevice = 0, 28 // C: MACH_PORT_KTYPE_*
	if k := c.Int32(3); k != none && k != userDevice {
		return mach.KernInvalidArgument
	}
	p, kr := s.LookupRight(c.PortName(1), mach.Right(c.Uint32(2)))
	switch {
	case kr != mach.KernSuccess:
		return kr
	case p.KObject() != nil:
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}
