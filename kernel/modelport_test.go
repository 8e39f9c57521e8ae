package kernel

import (
	"slices"

	"machkernel/mach"
)

// The mach_port routines of TestModel's model. The caller c calls on the space
// t of a task, by message: its reply port may get a name for that.

func (c *mSpace) begin() {
	if c.reply == mach.NameNull {
		name, e := c.alloc()
		c.reply = name
		*e = mEntry{typ: mach.TypeReceive, port: c.newPort(name)}
	}
}

// failed is the end of a call whose request could not be sent.
func (c *mSpace) failed(mr mach.MsgReturn) mach.KernReturn {
	c.release(c.reply)
	c.reply = mach.NameNull
	return mach.KernReturn(mr)
}

func (s *mSpace) newPort(name mach.Name) *mPort {
	return &mPort{alive: true, space: s, name: name, limit: mach.QLimitDefault}
}

func (s *mSpace) fresh(name mach.Name, e *mEntry, right mach.Right) {
	switch right {
	case mach.RightReceive:
		*e = mEntry{typ: mach.TypeReceive, port: s.newPort(name)}
	case mach.RightPortSet:
		*e = mEntry{typ: mach.TypePortSet, set: &mSet{space: s, name: name}}
	case mach.RightDeadName:
		*e = mEntry{typ: mach.TypeDeadName, refs: 1}
	}
}

func allocates(right mach.Right) bool {
	return right == mach.RightReceive || right == mach.RightPortSet || right == mach.RightDeadName
}

func (s *mSpace) allocate(right mach.Right) (mach.Name, mach.KernReturn) {
	if !allocates(right) {
		return 0, mach.KernInvalidValue
	}
	name, e := s.alloc()
	s.fresh(name, e, right)
	return name, mach.KernSuccess
}

func (s *mSpace) allocateName(right mach.Right, name mach.Name) mach.KernReturn {
	switch {
	case !name.Valid() || !allocates(right):
		return mach.KernInvalidValue
	case s.names[name] != nil:
		return mach.KernNameExists
	}
	s.fresh(name, s.allocNamed(name), right)
	return mach.KernSuccess
}

func (s *mSpace) destroyRPC(name mach.Name) mach.KernReturn {
	if s.names[name] == nil {
		return mach.KernInvalidName
	}
	s.destroyName(name)
	return mach.KernSuccess
}

func (s *mSpace) deallocate(name mach.Name) mach.KernReturn {
	e := s.names[name]
	switch {
	case e == nil:
		return mach.KernInvalidName
	case !e.has(mach.TypeSend | mach.TypeSendOnce | mach.TypeDeadName):
		return mach.KernInvalidRight
	}
	e.check()
	s.changeRefs(name, e, -1)
	return mach.KernSuccess
}

// changeRefs changes the references of a send, send-once or dead name. A
// receive right may stay behind.
func (s *mSpace) changeRefs(name mach.Name, e *mEntry, delta int) {
	if e.refs += delta; e.refs > 0 {
		return
	}
	if e.has(mach.TypeReceive) {
		e.typ = mach.TypeReceive
		s.m.dropSend(e.port)
		return
	}
	s.destroyName(name)
}

func (s *mSpace) modRefs(name mach.Name, right mach.Right, delta int) mach.KernReturn {
	e := s.names[name]
	switch {
	case right > mach.RightDeadName:
		return mach.KernInvalidValue
	case e == nil:
		return mach.KernInvalidName
	case right == mach.RightDeadName && e.has(mach.TypeSend|mach.TypeSendOnce):
		e.check()
	}
	if e.typ&right.Type() == 0 {
		return mach.KernInvalidRight
	}
	switch right {
	case mach.RightReceive, mach.RightPortSet:
		switch {
		case delta == 0:
			return mach.KernSuccess
		case delta != -1:
			return mach.KernInvalidValue
		case e.has(mach.TypeSend):
			p := e.port
			e.typ, e.port = mach.TypeDeadName, nil
			if e.req != nil {
				e.req = nil
				e.refs++
			}
			s.m.clearReceiver(p)
			s.m.kill(p)
			return mach.KernSuccess
		}
		s.destroyName(name)
		return mach.KernSuccess
	case mach.RightSendOnce:
		if delta > 0 || delta < -1 {
			return mach.KernInvalidValue
		}
	default:
		most := mach.UrefsMax
		if right == mach.RightSend {
			most--
		}
		if e.refs+delta < 0 {
			return mach.KernInvalidValue
		}
		if e.refs+delta > most {
			return mach.KernUrefsOverflow
		}
	}
	if e.check() {
		return mach.KernInvalidRight
	}
	s.changeRefs(name, e, delta)
	return mach.KernSuccess
}

