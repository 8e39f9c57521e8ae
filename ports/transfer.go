package ports

import (
	"machkernel/mach"
)

// rightsPerHold is how many rights of one item are translated per hold of the
// IPC lock.
const rightsPerHold = 64

// Header is the two rights of a message header as its sender names them.
type Header struct {
	Remote, Local         mach.Name
	RemoteType, LocalType mach.TypeName // dispositions, 0 for no reply
}

// CopyinHeader takes the rights of a message header out of s: both, or
// neither and nothing has changed. notify, when not null, must name a receive
// right; a port-deleted notification that taking the destination would send to
// that port is not sent.
//
// Locks: none held; takes the IPC lock. Returns rights the caller owns; dest
// denotes a port that is alive, reply may be null or dead.
//
//	MsgSuccess
//	SendInvalidHeader  RemoteType is not a send disposition; LocalType is none,
//	                   or 0 with a reply name
//	SendInvalidDest    the space is dead; Remote does not denote the right
//	                   RemoteType needs, or a dead one; both names are one and a
//	                   send-once right is to be moved
//	SendInvalidNotify  notify is no receive right
//	SendInvalidReply   Local does not denote the right LocalType needs
func (s *Space) CopyinHeader(h Header, notify mach.Name) (dest, reply Right, mr mach.MsgReturn) {
	if !h.RemoteType.IsSend() {
		return dest, reply, mach.SendInvalidHeader
	}
	if h.LocalType == 0 {
		if h.Local != mach.NameNull {
			return dest, reply, mach.SendInvalidHeader
		}
	} else if !h.LocalType.IsSend() {
		return dest, reply, mach.SendInvalidHeader
	}
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	if !s.active {
		return dest, reply, mach.SendInvalidDest
	}
	var notifyPort *Port
	if notify != mach.NameNull {
		var kr mach.KernReturn
		if notifyPort, kr = s.findReceive(notify); kr != mach.KernSuccess {
			return dest, reply, mach.SendInvalidNotify
		}
	}
	var destDeleted, replyDeleted *Port
	if h.Remote == h.Local {
		dest, reply, destDeleted, replyDeleted, mr = s.copyinSame(&r, h)
	} else {
		dest, reply, destDeleted, replyDeleted, mr = s.copyinTwo(&r, h)
	}
	if mr != mach.MsgSuccess {
		return Right{}, Right{}, mr
	}
	if destDeleted != nil && destDeleted == notifyPort {
		destDeleted.dropSendOnce()
		destDeleted = nil
	}
	r.portDeleted(destDeleted, h.Remote)
	r.portDeleted(replyDeleted, h.Local)
	return dest, reply, mach.MsgSuccess
}

// copyinTwo is CopyinHeader for different names. The reply's right is taken
// first, so that of two names freed the destination's is the next to be used
// again, as it is Mach's last to be freed.
func (s *Space) copyinTwo(r *Reaper, h Header) (dest, reply Right, destDeleted, replyDeleted *Port, mr mach.MsgReturn) {
	de := s.names.lookup(h.Remote)
	if de == nil {
		return dest, reply, nil, nil, mach.SendInvalidDest
	}
	var re *entry
	if h.Local.Valid() {
		if re = s.names.lookup(h.Local); re == nil || !s.copyinCheck(re, h.LocalType) {
			return dest, reply, nil, nil, mach.SendInvalidReply
		}
	}
	if !s.copyinCheck(de, h.RemoteType) || s.check(de) || de.kind == kindDead {
		return dest, reply, nil, nil, mach.SendInvalidDest
	}
	reply = invalidRight(h.Local)
	ok := true
	if re != nil {
		if reply, replyDeleted, ok = s.copyin(r, h.Local, re, h.LocalType, true); !ok {
			panic("BUG: a reply right that was checked is not there")
		}
	}
	if dest, destDeleted, ok = s.copyin(r, h.Remote, de, h.RemoteType, false); !ok {
		panic("BUG: a destination right that was checked is not there")
	}
	return dest, reply, destDeleted, replyDeleted, mach.MsgSuccess
}

