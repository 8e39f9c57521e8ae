package gsync

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// bucketCount is over how many locks the keys are spread.
const bucketCount = 64

// Table is the threads of a kernel that wait for words of memory. It is safe for
// concurrent use.
type Table struct {
	zone    *ports.Zone
	seed    maphash.Seed
	buckets [bucketCount]bucket
}

// New makes a table for threads whose waiters are the zone's.
func New(z *ports.Zone) *Table {
	t := &Table{zone: z, seed: maphash.MakeSeed()}
	for i := range t.buckets {
		t.buckets[i].queues = map[key]queue{}
	}
	return t
}

// key is what is waited for: a private word has space and addr, a shared one
// place.
type key struct {
	space *vm.Map
	addr  mach.Addr
	place vm.Place
}

// keyOf finds the key of addr in m, and reads the bytes there into p. Every
// failure is KERN_INVALID_ADDRESS, as the real kernel has it.
func keyOf(m *vm.Map, addr mach.Addr, flags Flags, p []byte) (key, mach.KernReturn) {
	place, kr := m.Examine(addr, flags.access(), p)
	switch {
	case kr != mach.KernSuccess:
		return key{}, mach.KernInvalidAddress
	case flags.has(Shared):
		return key{place: place}, mach.KernSuccess
	}
	return key{space: m, addr: addr}, mach.KernSuccess
}

// bucket is the queues of some keys.
type bucket struct {
	mu     sync.Mutex
	queues map[key]queue
}

// index is the number of k's bucket.
func (t *Table) index(k key) int {
	return int(maphash.Comparable(t.seed, k) % bucketCount)
}

// lock finds the key of addr, locks its bucket, and reads the bytes at addr into
// p under the lock. If the code is not KERN_SUCCESS nothing is locked.
//
//	KERN_INVALID_ADDRESS  addr is not a multiple of 4; the memory does not allow it
func (t *Table) lock(m *vm.Map, addr mach.Addr, flags Flags, p []byte) (*bucket, key, mach.KernReturn) {
	if addr%wordSize != 0 {
		return nil, key{}, mach.KernInvalidAddress
	}
	k, kr := key{space: m, addr: addr}, mach.KernSuccess
	if flags.has(Shared) {
		k, kr = keyOf(m, addr, flags, nil)
	}
	for kr == mach.KernSuccess {
		b := &t.buckets[t.index(k)]
		b.mu.Lock()
		var now key
		if now, kr = keyOf(m, addr, flags, p); kr == mach.KernSuccess && now == k {
			return b, k, kr
		}
		b.mu.Unlock() // gone, or replaced, meanwhile
		k = now
	}
	return nil, key{}, kr
}

// lockTwo locks the buckets of two keys, which may be the same.
func (t *Table) lockTwo(from, to key) (b, c *bucket, unlock func()) {
	i, j := t.index(from), t.index(to)
	b, c = &t.buckets[i], &t.buckets[j]
	if i == j {
		b.mu.Lock()
		return b, c, b.mu.Unlock
	}
	first, second := b, c
	if j < i {
		first, second = c, b
	}
	first.mu.Lock()
	second.mu.Lock()
	return b, c, func() { second.mu.Unlock(); first.mu.Unlock() }
}

// waiter is one wait. All but at is guarded by the lock of the bucket that at
// names; when at is nil, it is that of who took it off its queue.
type waiter struct {
	event      *ports.Event
	at         atomic.Pointer[bucket] // nil: woken; changed under the locks of old and new
	key        key
	prev, next *waiter
}

// leave takes the waiter off its queue. It reports false if somebody has woken
// it.
func (x *waiter) leave() bool {
	for {
		b := x.at.Load()
		if b == nil {
			return false
		}
		b.mu.Lock()
		if x.at.Load() == b {
			b.remove(x)
			b.mu.Unlock()
			return true
		}
		b.mu.Unlock() // it was requeued meanwhile
	}
}

// queue is threads that wait at one key, who came first first; or some that
// were taken off theirs.
type queue struct{ first, last *waiter }

func (q *queue) push(x *waiter) { q.insert(x, q.last) }

// insert puts x behind after, a member; nil is in front of all.
func (q *queue) insert(x, after *waiter) {
	x.prev, x.next = after, q.first
	if after != nil {
		x.next, after.next = after.next, x
	} else {
		q.first = x
	}
	if x.next != nil {
		x.next.prev = x
	} else {
		q.last = x
	}
}

func (q *queue) remove(x *waiter) {
	if x.prev == nil {
		q.first = x.next
	} else {
		x.prev.next = x.next
	}
	if x.next == nil {
		q.last = x.prev
	} else {
		x.next.prev = x.prev
	}
	x.prev, x.next = nil, nil
}

// pop takes the first waiter off, nil if there is none.
func (q *queue) pop() *waiter {
	x := q.first
	if x != nil {
		q.remove(x)
	}
	return x
}

// signal ends the waits of threads that were taken off their queues.
func (q *queue) signal() {
	for x := q.pop(); x != nil; x = q.pop() {
		x.event.Signal()
	}
}

// add puts x behind those who wait at k. Precondition: b.mu held.
func (b *bucket) add(k key, x *waiter) {
	q := b.queues[k]
	q.push(x)
	b.queues[k] = q
	x.key = k
	x.at.Store(b)
}

// join puts waiters that were taken elsewhere behind the one who waits longest
// at k, so before the others, as the real kernel does. Precondition: b.mu held.
func (b *bucket) join(k key, moved queue) {
	q := b.queues[k]
	after := q.first
	for x := moved.pop(); x != nil; x = moved.pop() {
		q.insert(x, after)
		x.key, after = k, x
		x.at.Store(b)
	}
	b.keep(k, q)
}

// remove takes x off its queue. Precondition: b.mu held, x in b.
func (b *bucket) remove(x *waiter) {
	q := b.queues[x.key]
	q.remove(x)
	b.keep(x.key, q)
	x.at.Store(nil)
}

// keep notes what a queue is now. Precondition: b.mu held.
func (b *bucket) keep(k key, q queue) {
	if q.first == nil {
		delete(b.queues, k)
	} else {
		b.queues[k] = q
	}
}

// take takes the first n waiters, or as many as there are, off k's queue. Where
// they are is for the caller to change, before b is unlocked.
// Precondition: b.mu held.
func (b *bucket) take(k key, n int) (taken queue) {
	q := b.queues[k]
	for ; n > 0 && q.first != nil; n-- {
		taken.push(q.pop())
	}
	b.keep(k, q)
	return taken
}

// wake takes waiters as take does, and makes their waits successes. They are to
// be signalled when b is unlocked. Precondition: b.mu held.
func (b *bucket) wake(k key, n int) (woken queue) {
	woken = b.take(k, n)
	for x := woken.first; x != nil; x = x.next {
		x.at.Store(nil)
	}
	return woken
}
