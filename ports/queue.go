package ports

import (
	"machkernel/mach"
)

// Message is what a port queues. This room looks only at the MsgBase.
type Message interface {
	base() *MsgBase
	// ReleaseTo destroys everything the message holds but its destination
	// right: rights through r.Discard, in order, and memory. Afterwards the
	// message holds nothing. Called without the IPC lock.
	ReleaseTo(r *Reaper)
	// Rights calls yield for every right the message holds but the
	// destination's, until yield says false. It is for Audit.
	Rights(yield func(Right) bool)
}

// MsgBase is the part of a message that ports know. Embed it to make a
// Message. Its fields belong to whoever owns the message.
//
//	owner            next   accept  Remote
//	a thread         nil    nil     the destination; null once consumed
//	a queue          set    any     a send or send-once right to the queue's port
//	                                (to a member, in a set's queue)
//	a waiter's offer nil    nil     the destination, whose queue was full
//	a waiter's got   nil    any     the destination it was sent to
type MsgBase struct {
	Remote   Right  // the destination right
	Size     uint32 // of the message in bytes, as a receiver's buffer needs it
	Seqno    uint32 // the sender's until the message is taken from the queue
	Circular bool   // holds a receive right that leads back to the destination

	next   Message
	accept *acceptRequest // the message was forced onto a full queue
}

func (b *MsgBase) base() *MsgBase { return b }

// queue is the messages of a port or set, and the threads waiting for one.
// At most one of the two is non-empty, but for receivers that wait on a set
// whose members moved: they are served when messages move (see Set.add).
type queue struct {
	first, last Message
	receivers   waiterList
}

func (q *queue) push(m Message) {
	if q.last == nil {
		q.first = m
	} else {
		q.last.base().next = m
	}
	q.last = m
}

func (q *queue) pop() Message {
	m := q.first
	if m == nil {
		return nil
	}
	b := m.base()
	q.first, b.next = b.next, nil
	if q.first == nil {
		q.last = nil
	}
	return m
}

// take removes from q, in order, the messages sent to p.
func (q *queue) take(p *Port) (taken queue) {
	all := *q
	q.first, q.last = nil, nil
	for m := all.pop(); m != nil; m = all.pop() {
		if m.base().Remote.Port == p {
			taken.push(m)
		} else {
			q.push(m)
		}
	}
	return taken
}

// queueOf is where p's messages go.
func (p *Port) queueOf() *queue {
	if p.set != nil {
		return &p.set.queue
	}
	return &p.queue
}

// accept takes m for a live port whatever the limit: a circular message is
// destroyed, others go to the first receiver whose buffer holds them, else
// into the queue. Receivers with too little room are told the size.
func (p *Port) accept(r *Reaper, m Message) {
	if m.base().Circular {
		r.doom(m)
		return
	}
	p.msgcount++
	p.queueOf().offer(m)
}

func (q *queue) offer(m Message) {
	b := m.base()
	for w := q.receivers.first; w != nil; w = q.receivers.first {
		q.receivers.remove(w)
		if b.Size > w.maxSize {
			w.size = b.Size
			w.wake(wokeTooLarge)
			continue
		}
		b.Remote.Port.number(b)
		w.got = m
		w.wake(wokeDelivered)
		return
	}
	q.push(m)
}

// number gives a message that leaves the queue its sequence number.
func (p *Port) number(b *MsgBase) {
	b.Seqno = p.seqno
	p.seqno++
}

// admit lets blocked senders put their messages while there is room. The
// message is put on the sender's behalf, so nobody who comes later can take the
// room; but for a sender that is suspended: that one looks again when it runs.
func (p *Port) admit(r *Reaper) {
	for p.msgcount < p.qlimit && p.blocked.first != nil {
		w := p.blocked.first
		p.blocked.remove(w)
		if w.suspended {
			w.wake(wokeAnew)
			continue
		}
		m := w.offer
		w.offer = nil
		w.wake(wokeDelivered)
		p.accept(r, m)
	}
}

// SendResult is what became of a message offered with Send.
type SendResult uint8

// Results of Send.
const (
	SendDone        SendResult = iota // accepted, or destroyed: the message is gone
	SendKernel                        // the receiver is a kernel object: the caller serves it
	SendTimedOut                      // the queue stayed full: the caller has the message
	SendInterrupted                   // the wait was aborted: the caller has the message
)

// Send offers a message to its destination. Without Always it waits while the
// queue is full, unless the destination right is send-once. A message to a
// dead port is destroyed, as is one whose port dies during the wait, and one
// that is Circular: that counts as sent.
//
// Locks: none held; takes the IPC lock, not during the wait.
// Consumes m if the result is SendDone, otherwise the caller still owns it.
//
//	SendDone         accepted, or silently destroyed
//	SendKernel       the destination is a kernel object
//	SendTimedOut     full, and the limit's time has passed
//	SendInterrupted  full, and the waiter was aborted
func (z *Zone) Send(m Message, w *Waiter, limit Limit, always bool) SendResult {
	r := Reaper{z: z}
	b := m.base()
	z.mu.Lock()
	p := b.Remote.Port
	for {
		switch {
		case p.state == stateKernel:
			z.mu.Unlock()
			return SendKernel
		case !p.alive():
			b.Remote = Right{}
			r.doom(m)
		case always || p.msgcount < p.qlimit || b.Remote.Type == mach.TypePortSendOnce:
			p.accept(&r, m)
		case limit.expired():
			z.mu.Unlock()
			return SendTimedOut
		default:
			w.offer = m
			why := w.block(&p.blocked, limit)
			w.offer = nil
			switch why {
			case wokeAnew:
				continue
			case wokeTimeout:
				z.mu.Unlock()
				return SendTimedOut
			case wokeAborted:
				z.mu.Unlock()
				return SendInterrupted
			}
		}
		r.unlock()
		return SendDone
	}
}