// copyinSame is CopyinHeader for a destination that is the reply port, too.
// The order of checks is Mach's: the reply's right first.
func (s *Space) copyinSame(r *Reaper, h Header) (dest, reply Right, destDeleted, replyDeleted *Port, mr mach.MsgReturn) {
	e := s.names.lookup(h.Remote)
	switch {
	case e == nil:
		return dest, reply, nil, nil, mach.SendInvalidDest
	case !s.copyinCheck(e, h.LocalType):
		return dest, reply, nil, nil, mach.SendInvalidReply
	case h.RemoteType == mach.TypeMoveSendOnce || h.LocalType == mach.TypeMoveSendOnce:
		// One live send-once right cannot serve twice, a dead one is no
		// destination.
		return dest, reply, nil, nil, mach.SendInvalidDest
	}
	makes := func(t mach.TypeName) bool { return t == mach.TypeMakeSend || t == mach.TypeMakeSendOnce }
	if makes(h.RemoteType) || makes(h.LocalType) {
		// The receive right is there, so the port lives, and neither copyin
		// can take away what the other needs.
		var ok bool
		if dest, _, ok = s.copyin(r, h.Remote, e, h.RemoteType, false); !ok {
			return dest, reply, nil, nil, mach.SendInvalidDest
		}
		if reply, _, ok = s.copyin(r, h.Remote, e, h.LocalType, true); !ok {
			panic("BUG: a reply right that was checked is not there")
		}
		return dest, reply, nil, nil, mach.MsgSuccess
	}
	dest, reply, deleted, ok := s.copyinSends(r, h, e)
	switch {
	case !ok:
		return dest, reply, nil, nil, mach.SendInvalidDest
	case h.RemoteType == mach.TypeCopySend:
		return dest, reply, nil, deleted, mach.MsgSuccess
	}
	return dest, reply, deleted, nil, mach.MsgSuccess
}

// copyinSends takes two send rights from one entry, copied or moved as h says.
// Two moves need two references; a copy beside a move needs only the one, as
// if it came first.
func (s *Space) copyinSends(r *Reaper, h Header, e *entry) (dest, reply Right, deleted *Port, ok bool) {
	if h.RemoteType == mach.TypeCopySend && h.LocalType == mach.TypeCopySend {
		if dest, _, ok = s.copyin(r, h.Remote, e, mach.TypeCopySend, false); ok {
			reply = dest.Port.copySend()
		}
		return dest, reply, nil, ok
	}
	both := h.RemoteType == h.LocalType
	if both && (e.kind&kindSend == 0 || e.urefs < 2) {
		return dest, reply, nil, false
	}
	if dest, deleted, ok = s.copyin(r, h.Remote, e, mach.TypeMoveSend, false); !ok {
		return dest, reply, nil, false
	}
	if !both {
		return dest, dest.Port.copySend(), deleted, true
	}
	if reply, deleted, ok = s.copyin(r, h.Remote, e, mach.TypeMoveSend, false); !ok {
		panic("BUG: the second of two references is not there")
	}
	return dest, reply, deleted, true
}

// CopyinRights takes rights with one disposition out of s, in order, into
// rights, which has room for as many. Null and dead names pass as null and
// dead rights, whatever the disposition. dest is the port the message goes to:
// a receive right is put in transit to it, and circular reports that one could
// not be, because dest is on its way through that very port.
//
// Locks: none held; takes the IPC lock for a few names at a time. Returns
// rights the caller owns, also on failure: the first done of them.
//
//	KernInvalidTask   the space is dead
//	KernInvalidName   a name denotes nothing
//	KernInvalidRight  a name does not denote the right the disposition needs
func (s *Space) CopyinRights(names []mach.Name, disposition mach.TypeName, dest *Port, rights []Right) (done int, circular bool, kr mach.KernReturn) {
	for done < len(names) {
		end := min(done+rightsPerHold, len(names))
		r := Reaper{z: s.zone}
		s.zone.mu.Lock()
		for done < end && kr == mach.KernSuccess {
			var circle bool
			if rights[done], circle, kr = s.copyinBody(&r, names[done], disposition, dest); kr == mach.KernSuccess {
				done++
			}
			circular = circular || circle
		}
		r.unlock()
		if kr != mach.KernSuccess {
			break
		}
	}
	return done, circular, kr
}

// copyinBody takes one right of a message body.
func (s *Space) copyinBody(r *Reaper, name mach.Name, disposition mach.TypeName, dest *Port) (right Right, circular bool, kr mach.KernReturn) {
	if !name.Valid() {
		return invalidRight(name), false, mach.KernSuccess
	}
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return Right{}, false, kr
	}
	right, deleted, ok := s.copyin(r, name, e, disposition, true)
	if !ok {
		return Right{}, false, mach.KernInvalidRight
	}
	r.portDeleted(deleted, name)
	if right.Type == mach.TypePortReceive && dest != nil {
		circular = right.Port.toTransit(dest)
	}
	return right, circular, mach.KernSuccess
}

// CopyoutHeader gives the rights of a received message's header to s: the
// reply right gets a name, the destination right is consumed and yields the
// receiver's own name of the port. notify, when not null, must name a receive
// right; a new name for the reply port gets a dead-name request to it. On
// failure nothing has changed.
//
// Locks: none held; takes the IPC lock. Consumes both rights if it succeeds.
//
//	MsgSuccess                  replyName may be null or dead; destName is null
//	                            if s lost the receive right, dead if the port died
//	RcvInvalidNotify            notify is no receive right
//	RcvHeaderError|MsgIPCSpace  the space is dead, or has no room for a name
//	RcvHeaderError|MsgIPCKernel the reply port has no room for a request
func (s *Space) CopyoutHeader(dest, reply Right, notify mach.Name) (destName, replyName mach.Name, mr mach.MsgReturn) {
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	if !s.active {
		return 0, 0, mach.RcvHeaderError | mach.MsgIPCSpace
	}
	var notifyPort *Port
	if notify != mach.NameNull {
		var kr mach.KernReturn
		if notifyPort, kr = s.findReceive(notify); kr != mach.KernSuccess {
			return 0, 0, mach.RcvInvalidNotify
		}
	}
	replyName = reply.invalidName()
	if reply.Port != nil {
		if replyName, mr = s.copyoutReply(reply, notifyPort); mr != mach.MsgSuccess {
			return 0, 0, mr
		}
	}
	return s.consumeDest(&r, dest), replyName, mach.MsgSuccess
}

