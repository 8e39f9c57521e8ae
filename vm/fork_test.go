package vm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func TestForkShareCopyNone(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 6)
	b.store(m, base, strings.Repeat("p", 3*page)) // 3..5 stay untouched
	m.Inherit(base, page, mach.InheritShare)
	m.Inherit(base+2*page, page, mach.InheritNone)
	m.Inherit(base+4*page, page, mach.InheritShare)
	m.Protect(base+5*page, page, true, mach.ProtRead)
	child := b.fork(m)
	require.Equal(t, []string{
		"0+1 rw-/rwx share shared", "1+1 rw-/rwx copy", "3+1 rw-/rwx copy",
		"4+1 rw-/rwx share shared", "5+1 r--/r-- copy",
	}, layout(child), "attributes are inherited")
	require.Equal(t, "0+1 rw-/rwx share shared", layout(m)[0])
	b.audit()

	b.store(m, base, "P0")
	b.store(child, base+1, "C")
	require.Equal(t, "PC", b.load(m, base, 2), "share: one memory")
	require.Equal(t, "PC", b.load(child, base, 2))
	b.store(m, base+page, "P1")
	b.store(child, base+page+1, "C")
	require.Equal(t, "P1", b.load(m, base+page, 2), "copy: two memories")
	require.Equal(t, "pC", b.load(child, base+page, 2))
	_, kr := loadAs(child, base+2*page, make([]byte, 1))
	require.Equal(t, mach.KernInvalidAddress, kr, "none: nothing")
	b.store(child, base+4*page, "c4")
	require.Equal(t, "c4", b.load(m, base+4*page, 2), "untouched memory is shared too")

	grandchild := b.fork(child)
	b.store(grandchild, base, "GG")
	require.Equal(t, "GG", b.load(m, base, 2))
	child.Terminate()
	b.store(m, base, "still")
	require.Equal(t, "still", b.load(grandchild, base, 5))
}

func TestCopyOfSharedMemoryIsASnapshot(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 2)
	m.Inherit(base, 2*page, mach.InheritShare)
	child := b.fork(m)
	b.store(m, base, "before")
	b.load(child, base, 6)
	c := b.copyin(m, base, 6)
	b.store(child, base, "after!")
	b.audit()
	require.Equal(t, "before", b.bytes(c))
	require.Equal(t, "after!", b.load(m, base, 6), "the sharer sees the new frame")

	m.Inherit(base, 2*page, mach.InheritCopy)
	grandchild := b.fork(m)
	b.store(m, base, "parent")
	require.Equal(t, "after!", b.load(grandchild, base, 6), "a shared entry can be inherited by copy")
	require.Equal(t, "parent", b.load(child, base, 6))
}

func TestSharingAPartDoesNotHoldTheRest(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 10)
	b.store(m, base, strings.Repeat("x", 10*page))
	m.Inherit(base+4*page, page, mach.InheritShare)
	child := b.fork(m)
	child.Deallocate(base, 4*page)
	child.Deallocate(base+5*page, 5*page)
	m.Deallocate(base, 4*page)
	require.Equal(t, 6, b.fr.Stats().Used)
	m.Deallocate(base+5*page, 5*page)
	require.Equal(t, 1, b.fr.Stats().Used)
	b.store(child, base+4*page, "shared")
	require.Equal(t, "shared", b.load(m, base+4*page, 6))
}

func TestSharedEntriesDoNotMerge(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 1)
	m.Inherit(base, page, mach.InheritShare)
	b.fork(m)
	m.Inherit(base, page, mach.InheritCopy)
	b.alloc(m, base+page, 1)
	require.Equal(t, []string{"0+1 rw-/rwx copy shared", "1+1 rw-/rwx copy"}, layout(m))
}

// The recorded kernel: a merge of untouched memory has offset 0, a child's part
// of it keeps the parent's.
func TestOffsetsOfUntouchedMemory(t *testing.T) {
	b := newBed(t, 8)
	m := b.newMap()
	b.alloc(m, base, 2)
	m.Protect(base, page, false, mach.ProtRead)
	offset := func(m *Map) uint64 {
		r, kr := m.Region(base + page)
		require.Equal(t, mach.KernSuccess, kr)
		return r.Offset
	}
	require.Equal(t, uint64(page), offset(m), "the part behind a split")
	require.Equal(t, uint64(page), offset(b.fork(m)), "a child's")
	b.alloc(m, base+2*page, 1)
	require.Equal(t, uint64(0), offset(m), "merged with what came behind it")
}

// A page that shows at a second place, behind a hole, is the child's there, too.
func TestForkOfMemoryShownTwice(t *testing.T) {
	b := newBed(t, 64)
	for _, by := range []string{"offer", "remap"} {
		m := b.newMap()
		b.alloc(m, base, 2)
		b.store(m, base, "zero")
		b.store(m, base+page, "one")
		switch by {
		case "offer":
			r, kr := m.Offer(base, 2*page)
			require.Equal(t, ok, kr)
			_, kr = m.EnterBacked(Spot{Addr: base + 5*page}, page, Backing{Object: r.Object, Offset: page},
				Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy})
			require.Equal(t, ok, kr)
		case "remap":
			b.insert(m, base+5*page, b.extract(m, base+page, 1, true))
		}
		require.Equal(t, ok, m.Deallocate(base+page, page))
		require.Equal(t, "one", b.load(m, base+5*page, 3))
		child := b.fork(m)
		require.Equal(t, "one", b.load(child, base+5*page, 3))
	}
}

func TestForkedMapKnowsWhatIsPacked(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	m.SetLayout(Layout{Min: 0x1000, Max: 1 << 30, FirstFit: true})
	for range 10 {
		_, kr := m.Allocate(0, page, true)
		require.Equal(t, ok, kr)
	}
	c := b.fork(m)
	_, kr := c.Allocate(0, page, true)
	require.Equal(t, ok, kr)
	require.Equal(t, m.packed+page, c.packed)
}
