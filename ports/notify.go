package ports

import (
	"machkernel/mach"
)

// RequestNotification registers a send-once right for a notification about
// name and returns the one registered before. A null right cancels.
//
// Locks: none held; takes the IPC lock. Consumes notify only if it succeeds.
// Returns a right the caller owns.
//
//	KernInvalidCapability  notify is dead
//	KernInvalidValue       id is not a kind of request; port-destroyed with sync
//	                       not 0
//	KernInvalidTask        the space is dead
//	KernInvalidName        name denotes nothing
//	KernInvalidRight       name is no receive right (dead-name: a port set)
//	KernInvalidArgument    dead-name on a dead name, with sync 0 or no right
//	KernUrefsOverflow      dead-name on a dead name that has all references
//	KernResourceShortage   dead-name on a port with more requests than its table
//	                       can hold
func (s *Space) RequestNotification(name mach.Name, id mach.MsgID, sync uint32, notify Right) (previous Right, kr mach.KernReturn) {
	if notify.Dead {
		return previous, mach.KernInvalidCapability
	}
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	switch id {
	case mach.NotifyPortDestroyed:
		if sync != 0 {
			return previous, mach.KernInvalidValue
		}
		p, kr := s.findReceive(name)
		if kr != mach.KernSuccess {
			return previous, kr
		}
		previous = sendOnceTo(p.portDestroyed)
		p.portDestroyed = notify.Port
		return previous, mach.KernSuccess
	case mach.NotifyNoSenders:
		p, kr := s.findReceive(name)
		if kr != mach.KernSuccess {
			return previous, kr
		}
		previous = sendOnceTo(p.noSenders)
		p.noSenders = nil
		if notify.Port != nil && p.srights == 0 && sync <= p.mscount {
			r.notify(Notification{ID: id, To: notify, Count: p.mscount})
		} else {
			p.noSenders = notify.Port
		}
		return previous, mach.KernSuccess
	case mach.NotifyDeadName:
		return s.requestDeadName(&r, name, sync != 0, notify)
	}
	return previous, mach.KernInvalidValue
}

// sendOnceTo is the send-once right of a request that was armed.
func sendOnceTo(p *Port) Right {
	if p == nil {
		return Right{}
	}
	return Right{Port: p, Type: mach.TypePortSendOnce}
}

func (s *Space) requestDeadName(r *Reaper, name mach.Name, immediate bool, notify Right) (previous Right, kr mach.KernReturn) {
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return previous, kr
	}
	s.check(e)
	if e.kind&kindPortRights != 0 {
		previous = sendOnceTo(e.port.cancelRequest(e))
		if notify.Port != nil {
			e.request = e.port.requests.add(name, notify.Port)
			if e.request == 0 { // there was none before, or its slot would do
				return previous, mach.KernResourceShortage
			}
		}
		return previous, mach.KernSuccess
	}
	switch {
	case e.kind != kindDead:
		return previous, mach.KernInvalidRight
	case !immediate || notify.Port == nil:
		return previous, mach.KernInvalidArgument
	case e.urefs == mach.UrefsMax:
		return previous, mach.KernUrefsOverflow
	}
	e.urefs++
	r.notify(Notification{ID: mach.NotifyDeadName, To: notify, Name: name})
	return previous, mach.KernSuccess
}
