package ipc

import (
	"sync"
	"sync/atomic"

	"machkernel/mach"
	"machkernel/ports"
)

// Caller is what a send or receive needs of the thread that asks for it.
type Caller interface {
	Space() *ports.Space
	Memory() Memory
	Waiter() *ports.Waiter
}

// KernelServer serves messages whose receiver is the kernel.
type KernelServer interface {
	// Serve answers k, sent to the kernel object port k.Dest(), in the thread
	// of its sender and without any lock. It consumes k: what it does not take
	// out is its to Destroy, and it must not send k on. The destination right is
	// not in k any more. A reply, if there is one (see Kmsg.NewReply), is sent by the caller. c is
	// the sending thread.
	Serve(c Caller, k *Kmsg) (reply *Kmsg)
}

// NotificationServer is a KernelServer that wants notifications about rights
// the kernel holds to its objects' ports. Without it they are destroyed.
type NotificationServer interface {
	// ServeNotification consumes k. It is called without any lock, in the
	// thread that caused the notification.
	ServeNotification(k *Kmsg)
}

// Observer sees what messages do. Each event is published once, without any
// lock, in the thread that caused it; an observer must not keep or change k.
type Observer interface {
	// MessageSent: k was copied in and is about to be queued (or returned to
	// its sender, if there is no room in time).
	MessageSent(c Caller, k *Kmsg)
	// KernelRequest: k is about to be served by the kernel.
	KernelRequest(c Caller, k *Kmsg)
	// KernelReply: the request with that id was served; reply is nil if there
	// is none.
	KernelReply(c Caller, id mach.MsgID, reply *Kmsg)
	// MessageReceived: k left its queue and is about to be copied out.
	MessageReceived(c Caller, k *Kmsg)
	// MessageDestroyed: k ends unreceived, with what it still holds.
	MessageDestroyed(k *Kmsg)
	// Notification: the kernel sends n.
	Notification(n ports.Notification)
}

// System is the message system of one kernel: the zone, the kernel's own
// server, and the observers.
type System struct {
	zone   *ports.Zone
	server KernelServer

	account account

	// longWay turns the fast ways off: see LongWay.
	longWay bool

	mu        sync.Mutex                 // guards changes of observers
	observers atomic.Pointer[[]Observer] // nil when there is none
}

// NewSystem makes the message system of the kernel whose ports come from zone.
// server may be nil if there are no kernel ports.
func NewSystem(zone *ports.Zone, server KernelServer) *System {
	s := &System{zone: zone, server: server}
	s.LimitMemory(DefaultMemory)
	zone.SetHooks(s)
	return s
}

// LongWay makes every message take the long way, through its port's queue. The
// fast ways are to be told from it by nothing but speed; tests run both. It is
// called before the system is used.
//
//	fast way                                    long way
//	the kernel's reply to a call that receives  it is queued at the reply port and
//	it is the caller's, at once (ports.Pass)    taken from there
//	a message that holds nothing just ends      it goes through a Reaper
func (s *System) LongWay() { s.longWay = true }

// Zone is where the system's ports come from.
func (s *System) Zone() *ports.Zone { return s.zone }

// Observe adds an observer. The returned function takes it away again.
func (s *System) Observe(o Observer) (stop func()) {
	s.change(func(list []Observer) []Observer { return append(list, o) })
	return func() {
		s.change(func(list []Observer) []Observer {
			for i := range list {
				if list[i] == o {
					return append(list[:i], list[i+1:]...)
				}
			}
			return list
		})
	}
}

// change replaces the list of observers by an edited copy.
func (s *System) change(edit func([]Observer) []Observer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Observer
	if old := s.observers.Load(); old != nil {
		list = append(list, *old...)
	}
	if list = edit(list); len(list) == 0 {
		s.observers.Store(nil)
		return
	}
	s.observers.Store(&list)
}

func (s *System) observeSent(c Caller, k *Kmsg) {
	if list := s.observers.Load(); list != nil {
		for _, o := range *list {
			o.MessageSent(c, k)
		}
	}
}

func (s *System) observeReceived(c Caller, k *Kmsg) {
	if list := s.observers.Load(); list != nil {
		for _, o := range *list {
			o.MessageReceived(c, k)
		}
	}
}

func (s *System) observeDestroyed(k *Kmsg) {
	if list := s.observers.Load(); list != nil {
		for _, o := range *list {
			o.MessageDestroyed(k)
		}
	}
}

// NewNotification implements ports.Hooks.
func (s *System) NewNotification(n ports.Notification) ports.Message {
	if list := s.observers.Load(); list != nil {
		for _, o := range *list {
			o.Notification(n)
		}
	}
	k := s.NewKmsg(n.To, n.ID)
	var word [4]byte
	switch n.ID {
	case mach.NotifyPortDeleted, mach.NotifyMsgAccepted, mach.NotifyDeadName:
		le.PutUint32(word[:], uint32(n.Name))
		k.AddData(mach.TypePortName, 32, 1, word[:])
	case mach.NotifyNoSenders:
		le.PutUint32(word[:], n.Count)
		k.AddData(mach.TypeInteger32, 32, 1, word[:])
	case mach.NotifyPortDestroyed:
		k.AddRights(mach.TypePortReceive, n.Port)
	}
	return k
}

