package vm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// What GNU Mach answers of memory objects is recorded in
// testdata/golden/{vmobject,vmphys,proxy}.txt.

// offer offers pages at addr, and maps them again at to.
func (b *bed) mapOffered(m *Map, addr, to mach.Addr, pages uint64, copied bool) {
	b.Helper()
	r, kr := m.Offer(addr, pages*page)
	require.Equal(b, ok, kr)
	_, kr = m.EnterBacked(Spot{Addr: to}, pages*page, Backing{Object: r.Object, Offset: r.Offset, Copy: copied},
		Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy})
	require.Equal(b, ok, kr)
}

func TestOfferedMemoryIsOneMemory(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, strings.Repeat("o", 4*page))
	b.mapOffered(m, base, base+16*page, 4, false)
	b.store(m, base+page, "here")
	b.store(m, base+18*page, "there")
	require.Equal(t, "here", b.load(m, base+17*page, 4))
	require.Equal(t, "there", b.load(m, base+2*page, 5))

	c := b.copyin(m, base, page)
	b.store(m, base+16*page, "new")
	require.Equal(t, "ooo", b.bytes(c)[:3], "a copy is a snapshot for both mappings")
	require.Equal(t, "new", b.load(m, base, 3))
	b.audit()

	require.Equal(t, ok, m.Deallocate(base+page, page))
	require.Equal(t, "here", b.load(m, base+17*page, 4), "the object keeps its pages")
	require.Equal(t, ok, m.Deallocate(base+17*page, page))
	b.mapOffered(m, base, base+32*page, 1, false)
	b.audit()
	b.alloc(m, base+page, 1)
	require.Equal(t, []string{"0+1 rw-/rwx copy", "1+1 rw-/rwx copy"}, layout(m)[:2], "an offered object does not grow")
}

func TestOfferedMemoryCopied(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 2)
	b.store(m, base, "old")
	b.mapOffered(m, base, base+16*page, 2, true)
	b.store(m, base, "new")
	b.store(m, base+17*page, "copy")
	require.Equal(t, "old", b.load(m, base+16*page, 3))
	require.Equal(t, "\x00\x00\x00\x00", b.load(m, base+page, 4))
}

func TestOfferRefusals(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	_, kr := m.Offer(base, page)
	require.Equal(t, mach.KernNoSpace, kr)
	b.alloc(m, base, 2)
	_, kr = m.Offer(base+page, 2*page+1)
	require.Equal(t, mach.KernInvalidArgument, kr)
	r, kr := m.Offer(base-page, page)
	require.Equal(t, ok, kr, "the next entry's")
	back := Backing{Object: r.Object, Offset: r.Offset}
	enter := func(size uint64) mach.KernReturn {
		_, kr := m.EnterBacked(Spot{Addr: base}, size, back, Attributes{Prot: mach.ProtRead, MaxProt: mach.ProtRead, Inherit: mach.InheritCopy})
		return kr
	}
	require.Equal(t, mach.KernInvalidArgument, enter(2*page), "offset and size wrap")
	back.Offset = 0
	require.Equal(t, mach.KernNoSpace, enter(page))
	m.Deallocate(base, 2*page)
	require.Equal(t, mach.KernInvalidArgument, enter(page), "the memory is gone")
}

// died counts what became of a label.
type died int

func (d *died) Dead() { *d++ }

func TestLabelIsOfAllCopies(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 2)
	r, _ := m.Region(base)
	require.Nil(t, r.Object, "nobody has touched it")
	b.store(m, base, "x")
	r, _ = m.Region(base)
	first, second := new(died), new(died)
	require.Nil(t, r.Object.Label())
	require.Equal(t, Label(first), r.Object.SetLabel(first))
	require.Equal(t, Label(first), r.Object.SetLabel(second), "the first one stays")
	c := b.copyin(m, base, page)
	require.Equal(t, ok, m.Deallocate(base, 2*page))
	require.Zero(t, *first, "a copy lives")
	at, kr := m.Copyout(c)
	require.Equal(t, ok, kr)
	b.store(m, at, "y")
	copied, _ := m.Region(at)
	require.Equal(t, Label(first), copied.Object.Label())
	m.Terminate()
	require.EqualValues(t, 1, *first)
	require.Zero(t, *second)
	require.Nil(t, copied.Object.SetLabel(second), "there is nothing to label")
}

func TestFlush(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, strings.Repeat("f", 4*page))
	r, _ := m.Region(base)
	l := new(died)
	r.Object.SetLabel(l)
	m.Flush(new(died), 0, 4*page)
	require.Equal(t, 4, b.fr.Stats().Used, "another's label")
	m.Flush(l, page, 2*page)
	require.Equal(t, "f\x00", b.load(m, base+page-1, 2))
	require.Equal(t, "\x00f", b.load(m, base+2*page-1, 2))
	require.Equal(t, ok, m.Wire(base, page, mach.ProtRead, Unlimited))
	m.Flush(l, 0, 3*page)
	require.Equal(t, "f", b.load(m, base, 1), "wired pages stay")
	require.Equal(t, "\x00", b.load(m, base+2*page, 1))
	c := b.copyin(m, base+3*page, page)
	m.Flush(l, 0, 4*page)
	require.Equal(t, "f", b.load(m, base+3*page, 1), "so do those of a copy")
	c.Discard()
	m.Flush(l, 0, ^uint64(0))
	require.Equal(t, "\x00", b.load(m, base+3*page, 1))
}

