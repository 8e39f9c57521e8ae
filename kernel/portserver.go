package kernel

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// portService serves subsystem mach_port: a task's name space. Without one,
// every routine answers KERN_INVALID_TASK; the other codes are those of the
// operations of ports.Space.
type portService struct{}

// MachPortNames is mach_port_names (3200).
//
//	KERN_RESOURCE_SHORTAGE  no memory for the answer
func (portService) MachPortNames(c *mig.Call, s *ports.Space) (names ipc.Region, n uint32, types ipc.Region, m uint32, kr mach.KernReturn) {
	if s == nil {
		return nil, 0, nil, 0, mach.KernInvalidTask
	}
	list, kr := s.Names()
	if kr != mach.KernSuccess {
		return nil, 0, nil, 0, kr
	}
	n = uint32(len(list))
	b := make([]byte, 0, 8*n)
	for _, e := range list {
		b = le.AppendUint32(b, uint32(e.Name))
	}
	for _, e := range list {
		b = le.AppendUint32(b, uint32(e.Type))
	}
	if names, kr = caller(c).mem.NewRegion(b[:4*n]); kr != mach.KernSuccess {
		return nil, 0, nil, 0, mach.KernResourceShortage
	}
	if types, kr = caller(c).mem.NewRegion(b[4*n:]); kr != mach.KernSuccess {
		names.Discard()
		return nil, 0, nil, 0, mach.KernResourceShortage
	}
	return names, n, types, n, mach.KernSuccess
}

// MachPortType is mach_port_type (3201).
func (portService) MachPortType(_ *mig.Call, s *ports.Space, name mach.Name) (mach.PortType, mach.KernReturn) {
	if s == nil {
		return 0, mach.KernInvalidTask
	}
	return s.Type(name)
}

// MachPortAllocate is mach_port_allocate (3204).
func (portService) MachPortAllocate(_ *mig.Call, s *ports.Space, right mach.Right) (mach.Name, mach.KernReturn) {
	if s == nil {
		return mach.NameNull, mach.KernInvalidTask
	}
	return s.Allocate(right)
}

// MachPortDestroy is mach_port_destroy (3205).
func (portService) MachPortDestroy(_ *mig.Call, s *ports.Space, name mach.Name) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.DestroyName(name)
}

// MachPortDeallocate is mach_port_deallocate (3206).
func (portService) MachPortDeallocate(_ *mig.Call, s *ports.Space, name mach.Name) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.Deallocate(name)
}

// MachPortGetRefs is mach_port_get_refs (3207).
func (portService) MachPortGetRefs(_ *mig.Call, s *ports.Space, name mach.Name, right mach.Right) (uint32, mach.KernReturn) {
	if s == nil {
		return 0, mach.KernInvalidTask
	}
	return s.GetRefs(name, right)
}

// MachPortModRefs is mach_port_mod_refs (3208).
func (portService) MachPortModRefs(_ *mig.Call, s *ports.Space, name mach.Name, right mach.Right, delta int32) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.ModRefs(name, right, delta)
}

// MachPortInsertRight is mach_port_insert_right (3215). The right came in the
// message; it is the space's on success only.
//
//	KERN_INVALID_VALUE  data came in place of a right
func (portService) MachPortInsertRight(_ *mig.Call, s *ports.Space, name mach.Name, right ports.Right, disposition mach.TypeName) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	if !disposition.IsPort() {
		return mach.KernInvalidValue
	}
	return s.InsertRight(name, right)
}
