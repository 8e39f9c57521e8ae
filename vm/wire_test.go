package vm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// What is expected of entries and codes here is recorded of the real kernel
// (vm_wire and vm_wire_all in testdata/golden); the frames are this kernel's own.

func TestWire(t *testing.T) {
	b := newBed(t, 4)
	m := b.newMap()
	b.alloc(m, base, 6)
	m.Protect(base+5*page, page, false, mach.ProtRead)
	const rw = mach.ProtDefault
	require.Equal(t, mach.KernNoSpace, m.Wire(base+6*page, page, mach.ProtRead, Unlimited), "a hole")
	require.Equal(t, mach.KernNoSpace, m.Wire(base, 8*page, mach.ProtRead, Unlimited), "a hole behind")
	require.Equal(t, mach.KernNoSpace, m.Wire(base, 6*page, rw, Unlimited), "protection")
	require.Equal(t, mach.KernResourceShortage, m.Wire(base, 5*page, rw, Unlimited))
	require.Equal(t, ok, m.Wire(base, 0, rw, 0), "nothing is wired, and nothing more is to be")
	require.Len(t, m.Entries(), 2)
	m.Deallocate(base+2*page, 2*page)
	require.Equal(t, ok, m.Wire(base, page, rw, Unlimited))
	split := []string{"0+1 rw-/rwx copy", "1+1 rw-/rwx copy", "4+1 rw-/rwx copy", "5+1 r--/rwx copy"}
	require.Equal(t, split, layout(m))
	require.Equal(t, ok, m.Wire(base, page, mach.ProtNone, 0), "unwiring has no limit")
	require.Equal(t, split, layout(m), "entries stay as they were split")
	m.Inherit(base, 2*page, mach.InheritShare)
	require.Len(t, m.Entries(), 3, "but merge again like others")
}

func TestWireSplitsThoughItFails(t *testing.T) {
	b := newBed(t, 4)
	m := b.newMap()
	b.alloc(m, base, 3)
	m.Protect(base+2*page, page, false, mach.ProtRead)
	require.Equal(t, mach.KernNoSpace, m.Wire(base+page, 2*page, mach.ProtDefault, Unlimited))
	require.Equal(t, []string{"0+1 rw-/rwx copy", "1+1 rw-/rwx copy", "2+1 r--/rwx copy"}, layout(m))
}

func TestWireLimit(t *testing.T) {
	b := newBed(t, 8)
	m := b.newMap()
	b.alloc(m, base, 6)
	const most = 4 * page
	wire := func(first, pages uint64) mach.KernReturn {
		return m.Wire(base+mach.Addr(first*page), pages*page, mach.ProtRead, most)
	}
	require.Equal(t, mach.KernNoAccess, wire(0, 5))
	require.Equal(t, mach.KernNoAccess, wire(0, 500), "before the hole")
	require.Equal(t, ok, wire(0, 3))
	require.Equal(t, mach.KernNoAccess, wire(0, 2), "what is wired counts again")
	require.Equal(t, ok, wire(3, 1))
	require.Equal(t, mach.KernNoAccess, wire(4, 1))
	m.Deallocate(base, page)
	require.Equal(t, ok, wire(4, 1), "what is gone does not count")
	m.Protect(base+page, page, false, mach.ProtNone)
	require.Equal(t, ok, wire(5, 1), "nor what nobody may reach")
	m.Protect(base+page, page, false, mach.ProtRead)
	require.Equal(t, mach.KernNoAccess, m.Wire(base+page, 1, mach.ProtRead, most), "until somebody may")
}

func TestWireAll(t *testing.T) {
	b := newBed(t, 8)
	m := b.newMap()
	require.Equal(t, ok, m.WireAll(true, true), "an empty map")
	wired := func() (pages uint64) {
		m.mu.RLock()
		defer m.mu.RUnlock()
		return m.wiredSize() / page
	}
	b.alloc(m, base, 2)
	require.EqualValues(t, 2, wired(), "new memory")
	require.EqualValues(t, 2, b.fr.Stats().Used)
	c, kr := m.Copyin(base, page, false)
	require.Equal(t, ok, kr)
	_, kr = m.Copyout(c)
	require.Equal(t, ok, kr)
	require.EqualValues(t, 3, wired(), "received memory")
	child, kr := m.Fork(nil)
	require.Equal(t, ok, kr)
	require.False(t, child.wireNew)
	require.Equal(t, 6, b.fr.Stats().Used, "wired pages are not given away")
	child.Terminate()
	b.alloc(m, base+8*page, 16)
	require.EqualValues(t, 3, wired(), "there are no frames for that: it is allocated all the same")
	child, kr = m.Fork(nil)
	require.Equal(t, mach.KernResourceShortage, kr, "no frame for a copy of wired memory")
	require.Nil(t, child)

	require.Equal(t, ok, m.WireAll(false, false))
	require.Zero(t, wired())
	require.Equal(t, mach.KernResourceShortage, m.WireAll(true, true))
	require.False(t, m.wireNew, "nothing is changed")
	require.Zero(t, wired())
	m.Deallocate(base+8*page, 16*page)
	require.Equal(t, ok, m.WireAll(true, false))
	require.EqualValues(t, 3, wired())
	b.alloc(m, base+8*page, 1)
	require.EqualValues(t, 3, wired(), "only what there was")
	m.Terminate()
}

func TestCopyinOfWiredMemoryNeedsFrames(t *testing.T) {
	b := newBed(t, 4)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, "w")
	require.Equal(t, ok, m.Wire(base+page, 2*page, mach.ProtDefault, Unlimited))
	c := b.copyin(m, base, page)
	_, kr := m.Copyin(base, 3*page, false)
	require.Equal(t, mach.KernResourceShortage, kr)
	c.Discard()
	require.Equal(t, 3, b.fr.Stats().Used, "nothing is kept")
	c, kr = m.Copyin(base+page, 2*page, true)
	require.Equal(t, ok, kr, "what goes with the message moves as it is")
	c.Discard()
}
