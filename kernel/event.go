package kernel

import (
	"time"

	"machkernel/mach"
)

// EventKind says what an Event tells of.
type EventKind uint8

// Kinds of events.
const (
	EventTrap      EventKind = iota // a trap came back
	EventFault                      // a page fault was answered
	EventException                  // machine code did what no handler took care of
)

// Event is one thing a thread did, told when it is over. It is valid only
// during the call to Observer.
type Event struct {
	Kind    EventKind
	Thread  *Thread
	Start   time.Time
	Elapsed time.Duration

	Trap   int32    // EventTrap: the number
	Name   string   // EventTrap: the name
	Args   []uint64 // EventTrap: the arguments
	Result uint64   // EventTrap: the result; EventFault: the kern_return_t

	// Request and Reply are, for mach_msg, the message as it was sent and as
	// it was received, without out-of-line memory; nil where there was none.
	Request, Reply []byte

	Addr      mach.Addr // EventFault
	Access    mach.Prot // EventFault
	Exception Exception // EventException
}

// Observer sees what happens. Observe is called in the thread that did it, so
// by several at once, outside the gate and with nothing locked. The thread goes
// on when it returns.
type Observer interface{ Observe(*Event) }

// publish tells the observer.
func (th *Thread) publish(ev *Event) {
	th.outside(func() { th.k.observer.Observe(ev) })
}

func (th *Thread) observeFault(a mach.Addr, access mach.Prot, kr mach.KernReturn, start time.Time) {
	if th.k.observer == nil {
		return
	}
	th.publish(&Event{
		Kind: EventFault, Thread: th, Start: start, Elapsed: time.Since(start),
		Addr: a, Access: access, Result: uint64(kr),
	})
}

func (th *Thread) observeException(e Exception) {
	if th.k.observer != nil {
		th.publish(&Event{Kind: EventException, Thread: th, Start: time.Now(), Exception: e})
	}
}
