package platform

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Thread is one thread of client code. Run, Exit and the fields without a
// guard belong to the one goroutine that runs it.
type Thread struct {
	p     *Process
	index int    // of its slot; immutable
	tid   int    // of its host thread; immutable once the thread is in the table
	slot  shared // its mailbox and signal stack; immutable

	frameAt        int     // offset of the posted frame in slot, checked
	fsBase, gsBase uint64  // what the host thread has loaded
	spin           spinner // how long the host thread spins for its answer
	spun           int     // pauses it was last granted
	copied         frame   // private copy of the posted frame

	wake   chan struct{} // see bell.followers
	posted bool          // guarded by bell.mu
	armed  atomic.Bool   // client code runs; an event of it will be believed

	mu        sync.Mutex
	running   bool        // a Run waits for the client; guarded by mu
	interrupt bool        // Interrupt was called and not yet delivered; guarded by mu
	deadline  *time.Timer // guarded by mu; nil if no interrupt is under way
}

// NewThread makes a thread, which waits for its first Run. ErrNoSlot is in the
// error's chain when there are too many.
func (p *Process) NewThread() (*Thread, error) {
	if !p.use.enter() {
		return nil, ErrDead
	}
	defer p.use.leave()
	index, err := p.slots.take()
	if err != nil {
		return nil, err
	}
	t := &Thread{
		p:     p,
		index: index,
		slot:  p.mailbox[index*slotSize : (index+1)*slotSize : (index+1)*slotSize],
		wake:  make(chan struct{}, 1),
		spin:  spinner{max: p.m.spin},
	}
	t.prepare()
	t.tid, err = p.control.clone(t.base() + uint64(t.frameAt))
	if err != nil {
		p.slots.give(index)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOMEM) {
			err = fmt.Errorf("%w: the host says: %w", ErrNoSlot, err)
		}
		return nil, err
	}
	p.slots.table[index].Store(t)
	p.made.Add(1)
	return t, nil
}

// base is the address of the thread's slot in its process.
func (t *Thread) base() uint64 { return mbAddr + uint64(t.index)*slotSize }

// prepare makes the slot look as if the thread had just posted an event.
func (t *Thread) prepare() {
	const room = 1024 // for the first frame, at the end of the signal stack
	t.frameAt = slotSize - room
	copy(t.slot[t.frameAt:], firstFrame(t.base())[:])
	t.slot.store32(sFlags, 0)
	t.slot.store32(sSpin, 0)
	t.slot.store32(sState, statePosted)
}

// Run lets the thread execute client code with the given registers until the
// next event; then regs holds the client's registers. An interrupt that is
// already due returns at once, with regs as they are, and so does a dead
// process. One goroutine at a time may call it.
func (t *Thread) Run(regs *Regs) Event {
	p := t.p
	if !p.use.enter() {
		return p.died()
	}
	if t.begin() {
		p.use.leave()
		return Event{Kind: EventInterrupted}
	}
	ev, alive := t.run(regs)
	t.end()
	p.use.leave()
	if !alive {
		return p.died()
	}
	return ev
}

// run is Run between begin and end; alive is false when the process died.
func (t *Thread) run(regs *Regs) (ev Event, alive bool) {
	regs.load(t.slot[t.frameAt:])
	t.loadBases(regs)
	for {
		t.resume()
		if !t.p.bell.wait(t) {
			return Event{}, false
		}
		if !t.take() {
			continue // made up by a client: let it go on with whatever it has
		}
		regs.save(&t.copied)
		regs.FSBase, regs.GSBase = t.fsBase, t.gsBase
		ev, ok := t.copied.event(regs)
		if !ok || ev.Kind == EventInterrupted && !t.delivered() {
			continue // a stray signal, or an interrupt that Run has reported before
		}
		t.passInt1(&ev, regs)
		t.floatStatus(&ev)
		return ev, true
	}
}

// loadBases orders the handler to load the segment bases, if they change.
func (t *Thread) loadBases(regs *Regs) {
	fs, gs := regs.FSBase, regs.GSBase
	if fs == t.fsBase && gs == t.gsBase {
		return
	}
	// The handler would fault on a base that is not canonical, with all
	// signals blocked, and that ends a process.
	if !Canonical(fs) {
		fs = 0
	}
	if !Canonical(gs) {
		gs = 0
	}
	t.slot.store64(sFS, fs)
	t.slot.store64(sGS, gs)
	t.slot.store32(sFlags, setBases)
}

// resume lets the waiting host thread go.
func (t *Thread) resume() {
	granted := t.spin.next()
	t.slot.store32(sSpin, uint32(granted))
	t.armed.Store(true)
	before := t.slot.swap32(sState, stateRun)
	if before == stateAsleep {
		t.slot.wake(sState)
	}
	if t.spun > 0 {
		t.spin.note(before != stateAsleep)
	}
	t.spun = granted
}

// take copies what the thread posted. The frame's address is read once and
// bounded; false if it cannot be one.
func (t *Thread) take() bool {
	t.slot.store32(sFlags, 0)
	at := t.slot.load64(sSP) - t.base()
	if at < sStack || at > slotSize-frameSize || at%8 != 0 {
		return false
	}
	t.frameAt = int(at)
	copy(t.copied[:], t.slot[at:])
	t.fsBase, t.gsBase = t.slot.load64(sFS), t.slot.load64(sGS)
	return true
}

// begin marks the thread as running, or takes the interrupt that is due.
func (t *Thread) begin() (interrupted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.interrupt {
		t.interrupt = false
		return true
	}
	t.running = true
	return false
}

// end marks the thread as not running. An interrupt that has not been
// delivered stays due for the next Run; its signal may come later, and is then
// one that nobody asked for.
func (t *Thread) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = false
	if t.deadline != nil {
		t.deadline.Stop()
		t.deadline = nil
	}
}

// delivered takes the interrupt that is due, and reports whether one was.
func (t *Thread) delivered() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.interrupt
	t.interrupt = false
	return due
}

// Interrupt makes the current Run, or if there is none the next one, return
// EventInterrupted; more interrupts before that are one. It may be called from
// any goroutine. A client that has made itself unstoppable has its process
// killed after a while.
func (t *Thread) Interrupt() {
	p := t.p
	if !p.use.enter() {
		return
	}
	defer p.use.leave()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interrupt = true
	if !t.running {
		return
	}
	p.signal(t.tid, sigUsr1)
	if t.deadline == nil {
		t.deadline = time.AfterFunc(p.m.deadline, func() {
			p.kill("a client thread made itself unstoppable")
		})
	}
}

// Exit ends the host thread and frees the slot. The thread is not used
// afterwards; it must not be in Run.
func (t *Thread) Exit() {
	p := t.p
	if !p.use.enter() {
		return
	}
	defer p.use.leave()
	p.slots.leave(t)
	t.slot.store32(sFlags, exitThread)
	if t.slot.swap32(sState, stateRun) == stateAsleep {
		t.slot.wake(sState)
	}
}