// Receive takes the next message for the receive right or port set that name
// denotes in s, waiting for one within the limit. A message larger than
// maxSize stays where it is.
//
// Locks: none held; takes the IPC lock, not during the wait.
// Returns a message the caller owns, with its sequence number set.
//
//	MsgSuccess       m is the message
//	RcvInvalidName   s is dead, or name is neither a receive right nor a set
//	RcvInSet         the port is in a set
//	RcvTooLarge      the next message has size bytes, more than maxSize
//	RcvTimedOut      nothing came in time
//	RcvInterrupted   the waiter was aborted
//	RcvPortDied      the receive right or set was destroyed or moved away
//	RcvPortChanged   the port was moved into a set
func (s *Space) Receive(name mach.Name, w *Waiter, maxSize uint32, limit Limit) (m Message, size uint32, mr mach.MsgReturn) {
	s.zone.mu.Lock()
	q, mr := s.queueNamed(name)
	if mr != mach.MsgSuccess {
		s.zone.mu.Unlock()
		return nil, 0, mr
	}
	return s.zone.receive(q, w, maxSize, limit)
}

// queueNamed is the queue that a receive from name takes messages of.
//
//	RcvInvalidName, RcvInSet: as Receive
func (s *Space) queueNamed(name mach.Name) (*queue, mach.MsgReturn) {
	if !s.active {
		return nil, mach.RcvInvalidName
	}
	e := s.names.lookup(name)
	switch {
	case e == nil || e.kind&(kindReceive|kindSet) == 0:
		return nil, mach.RcvInvalidName
	case e.kind&kindSet != 0:
		return &s.sets[name].queue, mach.MsgSuccess
	case e.port.set != nil:
		return nil, mach.RcvInSet
	}
	return &e.port.queue, mach.MsgSuccess
}

// Pass is a send past any limit and the receive from name that follows it, in one:
// it reports true where that receive would take m itself, at once, and m is then as
// received. Else nothing has changed: other messages come first, somebody waits
// for one, m is larger than maxSize, goes elsewhere, or would be destroyed.
//
// Locks: none held; takes the IPC lock. The caller owns m before and after.
func (s *Space) Pass(m Message, name mach.Name, maxSize uint32) bool {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	b := m.base()
	p := b.Remote.Port
	if p == nil || !p.alive() || b.Circular || b.Size > maxSize {
		return false
	}
	q, mr := s.queueNamed(name)
	if mr != mach.MsgSuccess || p.queueOf() != q || q.first != nil || q.receivers.first != nil {
		return false
	}
	p.number(b) // the message would count for no longer than this lock is held
	return true
}

// ReceiveHeld is Receive for a port whose receive right kernel code holds
// (NewHeldPort), without a bound on the size.
//
// Locks: none held; takes the IPC lock, not during the wait.
// Returns a message the caller owns. The port still belongs to the caller.
//
//	MsgSuccess      m is the message
//	RcvInvalidName  the port is not held by kernel code any more
//	RcvTimedOut, RcvInterrupted, RcvPortDied: as Receive
func (p *Port) ReceiveHeld(w *Waiter, limit Limit) (Message, mach.MsgReturn) {
	p.zone.mu.Lock()
	if p.state != stateHeld {
		p.zone.mu.Unlock()
		return nil, mach.RcvInvalidName
	}
	m, _, mr := p.zone.receive(&p.queue, w, ^uint32(0), limit)
	return m, mr
}

// receive is Receive from a queue. Locked on entry, released on return.
func (z *Zone) receive(q *queue, w *Waiter, maxSize uint32, limit Limit) (Message, uint32, mach.MsgReturn) {
	if m := q.first; m != nil {
		b := m.base()
		if b.Size > maxSize {
			z.mu.Unlock()
			return nil, b.Size, mach.RcvTooLarge
		}
		q.pop()
		b.Remote.Port.number(b)
		z.taken(b)
		return m, b.Size, mach.MsgSuccess
	}
	if limit.expired() {
		z.mu.Unlock()
		return nil, 0, mach.RcvTimedOut
	}
	w.maxSize = maxSize
	why := w.block(&q.receivers, limit)
	m, size := w.got, w.size
	w.got, w.size = nil, 0
	if why == wokeDelivered {
		z.taken(m.base())
		return m, m.base().Size, mach.MsgSuccess
	}
	z.mu.Unlock()
	switch why {
	case wokeTooLarge:
		return nil, size, mach.RcvTooLarge
	case wokeTimeout:
		return nil, 0, mach.RcvTimedOut
	case wokeAborted:
		return nil, 0, mach.RcvInterrupted
	case wokePortDied:
		return nil, 0, mach.RcvPortDied
	case wokePortChanged:
		return nil, 0, mach.RcvPortChanged
	}
	panic("BUG: a receiver woke for no reason")
}

// taken ends what a message counts for in its port: it does so until its receiver
// runs, also one that was handed to a thread that waited. Locked on entry, released
// on return.
func (z *Zone) taken(b *MsgBase) {
	if b.accept != nil {
		// The notification goes before the message of a sender that the
		// room is for, should both go to one port.
		z.mu.Unlock()
		z.accepted(b)
		z.mu.Lock()
	}
	r := Reaper{z: z}
	if p := b.Remote.Port; p.alive() {
		p.msgcount--
		p.admit(&r)
	}
	r.unlock()
}

// setQLimit changes the queue limit; senders for whom there is room now get
// in.
func (p *Port) setQLimit(r *Reaper, n uint32) {
	p.qlimit = n
	p.admit(r)
}