func (s *mSpace) getRefs(name mach.Name, right mach.Right) (uint32, mach.KernReturn) {
	e := s.names[name]
	switch {
	case right > mach.RightDeadName:
		return 0, mach.KernInvalidValue
	case e == nil:
		return 0, mach.KernInvalidName
	}
	switch e.check(); {
	case e.typ&right.Type() == 0:
		return 0, mach.KernSuccess
	case right == mach.RightSend || right == mach.RightDeadName:
		return uint32(e.refs), mach.KernSuccess
	}
	return 1, mach.KernSuccess
}

func (s *mSpace) rename(from, to mach.Name) mach.KernReturn {
	switch {
	case !to.Valid():
		return mach.KernInvalidValue
	case s.names[to] != nil:
		return mach.KernNameExists
	}
	e := s.names[from]
	s.allocNamed(to)
	if e == nil {
		s.release(to)
		return mach.KernInvalidName
	}
	if e.req != nil && !e.check() {
		e.req.name = to
	}
	s.names[to] = e
	if e.has(mach.TypeReceive) {
		e.port.name = to
	}
	if e.set != nil {
		e.set.name = to
	}
	s.release(from)
	return mach.KernSuccess
}

func (c *mSpace) insertRight(t *mSpace, name, poly mach.Name, d mach.TypeName) mach.KernReturn {
	c.begin()
	r, _, ok := c.takeBody(poly, d, t.self)
	if !ok {
		return c.failed(mach.SendInvalidRight)
	}
	kr := t.insert(name, r)
	if kr != mach.KernSuccess {
		c.m.destroy(&mMsg{items: []mItem{{rights: []mRight{r}}}})
	}
	return kr
}

func (s *mSpace) insert(name mach.Name, r mRight) mach.KernReturn {
	switch {
	case !name.Valid():
		return mach.KernInvalidValue
	case r.port == nil:
		return mach.KernInvalidCapability
	}
	e := s.names[name]
	held := mach.NameNull
	if !r.once {
		held, _ = s.holder(r.port)
	}
	if e == nil {
		e = s.allocNamed(name)
		if held != mach.NameNull || !r.port.alive {
			s.release(name)
		}
	} else if held == mach.NameNull {
		return mach.KernNameExists
	}
	switch {
	case held != mach.NameNull && held != name:
		return mach.KernRightExists
	case !r.port.alive:
		return mach.KernInvalidCapability
	case !r.once && !r.recv && e.has(mach.TypeSend) && e.refs == mach.UrefsMax-1:
		return mach.KernUrefsOverflow
	}
	s.put(name, e, r)
	return mach.KernSuccess
}

func (c *mSpace) extractRight(t *mSpace, name mach.Name, d mach.TypeName) (mach.Name, mach.KernReturn) {
	c.begin()
	if d < mach.TypeMoveReceive || d > mach.TypeMakeSendOnce {
		return 0, mach.KernInvalidValue
	}
	if t.names[name] == nil {
		return 0, mach.KernInvalidName
	}
	r, told, ok := t.take(name, d, true)
	if !ok {
		return 0, mach.KernInvalidRight
	}
	t.sweep(name)
	c.m.notifyName(told, mach.NotifyPortDeleted, name)
	return c.place(r), mach.KernSuccess
}

func (s *mSpace) moveMember(member, after mach.Name) mach.KernReturn {
	e, a := s.names[member], s.names[after]
	switch {
	case e == nil:
		return mach.KernInvalidName
	case !e.has(mach.TypeReceive):
		return mach.KernInvalidRight
	case after == mach.NameNull:
		if e.port.set == nil {
			return mach.KernNotInSet
		}
		e.port.leaveSet()
		return mach.KernSuccess
	case a == nil:
		return mach.KernInvalidName
	case a.set == nil:
		return mach.KernInvalidRight
	case e.port.set != a.set:
		e.port.leaveSet()
		e.port.joinSet(a.set)
	}
	return mach.KernSuccess
}

