package ports

import (
	"machkernel/mach"
)

// ReceiveStatus is what mach_port_get_receive_status tells.
type ReceiveStatus struct {
	PSet          mach.Name // the set the port is in, or null
	Seqno         uint32
	MSCount       uint32
	QLimit        uint32
	MsgCount      uint32
	SORights      uint32
	SRights       bool
	PortDestroyed bool // a port-destroyed request is armed
	NoSenders     bool // a no-senders request is armed
}

// ReceiveStatus reports on a receive right.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask   the space is dead
//	KernInvalidName   name denotes nothing
//	KernInvalidRight  name is no receive right
func (s *Space) ReceiveStatus(name mach.Name) (ReceiveStatus, mach.KernReturn) {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	p, kr := s.findReceive(name)
	if kr != mach.KernSuccess {
		return ReceiveStatus{}, kr
	}
	st := ReceiveStatus{
		Seqno: p.seqno, MSCount: p.mscount, QLimit: p.qlimit, MsgCount: p.msgcount,
		SORights: p.sorights, SRights: p.srights > 0,
		PortDestroyed: p.portDestroyed != nil, NoSenders: p.noSenders != nil,
	}
	if p.set != nil {
		st.PSet = p.set.name
	}
	return st, mach.KernSuccess
}

// Answerable reports whether p, a reply port, still waits for its answer: none is
// queued, and somebody has a right to send one.
//
// Locks: none held; takes the IPC lock.
func (z *Zone) Answerable(p *Port) bool {
	z.mu.Lock()
	defer z.mu.Unlock()
	return p.msgcount == 0 && (p.srights > 0 || p.sorights > 0)
}

// SetQLimit sets a receive right's queue limit. Senders for whom there is room
// now get in.
//
//	KernInvalidValue  n > QLimitMax, whatever name is
//	KernInvalidTask, KernInvalidName, KernInvalidRight: as ReceiveStatus
func (s *Space) SetQLimit(name mach.Name, n uint32) mach.KernReturn {
	if n > mach.QLimitMax {
		return mach.KernInvalidValue
	}
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	p, kr := s.findReceive(name)
	if kr == mach.KernSuccess {
		p.setQLimit(&r, n)
	}
	return kr
}

// SetProtectedPayload makes the messages that are received from a port carry
// payload instead of the receive right's name, those queued already included.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask, KernInvalidName, KernInvalidRight: as ReceiveStatus
func (s *Space) SetProtectedPayload(name mach.Name, payload uint64) mach.KernReturn {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	p, kr := s.findReceive(name)
	if kr == mach.KernSuccess {
		p.protected, p.payload = true, payload
	}
	return kr
}

// ClearProtectedPayload ends what SetProtectedPayload began. A port without a
// payload stays so.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask, KernInvalidName, KernInvalidRight: as ReceiveStatus
func (s *Space) ClearProtectedPayload(name mach.Name) mach.KernReturn {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	p, kr := s.findReceive(name)
	if kr == mach.KernSuccess {
		p.protected = false
	}
	return kr
}

// SetMSCount sets a receive right's make-send count.
//
//	KernInvalidTask, KernInvalidName, KernInvalidRight: as ReceiveStatus
func (s *Space) SetMSCount(name mach.Name, n uint32) mach.KernReturn {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	p, kr := s.findReceive(name)
	if kr == mach.KernSuccess {
		p.mscount = n
	}
	return kr
}

// SetSeqno sets the sequence number of the next message received.
//
//	KernInvalidTask, KernInvalidName, KernInvalidRight: as ReceiveStatus
func (s *Space) SetSeqno(name mach.Name, n uint32) mach.KernReturn {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	p, kr := s.findReceive(name)
	if kr == mach.KernSuccess {
		p.seqno = n
	}
	return kr
}
