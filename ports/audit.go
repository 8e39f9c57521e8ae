package ports

import (
	"fmt"

	"machkernel/mach"
)

// Roots is what the kernel knows of, for Audit: whatever is alive must be
// reached from here.
type Roots struct {
	Spaces []*Space
	// Held calls yield for each right that kernel code holds outside of
	// messages and spaces: the ports of its objects (as receive rights),
	// special and exception ports, rights on a stack. May be nil.
	Held func(yield func(Right) bool)
	// Messages are messages in the hands of threads that no waiter lists.
	Messages []Message
	// Seen is called for each message that is met, with the IPC lock held.
	// May be nil.
	Seen func(Message)
}

// tally is what Audit counted for one port.
type tally struct {
	receive, send, sendOnce uint32
	queued                  uint32
}

type auditor struct {
	z     *Zone
	seen  map[*Port]*tally
	queue []Message
	// Messages that owe a notification about a name, and names that wait for one.
	accepts, forced int
	err             error
}

// Audit proves that rights are conserved: it walks everything that can be
// reached from roots and from the waiters, counts the rights to each port, and
// compares with what the port says. It finds rights counted and not there,
// rights there and not counted, ports that are alive and out of reach, names
// and queues that contradict themselves. The error names the first.
//
// Nothing may be between two steps of an operation meanwhile: the caller has
// closed the gate, or knows that no thread runs.
//
// Locks: none held; takes the IPC lock for the whole walk.
func (z *Zone) Audit(roots Roots) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	a := &auditor{z: z, seen: make(map[*Port]*tally)}
	for _, s := range roots.Spaces {
		a.space(s)
	}
	if roots.Held != nil {
		roots.Held(a.right)
	}
	for _, m := range roots.Messages {
		a.message(m)
	}
	z.waiters.each(func(w *Waiter) {
		a.message(w.offer)
		a.handed(w.got)
		for _, h := range w.held {
			h.Rights(a.right)
			if mh, ok := h.(MessageHolder); ok {
				a.message(mh.Message())
			}
		}
	})
	for len(a.queue) > 0 && a.err == nil {
		m := a.queue[len(a.queue)-1]
		a.queue = a.queue[:len(a.queue)-1]
		a.right(m.base().Remote)
		a.accept(m.base().accept)
		m.Rights(a.right)
		if roots.Seen != nil {
			roots.Seen(m)
		}
	}
	a.compare()
	return a.err
}

func (a *auditor) fail(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("ports audit: "+format, args...)
	}
}

func (a *auditor) message(m Message) {
	if m != nil {
		a.queue = append(a.queue, m)
	}
}

// handed is message for one in the hands of a receiver that has not run yet: it
// counts in its port until then.
func (a *auditor) handed(m Message) {
	if m == nil {
		return
	}
	a.message(m)
	a.tally(m.base().Remote.Port).queued++
}

func (a *auditor) tally(p *Port) *tally {
	t := a.seen[p]
	if t == nil {
		t = new(tally)
		a.seen[p] = t
	}
	return t
}

// right counts one right. The first time a port is met, what the port itself
// holds is walked, too.
func (a *auditor) right(r Right) bool {
	p := r.Port
	if p == nil {
		return a.err == nil
	}
	t := a.tally(p)
	switch r.Type {
	case mach.TypePortReceive:
		if t.receive++; t.receive == 1 {
			a.port(p, t)
		}
	case mach.TypePortSend:
		t.send++
	case mach.TypePortSendOnce:
		t.sendOnce++
	default:
		a.fail("a right of type %s to port %d", r.Type, p.id)
	}
	return a.err == nil
}

// accept checks the msg-accepted request of a message, which may be nil.
func (a *auditor) accept(q *acceptRequest) {
	if q == nil {
		return
	}
	a.right(sendOnceTo(q.to))
	if q.space.active && q.name != mach.NameNull {
		a.accepts++
		if q.space.forced[q.name] != q {
			a.fail("name %d of space %d does not know of the message forced through it", q.name, q.space.id)
		}
	}
}

// port walks what the receive right of p brings along.
func (a *auditor) port(p *Port, t *tally) {
	for m := p.queue.first; m != nil; m = m.base().next {
		if m.base().Remote.Port != p {
			a.fail("port %d queues a message for another port", p.id)
		}
		t.queued++
		a.message(m)
	}
	if p.queue.first != nil && p.queue.receivers.first != nil {
		a.fail("port %d has a message and a thread waiting for one", p.id)
	}
	if p.set != nil && p.queue.first != nil {
		a.fail("port %d is in a set and has a queue", p.id)
	}
	if p.blocked.first != nil && p.msgcount < p.qlimit {
		a.fail("port %d keeps a sender waiting with %d of %d messages queued", p.id, p.msgcount, p.qlimit)
	}
	a.right(sendOnceTo(p.noSenders))
	a.right(sendOnceTo(p.portDestroyed))
	for _, q := range p.requests.slots {
		a.right(sendOnceTo(q.to))
	}
}

