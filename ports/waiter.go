package ports

import (
	"time"
)

// Gate is left before a thread really blocks and entered again afterwards, so
// that whoever closes it knows that nothing moves. Both are called without
// the IPC lock; Enter may block.
type Gate interface {
	Leave()
	Enter()
}

// Holder lists the rights something holds, for Audit.
type Holder interface {
	// Rights calls yield for each right held, until yield says false.
	Rights(yield func(Right) bool)
}

// MessageHolder is a Holder with a message, whose rights it does not list
// itself.
type MessageHolder interface {
	Holder
	Message() Message
}

// Limit bounds a wait. The zero value waits for ever.
type Limit struct {
	Timed bool          // whether After counts
	After time.Duration // 0: do not wait at all
}

// Millis is a limit of ms milliseconds if timed, none otherwise.
func Millis(timed bool, ms uint32) Limit {
	return Limit{Timed: timed, After: time.Duration(ms) * time.Millisecond}
}

func (l Limit) expired() bool { return l.Timed && l.After <= 0 }

// woke says why a wait ended.
type woke uint8

const (
	wokeNot         woke = iota // it has not
	wokeDelivered               // a message was handed over, or taken; an event came
	wokeTooLarge                // a message is there, larger than the buffer
	wokePortDied                // the port or set is gone for this receiver
	wokePortChanged             // the port went into a set
	wokeTimeout                 // time is up
	wokeAborted                 // Abort or Terminate
	wokeAnew                    // a sender that was suspended: it looks again
)

// Waiter is where one thread waits for all it ever waits for. A wait ends
// exactly once: whoever takes the waiter off its list, under the IPC lock,
// says why, and nobody else can find it any more.
//
//	state    list  why       offer, got
//	idle     nil   any       nil (got set between the wake-up and its pick-up)
//	waiting  set   wokeNot   offer: the message of a blocked sender
//	woken    nil   the reason got: the message handed to a receiver; offer: still
//	                         the sender's, of one that looks again
//
// Fields are guarded by the zone's lock, but held: that one belongs to the
// thread inside the gate, and to the audit while the gate is closed. zone, gate
// and wakeup never change.
type Waiter struct {
	zone   *Zone
	gate   Gate
	wakeup chan struct{} // capacity 1: the one slot

	list       *waiterList
	prev, next *Waiter
	why        woke
	dead       bool // Terminate: no wait any more
	stopped    bool // Interrupt: no wait until Resume
	suspended  bool // SetSuspended: takes no room in a queue

	maxSize uint32
	size    uint32
	offer   Message
	got     Message

	held []Holder

	ringPrev, ringNext *Waiter
}

// NewWaiter makes the waiter of one thread. gate may be nil. Close it when the
// thread is gone.
func NewWaiter(z *Zone, gate Gate) *Waiter {
	w := &Waiter{zone: z, gate: gate, wakeup: make(chan struct{}, 1)}
	z.mu.Lock()
	z.waiters.add(w)
	z.mu.Unlock()
	return w
}

// Close takes the waiter out of the zone. No thread may be using it.
func (w *Waiter) Close() {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	if w.list != nil || w.got != nil {
		panic("BUG: closing a waiter in use")
	}
	w.zone.waiters.remove(w)
}

// Hold notes that the thread holds what h lists, while it may block. Drop
// takes the last one back. Only the waiter's own thread calls these.
func (w *Waiter) Hold(h Holder) { w.held = append(w.held, h) }

// Drop ends the last Hold.
func (w *Waiter) Drop() {
	n := len(w.held) - 1
	w.held[n] = nil
	w.held = w.held[:n]
}

// Abort ends the wait the thread is in, with INTERRUPTED. It reports whether
// there was one: a thread that is not waiting does not notice.
//
// Locks: none held; takes the IPC lock.
func (w *Waiter) Abort() bool {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	return w.abort()
}

// Interrupt ends the wait the thread is in, and every later one before it
// begins, with INTERRUPTED, until Resume. It is for a thread that is to come out
// of what it does, wherever it is.
//
// Locks: none held; takes the IPC lock.
func (w *Waiter) Interrupt() {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	w.stopped = true
	w.abort()
}

// Resume ends what Interrupt began.
//
// Locks: none held; takes the IPC lock.
func (w *Waiter) Resume() {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	w.stopped = false
}

// SetSuspended says whether the thread may not run. While it may not, room for
// its message in a queue is not taken: as on the real kernel, a sender that is
// woken goes to the queue itself, and finds what others have left of the room
// when it runs again. Unlike there, the room goes to the next sender that waits.
//
// Locks: none held; takes the IPC lock.
func (w *Waiter) SetSuspended(on bool) {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	w.suspended = on
}

// Terminate ends the wait the thread is in, and every later one before it
// begins, with INTERRUPTED. It is for threads that must die and kernels that
// shut down.
//
// Locks: none held; takes the IPC lock.
func (w *Waiter) Terminate() {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	w.dead = true
	w.abort()
}

