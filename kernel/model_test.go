package kernel

import (
	"maps"
	"slices"

	"machkernel/mach"
)

// A second, small kernel, for TestModel: what part A of the reference says of
// rights, names and messages, in maps and slices, for one thread at a time. It
// shares no code with package ports, and its way is the real kernel's where that
// differs: everything happens at once and in order, by calls inside calls.

// mRight is a right in a message, or in the kernel's hands.
type mRight struct {
	port *mPort
	once bool // of a send right: send-once
	recv bool
	dead bool
}

type mPort struct {
	kernel   bool    // its receiver is the kernel
	alive    bool    //
	space    *mSpace // that has the receive right, nil while a message has it
	name     mach.Name
	dest     *mPort // of the message that has it, unless that makes a circle
	sends    int    // send rights that exist, one per name
	onces    int
	makes    uint32
	seqno    uint32
	limit    int
	msgs     int
	queue    []*mMsg // also while in a set: see mSet.queue
	set      *mSet
	noSender *mPort // whom to tell, by a send-once right counted there
	backup   *mPort
	dead     mRequests
}

// mRequests are a port's dead-name requests. They go out in the order of their
// slots; the table doubles when full, and of the slots that are new the last is
// used first.
type mRequests struct {
	slots []*mRequest // slot 0 is not used
	free  []int
}

type mRequest struct {
	to   *mPort
	name mach.Name
	slot int
}

type mEntry struct {
	typ  mach.PortType
	port *mPort
	set  *mSet
	refs int
	req  *mRequest
}

type mSpace struct {
	m     *model
	names map[mach.Name]*mEntry
	free  []mach.Name // last freed last
	self  *mPort      // the task's port
	reply mach.Name   // of the thread's MIG calls; null until there is one
}

type mSet struct {
	space *mSpace
	name  mach.Name
	queue []*mMsg // of all members
}

type mItem struct {
	name   mach.TypeName // as received
	inline bool
	rights []mRight
	data   string // of an item that is no rights
}

type mMsg struct {
	bits        mach.MsgBits // as in the kernel: dispositions as received
	id          mach.MsgID
	size        int
	dest, reply mRight
	items       []mItem
	body        string // of a message that is not complex: opaque
	circular    bool
	seqno       uint32
}

type model struct {
	doomed []*mMsg // being destroyed, the first one now
}

func (m *model) newSpace() *mSpace {
	return &mSpace{m: m, names: map[mach.Name]*mEntry{}, self: &mPort{kernel: true, alive: true}}
}

// alloc takes the name freed last, else the lowest never used or forgotten.
func (s *mSpace) alloc() (mach.Name, *mEntry) {
	var name mach.Name
	if n := len(s.free); n > 0 {
		name, s.free = s.free[n-1], s.free[:n-1]
	} else {
		for name = 1; s.names[name] != nil; name++ {
		}
	}
	s.names[name] = &mEntry{}
	return name, s.names[name]
}

func (s *mSpace) allocNamed(name mach.Name) *mEntry {
	if i := slices.Index(s.free, name); i >= 0 {
		s.free = slices.Delete(s.free, i, i+1)
	}
	s.names[name] = &mEntry{}
	return s.names[name]
}

func (s *mSpace) release(name mach.Name) {
	delete(s.names, name)
	if len(s.free) < 64 {
		s.free = append(s.free, name)
	}
}

// holder is the name under which s has send or receive rights to p.
func (s *mSpace) holder(p *mPort) (mach.Name, *mEntry) {
	for name, e := range s.names {
		if e.port == p && p.alive && e.typ&(mach.TypeSend|mach.TypeReceive) != 0 {
			return name, e
		}
	}
	return 0, nil
}

// check turns an entry into a dead name if its port has died, and says whether
// it did.
func (e *mEntry) check() bool {
	if e.port == nil || e.port.alive {
		return false
	}
	e.typ, e.port = mach.TypeDeadName, nil
	if e.req != nil {
		e.req = nil
		e.refs++
	}
	return true
}

func (e *mEntry) visibleType() mach.PortType {
	switch {
	case e.port != nil && !e.port.alive:
		return mach.TypeDeadName
	case e.req != nil:
		return e.typ | mach.TypeDNRequest
	}
	return e.typ
}

func (q *mRequests) add(to *mPort, name mach.Name) *mRequest {
	if len(q.free) == 0 {
		old := max(len(q.slots), 1)
		q.slots = append(q.slots, make([]*mRequest, 2*old-len(q.slots))...)
		for i := old; i < len(q.slots); i++ {
			q.free = append(q.free, i)
		}
	}
	r := &mRequest{to, name, q.free[len(q.free)-1]}
	q.free = q.free[:len(q.free)-1]
	q.slots[r.slot] = r
	return r
}

// cancel ends the request of an entry with a live port, and tells whom it would
// have told.
func (e *mEntry) cancel() *mPort {
	r := e.req
	if r == nil {
		return nil
	}
	e.req = nil
	q := &e.port.dead
	q.slots[r.slot] = nil
	q.free = append(q.free, r.slot)
	return r.to
}

func (p *mPort) makeOnce() mRight { p.onces++; return mRight{port: p, once: true} }

func (p *mPort) makeSend() mRight { p.sends++; p.makes++; return mRight{port: p} }

func (p *mPort) copySend() mRight { p.sends++; return mRight{port: p} }

// notify sends a notification with one word in it, or none.
func (m *model) notify(to *mPort, id mach.MsgID, name mach.TypeName, word ...uint32) {
	k := &mMsg{bits: mach.Bits(mach.TypePortSendOnce, 0), id: id, size: 32, dest: mRight{port: to, once: true}}
	if len(word) > 0 {
		k.size = 48
		k.body = mBody(mItem{name: name, inline: true, data: string(le.AppendUint32(nil, word[0]))})
	}
	m.force(k)
}