func TestContiguous(t *testing.T) {
	b := newBed(t, 70)
	m := b.newMap()
	b.alloc(m, base, 1)
	b.store(m, base, "x") // somewhere in the way
	enter := func(pages, below uint64) (mach.Addr, uint64, mach.KernReturn) {
		return m.EnterContiguous(pages*page, below)
	}
	_, _, kr := enter(0, Unlimited)
	require.Equal(t, mach.KernInvalidArgument, kr)
	_, _, kr = enter(70, Unlimited)
	require.Equal(t, mach.KernResourceShortage, kr)
	_, _, kr = enter(1, physBase*page)
	require.Equal(t, mach.KernResourceShortage, kr, "nothing lies below")
	at, first, kr := enter(40, Unlimited)
	require.Equal(t, ok, kr)
	for i, p := range m.Physical(at, 40) {
		require.Equal(t, first+uint64(i)*page, p)
	}
	require.Equal(t, strings.Repeat("\x00", 40*page), b.load(m, at, 40*page))
	require.Equal(t, 40, b.fr.Wired())
	c := b.copyin(m, at, 2*page)
	b.store(m, at, "dma")
	require.Equal(t, []uint64{first, first + page}, m.Physical(at, 2), "wired pages stay where they are")
	require.NotContains(t, b.bytes(c), "dma")
	c.Discard()
	require.Equal(t, []uint64{0, 0}, m.Physical(base-2*page, 2), "nowhere")
	m.Deallocate(at, 40*page)
	require.Zero(t, b.fr.Wired())
	m.SetLimits(Limits{Cur: 2 * page, Max: Unlimited}, true)
	_, _, kr = enter(2, Unlimited)
	require.Equal(t, mach.KernNoSpace, kr, "the limit")
	require.Equal(t, 1, b.fr.Stats().Used)
}

func TestFirstWriteAfterACopy(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, strings.Repeat("s", 4*page))
	c := b.copyin(m, base+page, 2*page)
	offsets := func() (all []uint64) {
		for _, r := range m.Entries() {
			all = append(all, r.Offset/page)
		}
		return all
	}
	require.Equal(t, []uint64{0, 1, 3}, offsets())
	m.Inherit(base, 4*page, mach.InheritNone)
	require.Equal(t, []uint64{0, 1, 3}, offsets(), "what is copied joins nothing")
	require.Equal(t, "s", b.load(m, base+page, 1))
	require.Equal(t, []uint64{0, 1, 3}, offsets(), "reading changes nothing")
	require.Equal(t, ok, m.WriteBytes(base+page, []byte("w")))
	require.Equal(t, []uint64{0, 0, 3}, offsets(), "it has an object of its own now")
	require.Equal(t, "swss", b.load(m, base+page-1, 2)+b.load(m, base+2*page, 2))
	c.Discard()
}

type lockLabel struct {
	m      *Map
	locked *bool
	dead   *int
}

func (l lockLabel) Dead() {
	*l.dead++
	if l.m.mu.TryLock() {
		l.m.mu.Unlock()
	} else {
		*l.locked = true
	}
}

// Copies of two tasks' memory are never one entry, and a label is told with nothing
// locked.
func TestCopiesOfStrangersStayApart(t *testing.T) {
	b := newBed(t, 64)
	m, x, y := b.newMap(), b.newMap(), b.newMap()
	b.alloc(x, base, 2)
	b.alloc(y, base, 2)
	b.store(x, base, "x")
	b.store(y, base+page, "y")
	rx, kr := x.Offer(base, 2*page)
	require.Equal(t, ok, kr)
	ry, kr := y.Offer(base, 2*page)
	require.Equal(t, ok, kr)
	rw := Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy}
	ro := rw
	ro.Prot = mach.ProtRead
	_, kr = m.EnterBacked(Spot{Addr: base}, page, Backing{Object: rx.Object, Copy: true}, rw)
	require.Equal(t, ok, kr)
	_, kr = m.EnterBacked(Spot{Addr: base + page}, page, Backing{Object: ry.Object, Offset: page, Copy: true}, ro)
	require.Equal(t, ok, kr)
	var locked bool
	var n int
	ry.Object.SetLabel(lockLabel{m, &locked, &n})
	y.Terminate()
	require.Len(t, m.Entries(), 2)
	require.Equal(t, ok, m.Protect(base+page, page, false, mach.ProtDefault))
	require.False(t, locked)
	require.Len(t, m.Entries(), 2)
}

// Wired pages stay, whoever has them wired.
func TestFlushSparesPagesWiredElsewhere(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 2)
	b.store(m, base, "wired")
	require.Equal(t, ok, m.Inherit(base, 2*page, mach.InheritShare))
	child := b.fork(m)
	require.Equal(t, ok, m.Wire(base, 2*page, mach.ProtDefault, Unlimited))
	l := new(died)
	r, _ := m.Region(base)
	r.Object.SetLabel(l)
	before := m.Physical(base, 1)
	child.Flush(l, 0, 2*page)
	require.Equal(t, before, m.Physical(base, 1))
	require.Equal(t, "wired", b.load(m, base, 5))
}