// KernelNotification implements ports.Hooks.
func (s *System) KernelNotification(m ports.Message) {
	k := m.(*Kmsg)
	dest := k.Remote
	k.Remote = ports.Right{}
	if ns, ok := s.server.(NotificationServer); ok {
		k.dest = dest.Port
		ns.ServeNotification(k)
	} else {
		k.Destroy()
	}
	s.zone.ConsumeDest(dest)
}

// Send sends a message from the kernel, whatever the queue limit: it never
// waits. A message to a dead or null port is destroyed; one to a kernel object
// goes to the notification server.
//
// Locks: none held; takes the IPC lock. Consumes k.
func (s *System) Send(k *Kmsg) { s.deliver(nil, k) }

// deliver is Send in the thread of c, which may be nil.
func (s *System) deliver(c Caller, k *Kmsg) {
	if !k.Remote.Valid() {
		k.Destroy()
		return
	}
	s.observeSent(c, k)
	s.enqueue(c, k)
}

// enqueue is deliver without telling observers of it.
func (s *System) enqueue(c Caller, k *Kmsg) {
	if s.zone.Send(k, nil, ports.Limit{}, true) != ports.SendKernel {
		return
	}
	if c == nil {
		s.KernelNotification(k)
		return
	}
	if reply := s.serve(c, k); reply != nil {
		s.deliver(c, reply)
	}
}

// serve has the kernel answer k in the sender's thread. The reply, nil if there is
// none, is the caller's to send.
func (s *System) serve(c Caller, k *Kmsg) (reply *Kmsg) {
	list := s.observers.Load()
	if list != nil {
		for _, o := range *list {
			o.KernelRequest(c, k)
		}
	}
	id := k.ID
	// The request's right to the port is ours: a server that destroys the
	// request must not cause a notification to the kernel itself.
	dest := k.Remote
	k.dest, k.Remote = dest.Port, ports.Right{}
	k.frame = frame{k, dest}
	c.Waiter().Hold(&k.frame)
	reply = s.server.Serve(c, k)
	c.Waiter().Drop()
	k.refund()
	s.zone.ConsumeDest(dest)
	if list != nil {
		for _, o := range *list {
			o.KernelReply(c, id, reply)
		}
	}
	return reply
}

// ReceiveHeld takes the next message from a port whose receive right kernel
// code holds (ports.Zone.NewHeldPort), waiting within the limit. The message's
// destination right is consumed; rights in it stay rights.
//
// Locks: none held; takes the IPC lock, not during the wait. Returns a message
// the caller owns.
//
//	MsgSuccess, RcvTimedOut, RcvInterrupted, RcvPortDied, RcvInvalidName:
//	    see ports.Port.ReceiveHeld
func (s *System) ReceiveHeld(p *ports.Port, w *ports.Waiter, limit ports.Limit) (*Kmsg, mach.MsgReturn) {
	m, mr := p.ReceiveHeld(w, limit)
	if mr != mach.MsgSuccess {
		return nil, mr
	}
	k := m.(*Kmsg)
	s.zone.ConsumeDest(k.Remote)
	k.Remote = ports.Right{}
	k.refund()
	return k, mr
}

// Call sends a request from the kernel, whatever the queue limit, and waits for
// its answer: the kernel's own RPC, as for exceptions. k needs its destination;
// Call gives it a reply right to a port that exists for this call only. The
// answer may be a send-once notification, when the request's receiver let the
// reply right die.
//
// When the waiter was aborted, keep is asked for the port, whose receive right
// is the caller's if it says true; else, and always after an answer, the port
// dies.
//
// Locks: none held. Consumes k, also on failure. Returns a message the caller
// owns.
//
//	MsgSuccess
//	RcvInterrupted  the waiter was aborted
func (s *System) Call(k *Kmsg, w *ports.Waiter, keep func(reply *ports.Port) bool) (reply *Kmsg, mr mach.MsgReturn) {
	p := s.zone.NewHeldPort()
	w.Hold(heldPort{p})
	defer func() {
		w.Drop()
		if mr == mach.MsgSuccess || !keep(p) {
			s.zone.DestroyPort(p)
		}
	}()
	k.Local = s.zone.MakeSendOnce(p)
	k.Bits = k.Bits&^mach.BitsLocalMask | mach.Bits(0, mach.TypePortSendOnce)
	s.deliver(nil, k)
	return s.ReceiveHeld(p, w, ports.Limit{})
}

// heldPort lists the receive right of a port that a thread holds.
type heldPort struct{ p *ports.Port }

func (h heldPort) Rights(yield func(ports.Right) bool) {
	yield(ports.Right{Port: h.p, Type: mach.TypePortReceive})
}
