package gsync

import (
	"encoding/binary"
	"math"
	"time"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// Flags say how a call takes its arguments. Other bits mean nothing.
type Flags int32

// Flags of the calls.
const (
	Shared    Flags = 1 << iota // C: GSYNC_SHARED: the key is the memory, not the address
	Quad                        // C: GSYNC_QUAD: compare two words
	Timed                       // C: GSYNC_TIMED: the time limit counts
	Broadcast                   // C: GSYNC_BROADCAST: all waiters, not one
	Mutate                      // C: GSYNC_MUTATE: store a value; the memory must be writable
)

func (f Flags) has(bit Flags) bool { return f&bit != 0 }

// access is what the memory must allow beside READ.
func (f Flags) access() mach.Prot {
	if f.has(Mutate) {
		return mach.ProtWrite
	}
	return mach.ProtNone
}

// wordSize is the size and alignment of what is waited for.
const wordSize = 4

var le = binary.LittleEndian

// Wait blocks the thread behind w as long as the word at addr is lo (with Quad:
// and the one after it hi) and nobody wakes it; with Timed for at most msec
// milliseconds (see limit). m is the memory of the task named in the call.
//
// Locks: none may be held.
//
//	KERN_SUCCESS           it was woken
//	KERN_INVALID_ADDRESS   addr is not a multiple of 4; the memory is not there,
//	                       not readable, or with Mutate not writable
//	KERN_INVALID_ARGUMENT  the memory has another value
//	KERN_TIMEDOUT          time is up; with a limit of 0, at once
//	KERN_INTERRUPTED       the thread was aborted, or must end
//
// The codes are found in this order.
func (t *Table) Wait(w *ports.Waiter, m *vm.Map, addr mach.Addr, lo, hi, msec uint32, flags Flags) mach.KernReturn {
	var want, found [2 * wordSize]byte
	le.PutUint32(want[:], lo)
	n := wordSize
	if flags.has(Quad) {
		le.PutUint32(want[wordSize:], hi)
		n = len(want)
	}
	b, k, kr := t.lock(m, addr, flags, found[:n])
	if kr != mach.KernSuccess {
		return kr
	}
	if found != want {
		b.mu.Unlock()
		return mach.KernInvalidArgument
	}
	x := &waiter{event: t.zone.NewEvent()}
	b.add(k, x)
	b.mu.Unlock()

	end := x.event.Wait(w, limit(msec, flags))
	switch {
	case end == ports.WaitHappened, !x.leave():
		return mach.KernSuccess
	case end == ports.WaitTimedOut:
		return mach.KernTimedOut
	}
	return mach.KernInterrupted
}

// The real kernel's clock.
const (
	ticksPerSecond = 100 // C: hz
	tick           = time.Second / ticksPerSecond
)

// limit is a time limit as the real kernel understands it: in ticks, rounded up,
// in 32 bits. What is 12 hours and more is short.
func limit(msec uint32, flags Flags) ports.Limit {
	ticks := (msec*ticksPerSecond + 999) / 1000
	return ports.Limit{Timed: flags.has(Timed), After: time.Duration(ticks) * tick}
}

// Wake wakes the thread that has waited longest at addr, with Broadcast all of
// them. With Mutate it stores val first, whether or not somebody waits.
//
// Locks: none may be held.
//
//	KERN_INVALID_ADDRESS    addr is not a multiple of 4; the memory is not there,
//	                        not readable, or with Mutate not writable
//	KERN_RESOURCE_SHORTAGE  no frame is left to store in; nobody was woken
//	KERN_INVALID_ARGUMENT   nobody waits
func (t *Table) Wake(m *vm.Map, addr mach.Addr, val uint32, flags Flags) mach.KernReturn {
	b, k, kr := t.lock(m, addr, flags, nil)
	if kr != mach.KernSuccess {
		return kr
	}
	if flags.has(Mutate) {
		if kr := store(m, addr, val); kr != mach.KernSuccess {
			b.mu.Unlock()
			return kr
		}
	}
	woken := b.wake(k, most(flags))
	b.mu.Unlock()
	if woken.first == nil {
		return mach.KernInvalidArgument
	}
	woken.signal()
	return mach.KernSuccess
}

func store(m *vm.Map, addr mach.Addr, val uint32) mach.KernReturn {
	var word [wordSize]byte
	le.PutUint32(word[:], val)
	kr := m.WriteBytes(addr, word[:])
	if kr == mach.KernProtectionFailure {
		return mach.KernInvalidAddress
	}
	return kr
}

// Requeue makes the thread that has waited longest at src, with Broadcast all of
// them, wait at dst instead, without looking at the memory there. With wakeOne
// it first wakes the first of them. Who comes to dst is woken there after the
// first who waited there before, and before the others.
//
// Locks: none may be held.
//
//	KERN_INVALID_ADDRESS   src or dst is not a multiple of 4; the memory at either
//	                       is not there, not readable, or with Mutate not writable
//	KERN_INVALID_ARGUMENT  nobody waits at src
func (t *Table) Requeue(m *vm.Map, src, dst mach.Addr, wakeOne bool, flags Flags) mach.KernReturn {
	if src%wordSize != 0 || dst%wordSize != 0 {
		return mach.KernInvalidAddress
	}
	from, kr := keyOf(m, src, flags, nil)
	if kr != mach.KernSuccess {
		return kr
	}
	to, kr := keyOf(m, dst, flags, nil)
	if kr != mach.KernSuccess {
		return kr
	}
	var woken queue
	b, c, unlock := t.lockTwo(from, to)
	if wakeOne {
		woken = b.wake(from, 1)
	}
	moved := b.take(from, most(flags))
	found := woken.first != nil || moved.first != nil
	c.join(to, moved)
	unlock()
	woken.signal()
	if !found {
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}

// most is how many threads a call concerns at most.
func most(flags Flags) int {
	if flags.has(Broadcast) {
		return math.MaxInt
	}
	return 1
}
