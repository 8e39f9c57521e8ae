package vmsvc

import (
	"machkernel/mach"
	"machkernel/rules"
	"machkernel/vm"
)

// unprivilegedWired is how many bytes a task may have wired without the
// privileged host port, as the kernel has it.
const unprivilegedWired = 8 << 20

// Wire is vm_wire (2636) of a host port that is one: it makes the memory
// resident, for the given access; ProtNone takes that back.
//
//	KERN_INVALID_TASK       m is nil
//	KERN_INVALID_ARGUMENT   access has unknown bits (rules.WireUnknown)
//	KERN_NO_ACCESS          not privileged, and too much would be wired
//	KERN_NO_SPACE           part of the range is not allocated, or its
//	                        protection lacks the access
//	KERN_RESOURCE_SHORTAGE  there is not so much memory; nothing is wired
func (s *Server) Wire(m *vm.Map, addr mach.Addr, size uint64, access mach.Prot, privileged bool) mach.KernReturn {
	switch {
	case m == nil:
		return mach.KernInvalidTask
	case access&^mach.ProtAll != 0:
		return s.invalidWiring()
	}
	most := uint64(unprivilegedWired)
	if privileged {
		most = vm.Unlimited
	}
	return m.Wire(addr, size, access, most)
}

// Flags of vm_wire_all.
const (
	wireCurrent = 1 // C: VM_WIRE_CURRENT
	wireFuture  = 2 // C: VM_WIRE_FUTURE
)

// WireAll is vm_wire_all (4207) of the privileged host port: it wires the
// memory there is, or that will be, or both; without flags it takes all that
// back.
//
//	KERN_INVALID_TASK       m is nil
//	KERN_INVALID_ARGUMENT   unknown flags (rules.WireUnknown)
//	KERN_RESOURCE_SHORTAGE  there is not so much memory; nothing is wired
func (s *Server) WireAll(m *vm.Map, flags int32) mach.KernReturn {
	switch {
	case m == nil:
		return mach.KernInvalidTask
	case flags&^(wireCurrent|wireFuture) != 0:
		return s.invalidWiring()
	}
	return m.WireAll(flags&wireCurrent != 0, flags&wireFuture != 0)
}

func (s *Server) invalidWiring() mach.KernReturn {
	return rules.WireUnknown.In(s.rules)
}