// Waiting reports whether the thread is blocked, and whether it is, or was until
// it runs again, for room to send.
func (w *Waiter) Waiting() (waiting, sending bool) {
	w.zone.mu.Lock()
	defer w.zone.mu.Unlock()
	return w.list != nil, w.offer != nil
}

func (w *Waiter) abort() bool {
	if w.list == nil {
		return false
	}
	w.list.remove(w)
	w.wake(wokeAborted)
	return true
}

// wake ends the wait of a waiter that was just taken off its list.
func (w *Waiter) wake(why woke) {
	w.why = why
	w.wakeup <- struct{}{} // never blocks: a wait takes its one token
}

// block waits on l until something takes the waiter off it. Locked on entry
// and on return, not in between.
func (w *Waiter) block(l *waiterList, limit Limit) woke {
	if w.dead || w.stopped {
		return wokeAborted
	}
	w.why = wokeNot
	l.add(w)
	w.zone.mu.Unlock()
	if w.gate != nil {
		w.gate.Leave()
	}
	w.sleep(limit)
	if w.gate != nil {
		w.gate.Enter()
	}
	w.zone.mu.Lock()
	return w.why
}

// sleep waits for the wake-up, or for the time limit: then it takes the waiter
// off its list itself, unless somebody was faster.
func (w *Waiter) sleep(limit Limit) {
	if !limit.Timed {
		<-w.wakeup
		return
	}
	t := time.NewTimer(limit.After)
	defer t.Stop()
	select {
	case <-w.wakeup:
		return
	case <-t.C:
	}
	// A thread that is held finds out that its time is up when it runs again, and
	// may be served until then.
	if h, ok := w.gate.(interface{ Park() }); ok {
		h.Park()
	}
	w.zone.mu.Lock()
	if w.list != nil {
		w.list.remove(w)
		w.why = wokeTimeout
		w.zone.mu.Unlock()
		return
	}
	w.zone.mu.Unlock()
	<-w.wakeup
}

// waiterList is threads waiting for the same thing. Who came last is served
// first, as the real kernel does it (C: ipc_thread_enqueue): a client with
// several threads at one port can tell.
type waiterList struct{ first *Waiter }

func (l *waiterList) add(w *Waiter) {
	w.list, w.prev, w.next = l, nil, l.first
	if l.first != nil {
		l.first.prev = w
	}
	l.first = w
}

func (l *waiterList) remove(w *Waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	}
	w.list, w.prev, w.next = nil, nil, nil
}

func (l *waiterList) wakeAll(why woke) {
	for w := l.first; w != nil; w = l.first {
		l.remove(w)
		w.wake(why)
	}
}

// waiterRing is every open waiter of a zone.
type waiterRing struct{ head Waiter }

func (r *waiterRing) init() { r.head.ringPrev, r.head.ringNext = &r.head, &r.head }

func (r *waiterRing) add(w *Waiter) {
	w.ringPrev, w.ringNext = r.head.ringPrev, &r.head
	w.ringPrev.ringNext, r.head.ringPrev = w, w
}

func (r *waiterRing) remove(w *Waiter) {
	w.ringPrev.ringNext, w.ringNext.ringPrev = w.ringNext, w.ringPrev
	w.ringPrev, w.ringNext = nil, nil
}

func (r *waiterRing) each(f func(*Waiter)) {
	for w := r.head.ringNext; w != &r.head; w = w.ringNext {
		f(w)
	}
}

// Event is something threads can wait for that is not a message: a count of
// wake-ups not yet used (at most one), and the threads waiting for one.
type Event struct {
	zone    *Zone
	waiters waiterList
	set     bool
}

// NewEvent makes an event that has not happened.
func (z *Zone) NewEvent() *Event { return &Event{zone: z} }

// WaitResult is how a wait for an event ended.
type WaitResult uint8

// Results of Event.Wait.
const (
	WaitHappened    WaitResult = iota // it happened
	WaitTimedOut                      // time is up
	WaitInterrupted                   // the waiter was aborted
)

// Wait waits until the event is signalled, and uses the signal up.
//
// Locks: none held; takes the IPC lock, not during the wait.
func (e *Event) Wait(w *Waiter, limit Limit) WaitResult {
	e.zone.mu.Lock()
	defer e.zone.mu.Unlock()
	if e.set {
		e.set = false
		return WaitHappened
	}
	if limit.expired() {
		return WaitTimedOut
	}
	switch w.block(&e.waiters, limit) {
	case wokeDelivered:
		return WaitHappened
	case wokeTimeout:
		return WaitTimedOut
	}
	return WaitInterrupted
}

// Signal lets one waiting thread go on, or the next that waits.
func (e *Event) Signal() {
	e.zone.mu.Lock()
	defer e.zone.mu.Unlock()
	if w := e.waiters.first; w != nil {
		e.waiters.remove(w)
		w.wake(wokeDelivered)
		return
	}
	e.set = true
}

// Broadcast lets all threads that wait now go on.
func (e *Event) Broadcast() {
	e.zone.mu.Lock()
	defer e.zone.mu.Unlock()
	e.waiters.wakeAll(wokeDelivered)
}
