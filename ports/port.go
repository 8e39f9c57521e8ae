package ports

import (
	"machkernel/mach"
)

// state says who has a port's receive right.
type state uint8

// States of a port. Fields not named are zero in that state.
//
//	state         space  name   dest   kobj  receive right held by
//	stateSpace    set    valid  -      -     the entry name of space
//	stateKernel   -      -      -      set   the kernel: messages are served, not queued
//	stateHeld     -      -      -      -     kernel code: messages are queued for it
//	stateLimbo    -      -      -      -     a message not yet sent, or one that makes a circle
//	stateTransit  -      -      port   -     a message queued at (or bound for) dest
//	stateDead     -      -      -      -     nobody; no message is queued, no counter counts
//
// Following dest from port to port never comes back (no circles): a message
// that would close one is marked Circular and destroyed instead of queued.
const (
	stateDead state = iota
	stateSpace
	stateKernel
	stateHeld
	stateLimbo
	stateTransit
)

// Port is a message queue with one receiver. All fields are guarded by the
// zone's lock but zone and id, which never change.
//
// srights and sorights count every send and send-once right that exists:
// names in spaces (a name counts once, whatever its user references), rights
// in messages, rights held by kernel code. A dead port counts nothing. srights
// counts stray more than there are: see Space.modReceive.
type Port struct {
	zone *Zone
	id   uint64

	prev, next *Port // in zone.ports while alive

	space *Space
	dest  *Port
	kobj  any
	name  mach.Name
	state state

	// The protected payload: protected says whether there is one. It belongs to
	// the receive right where it is, and goes when that moves.
	protected bool
	payload   uint64

	mscount  uint32 // send rights made since the receive right arrived
	srights  uint32
	stray    uint32
	sorights uint32
	seqno    uint32 // of the next message received
	msgcount uint32 // queued here, also while the queue is the set's, or handed to a receiver that has not run yet
	qlimit   uint32

	queue   queue      // empty while in a set
	blocked waiterList // senders waiting for room

	set              *Set
	setPrev, setNext *Port // in set.members

	noSenders     *Port // no-senders request: its send-once right's port
	portDestroyed *Port // port-destroyed request: the same
	requests      requestTable
}

func (p *Port) alive() bool { return p.state != stateDead }

// ID is a number of the port's own, never used again in this zone.
func (p *Port) ID() uint64 { return p.id }

// Zone is where the port comes from.
func (p *Port) Zone() *Zone { return p.zone }

// KObject is the kernel object behind the port, nil when its receiver is not
// the kernel or the object is gone.
//
// Locks: none held; takes the IPC lock.
func (p *Port) KObject() any {
	p.zone.mu.Lock()
	defer p.zone.mu.Unlock()
	return p.kobj
}

// Alive reports whether the port had a receiver a moment ago.
func (p *Port) Alive() bool {
	p.zone.mu.Lock()
	defer p.zone.mu.Unlock()
	return p.alive()
}

// newPort makes a port in the given state with no rights.
func (z *Zone) newPort(st state) *Port {
	p := &Port{zone: z, id: z.nextID.Add(1), state: st, qlimit: mach.QLimitDefault}
	z.ports.push(p)
	z.live++
	return p
}

// NewKernelPort makes a port whose receiver is the kernel: what is sent to it
// is served in the sender's thread. The caller owns the port and ends it with
// DestroyPort.
//
// Locks: none held; takes the IPC lock.
func (z *Zone) NewKernelPort(kobj any) *Port {
	z.mu.Lock()
	defer z.mu.Unlock()
	p := z.newPort(stateKernel)
	p.kobj = kobj
	return p
}

// NewHeldPort makes a port whose receive right kernel code holds: what is
// sent to it is queued, and taken with Receive. The caller owns the port and
// ends it with DestroyPort.
//
// Locks: none held; takes the IPC lock.
func (z *Zone) NewHeldPort() *Port {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.newPort(stateHeld)
}

// SetKObject replaces the object behind a kernel port. nil disables it: the
// port lives on, and its messages find no object.
func (p *Port) SetKObject(kobj any) {
	p.zone.mu.Lock()
	defer p.zone.mu.Unlock()
	p.kobj = kobj
}

// RequestNoSenders arms the no-senders request of a kernel port to itself: the
// hooks get the notification when the last send right is gone. A dead port's is
// not armed.
//
// Locks: none held; takes the IPC lock.
func (z *Zone) RequestNoSenders(p *Port) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if p.state == stateKernel {
		p.noSenders = p.makeSendOnce().Port
	}
}

// DestroyPort ends a port made by NewKernelPort or NewHeldPort. Names of it
// become dead names, what is queued is destroyed. A port that is dead already
// stays so.
//
// Locks: none held; takes the IPC lock. Consumes the receive right.
func (z *Zone) DestroyPort(p *Port) {
	r := Reaper{z: z}
	z.mu.Lock()
	p.end(&r)
	r.unlock()
}

// end is DestroyPort with the lock held.
func (p *Port) end(r *Reaper) {
	switch p.state {
	case stateKernel, stateHeld:
		p.clearReceiver(r)
		p.destroy(r)
	case stateDead:
	default:
		panic("BUG: the kernel destroys a port it does not hold")
	}
}

