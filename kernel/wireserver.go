package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/vm"
)

// VMWire is vm_wire (2636). Either host port will do; the privileged one wires
// as much as there is.
//
//	KERN_INVALID_HOST  the request port is no host's
//
// The other codes are vmsvc.Server.Wire's.
func (hostService) VMWire(_ *mig.Call, port any, m *vm.Map, addr mach.Addr, size uint64, access mach.Prot) mach.KernReturn {
	h := convertPortToHost(port)
	if h == nil {
		return mach.KernInvalidHost
	}
	return h.k.memory.Wire(m, addr, size, access, convertPortToHostPriv(port) != nil)
}

// VMWireAll is vm_wire_all (4207).
//
//	KERN_INVALID_HOST  the request port is not the privileged host port
//
// The other codes are vmsvc.Server.WireAll's.
func (gnumachService) VMWireAll(_ *mig.Call, port any, m *vm.Map, flags int32) mach.KernReturn {
	h := convertPortToHostPriv(port)
	if h == nil {
		return mach.KernInvalidHost
	}
	return h.k.memory.WireAll(m, flags)
}