func (m *model) notifyName(to *mPort, id mach.MsgID, name mach.Name) {
	if to != nil {
		m.notify(to, id, mach.TypePortName, uint32(name))
	}
}

// force queues a message from the kernel.
func (m *model) force(k *mMsg) {
	p := k.dest.port
	switch {
	case !p.alive:
		k.dest = mRight{}
		m.destroy(k)
	case p.kernel:
		panic("a notification to the kernel: the driver makes no such right")
	default:
		m.enqueue(k)
	}
}

func (m *model) enqueue(k *mMsg) {
	p := k.dest.port
	if k.circular {
		m.destroy(k)
		return
	}
	p.msgs++
	if p.set != nil {
		p.set.queue = append(p.set.queue, k)
	} else {
		p.queue = append(p.queue, k)
	}
}

// destroy ends a message. Messages found inside wait until it is done.
func (m *model) destroy(k *mMsg) {
	if m.doomed = append(m.doomed, k); len(m.doomed) > 1 {
		return
	}
	for len(m.doomed) > 0 {
		m.clean(m.doomed[0])
		m.doomed = m.doomed[1:]
	}
}

func (m *model) clean(k *mMsg) {
	m.drop(k.dest)
	m.drop(k.reply)
	m.cleanBody(k)
}

func (m *model) cleanBody(k *mMsg) {
	for _, it := range k.items {
		for _, r := range it.rights {
			m.drop(r)
		}
	}
}

// drop destroys a right.
func (m *model) drop(r mRight) {
	p := r.port
	switch {
	case p == nil || !p.alive:
	case r.recv:
		m.clearReceiver(p)
		m.kill(p)
	case r.once:
		m.notify(p, mach.NotifySendOnce, 0)
	default:
		m.dropSend(p)
	}
}

func (m *model) dropSend(p *mPort) {
	if to := p.dropSendQuietly(); to != nil {
		m.notify(to, mach.NotifyNoSenders, mach.TypeInteger32, p.makes)
	}
}

// dropSendQuietly returns whom to tell that there are no senders.
func (p *mPort) dropSendQuietly() (to *mPort) {
	if p.sends--; p.sends == 0 {
		to, p.noSender = p.noSender, nil
	}
	return to
}

// clearReceiver takes the receive right from where it is.
func (m *model) clearReceiver(p *mPort) {
	p.leaveSet()
	p.makes, p.seqno = 0, 0
	p.space, p.name, p.dest = nil, 0, nil
}

func (p *mPort) leaveSet() {
	if p.set == nil {
		return
	}
	var rest []*mMsg
	for _, k := range p.set.queue {
		if k.dest.port == p {
			p.queue = append(p.queue, k)
		} else {
			rest = append(rest, k)
		}
	}
	p.set.queue, p.set = rest, nil
}

func (p *mPort) joinSet(s *mSet) {
	s.queue = append(s.queue, p.queue...)
	p.queue, p.set = nil, s
}

// kill ends a port that nobody receives from, unless somebody asked for it.
func (m *model) kill(p *mPort) {
	if to := p.backup; to != nil {
		p.backup = nil
		if !p.bindTo(to) {
			m.force(&mMsg{
				bits: mach.Bits(mach.TypePortSendOnce, 0) | mach.BitsComplex, id: mach.NotifyPortDestroyed, size: 48,
				dest:  mRight{port: to, once: true},
				items: []mItem{{name: mach.TypePortReceive, inline: true, rights: []mRight{{port: p, recv: true}}}},
			})
			return
		}
		if to.alive {
			to.onces--
		}
	}
	p.alive = false
	if p.noSender != nil && p.noSender.alive {
		m.notify(p.noSender, mach.NotifySendOnce, 0)
	}
	for len(p.queue) > 0 {
		k := p.queue[0]
		p.queue = p.queue[1:]
		k.dest = mRight{}
		m.destroy(k)
	}
	for _, r := range p.dead.slots {
		if r != nil {
			m.notifyName(r.to, mach.NotifyDeadName, r.name)
		}
	}
}

// bindTo notes that p is in a message for dest, and says whether that would be
// a circle.
func (p *mPort) bindTo(dest *mPort) (circular bool) {
	for at := dest; at != nil; at = at.dest {
		if at == p {
			return true
		}
	}
	p.dest = dest
	return false
}

// destroyName frees a name with all under it.
func (s *mSpace) destroyName(name mach.Name) {
	e, m := s.names[name], s.m
	p := e.port
	if p == nil || !p.alive {
		s.release(name)
		if e.set != nil {
			s.breakSet(e.set)
		}
		return
	}
	to := e.cancel()
	s.release(name)
	var noSenders *mPort
	makes := p.makes
	if e.typ&mach.TypeSend != 0 {
		noSenders = p.dropSendQuietly()
	}
	switch {
	case e.typ&mach.TypeReceive != 0:
		m.clearReceiver(p)
		m.kill(p)
	case e.typ == mach.TypeSendOnce:
		m.notify(p, mach.NotifySendOnce, 0)
	}
	if noSenders != nil {
		m.notify(noSenders, mach.NotifyNoSenders, mach.TypeInteger32, makes)
	}
	m.notifyName(to, mach.NotifyPortDeleted, name)
}

func (s *mSpace) breakSet(set *mSet) {
	for _, e := range s.names {
		if e.port != nil && e.port.set == set {
			e.port.leaveSet()
		}
	}
}

// terminate ends the task.
func (s *mSpace) terminate() {
	for _, name := range slices.Sorted(maps.Keys(s.names)) {
		s.destroyName(name)
	}
	s.m.kill(s.self)
}