// MakeSend makes a send right from the kernel's hold on p. A dead port gives
// a dead right.
//
// Locks: none held; takes the IPC lock. Returns a right the caller owns.
func (z *Zone) MakeSend(p *Port) Right {
	z.mu.Lock()
	defer z.mu.Unlock()
	if !p.alive() {
		return DeadRight()
	}
	return p.makeSend()
}

// MakeSendOnce makes a send-once right from the kernel's hold on p. A dead
// port gives a dead right.
//
// Locks: none held; takes the IPC lock. Returns a right the caller owns.
func (z *Zone) MakeSendOnce(p *Port) Right {
	z.mu.Lock()
	defer z.mu.Unlock()
	if !p.alive() {
		return DeadRight()
	}
	return p.makeSendOnce()
}

// CopySend makes another send right from one. It is dead when the port is,
// and null or dead when right is.
//
// Locks: none held; takes the IPC lock. Does not consume right. Returns a
// right the caller owns.
func (z *Zone) CopySend(right Right) Right {
	if right.Port == nil {
		return right
	}
	if right.Type != mach.TypePortSend {
		panic("BUG: copying a right of type " + right.Type.String())
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	return right.Port.copySend()
}

func (p *Port) makeSend() Right {
	p.mscount++
	p.srights++
	return Right{Port: p, Type: mach.TypePortSend}
}

func (p *Port) makeSendOnce() Right {
	p.sorights++
	return Right{Port: p, Type: mach.TypePortSendOnce}
}

func (p *Port) copySend() Right {
	if !p.alive() {
		return DeadRight()
	}
	p.srights++
	return Right{Port: p, Type: mach.TypePortSend}
}

// dropSend gives up a send right. The last one fires the no-senders request.
func (p *Port) dropSend(r *Reaper) {
	if !p.alive() {
		return
	}
	if p.srights == 0 {
		panic("BUG: a send right that was not counted")
	}
	p.srights--
	if p.srights == 0 && p.noSenders != nil {
		r.notify(Notification{
			ID: mach.NotifyNoSenders, Count: p.mscount,
			To: Right{Port: p.noSenders, Type: mach.TypePortSendOnce},
		})
		p.noSenders = nil
	}
}

// dropSendOnce gives up a send-once right without a notification.
func (p *Port) dropSendOnce() {
	if !p.alive() {
		return
	}
	if p.sorights == 0 {
		panic("BUG: a send-once right that was not counted")
	}
	p.sorights--
}

// clearReceiver takes the receive right away from whoever has it: the port
// leaves its set, threads waiting to receive from it learn that it died, and
// its counts for the next receiver start anew. The caller puts the port into
// its next state.
func (p *Port) clearReceiver(r *Reaper) {
	if p.set != nil {
		p.set.remove(r, p)
	} else {
		p.queue.receivers.wakeAll(wokePortDied)
	}
	p.mscount, p.seqno = 0, 0
	p.space, p.name, p.dest, p.kobj = nil, 0, nil, nil
	p.state = stateLimbo
}

// destroy ends a port that clearReceiver has prepared. With a port-destroyed
// request the receive right goes there instead.
func (p *Port) destroy(r *Reaper) {
	if to := p.portDestroyed; to != nil {
		p.portDestroyed = nil
		p.protected = false
		soright := Right{Port: to, Type: mach.TypePortSendOnce}
		if !p.toTransit(to) {
			r.notify(Notification{
				ID: mach.NotifyPortDestroyed, To: soright,
				Port: Right{Port: p, Type: mach.TypePortReceive},
			})
			return
		}
		to.dropSendOnce()
	}
	for w := p.blocked.first; w != nil; w = p.blocked.first {
		p.blocked.remove(w)
		w.offer.base().Remote = Right{}
		r.doomLate(w.offer)
		w.offer = nil
		w.wake(wokeDelivered)
	}
	p.state = stateDead
	p.dest = nil
	p.zone.ports.remove(p)
	p.zone.live--
	if to := p.noSenders; to != nil {
		p.noSenders = nil
		if to.alive() {
			r.sendOnceDestroyed(to)
		}
	}
	for m := p.queue.pop(); m != nil; m = p.queue.pop() {
		m.base().Remote = Right{}
		r.doom(m)
	}
	p.msgcount = 0
	for _, q := range p.requests.slots {
		if q.to != nil {
			r.notify(Notification{
				ID: mach.NotifyDeadName, Name: q.name,
				To: Right{Port: q.to, Type: mach.TypePortSendOnce},
			})
		}
	}
	p.requests = requestTable{}
	p.srights, p.stray, p.sorights = 0, 0, 0
}

// toTransit puts a port in limbo on its way to dest. It reports true and
// changes nothing when that would close a circle.
func (p *Port) toTransit(dest *Port) (circular bool) {
	for b := dest; b != nil; b = b.dest {
		if b == p {
			return true
		}
	}
	p.state, p.dest = stateTransit, dest
	return false
}

// portList is a list of ports through prev and next.
type portList struct{ first *Port }

func (l *portList) push(p *Port) {
	p.next = l.first
	if l.first != nil {
		l.first.prev = p
	}
	l.first = p
}

func (l *portList) remove(p *Port) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		l.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	}
	p.prev, p.next = nil, nil
}