// space walks one space.
func (a *auditor) space(s *Space) {
	if !s.active {
		if s.names.size != 0 {
			a.fail("dead space %d holds %d names", s.id, s.names.size)
		}
		return
	}
	count, reverse, sets, forced := 0, 0, 0, 0
	s.names.each(func(name mach.Name, e *entry) bool {
		count++
		if e.forced {
			forced++
		}
		switch e.kind {
		case kindSet:
			sets++
			a.set(s, name)
		case kindSend:
			reverse++
		}
		a.entry(s, name, e)
		return a.err == nil
	})
	if a.err != nil {
		return
	}
	a.forced += forced
	switch {
	case count != s.names.size:
		a.fail("space %d holds %d names and says %d", s.id, count, s.names.size)
	case reverse != len(s.reverse):
		a.fail("space %d holds %d send names and finds %d by port", s.id, reverse, len(s.reverse))
	case forced != len(s.forced):
		a.fail("space %d marks %d names as forced, and knows of %d messages", s.id, forced, len(s.forced))
	case sets != len(s.sets):
		a.fail("space %d holds %d set names and %d sets", s.id, sets, len(s.sets))
	}
}

// entry checks one entry against the table above its type, and counts it.
func (a *auditor) entry(s *Space, name mach.Name, e *entry) {
	p := e.port
	bad := func(what string) { a.fail("name %d of space %d: %s", name, s.id, what) }
	switch e.kind {
	case kindDead:
		if p != nil || e.urefs == 0 || e.request != 0 {
			bad("dead name with a port, a request or no reference")
		}
		return
	case kindSet:
		if p != nil || e.urefs != 0 || e.request != 0 {
			bad("port set with a port, a request or references")
		}
		return
	case kindSend, kindSendOnce, kindReceive, kindReceive | kindSend:
		if p == nil {
			bad("no port")
			return
		}
	default:
		bad("impossible rights " + e.typ().String())
		return
	}
	hasUrefs := e.kind != kindReceive
	switch {
	case hasUrefs != (e.urefs > 0) || e.urefs == mach.UrefsMax || e.kind == kindSendOnce && e.urefs != 1:
		bad(fmt.Sprintf("%s with %d references", e.typ(), e.urefs))
	case e.kind&kindReceive != 0 && (p.state != stateSpace || p.space != s || p.name != name):
		bad("receive right of a port that says otherwise")
	case e.kind == kindSend && s.reverse[p] != name:
		bad("send right not found by its port")
	case e.forced != (s.forced[name] != nil) || e.forced && e.kind == kindSendOnce:
		bad("forced, and no message owes it a notification, or the reverse")
	case p.alive() && e.request != 0 && p.requests.at(e.request) != name:
		bad("dead-name request that the port does not know")
	}
	if e.kind&kindReceive != 0 {
		a.right(Right{Port: p, Type: mach.TypePortReceive})
	}
	if e.kind&kindSend != 0 {
		a.right(Right{Port: p, Type: mach.TypePortSend})
	}
	if e.kind == kindSendOnce {
		a.right(Right{Port: p, Type: mach.TypePortSendOnce})
	}
}

// set checks a port set and walks its queue.
func (a *auditor) set(s *Space, name mach.Name) {
	set := s.sets[name]
	if set == nil || set.space != s || set.name != name {
		a.fail("port set %d of space %d says otherwise", name, s.id)
		return
	}
	for p := set.first; p != nil; p = p.setNext {
		if p.set != set || p.space != s {
			a.fail("port %d in set %d of space %d says otherwise", p.id, name, s.id)
			return
		}
	}
	for m := set.queue.first; m != nil; m = m.base().next {
		p := m.base().Remote.Port
		if p.set != set {
			a.fail("set %d of space %d queues a message for port %d, no member", name, s.id, p.id)
			return
		}
		a.tally(p).queued++
		a.message(m)
	}
	if set.queue.first != nil && set.queue.receivers.first != nil {
		a.fail("set %d of space %d has a message and a thread waiting for one", name, s.id)
	}
}

// compare holds the tallies against the ports' own counts.
func (a *auditor) compare() {
	live := 0
	for p := a.z.ports.first; p != nil && a.err == nil; p = p.next {
		live++
		t := a.seen[p]
		switch {
		case t == nil || t.receive == 0:
			a.fail("port %d is alive, and nothing reachable holds its receive right", p.id)
		case t.receive > 1:
			a.fail("port %d has %d receive rights", p.id, t.receive)
		case t.send+p.stray != p.srights:
			a.fail("port %d counts %d send rights (%d stray), %d are held", p.id, p.srights, p.stray, t.send)
		case t.sendOnce != p.sorights:
			a.fail("port %d counts %d send-once rights, %d are held", p.id, p.sorights, t.sendOnce)
		case t.queued != p.msgcount:
			a.fail("port %d counts %d messages, %d are queued", p.id, p.msgcount, t.queued)
		}
	}
	if live != a.z.live {
		a.fail("%d ports are alive, the zone counts %d", live, a.z.live)
	}
	if a.accepts != a.forced {
		a.fail("%d messages owe a notification about a name, %d names wait for one", a.accepts, a.forced)
	}
	for p, t := range a.seen {
		if !p.alive() && t.receive > 0 {
			a.fail("port %d is dead and has a receive right", p.id)
		}
	}
}
