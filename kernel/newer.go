package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/vm"
	"machkernel/vmsvc"
)

// What came to GNU Mach after the packaged kernel follows the sources; no
// recording judges it. Since says which version has what.

// gnumachService serves subsystem gnumach; what of it is only about memory, the
// VM server does.
type gnumachService struct{ *vmsvc.Server }

// VMSetSizeLimit is vm_set_size_limit (4215).
//
//	KERN_INVALID_ARGUMENT  the current limit is above the maximum
//	KERN_INVALID_TASK      map is no task's
//	KERN_INVALID_HOST      the request port is no host's
//	KERN_NO_ACCESS         the maximum would grow, and the host port is not the
//	                       privileged one
//
// The codes are found in this order.
func (gnumachService) VMSetSizeLimit(_ *mig.Call, hostPort any, m *vm.Map, current, most uint64) mach.KernReturn {
	if current > most {
		return mach.KernInvalidArgument
	}
	if m == nil {
		return mach.KernInvalidTask
	}
	switch hostPort.(type) {
	case *hostPriv:
		return m.SetLimits(vm.Limits{Cur: current, Max: most}, true)
	case *host:
		return m.SetLimits(vm.Limits{Cur: current, Max: most}, false)
	}
	return mach.KernInvalidHost
}

// VMGetSizeLimit is vm_get_size_limit (4216).
//
//	KERN_INVALID_TASK  the port is no task's
func (gnumachService) VMGetSizeLimit(_ *mig.Call, m *vm.Map) (current, most uint64, kr mach.KernReturn) {
	if m == nil {
		return 0, 0, mach.KernInvalidTask
	}
	l := m.Limits()
	return l.Cur, l.Max, mach.KernSuccess
}

// MachPortSetKtype is mach_port_set_ktype (3223): it marks a port as a device
// driver's, or takes the mark away. In the sources the mark makes the kernel
// copy out-of-line memory for the port page by page and hold the pages; what is
// received is the same, and so nothing is kept of it here.
//
//	KERN_INVALID_HOST      the request port is not the privileged host port
//	KERN_INVALID_TASK      task is no task's
//	KERN_INVALID_ARGUMENT  ktype is none of the two; the port is the kernel's
//	KERN_INVALID_NAME      name denotes no right
//	KERN_INVALID_RIGHT     it denotes another than right, or not a port's
func (portService) MachPortSetKtype(_ *mig.Call, h *hostPriv, s *ports.Space, name mach.Name, right mach.Right, ktype uint32) mach.KernReturn {
	if h == nil {
		return mach.KernInvalidHost
	}
	if s == nil {
		return mach.KernInvalidTask
	}
	const none, userDevice = 0, 28 // C: MACH_PORT_KTYPE_*
	if ktype != none && ktype != userDevice {
		return mach.KernInvalidArgument
	}
	p, kr := s.LookupRight(name, right)
	switch {
	case kr != mach.KernSuccess:
		return kr
	case p.KObject() != nil:
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}
