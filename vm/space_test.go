package vm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

const top = mach.VMMaxAddress

func TestAllocateResults(t *testing.T) {
	for _, c := range []struct {
		fact     string
		addr     mach.Addr
		size     uint64
		anywhere bool
		want     mach.Addr
		kr       mach.KernReturn
	}{
		{"size 0 succeeds with address 0, whatever the address", top + 5, 0, false, 0, ok},
		{"size 0 anywhere likewise", base, 0, true, 0, ok},
		{"a size that rounds to 0 is an argument error", base, ^uint64(0) - page + 2, false, 0, mach.KernInvalidArgument},
		{"also anywhere", 0, ^uint64(0), true, 0, mach.KernInvalidArgument},
		{"a fixed address is rounded down", base + 0x10123, 1, false, base + 0x10000, ok},
		{"the size is rounded up without the lost offset", base + 0x20fff, 2, false, base + 0x20000, ok},
		{"page 0 can be allocated", 0, page, false, 0, ok},
		{"the last page can be allocated", top - page, page, false, top - page, ok},
		{"beyond the map is an address error", top, page, false, 0, mach.KernInvalidAddress},
		{"reaching beyond it too", top - page, 2 * page, false, 0, mach.KernInvalidAddress},
		{"wrapping too", ^mach.Addr(0) - 2*page, 4 * page, false, 0, mach.KernInvalidAddress},
		{"an occupied page is no space", base, page, false, 0, mach.KernNoSpace},
		{"an occupied end too", base - page, 2 * page, false, 0, mach.KernNoSpace},
		{"an occupied middle too", base - page, 9 * page, false, 0, mach.KernNoSpace},
		{"more than the map holds is no space", 0, uint64(top) + page, true, 0, mach.KernNoSpace},
		{"the hint is ignored with anywhere", 0x7000000, page, true, base + page, ok},
	} {
		t.Run(c.fact, func(t *testing.T) {
			b := newBed(t, 16)
			m := b.newMap()
			b.alloc(m, base, 1)
			got, kr := m.Allocate(c.addr, c.size, c.anywhere)
			require.Equal(t, c.kr, kr)
			require.Equal(t, c.want, got)
			if kr != ok {
				require.Len(t, m.Entries(), 1, "a refused call changes nothing")
			}
		})
	}
}

func TestNewMemoryIsZeroReadWriteMaxAllInheritCopy(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	b.alloc(m, base, 2)
	require.Equal(t, []string{"0+2 rw-/rwx copy"}, layout(m))
	require.Equal(t, string(make([]byte, 2*page)), b.load(m, base, 2*page))
}

// Where anywhere places memory is GNU Mach's: clients see the addresses.
func TestPlacement(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	anywhere := func(n uint64) mach.Addr {
		a, kr := m.Allocate(0, n*page, true)
		require.Equal(t, ok, kr)
		return a / page
	}
	require.EqualValues(t, 0, anywhere(1), "an empty map gives its minimum")
	require.EqualValues(t, 1, anywhere(2), "then the space behind")
	require.EqualValues(t, 3, anywhere(1))

	m.Deallocate(page, page)
	require.EqualValues(t, 1, anywhere(1), "a hole behind the first-free hint is filled")
	m.Deallocate(page, 2*page)
	require.EqualValues(t, 4, anywhere(3), "what does not fit the hole goes behind")
	require.EqualValues(t, 1, anywhere(2))

	m2 := b.newMap()
	_, kr := m2.Allocate(0x400000, page, false)
	require.Equal(t, ok, kr)
	a, _ := m2.Allocate(0, page, true)
	require.Equal(t, mach.Addr(0x401000), a, "space below the first entry is not looked at")
}

func TestPlacementBestFitAndNewestFirst(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	for _, at := range []mach.Addr{0, 4, 8, 11, 14} { // gaps of 3, 3, 2, 2 pages
		b.alloc(m, base+at*page, 1)
	}
	a, _ := m.Allocate(0, 2*page, true)
	require.Equal(t, base+12*page, a, "the smallest gap that fits, the newest of equal ones")
	a, _ = m.Allocate(0, 3*page, true)
	require.Equal(t, base+5*page, a)
	a, _ = m.Allocate(0, page, true)
	require.Equal(t, base+9*page, a)
}

func TestPlacementPrefersTheFirstFreeHint(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	a, _ := m.Allocate(0, page, true) // continues from the minimum: the hint
	require.Zero(t, a)
	b.alloc(m, 10*page, 1)
	b.alloc(m, 12*page, 1)
	a, _ = m.Allocate(0, page, true)
	require.EqualValues(t, page, a, "behind the hint, though a smaller gap would do")
	a, _ = m.Allocate(0, 9*page, true)
	require.EqualValues(t, 13*page, a)
	a, _ = m.Allocate(0, 8*page, true)
	require.EqualValues(t, 2*page, a)
	a, _ = m.Allocate(0, page, true)
	require.EqualValues(t, 11*page, a)
}

