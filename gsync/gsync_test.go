package gsync

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// What the calls make of memory is the same for all three; a limit of 0 shows
// that Wait would have slept.
func TestCodesOfAddresses(t *testing.T) {
	w := newWorld(t)
	hole := base + 4*page
	for _, c := range []struct {
		name             string
		addr             mach.Addr
		flags            Flags
		wait, wake, move mach.KernReturn
	}{
		{"memory nobody has touched", base, 0, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"shared", base, Shared, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"unknown flags", base, 1 << 30, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"to be stored in", base, Mutate, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"misaligned", base + 2, 0, mach.KernInvalidAddress, mach.KernInvalidAddress, mach.KernInvalidAddress},
		{"a multiple of 4 for two words", base + 4, Quad, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"only read", base + 2*page, Shared, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"only read, to be stored in", base + 2*page, Mutate, mach.KernInvalidAddress, mach.KernInvalidAddress, mach.KernInvalidAddress},
		{"two words, the second out of reach", base + 3*page - 4, Quad, mach.KernInvalidAddress, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"two words in two pages", base + page - 4, Quad, mach.KernTimedOut, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"no access", base + 3*page, 0, mach.KernInvalidAddress, mach.KernInvalidAddress, mach.KernInvalidAddress},
		{"a hole", hole, 0, mach.KernInvalidAddress, mach.KernInvalidAddress, mach.KernInvalidAddress},
		{"the end of all", ^mach.Addr(3), Quad, mach.KernInvalidAddress, mach.KernInvalidAddress, mach.KernInvalidAddress},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.wait, w.Wait(w.waiter(), w.m, c.addr, 0, 0, 0, c.flags|Timed))
			require.Equal(t, c.wake, w.Wake(w.m, c.addr, 0, c.flags))
			require.Equal(t, c.move, w.Requeue(w.m, c.addr, base, true, c.flags), "as source")
			require.Equal(t, c.move, w.Requeue(w.m, base, c.addr, true, c.flags), "as destination")
		})
	}
}

func TestWaitComparesFirst(t *testing.T) {
	w := newWorld(t)
	w.set(w.m, base, 7)
	w.set(w.m, base+4, 8)
	for _, c := range []struct {
		name   string
		lo, hi uint32
		flags  Flags
		want   mach.KernReturn
	}{
		{"equal", 7, 0, 0, mach.KernTimedOut},
		{"different", 6, 0, 0, mach.KernInvalidArgument},
		{"the second word does not count", 7, 9, 0, mach.KernTimedOut},
		{"both equal", 7, 8, Quad, mach.KernTimedOut},
		{"the first different", 6, 8, Quad, mach.KernInvalidArgument},
		{"the second different", 7, 9, Quad, mach.KernInvalidArgument},
	} {
		require.Equal(t, c.want, w.Wait(w.waiter(), w.m, base, c.lo, c.hi, 0, c.flags|Timed), c.name)
	}
}

func TestMutateStoresThoughNobodyWaits(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, mach.KernInvalidArgument, w.Wake(w.m, base, 5, 0))
	require.Zero(t, w.get(w.m, base))
	require.Equal(t, mach.KernInvalidArgument, w.Wake(w.m, base, 5, Mutate))
	require.EqualValues(t, 5, w.get(w.m, base))
}

func TestStoringNeedsAFrame(t *testing.T) {
	w := newWorld(t)
	_, kr := w.m.Allocate(base+4*page, 64*page, false)
	require.Equal(t, ok, kr)
	for i := range mach.Addr(64) {
		w.set(w.m, base+(4+i)*page, 1)
	}
	require.Equal(t, mach.KernResourceShortage, w.Wake(w.m, base, 1, Mutate))
}

