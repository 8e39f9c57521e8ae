package kernel

import (
	"machkernel/ipc"
	"machkernel/mach"
)

// The messages of TestModel's model: what a send takes, what a receive gives.

// mFault is what is wrong with an item.
type mFault int

const (
	mSound     mFault = iota
	mBadType          // a descriptor against the rules
	mTooShort         // more elements than the message has room for
	mNoMemory         // out-of-line memory that is not there
	mFaultKind        // how many there are
)

// mSendItem is an item as its sender writes it.
type mSendItem struct {
	name    mach.TypeName
	inline  bool
	dealloc bool
	rights  bool
	names   []mach.Name
	data    string
	fault   mFault
}

// mSend is a message as its sender writes it.
type mSend struct {
	remote, local mach.Name
	rtype, ltype  mach.TypeName
	complex       bool
	id            mach.MsgID
	items         []mSendItem
}

func (x *mSend) bits() mach.MsgBits {
	b := mach.Bits(x.rtype, x.ltype)
	if x.complex {
		b |= mach.BitsComplex
	}
	return b
}

// encode lays the message out; at gives the address of out-of-line data.
func (x *mSend) encode(at func(it *mSendItem) mach.Addr) []byte {
	b := make([]byte, ipc.HeaderSize)
	for i := range x.items {
		it := &x.items[i]
		d := ipc.Descriptor{Name: it.name, Size: 8, Number: uint32(len(it.data)), Inline: it.inline, Dealloc: it.dealloc && !it.inline}
		if it.rights {
			d.Number, d.Size = uint32(len(it.names)), 32
			if it.inline {
				d.Size = 64
			}
		}
		switch it.fault {
		case mBadType:
			d.Unused = true
		case mTooShort:
			d.Number += 1 << 16
		}
		off := len(b)
		b = append(b, make([]byte, 8)...)
		d.Put(b[off:])
		if d.Unused {
			b[off+3] |= 1
		}
		switch {
		case !it.inline:
			b = le.AppendUint64(b, uint64(at(it)))
		case it.rights:
			for _, n := range it.names {
				b = le.AppendUint64(b, uint64(n))
			}
		default:
			b = append(b, it.data...)
			b = append(b, make([]byte, -len(b)&7)...)
		}
	}
	h := ipc.Header{Bits: x.bits(), Remote: x.remote, Local: x.local, ID: x.id}
	h.Put(b)
	return b
}

// mBody is an item of data as it lies in a message.
func mBody(it mItem) string {
	x := mSend{items: []mSendItem{{name: it.name, inline: true, data: it.data}}}
	b := x.encode(nil)[ipc.HeaderSize:]
	if it.name == mach.TypePortName || it.name == mach.TypeInteger32 {
		d := ipc.Descriptor{Name: it.name, Size: 32, Number: uint32(len(it.data) / 4), Inline: true}
		d.Put(b)
	}
	return string(b)
}

// mGot is what a task finds after a call of mach_msg: the code, and what its
// buffer holds.
type mGot struct {
	mr     mach.MsgReturn
	header ipc.Header // of a message that came; with RCV_LARGE the size alone
	body   string     // of one that is not complex
	items  []mGotItem
}

type mGotItem struct {
	name    mach.TypeName
	inline  bool
	dealloc bool
	size    uint16
	names   []mach.Name
	data    string
}

func (e *mEntry) has(t mach.PortType) bool { return e != nil && e.typ&t != 0 }

// allows says whether take would find the right, if a dead one will do.
func (e *mEntry) allows(d mach.TypeName) bool {
	if d == mach.TypeMakeSend || d == mach.TypeMakeSendOnce || d == mach.TypeMoveReceive {
		return e.has(mach.TypeReceive)
	}
	switch {
	case e.visibleType()&mach.TypeDeadName != 0:
		return true
	case d == mach.TypeMoveSendOnce:
		return e.has(mach.TypeSendOnce)
	}
	return e.has(mach.TypeSend)
}