func TestEnterMask(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	enter := func(addr mach.Addr, mask uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
		return m.Enter(addr, page, mask, anywhere, mach.ProtRead, mach.ProtNone, mach.InheritShare)
	}
	b.alloc(m, 0x1000, 1)
	a, kr := enter(0, 0xffff, true)
	require.Equal(t, ok, kr)
	require.Equal(t, mach.Addr(0x10000), a, "low bits of the mask select alignment")
	_, kr = enter(0x5000, 0xffff, false)
	require.Equal(t, mach.KernNoSpace, kr, "a fixed address with a mask bit is no space")
	_, kr = enter(mach.VMMaxAddress+page, 0xffff, false)
	require.Equal(t, mach.KernNoSpace, kr, "even one outside the map")
	_, kr = enter(0, ^uint64(0xffff), true)
	require.Equal(t, ok, kr, "high bits cap the address")
	_, kr = enter(0, ^uint64(0xfff), true)
	require.Equal(t, mach.KernNoSpace, kr)
	_, kr = enter(0, 0xf00fff, true)
	require.Equal(t, mach.KernNoSpace, kr, "bits in the middle cannot be met")
	r, _ := m.Region(0x10000)
	require.Equal(t, mach.ProtRead, r.Prot, "a current protection above the maximum is kept")
	require.Equal(t, mach.ProtNone, r.MaxProt)
}

func TestCoalescing(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 1)
	b.alloc(m, base+2*page, 1)
	require.Len(t, m.Entries(), 2)
	b.alloc(m, base+page, 1)
	require.Equal(t, []string{"0+3 rw-/rwx copy"}, layout(m), "neighbours that are alike merge on both sides")

	b.store(m, base, "x")
	b.alloc(m, base+3*page, 1)
	require.Equal(t, []string{"0+4 rw-/rwx copy"}, layout(m), "touched memory grows upwards")
	b.alloc(m, base-page, 1)
	require.Len(t, m.Entries(), 2, "but not downwards: its object starts at offset 0")

	c := b.copyin(m, base, 4*page)
	b.alloc(m, base+4*page, 1)
	require.Len(t, m.Entries(), 3, "memory that is shared with a copy does not grow")
	c.Discard()
	m.Protect(base+4*page, page, false, mach.ProtRead)
	m.Protect(base+4*page, page, false, mach.ProtDefault)
	require.Len(t, m.Entries(), 3, "nor when the copy is gone: its first write is still to come")
	b.store(m, base, "y")
	m.Protect(base+4*page, page, false, mach.ProtRead)
	m.Protect(base+4*page, page, false, mach.ProtDefault)
	require.Len(t, m.Entries(), 2, "then it does")

	m.Protect(base+page, page, false, mach.ProtRead)
	require.Equal(t, []string{"-1+1 rw-/rwx copy", "0+1 rw-/rwx copy", "1+1 r--/rwx copy", "2+3 rw-/rwx copy"}, layout(m))
	m.Inherit(base+page, page, mach.InheritNone)
	m.Protect(base+page, page, false, mach.ProtDefault)
	require.Len(t, m.Entries(), 4, "inheritance keeps entries apart too")
	m.Inherit(base+page, page, mach.InheritCopy)
	require.Equal(t, []string{"-1+1 rw-/rwx copy", "0+5 rw-/rwx copy"}, layout(m), "what became alike merges")
}

func TestDeallocateAlwaysSucceeds(t *testing.T) {
	for _, c := range []struct {
		fact string
		addr mach.Addr
		size uint64
		want []string
	}{
		{"size 0", base + page, 0, []string{"0+4 rw-/rwx copy"}},
		{"a hole", base + 100*page, page, []string{"0+4 rw-/rwx copy"}},
		{"a range that wraps", base + page, ^uint64(0), []string{"0+4 rw-/rwx copy"}},
		{"beyond the map", top, page, []string{"0+4 rw-/rwx copy"}},
		{"it is clamped to the map", base + 2*page, uint64(top), []string{"0+2 rw-/rwx copy"}},
		{"an unaligned range takes whole pages", base + 2*page - 1, 2, []string{"0+1 rw-/rwx copy", "3+1 rw-/rwx copy"}},
		{"everything", 0, uint64(top), nil},
	} {
		t.Run(c.fact, func(t *testing.T) {
			b := newBed(t, 16)
			m := b.newMap()
			b.alloc(m, base, 4)
			b.store(m, base, string(make([]byte, 4*page)))
			require.Equal(t, ok, m.Deallocate(c.addr, c.size))
			require.Equal(t, c.want, layout(m))
			require.Equal(t, ok, m.Deallocate(c.addr, c.size), "twice is no error")
			n := 0
			for _, r := range m.Entries() {
				n += int(r.Size / page)
			}
			require.Equal(t, n, b.fr.Stats().Used, "the pages are freed at once")
		})
	}
}

