package ports

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// A fresh space hands out 1, 2, 3 and so on.
func TestNamesStartAtOne(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	for i := range 200 {
		require.Equal(t, mach.Name(i+1), w.receive(s))
	}
}

// The name freed last is reused first, for up to 64 of them; names freed
// beyond that go back to the pool, whose lowest is next when the list is used
// up.
func TestFreedNamesAreReusedLastFirst(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	for range 300 {
		w.allocate(s, mach.RightDeadName)
	}
	for n := mach.Name(100); n < 200; n++ {
		require.Equal(t, mach.KernSuccess, s.DestroyName(n))
	}
	for want := mach.Name(163); want >= 100; want-- {
		require.Equal(t, want, w.allocate(s, mach.RightDeadName))
	}
	for want := mach.Name(164); want < 200; want++ {
		require.Equal(t, want, w.allocate(s, mach.RightDeadName))
	}
	require.Equal(t, mach.Name(301), w.allocate(s, mach.RightDeadName))
}

// A client may choose any name but null and dead; the kernel goes on with the
// lowest unused one.
func TestChosenNames(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	chosen := []mach.Name{2, 64, 4096, 1 << 20, 0x80000000, 0xfffffffe}
	for _, n := range chosen {
		require.Equal(t, mach.KernSuccess, s.AllocateName(mach.RightDeadName, n), n)
		require.Equal(t, mach.KernNameExists, s.AllocateName(mach.RightDeadName, n), n)
	}
	require.Equal(t, mach.Name(1), w.receive(s))
	require.Equal(t, mach.Name(3), w.receive(s))
	require.Equal(t, mach.KernInvalidValue, s.AllocateName(mach.RightReceive, mach.NameNull))
	require.Equal(t, mach.KernInvalidValue, s.AllocateName(mach.RightReceive, mach.NameDead))
	require.Equal(t, mach.KernInvalidValue, s.AllocateName(mach.RightSend, 9))
	for want := mach.Name(4); want < 300; want++ {
		if want != 64 {
			require.Equal(t, want, w.receive(s))
		}
	}
	list, kr := s.Names()
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, mach.Name(0xfffffffe), list[len(list)-1].Name)
	for _, n := range chosen {
		require.Equal(t, mach.KernSuccess, s.DestroyName(n))
	}
}

// A name on the free list that a client asks for by number leaves the list.
func TestChosenNameLeavesFreeList(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	for range 5 {
		w.receive(s)
	}
	for _, n := range []mach.Name{2, 3, 4} {
		require.Equal(t, mach.KernSuccess, s.DestroyName(n))
	}
	require.Equal(t, mach.KernSuccess, s.AllocateName(mach.RightReceive, 3))
	require.Equal(t, mach.Name(4), w.receive(s))
	require.Equal(t, mach.Name(2), w.receive(s))
	require.Equal(t, mach.Name(6), w.receive(s))
}

// The table agrees with a plain model over random operations on names of all
// magnitudes.
func TestTableAgainstModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	tab := table{limit: 1 << 20}
	inUse := map[mach.Name]bool{}
	var free []mach.Name
	onList := func(n mach.Name) bool {
		for _, f := range free {
			if f == n {
				return true
			}
		}
		return false
	}
	take := func(e *entry) { e.kind, e.urefs = kindDead, 1 }
	for step := range 200000 {
		switch op := rnd.IntN(10); {
		case op < 4:
			n, e, ok := tab.alloc()
			require.True(t, ok)
			take(e)
			if k := len(free); k > 0 {
				require.Equal(t, free[k-1], n, step)
				free = free[:k-1]
			} else {
				require.False(t, inUse[n])
				for lower := max(1, n-3); lower < n; lower++ {
					require.True(t, inUse[lower], "name %d is lower than %d", lower, n)
				}
			}
			inUse[n] = true
		case op < 5:
			n := mach.Name(rnd.Uint32()>>uint(rnd.IntN(32))) | 1
			e, ok := tab.allocName(n)
			require.True(t, ok)
			require.Equal(t, inUse[n], e.kind != 0)
			if e.kind == 0 {
				take(e)
				inUse[n] = true
				if onList(n) {
					kept := free[:0]
					for _, f := range free {
						if f != n {
							kept = append(kept, f)
						}
					}
					free = kept
				}
			}
		default:
			for n := range inUse { // any
				e := tab.lookup(n)
				require.NotNil(t, e)
				tab.release(n, e)
				delete(inUse, n)
				if len(free) < freeListMax {
					free = append(free, n)
				}
				require.Nil(t, tab.lookup(n))
				break
			}
		}
		require.Equal(t, len(inUse), tab.size)
	}
	seen := 0
	last := mach.Name(0)
	tab.each(func(n mach.Name, e *entry) bool {
		require.True(t, inUse[n] && n > last)
		last = n
		seen++
		return true
	})
	require.Equal(t, len(inUse), seen)
}

// At its limit a space has no room for another name, and loses nothing.
func TestNameLimit(t *testing.T) {
	w := newWorld(t)
	s, other := w.space(), w.space()
	n := w.receive(s)
	s.SetNameLimit(1)
	_, kr := s.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernNoSpace, kr)
	require.Equal(t, mach.KernResourceShortage, s.AllocateName(mach.RightReceive, 7))
	right := w.extract(other, w.receive(other), mach.TypeMakeSend)
	_, kr = s.Copyout(right)
	require.Equal(t, mach.KernNoSpace, kr)
	require.Equal(t, mach.KernResourceShortage, s.InsertRight(7, right))
	w.z.Release(right)
	// A right to a dead port takes a name for a moment.
	gone := w.receive(other)
	right = w.extract(other, gone, mach.TypeMakeSend)
	other.DestroyName(gone)
	_, kr = s.Copyout(right)
	require.Equal(t, mach.KernNoSpace, kr)
	w.z.Release(right)
	// A right to a port that has a name already needs no room.
	require.Equal(t, n, w.give(s, n, mach.TypeMakeSend, s))
}