func TestTimeLimit(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags Flags
		msec  uint32
		wake  time.Duration // when it is woken
		want  mach.KernReturn
		after time.Duration // when it is back
	}{
		{"time is up", Timed, 1500, time.Hour, mach.KernTimedOut, 1500 * time.Millisecond},
		{"woken in time", Timed, 1500, time.Second, ok, time.Second},
		{"no limit", 0, 1500, time.Hour, ok, time.Hour},
		{"shared", Timed | Shared, 1500, time.Hour, mach.KernTimedOut, 1500 * time.Millisecond},
		{"none", Timed, 0, time.Hour, mach.KernTimedOut, 0},
		{"a tick at least", Timed, 1, time.Hour, mach.KernTimedOut, 10 * time.Millisecond},
		{"the longest", Timed, 42949662, 13 * time.Hour, mach.KernTimedOut, 4294967 * 10 * time.Millisecond},
		{"longer is short, as recorded", Timed, 42949673, time.Hour, mach.KernTimedOut, 10 * time.Millisecond},
		{"all ones, as recorded", Timed, 1<<32 - 1, time.Hour, mach.KernTimedOut, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				begin := time.Now()
				waker := time.AfterFunc(c.wake, func() { w.Wake(w.m, base, 0, c.flags) })
				require.Equal(t, c.want, w.Wait(w.waiter(), w.m, base, 0, 0, c.msec, c.flags))
				require.Equal(t, c.after, time.Since(begin))
				waker.Stop()
			})
		})
	}
}

func TestInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.sleep(w.m, base, 0, 0)
		require.True(t, s.Abort())
		require.Equal(t, mach.KernInterrupted, <-s.end)
		require.Equal(t, mach.KernInvalidArgument, w.Wake(w.m, base, 0, 0), "it waits no longer")

		s = w.sleep(w.m, base, 0, 0)
		s.Terminate()
		require.Equal(t, mach.KernInterrupted, <-s.end)
		require.Equal(t, mach.KernInterrupted, w.Wait(s.Waiter, w.m, base, 0, 0, 0, 0), "it must end: no wait begins")
	})
}

func TestWhoWaitsLongestIsWokenFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var all []sleeper
		for range 4 {
			all = append(all, w.sleep(w.m, base, 0, 0))
		}
		require.True(t, all[1].Abort())
		<-all[1].end
		require.Equal(t, ok, w.Wake(w.m, base, 0, 0))
		require.Equal(t, []int{0}, woken(t, all))
		require.Equal(t, ok, w.Wake(w.m, base, 9, Broadcast|Mutate))
		require.Equal(t, []int{2, 3}, woken(t, all))
		require.EqualValues(t, 9, w.get(w.m, base))
	})
}

// Threads 0 to 2 wait at the source, 3 and 4 at the destination. That who comes
// there gets in between is the real kernel's order.
func TestRequeue(t *testing.T) {
	for _, c := range []struct {
		name    string
		wakeOne bool
		flags   Flags
		woken   []int // at once
		src     []int // who is left at the source, in order
		dst     []int // who waits at the destination, in order
	}{
		{"one", false, 0, nil, []int{1, 2}, []int{3, 0, 4}},
		{"wake one, move one", true, 0, []int{0}, []int{2}, []int{3, 1, 4}},
		{"all", false, Broadcast, nil, nil, []int{3, 0, 1, 2, 4}},
		{"wake one, move the others", true, Broadcast, []int{0}, nil, []int{3, 1, 2, 4}},
		{"of shared memory", true, Broadcast | Shared, []int{0}, nil, []int{3, 1, 2, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				src, dst := base, base+page
				var all []sleeper
				for _, at := range []mach.Addr{src, src, src, dst, dst} {
					all = append(all, w.sleep(w.m, at, 0, c.flags&Shared))
				}
				w.set(w.m, dst, 77) // which nobody looks at
				require.Equal(t, ok, w.Requeue(w.m, src, dst, c.wakeOne, c.flags))
				require.Equal(t, c.woken, woken(t, all))
				drain := func(at mach.Addr) (order []int) {
					for w.Wake(w.m, at, 0, c.flags&Shared) == ok {
						order = append(order, woken(t, all)...)
					}
					return order
				}
				require.Equal(t, c.src, drain(src))
				require.Equal(t, c.dst, drain(dst))
			})
		})
	}
}

func TestRequeueToTheSamePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		all := []sleeper{w.sleep(w.m, base, 0, 0), w.sleep(w.m, base, 0, 0), w.sleep(w.m, base, 0, 0)}
		require.Equal(t, ok, w.Requeue(w.m, base, base, true, Broadcast))
		require.Equal(t, []int{0}, woken(t, all))
		require.Equal(t, ok, w.Wake(w.m, base, 0, Broadcast))
		require.Equal(t, []int{1, 2}, woken(t, all))
	})
}

func TestARequeuedWaitStillEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begin := time.Now()
		timed := w.sleep(w.m, base, 1000, Timed)
		aborted := w.sleep(w.m, base, 0, 0)
		require.Equal(t, ok, w.Requeue(w.m, base, base+8, false, Broadcast))
		require.True(t, aborted.Abort())
		require.Equal(t, mach.KernInterrupted, <-aborted.end)
		require.Equal(t, mach.KernTimedOut, <-timed.end)
		require.Equal(t, time.Second, time.Since(begin))
		require.Equal(t, mach.KernInvalidArgument, w.Wake(w.m, base+8, 0, 0))
	})
}

func TestWhoMeetsWhom(t *testing.T) {
	for _, c := range []struct {
		name         string
		wait, wake   Flags
		inChild      bool // the waker names a task that inherited the memory
		at, wakeAt   mach.Addr
		meet, mutate bool
	}{
		{name: "one address", at: base, wakeAt: base, meet: true},
		{name: "another word", at: base, wakeAt: base + 4},
		{name: "private is not shared", wake: Shared, at: base, wakeAt: base},
		{name: "shared is not private", wait: Shared, at: base, wakeAt: base},
		{name: "shared in one task", wait: Shared, wake: Shared, at: base, wakeAt: base, meet: true},
		{name: "two tasks, shared", wait: Shared, wake: Shared, inChild: true, at: base + 8, wakeAt: base + 8, meet: true},
		{name: "two tasks, shared and stored", wait: Shared, wake: Shared | Mutate, inChild: true, at: base, wakeAt: base, meet: true},
		{name: "two tasks, private", inChild: true, at: base, wakeAt: base},
		{name: "two tasks, a copy", wait: Shared, wake: Shared, inChild: true, at: base + 2*page, wakeAt: base + 2*page},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := w.sleep(w.m, c.at, 0, c.wait)
				m := w.m
				if c.inChild {
					m = w.child()
				}
				want := mach.KernInvalidArgument
				if c.meet {
					want = ok
				}
				require.Equal(t, want, w.Wake(m, c.wakeAt, 3, c.wake))
				if !c.meet {
					require.Equal(t, ok, w.Wake(w.m, c.at, 3, c.wait))
				}
				require.Equal(t, ok, <-s.end)
			})
		})
	}
}

// The memory of a private wait may go; then no wake-up can name it, and the
// wait ends otherwise.
func TestMemoryIsDeallocatedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.sleep(w.m, base, 0, 0)
		require.Equal(t, ok, w.m.Deallocate(base, page))
		require.Equal(t, mach.KernInvalidAddress, w.Wake(w.m, base, 0, 0))
		_, kr := w.m.Allocate(base, page, false)
		require.Equal(t, ok, kr)
		require.Equal(t, ok, w.Wake(w.m, base, 0, 0), "other memory at the same address")
		require.Equal(t, ok, <-s.end)

		s = w.sleep(w.m, base, 0, Shared)
		require.Equal(t, ok, w.m.Deallocate(base, page))
		_, kr = w.m.Allocate(base, page, false)
		require.Equal(t, ok, kr)
		require.Equal(t, mach.KernInvalidArgument, w.Wake(w.m, base, 0, Shared), "other memory")
		require.True(t, s.Abort())
		require.Equal(t, mach.KernInterrupted, <-s.end)
	})
}
