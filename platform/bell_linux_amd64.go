package platform

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// bell is a process's doorbell: it brings events from the mailboxes to the
// goroutines in Run that wait for them. The leader sleeps for all of them.
//
// A thread is armed from just before it is let go until its event is taken, and
// only then is an event of it believed. It is posted from there until its Run
// has seen it.
type bell struct {
	header shared // slot 0 of the mailbox area; immutable
	lookup func(slot int) *Thread
	gone   func()      // a host thread has ended; called by the leader
	dying  atomic.Bool // set once the process is dead
	spin   spinner     // owned by the leader

	mu        sync.Mutex
	led       bool      // somebody leads; guarded by mu
	followers []*Thread // asleep until posted, promoted or dead; guarded by mu
}

// wait returns true when t has posted an event, false when the process is
// dead.
func (b *bell) wait(t *Thread) bool {
	b.mu.Lock()
	for {
		switch {
		case t.posted:
			t.posted = false
			b.mu.Unlock()
			return true
		case b.dying.Load():
			b.mu.Unlock()
			return false
		case !b.led:
			b.led = true
			b.mu.Unlock()
			b.lead(t)
			b.mu.Lock()
			b.led = false
			b.promote()
		default:
			b.followers = append(b.followers, t)
			b.mu.Unlock()
			<-t.wake
			b.mu.Lock()
		}
	}
}

// lead takes events out of the mailbox area until one of t is among them, or
// the process is dead.
func (b *bell) lead(t *Thread) {
	for !b.dying.Load() {
		if b.collect(t) {
			return
		}
		if n := b.spin.next(); n > 0 {
			hit := spinWhileZero(b.header.word64(hSum), n)
			b.spin.note(hit)
			if hit {
				continue
			}
		}
		b.set(bellArmed)
		// A client that rings now finds the bell armed; one that rang before
		// has left its bit.
		if b.header.load64(hSum) == 0 && !b.dying.Load() {
			b.header.sleep(hBell, bellArmed)
		}
		b.set(bellRung)
	}
}

// set changes the bell's word. The host clears it when a client thread ends.
func (b *bell) set(v uint32) {
	if b.header.swap32(hBell, v) == bellGone {
		b.gone()
	}
}

// collect hands out all events that are there, and reports whether one is t's.
func (b *bell) collect(t *Thread) (mine bool) {
	if b.header.load64(hSum) == 0 {
		return false
	}
	for sum := b.header.swap64(hSum, 0); sum != 0; sum &= sum - 1 {
		word := bits.TrailingZeros64(sum)
		if word >= slotCount/64 {
			continue
		}
		for set := b.header.swap64(hMap+8*word, 0); set != 0; set &= set - 1 {
			u := b.lookup(64*word + bits.TrailingZeros64(set))
			if u == nil || u.slot.load32(sState) == stateRun || !u.armed.CompareAndSwap(true, false) {
				continue // a ring without an event behind it
			}
			mine = mine || u == t
			b.post(u)
		}
	}
	return mine
}

// post tells t's Run that its event is there.
func (b *bell) post(t *Thread) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t.posted = true
	for i, u := range b.followers {
		if u == t {
			b.drop(i)
			return
		}
	}
}

// promote wakes a follower, if there is one, so that it leads. Called with mu
// held, by a leader that stops leading.
func (b *bell) promote() {
	if n := len(b.followers); n > 0 {
		b.drop(n - 1)
	}
}

// drop takes a follower off the list and wakes it: exactly one wake-up for
// each time it was put on. Called with mu held.
func (b *bell) drop(i int) {
	t, last := b.followers[i], len(b.followers)-1
	b.followers[i] = b.followers[last]
	b.followers = b.followers[:last]
	t.wake <- struct{}{}
}

// die ends all waiting.
func (b *bell) die() {
	b.dying.Store(true)
	b.header.swap32(hBell, bellRung)
	b.header.wake(hBell)
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.followers) > 0 {
		b.drop(0)
	}
}