// take takes a right out of a name, and leaves it to sweep to free the name.
// told is whom a dead-name request that went with the name would have told.
func (s *mSpace) take(name mach.Name, d mach.TypeName, deadok bool) (r mRight, told *mPort, ok bool) {
	e := s.names[name]
	if e == nil {
		return r, nil, false
	}
	p := e.port
	switch d {
	case mach.TypeMakeSend, mach.TypeMakeSendOnce, mach.TypeMoveReceive:
		switch {
		case !e.has(mach.TypeReceive):
			return r, nil, false
		case d == mach.TypeMakeSend:
			return p.makeSend(), nil, true
		case d == mach.TypeMakeSendOnce:
			return p.makeOnce(), nil, true
		}
		s.m.clearReceiver(p)
		if e.typ &^= mach.TypeReceive; e.typ == 0 {
			told = e.cancel()
		}
		return mRight{port: p, recv: true}, told, true
	}
	if !e.has(mach.TypeSend | mach.TypeSendOnce | mach.TypeDeadName) {
		return r, nil, false
	}
	if e.check(); e.typ == mach.TypeDeadName {
		if deadok && d != mach.TypeCopySend {
			if e.refs--; e.refs == 0 {
				e.typ = 0
			}
		}
		return mRight{dead: true}, nil, deadok
	}
	switch {
	case d == mach.TypeMoveSendOnce:
		if !e.has(mach.TypeSendOnce) {
			return r, nil, false
		}
		told, e.typ = e.cancel(), 0
		return mRight{port: p, once: true}, told, true
	case !e.has(mach.TypeSend):
		return r, nil, false
	case d == mach.TypeCopySend:
		return p.copySend(), nil, true
	case e.refs > 1:
		e.refs--
		return p.copySend(), nil, true
	}
	e.refs = 0
	if e.typ &^= mach.TypeSend; e.typ == 0 {
		told = e.cancel()
	}
	return mRight{port: p}, told, true
}

func (s *mSpace) sweep(name mach.Name) {
	if e := s.names[name]; e != nil && e.typ == 0 {
		s.release(name)
	}
}

// takeHeader takes both rights of a header, or none.
func (s *mSpace) takeHeader(x *mSend, cancel mach.Name) (dest, reply mRight, mr mach.MsgReturn) {
	sends := func(d mach.TypeName) bool { return d >= mach.TypeMoveSend && d <= mach.TypeMakeSendOnce }
	if !sends(x.rtype) || !sends(x.ltype) && (x.ltype != 0 || x.local != 0) {
		return dest, reply, mach.SendInvalidHeader
	}
	var quiet *mPort
	if cancel != 0 {
		if e := s.names[cancel]; e.has(mach.TypeReceive) {
			quiet = e.port
		} else {
			return dest, reply, mach.SendInvalidNotify
		}
	}
	de, re := s.names[x.remote], s.names[x.local]
	hasReply := x.local.Valid()
	if de == nil {
		return dest, reply, mach.SendInvalidDest
	}
	if hasReply && (re == nil || !re.allows(x.ltype)) {
		return dest, reply, mach.SendInvalidReply
	}
	same := x.remote == x.local
	moves := func(d mach.TypeName) bool { return d == mach.TypeMoveSend }
	copies := func(d mach.TypeName) bool { return d == mach.TypeCopySend }
	var destTold, replyTold *mPort
	ok := true
	switch {
	case same && (x.rtype == mach.TypeMoveSendOnce || x.ltype == mach.TypeMoveSendOnce):
		return dest, reply, mach.SendInvalidDest
	case same && moves(x.rtype) && moves(x.ltype) && (!de.has(mach.TypeSend) || de.refs < 2):
		// The reference says that two moves need two references; nothing is taken,
		// and nothing found out, when there are fewer.
		return dest, reply, mach.SendInvalidDest
	case same && moves(x.rtype) && copies(x.ltype):
		// As if the copy came first.
		if dest, destTold, ok = s.take(x.remote, x.rtype, false); ok {
			reply = dest.port.copySend()
		}
	default:
		if dest, destTold, ok = s.take(x.remote, x.rtype, false); ok && hasReply {
			reply, replyTold, _ = s.take(x.local, x.ltype, true)
		}
	}
	if !ok {
		return dest, reply, mach.SendInvalidDest
	}
	if !hasReply {
		reply.dead = x.local == mach.NameDead
	}
	s.sweep(x.local) // the destination's name is the next to be used again
	s.sweep(x.remote)
	if destTold != nil && destTold == quiet {
		destTold.onces--
		destTold = nil
	}
	s.m.notifyName(destTold, mach.NotifyPortDeleted, x.remote)
	s.m.notifyName(replyTold, mach.NotifyPortDeleted, x.local)
	return dest, reply, mach.MsgSuccess
}

