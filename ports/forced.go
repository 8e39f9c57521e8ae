package ports

import (
	"machkernel/mach"
)

// acceptRequest is a msg-accepted request (C: ipc_marequest): a message that a
// task forced onto a full queue, and that owes it a notification once somebody
// takes or destroys it. The message holds it; its fields are guarded by the
// zone's lock.
//
//	space  name   state
//	live   valid  the entry name of space, a send or receive right to the
//	              message's port, is marked forced; space.forced[name] is this
//	live   null   the space had no such entry, or has lost it
//	dead   any    the notification will carry no name
type acceptRequest struct {
	space *Space
	name  mach.Name
	to    *Port // its send-once right's port
}

// Force puts a message on the queue of its destination, which is full, and
// promises a msg-accepted notification to the receive right notify: sent when the
// message is taken or destroyed, with the name that s has for the port then, or
// null. One message at a time is forced so to a port of which s has a name. A
// message to a port that has died meanwhile, or one that is Circular, is
// destroyed: then the notification comes at once.
//
// Locks: none held; takes the IPC lock. Consumes m if the result is
// SendWillNotify, otherwise the caller still owns it.
//
//	SendWillNotify        accepted
//	SendNotifyInProgress  the last message that s forced to that port is still
//	                      there
//	SendInvalidNotify     s is dead; notify is no receive right
//
// The codes are found in this order, a dead space first.
func (s *Space) Force(m Message, notify mach.Name) mach.MsgReturn {
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	if !s.active {
		return mach.SendInvalidNotify
	}
	b := m.base()
	p := b.Remote.Port
	var name mach.Name
	var e *entry
	if p.alive() {
		name, e = s.nameOf(p)
	}
	if e != nil && e.forced {
		return mach.SendNotifyInProgress
	}
	notifyPort, kr := s.findReceive(notify)
	if kr != mach.KernSuccess {
		return mach.SendInvalidNotify
	}
	b.accept = &acceptRequest{space: s, name: name, to: notifyPort.makeSendOnce().Port}
	if e != nil {
		if s.forced == nil {
			s.forced = make(map[mach.Name]*acceptRequest)
		}
		e.forced, s.forced[name] = true, b.accept
	}
	if p.alive() {
		p.accept(&r, m)
	} else {
		b.Remote = Right{}
		r.doom(m)
	}
	return mach.SendWillNotify
}

// cancelAccept parts an entry that goes from the message forced through it: the
// notification will carry no name (C: ipc_marequest_cancel).
func (s *Space) cancelAccept(name mach.Name, e *entry) {
	if e.forced {
		e.forced = false
		s.forced[name].name = mach.NameNull
		delete(s.forced, name)
	}
}

// renameAccept makes the message forced through an entry, which is about to move,
// owe the entry's new name.
func (s *Space) renameAccept(oldName, newName mach.Name) {
	q := s.forced[oldName]
	delete(s.forced, oldName)
	q.name, s.forced[newName] = newName, q
}

// accepted ends the msg-accepted request of a message that was taken or is
// destroyed, if it has one, and sends its notification.
//
// Locks: none held; takes the IPC lock.
func (r *Reaper) accepted(b *MsgBase) {
	q := b.accept
	if q == nil {
		return
	}
	b.accept = nil
	s := q.space
	s.zone.mu.Lock()
	name := mach.NameNull
	if s.active && q.name != mach.NameNull {
		name = q.name
		s.cancelAccept(name, s.names.lookup(name))
	}
	s.zone.mu.Unlock()
	r.send(Notification{ID: mach.NotifyMsgAccepted, Name: name, To: sendOnceTo(q.to)})
}

// accepted is Reaper.accepted for a message that was received, with all that
// comes of it.
//
// Locks: none held; takes the IPC lock.
func (z *Zone) accepted(b *MsgBase) {
	if b.accept == nil {
		return
	}
	r := &Reaper{z: z}
	r.accepted(b)
	r.run()
}