func (s *mSpace) members(name mach.Name) (list []mach.Name, kr mach.KernReturn) {
	e := s.names[name]
	switch {
	case e == nil:
		return nil, mach.KernInvalidName
	case e.set == nil:
		return nil, mach.KernInvalidRight
	}
	for n, o := range s.names {
		if o.has(mach.TypeReceive) && o.port.set == e.set {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, mach.KernSuccess
}

// receiver is the port of a receive right.
func (s *mSpace) receiver(name mach.Name) (*mPort, mach.KernReturn) {
	e := s.names[name]
	switch {
	case e == nil:
		return nil, mach.KernInvalidName
	case !e.has(mach.TypeReceive):
		return nil, mach.KernInvalidRight
	}
	return e.port, mach.KernSuccess
}

func mFlag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func (s *mSpace) status(name mach.Name) (st mach.PortStatus, kr mach.KernReturn) {
	p, kr := s.receiver(name)
	if kr != mach.KernSuccess {
		return st, kr
	}
	st = mach.PortStatus{
		Seqno: p.seqno, MakeSendCount: p.makes, QueueLimit: uint32(p.limit), MsgCount: uint32(p.msgs),
		SendOnceCount: uint32(p.onces), SendRights: mFlag(p.sends > 0),
		PDRequest: mFlag(p.backup != nil), NSRequest: mFlag(p.noSender != nil),
	}
	if p.set != nil {
		st.PortSet = p.set.name
	}
	return st, mach.KernSuccess
}

func (c *mSpace) request(t *mSpace, name mach.Name, id mach.MsgID, sync uint32, notify mach.Name, d mach.TypeName) (mach.Name, mach.KernReturn) {
	c.begin()
	r, _, ok := c.takeBody(notify, d, t.self)
	if !ok {
		return 0, c.failed(mach.SendInvalidRight)
	}
	old, kr := t.arm(name, id, sync, r)
	if kr != mach.KernSuccess {
		c.m.destroy(&mMsg{items: []mItem{{rights: []mRight{r}}}})
		return 0, kr
	}
	if old == nil {
		return mach.NameNull, kr
	}
	return c.place(mRight{port: old, once: true}), kr
}

func (s *mSpace) arm(name mach.Name, id mach.MsgID, sync uint32, r mRight) (old *mPort, kr mach.KernReturn) {
	if r.dead {
		return nil, mach.KernInvalidCapability
	}
	if id == mach.NotifyDeadName {
		return s.armDead(name, sync != 0, r.port)
	}
	if id != mach.NotifyPortDestroyed && id != mach.NotifyNoSenders || id == mach.NotifyPortDestroyed && sync != 0 {
		return nil, mach.KernInvalidValue
	}
	p, kr := s.receiver(name)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	if id == mach.NotifyPortDestroyed {
		old, p.backup = p.backup, r.port
		return old, kr
	}
	old, p.noSender = p.noSender, r.port
	if r.port != nil && p.sends == 0 && p.makes >= sync {
		p.noSender = nil
		s.m.notify(r.port, id, mach.TypeInteger32, p.makes)
	}
	return old, kr
}

func (s *mSpace) armDead(name mach.Name, now bool, to *mPort) (old *mPort, kr mach.KernReturn) {
	e := s.names[name]
	if e == nil {
		return nil, mach.KernInvalidName
	}
	switch e.check(); {
	case e.has(mach.TypePortSet):
		return nil, mach.KernInvalidRight
	case !e.has(mach.TypeDeadName):
		old = e.cancel()
		if to != nil {
			e.req = e.port.dead.add(to, name)
		}
		return old, mach.KernSuccess
	case !now || to == nil:
		return nil, mach.KernInvalidArgument
	case e.refs == mach.UrefsMax:
		return nil, mach.KernUrefsOverflow
	}
	e.refs++
	s.m.notifyName(to, mach.NotifyDeadName, name)
	return nil, mach.KernSuccess
}