// takeBody takes one right of a message to dest.
func (s *mSpace) takeBody(name mach.Name, d mach.TypeName, dest *mPort) (r mRight, circular, ok bool) {
	if !name.Valid() {
		return mRight{dead: name == mach.NameDead}, false, true
	}
	r, told, ok := s.take(name, d, true)
	if !ok {
		return r, false, false
	}
	s.sweep(name)
	s.m.notifyName(told, mach.NotifyPortDeleted, name)
	return r, r.recv && r.port.bindTo(dest), true
}

func received(d mach.TypeName) mach.TypeName {
	switch d {
	case mach.TypeCopySend, mach.TypeMakeSend:
		return mach.TypePortSend
	case mach.TypeMakeSendOnce:
		return mach.TypePortSendOnce
	}
	return d
}

// takeItems takes a complex message's body; on failure k has what was taken.
func (s *mSpace) takeItems(k *mMsg, items []mSendItem) mach.MsgReturn {
	carries := false
	for i, it := range items {
		switch {
		case it.fault == mBadType:
			return mach.SendInvalidType
		case it.fault == mTooShort && it.inline:
			return mach.SendMsgTooSmall
		case it.fault == mTooShort, it.fault == mNoMemory && !it.inline && len(it.names)+len(it.data) > 0:
			return mach.SendInvalidMemory
		}
		carries = carries || it.rights || !it.inline
		k.items = append(k.items, mItem{name: received(it.name), inline: it.inline, data: it.data})
		for _, name := range it.names {
			r, circular, ok := s.takeBody(name, it.name, k.dest.port)
			if !ok {
				return mach.SendInvalidRight
			}
			k.items[i].rights = append(k.items[i].rights, r)
			k.circular = k.circular || circular
		}
	}
	if !carries {
		k.bits &^= mach.BitsComplex
	}
	return mach.MsgSuccess
}

// send sends with SEND_TIMEOUT and no patience. What comes back to the sender
// is in got.
func (s *mSpace) send(x *mSend, raw []byte, cancel mach.Name) (got mGot) {
	m := s.m
	k := &mMsg{bits: mach.Bits(received(x.rtype), received(x.ltype)), id: x.id, size: len(raw), body: string(raw[ipc.HeaderSize:])}
	if k.dest, k.reply, got.mr = s.takeHeader(x, cancel); got.mr != mach.MsgSuccess {
		return got
	}
	if x.complex {
		k.bits |= mach.BitsComplex
		if got.mr = s.takeItems(k, x.items); got.mr != mach.MsgSuccess {
			m.clean(k) // at once, not as a message among the doomed
			return got
		}
	}
	p := k.dest.port
	switch {
	case p.kernel:
		m.serve(k)
	case p.msgs < p.limit || k.dest.once:
		m.enqueue(k)
	default:
		got = s.pseudo(k)
		got.mr = mach.SendTimedOut
	}
	return got
}

// serve is what the kernel does with a request that it does not know.
func (m *model) serve(k *mMsg) {
	if !k.dest.once {
		k.dest.port.sends--
	}
	reply := &mMsg{
		bits: mach.Bits(k.bits.Local(), 0), id: k.id + mach.ReplyIDOffset, size: 48, dest: k.reply,
		body: mBody(mItem{name: mach.TypeInteger32, data: string(le.AppendUint32(nil, ^uint32(302)))}), // MIG_BAD_ID
	}
	k.dest, k.reply = mRight{}, mRight{}
	m.destroy(k)
	p := reply.dest.port
	switch {
	case p == nil:
	case p.kernel:
		if !reply.dest.once {
			p.sends--
		}
	default:
		m.force(reply)
	}
}

// pseudo gives a message back to its sender.
func (s *mSpace) pseudo(k *mMsg) (got mGot) {
	remote := s.place(k.dest)
	local := s.place(k.reply)
	s.fill(&got, k, k.bits, remote, local)
	got.header.Seqno = 0
	return got
}

func (s *mSpace) fill(got *mGot, k *mMsg, bits mach.MsgBits, remote, local mach.Name) {
	got.header = ipc.Header{Bits: bits, Size: uint32(k.size), Remote: remote, Local: local, Seqno: k.seqno, ID: k.id}
	if !bits.Complex() {
		got.body = k.body
		return
	}
	for _, it := range k.items {
		g := mGotItem{name: it.name, inline: it.inline, dealloc: !it.inline, size: 8, data: it.data}
		if it.name.IsPort() {
			g.size = 32
			if it.inline {
				g.size = 64
			}
		}
		for _, r := range it.rights {
			g.names = append(g.names, s.place(r))
		}
		got.items = append(got.items, g)
	}
}