func TestProtect(t *testing.T) {
	const r, w, x = mach.ProtRead, mach.ProtWrite, mach.ProtExecute
	before := []string{"0+2 rw-/rwx copy", "2+1 rw-/rw- copy", "4+1 rw-/rwx copy"}
	for _, c := range []struct {
		fact string
		addr mach.Addr
		size uint64
		max  bool
		prot mach.Prot
		kr   mach.KernReturn
		want []string
	}{
		{"above a maximum is refused, and nothing changed", base, 3 * page, false, r | x, mach.KernProtectionFailure, before},
		{"raising a maximum too", base + 2*page, page, true, r | w | x, mach.KernProtectionFailure, before},
		{"holes are skipped", base + 2*page, 3 * page, false, r, ok, []string{"0+2 rw-/rwx copy", "2+1 r--/rw- copy", "4+1 r--/rwx copy"}},
		{"nothing there succeeds", base + 50*page, page, false, r, ok, before},
		{"a wrapped range changes nothing", base, ^uint64(0), false, r, ok, before},
		{"size 0 aligned changes nothing", base, 0, false, r, ok, before},
		{"size 0 unaligned changes the page", base + 1, 0, false, r, ok, []string{"0+1 r--/rwx copy", "1+1 rw-/rwx copy", "2+1 rw-/rw- copy", "4+1 rw-/rwx copy"}},
		{"a new maximum cuts the current protection", base + 4*page, page, true, r | x, ok, []string{"0+2 rw-/rwx copy", "2+1 rw-/rw- copy", "4+1 r--/r-x copy"}},
	} {
		t.Run(c.fact, func(t *testing.T) {
			b := newBed(t, 16)
			m := b.newMap()
			b.alloc(m, base, 3)
			b.alloc(m, base+4*page, 1)
			require.Equal(t, ok, m.Protect(base+2*page, page, true, r|w))
			require.Equal(t, c.kr, m.Protect(c.addr, c.size, c.max, c.prot))
			require.Equal(t, c.want, layout(m))
		})
	}
}

func TestProtectionIsEnforcedAtOnce(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	b.alloc(m, base, 1)
	b.store(m, base, "abc")
	require.Equal(t, ok, m.Protect(base, page, false, mach.ProtRead))
	at, kr := m.Store(base+8, []byte("x"))
	require.Equal(t, mach.KernProtectionFailure, kr)
	require.Equal(t, base+8, at)
	require.Equal(t, "abc", b.load(m, base, 3))
	require.Equal(t, ok, m.Protect(base, page, false, mach.ProtNone))
	_, kr = m.Load(base, make([]byte, 1))
	require.Equal(t, mach.KernProtectionFailure, kr)
	require.Equal(t, mach.KernProtectionFailure, m.ReadBytes(base, make([]byte, 1)))
	require.Equal(t, ok, m.Protect(base, page, false, mach.ProtDefault))
	require.Equal(t, "abc", b.load(m, base, 3))
}

func TestInherit(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	b.alloc(m, base, 3)
	b.alloc(m, base+4*page, 1)
	before := layout(m)
	require.Equal(t, ok, m.Inherit(base, ^uint64(0), mach.InheritNone), "a wrapped range")
	require.Equal(t, ok, m.Inherit(base+77*page, page, mach.InheritNone), "nothing there")
	require.Equal(t, before, layout(m))
	require.Equal(t, ok, m.Inherit(base+page, 9*page, mach.InheritShare), "holes are skipped")
	require.Equal(t, []string{"0+1 rw-/rwx copy", "1+2 rw-/rwx share", "4+1 rw-/rwx share"}, layout(m))
}

func TestRegion(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	_, kr := m.Region(0)
	require.Equal(t, mach.KernNoSpace, kr, "nothing at or above the address")
	b.alloc(m, base, 2)
	for _, c := range []struct {
		fact string
		addr mach.Addr
		kr   mach.KernReturn
	}{
		{"below", 0, ok},
		{"at its start", base, ok},
		{"inside: the address moves back", base + page + 7, ok},
		{"its end is not inside", base + 2*page, mach.KernNoSpace},
		{"far above", ^mach.Addr(0), mach.KernNoSpace},
	} {
		r, kr := m.Region(c.addr)
		require.Equal(t, c.kr, kr, c.fact)
		if kr == ok {
			require.Equal(t, base, r.Start, c.fact)
			require.EqualValues(t, 2*page, r.Size, c.fact)
		}
	}
}

func TestTerminate(t *testing.T) {
	b := newBed(t, 16)
	r := newRecorder()
	m := b.adopt(NewMap(b.fr, r))
	b.alloc(m, base, 2)
	b.store(m, base, "x")
	c := b.copyin(m, base, page)
	m.Terminate()
	require.True(t, r.dead)
	m.Terminate()
	require.Equal(t, "x", b.bytes(c)[:1], "copies survive their source")
	require.Empty(t, m.Entries())
	_, kr := m.Allocate(0, page, true)
	require.Equal(t, mach.KernInvalidArgument, kr)
	_, kr = m.Copyout(c)
	require.Equal(t, mach.KernInvalidArgument, kr)
	_, kr = m.Copyin(base, page, false)
	require.Equal(t, mach.KernInvalidAddress, kr)
	kr, _ = m.Fault(base, mach.ProtRead)
	require.Equal(t, mach.KernInvalidAddress, kr)
	_, kr = m.Fork(nil)
	require.Equal(t, mach.KernInvalidArgument, kr)
	require.Equal(t, ok, m.Deallocate(base, page))
}
