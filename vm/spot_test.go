package vm

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// scope is a small map that places by first fit.
const scopePages = 64

func (b *bed) firstFitMap() *Map {
	m := b.newMap()
	m.SetLayout(Layout{Min: base, Max: base + scopePages*page, FirstFit: true})
	return m
}

var plain = Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy}

// XNU's search (osfmk/vm/vm_map_store.c) against one page by page.
func TestFirstFitIsTheLowestPlace(t *testing.T) {
	b := newBed(t, 64)
	m := b.firstFitMap()
	rng := rand.New(rand.NewSource(1))
	var used [scopePages]bool
	naive := func(from, n int, align uint64) int {
		for at := from; at+n <= scopePages; at++ {
			free := uint64(base+mach.Addr(at)*page)&align == 0
			for p := at; p < at+n; p++ {
				free = free && !used[p]
			}
			if free {
				return at
			}
		}
		return -1
	}
	for range 4000 {
		n := 1 + rng.Intn(6)
		if rng.Intn(2) == 0 {
			p := rng.Intn(scopePages)
			require.Equal(t, ok, m.Deallocate(base+mach.Addr(p)*page, uint64(n)*page))
			for q := p; q < min(p+n, scopePages); q++ {
				used[q] = false
			}
			continue
		}
		from, align := 0, uint64(0)
		if rng.Intn(3) == 0 {
			from = rng.Intn(scopePages)
		}
		if rng.Intn(4) == 0 {
			align = 4*page - 1
		}
		a := plain
		a.Tag = uint8(rng.Intn(2)) // entries stay apart now and then
		want := naive(from, n, align)
		at, kr := m.EnterAt(Spot{Addr: base + mach.Addr(from)*page, Mask: align, Anywhere: true}, uint64(n)*page, a)
		if want < 0 {
			require.Equal(t, mach.KernNoSpace, kr)
		} else {
			require.Equal(t, ok, kr)
			require.Equal(t, base+mach.Addr(want)*page, at)
			for p := want; p < want+n; p++ {
				used[p] = true
			}
		}
		b.audit()
	}
}

// Masks that are no alignment: the address has their bits clear, or there is
// no place.
func TestFirstFitTakesAnyMask(t *testing.T) {
	b := newBed(t, 8)
	for _, c := range []struct {
		mask uint64
		want mach.Addr
	}{
		{0, base}, {page - 1, base}, {0x3fff, base}, {0x5000, base}, {^uint64(0), 0}, {1 << 63, base}, {uint64(base), 0},
	} {
		m := b.firstFitMap()
		at, kr := m.EnterAt(Spot{Mask: c.mask, Anywhere: true}, page, plain)
		if c.want == 0 {
			require.Equal(t, mach.KernNoSpace, kr, "%#x", c.mask)
			continue
		}
		require.Equal(t, ok, kr)
		require.Zero(t, uint64(at)&c.mask)
		require.Equal(t, c.want, at)
	}
}

func TestBoundsOfAMap(t *testing.T) {
	b := newBed(t, 8)
	m := b.firstFitMap()
	for addr, want := range map[mach.Addr]mach.KernReturn{
		base - page:                mach.KernInvalidAddress,
		base:                       ok,
		base + (scopePages-1)*page: ok,
		base + scopePages*page:     mach.KernInvalidAddress,
	} {
		_, kr := m.EnterAt(Spot{Addr: addr}, page, plain)
		require.Equal(t, want, kr, "%v", addr)
	}
	child := b.fork(m)
	require.Equal(t, m.Layout(), child.Layout())
	require.Panics(t, func() { m.SetLayout(Layout{}) })
}

// Overwrite leaves all as it was when it cannot be had, but for what is
// permanent.
func TestOverwriteOfAPlace(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, "old")
	_, kr := m.EnterAt(Spot{Addr: base + page, Overwrite: true}, page, Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtDefault, Permanent: true})
	require.Equal(t, ok, kr)
	b.store(m, base+page, "for ever")
	require.Equal(t, []string{"0+1 rw-/rwx copy", "1+1 rw-/rw- share", "2+2 rw-/rwx copy"}, layout(m))

	_, kr = m.EnterAt(Spot{Addr: base, Overwrite: true, Mask: uint64(base)}, page, plain)
	require.Equal(t, mach.KernNoSpace, kr, "against the mask")
	_, kr = m.EnterAt(Spot{Addr: base, Overwrite: true}, 2*page, plain)
	require.Equal(t, mach.KernNoSpace, kr, "against permanent memory")
	require.Equal(t, []string{"0+1 rw-/rwx copy", "1+1 ---/--- share", "2+2 rw-/rwx copy"}, layout(m))
	require.Equal(t, "old", b.load(m, base, 3))
	_, kr = loadAs(m, base+page, make([]byte, 1))
	require.Equal(t, mach.KernProtectionFailure, kr, "no mapping of it is left")

	require.Equal(t, ok, m.SetLimits(Limits{4 * page, Unlimited}, true))
	_, kr = m.EnterAt(Spot{Addr: base + 2*page, Overwrite: true}, 2*page, plain)
	require.Equal(t, mach.KernNoSpace, kr, "against the limit")
	require.Equal(t, ok, m.SetLimits(Limits{Unlimited, Unlimited}, true))
	_, kr = m.EnterAt(Spot{Addr: base + 2*page, Overwrite: true}, 3*page, plain)
	require.Equal(t, ok, kr)
	b.audit()
	child := b.fork(m)
	require.Equal(t, ok, child.Deallocate(base, 8*page))
	require.Empty(t, layout(child), "shared, the permanence is not inherited")
}
