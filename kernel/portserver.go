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

// MachPortRename is mach_port_rename (3202).
func (portService) MachPortRename(_ *mig.Call, s *ports.Space, oldName, newName mach.Name) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.Rename(oldName, newName)
}

// MachPortAllocateName is mach_port_allocate_name (3203).
func (portService) MachPortAllocateName(_ *mig.Call, s *ports.Space, right mach.Right, name mach.Name) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.AllocateName(right, name)
}

// MachPortSetQlimit is mach_port_set_qlimit (3210).
func (portService) MachPortSetQlimit(_ *mig.Call, s *ports.Space, name mach.Name, limit uint32) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.SetQLimit(name, limit)
}

// MachPortSetMscount is mach_port_set_mscount (3211).
func (portService) MachPortSetMscount(_ *mig.Call, s *ports.Space, name mach.Name, count uint32) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.SetMSCount(name, count)
}

// MachPortGetSetStatus is mach_port_get_set_status (3212).
//
//	KERN_RESOURCE_SHORTAGE  no memory for the answer
func (portService) MachPortGetSetStatus(c *mig.Call, s *ports.Space, name mach.Name) (ipc.Region, uint32, mach.KernReturn) {
	if s == nil {
		return nil, 0, mach.KernInvalidTask
	}
	members, kr := s.SetMembers(name)
	if kr != mach.KernSuccess {
		return nil, 0, kr
	}
	b := make([]byte, 0, 4*len(members))
	for _, n := range members {
		b = le.AppendUint32(b, uint32(n))
	}
	r, kr := caller(c).mem.NewRegion(b)
	if kr != mach.KernSuccess {
		return nil, 0, mach.KernResourceShortage
	}
	return r, uint32(len(members)), mach.KernSuccess
}

// MachPortMoveMember is mach_port_move_member (3213).
func (portService) MachPortMoveMember(_ *mig.Call, s *ports.Space, member, after mach.Name) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.MoveMember(member, after)
}

// MachPortRequestNotification is mach_port_request_notification (3214). The
// right for the notification is the space's on success only.
func (portService) MachPortRequestNotification(_ *mig.Call, s *ports.Space, name mach.Name, id mach.MsgID, sync uint32, notify ports.Right) (ports.Right, mach.KernReturn) {
	if s == nil {
		return ports.Right{}, mach.KernInvalidTask
	}
	return s.RequestNotification(name, id, sync, notify)
}

// MachPortExtractRight is mach_port_extract_right (3216).
func (portService) MachPortExtractRight(_ *mig.Call, s *ports.Space, name mach.Name, disposition uint32) (ports.Right, mach.TypeName, mach.KernReturn) {
	if s == nil {
		return ports.Right{}, 0, mach.KernInvalidTask
	}
	if disposition > 0xff {
		return ports.Right{}, 0, mach.KernInvalidValue
	}
	right, kr := s.ExtractRight(name, mach.TypeName(disposition))
	return right, mach.TypeName(disposition).Received(), kr
}

// MachPortGetReceiveStatus is mach_port_get_receive_status (3217).
func (portService) MachPortGetReceiveStatus(_ *mig.Call, s *ports.Space, name mach.Name) (mach.PortStatus, mach.KernReturn) {
	if s == nil {
		return mach.PortStatus{}, mach.KernInvalidTask
	}
	st, kr := s.ReceiveStatus(name)
	return mach.PortStatus{
		PortSet: st.PSet, Seqno: st.Seqno, MakeSendCount: st.MSCount, QueueLimit: st.QLimit,
		MsgCount: st.MsgCount, SendOnceCount: st.SORights, SendRights: mig.Word(st.SRights),
		PDRequest: mig.Word(st.PortDestroyed), NSRequest: mig.Word(st.NoSenders),
	}, kr
}

// MachPortSetSeqno is mach_port_set_seqno (3218).
func (portService) MachPortSetSeqno(_ *mig.Call, s *ports.Space, name mach.Name, seqno uint32) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.SetSeqno(name, seqno)
}

// MachPortSetProtectedPayload is mach_port_set_protected_payload (3221).
func (portService) MachPortSetProtectedPayload(_ *mig.Call, s *ports.Space, name mach.Name, payload uint64) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.SetProtectedPayload(name, payload)
}

// MachPortClearProtectedPayload is mach_port_clear_protected_payload (3222).
func (portService) MachPortClearProtectedPayload(_ *mig.Call, s *ports.Space, name mach.Name) mach.KernReturn {
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.ClearProtectedPayload(name)
}