// copyoutReply names the reply right.
func (s *Space) copyoutReply(reply Right, notify *Port) (mach.Name, mach.MsgReturn) {
	p := reply.Port
	if !p.alive() {
		return mach.NameDead, mach.MsgSuccess
	}
	var name mach.Name
	var e *entry
	if reply.Type == mach.TypePortSend {
		name, e = s.nameOf(p)
	}
	fresh := e == nil
	if fresh {
		var ok bool
		if name, e, ok = s.names.alloc(); !ok {
			return 0, mach.RcvHeaderError | mach.MsgIPCSpace
		}
	}
	if fresh && notify != nil {
		if e.request = p.requests.add(name, notify); e.request == 0 {
			s.names.release(name, e)
			return 0, mach.RcvHeaderError | mach.MsgIPCKernel
		}
		notify.makeSendOnce()
	}
	s.copyout(name, e, reply, true)
	return name, mach.MsgSuccess
}

// consumeDest ends the destination right of a received message and returns
// s's name for the port: null if it has none any more, dead if the port died.
func (s *Space) consumeDest(r *Reaper, dest Right) mach.Name {
	p := dest.Port
	if !p.alive() {
		return mach.NameDead
	}
	mine := p.state == stateSpace && p.space == s
	switch {
	case dest.Type == mach.TypePortSend:
		p.dropSend(r)
	case mine:
		p.dropSendOnce()
	default:
		r.sendOnceDestroyed(p)
	}
	if mine {
		return p.name
	}
	return mach.NameNull
}

// CopyoutDest consumes the destination right of a received message of which
// nothing else is delivered, and returns the receiver's name of the port.
//
// Locks: none held; takes the IPC lock. Consumes dest.
func (s *Space) CopyoutDest(dest Right) mach.Name {
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	return s.consumeDest(&r, dest)
}

// ConsumeDest is CopyoutDest for a receiver in the kernel: a send right is
// dropped, a send-once right has done its work.
//
// Locks: none held; takes the IPC lock. Consumes dest.
func (z *Zone) ConsumeDest(dest Right) {
	if dest.Port == nil {
		return
	}
	r := Reaper{z: z}
	z.mu.Lock()
	defer r.unlock()
	if dest.Type == mach.TypePortSend {
		dest.Port.dropSend(&r)
	} else {
		dest.Port.dropSendOnce()
	}
}

// CopyoutRights gives rights of a message body to s, in order, and writes
// their names into names, which has room for as many. It goes on after an
// error: a right for which there is no room is destroyed and its name is null.
//
// Locks: none held; takes the IPC lock for a few rights at a time. Consumes
// all of rights.
//
//	0            all done; a right to a dead port is received as MACH_PORT_DEAD
//	MsgIPCSpace  the space is dead, or has no room for a name
func (s *Space) CopyoutRights(rights []Right, names []mach.Name) (bits mach.MsgReturn) {
	for i := 0; i < len(rights); {
		end := min(i+rightsPerHold, len(rights))
		r := Reaper{z: s.zone}
		s.zone.mu.Lock()
		for ; i < end; i++ {
			name, mr := s.copyoutBody(&r, rights[i])
			names[i] = name
			rights[i] = Right{}
			bits |= mr
		}
		r.unlock()
	}
	return bits
}

func (s *Space) copyoutBody(r *Reaper, right Right) (mach.Name, mach.MsgReturn) {
	if right.Port == nil {
		return right.invalidName(), 0
	}
	name, kr := s.place(right, true)
	switch kr {
	case mach.KernSuccess:
		return name, 0
	case mach.KernInvalidCapability:
		return mach.NameDead, 0
	}
	s.zone.release(r, right)
	return mach.NameNull, mach.MsgIPCSpace
}

// Copyout puts a right into s under the name its port has there, or the next
// free one, as if received in a message.
//
// Locks: none held; takes the IPC lock. Consumes right only if it succeeds.
//
//	KernSuccess      the name; null or dead for such a right
//	KernInvalidTask  the space is dead
//	KernNoSpace      no room for another name
func (s *Space) Copyout(right Right) (mach.Name, mach.KernReturn) {
	if right.Port == nil {
		return right.invalidName(), mach.KernSuccess
	}
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	name, kr := s.place(right, true)
	if kr == mach.KernInvalidCapability {
		return mach.NameDead, mach.KernSuccess
	}
	return name, kr
}