// place gives a right to a space and tells its name. A right to a dead port
// leaves its mark on the free names.
func (s *mSpace) place(r mRight) mach.Name {
	switch p := r.port; {
	case r.dead:
		return mach.NameDead
	case p == nil:
		return mach.NameNull
	case !p.alive:
		name, _ := s.alloc()
		s.release(name)
		return mach.NameDead
	}
	var name mach.Name
	var e *mEntry
	if !r.once {
		name, e = s.holder(r.port)
	}
	if e == nil {
		name, e = s.alloc()
	}
	s.put(name, e, r)
	return name
}

// put puts a right under a name. Past the most references, one more is none.
func (s *mSpace) put(name mach.Name, e *mEntry, r mRight) {
	p := r.port
	e.port = p
	switch {
	case r.recv:
		e.typ |= mach.TypeReceive
		p.space, p.name, p.dest = s, name, nil
	case r.once:
		e.typ, e.refs = mach.TypeSendOnce, 1
	case e.has(mach.TypeSend):
		e.refs = min(e.refs+1, mach.UrefsMax-1)
		p.sends--
	default:
		e.typ, e.refs = e.typ|mach.TypeSend, 1
	}
}

// receive receives at once or not at all.
func (s *mSpace) receive(name mach.Name, room int, option mach.MsgOption, notify mach.Name) (got mGot) {
	e := s.names[name]
	var q *[]*mMsg
	switch {
	case e.has(mach.TypePortSet):
		q = &e.set.queue
	case !e.has(mach.TypeReceive):
		return mGot{mr: mach.RcvInvalidName}
	case e.port.set != nil:
		return mGot{mr: mach.RcvInSet}
	default:
		q = &e.port.queue
	}
	if len(*q) == 0 {
		return mGot{mr: mach.RcvTimedOut}
	}
	k := (*q)[0]
	if k.size > room && option&mach.RcvLarge != 0 {
		return mGot{mr: mach.RcvTooLarge, header: ipc.Header{Size: uint32(k.size)}}
	}
	*q = (*q)[1:]
	p := k.dest.port
	k.seqno = p.seqno
	p.seqno++
	p.msgs--
	wants := option&mach.RcvNotify != 0
	switch {
	case k.size > room:
		return s.headerOnly(k, mach.RcvTooLarge)
	case wants && !s.names[notify].has(mach.TypeReceive):
		return s.headerOnly(k, mach.RcvInvalidNotify)
	}
	remote := mach.NameNull
	switch r := k.reply; {
	case r.dead, r.port != nil && !r.port.alive:
		remote = mach.NameDead
	case r.port != nil:
		before := len(s.names)
		remote = s.place(r)
		if wants && len(s.names) > before {
			to := s.names[notify].port
			to.onces++
			s.names[remote].req = r.port.dead.add(to, remote)
		}
	}
	local := s.useDest(k.dest)
	s.fill(&got, k, reversed(k.bits), remote, local)
	return got
}

func reversed(b mach.MsgBits) mach.MsgBits {
	return b&^mach.BitsPortsMask | mach.Bits(b.Local(), b.Remote())
}

// useDest ends the right by which a message came, and tells the name of its port.
func (s *mSpace) useDest(r mRight) mach.Name {
	p := r.port
	name := p.name
	if p.space != s {
		name = mach.NameNull
	}
	switch {
	case !r.once:
		s.m.dropSend(p)
	case p.space == s:
		p.onces--
	default:
		s.m.notify(p, mach.NotifySendOnce, 0)
	}
	return name
}

// headerOnly delivers a message's header and destroys the rest.
func (s *mSpace) headerOnly(k *mMsg, mr mach.MsgReturn) mGot {
	h := ipc.Header{Bits: reversed(k.bits), Size: uint32(k.size), Seqno: k.seqno, ID: k.id, Local: s.useDest(k.dest)}
	if k.reply.dead {
		h.Remote = mach.NameDead
	}
	s.m.drop(k.reply)
	s.m.cleanBody(k)
	return mGot{mr: mr, header: h}
}
