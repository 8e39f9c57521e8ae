package vm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Facts of vm/vm_map.c (vm_map_enforce_limit) and tests/test-vm.c in GNU Mach's
// sources of 2025-09-21.
func TestALimitBoundsWhatCanBeReached(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	require.Equal(t, Limits{Unlimited, Unlimited}, m.Limits())
	b.alloc(m, base, 2)
	require.Equal(t, ok, m.SetLimits(Limits{4 * page, 8 * page}, false))
	_, kr := m.Allocate(0, 3*page, true)
	require.Equal(t, mach.KernNoSpace, kr)
	at, kr := m.Allocate(0, 2*page, true)
	require.Equal(t, ok, kr)
	_, kr = m.Allocate(base+100*page, 1, false)
	require.Equal(t, mach.KernNoSpace, kr, "a fixed address is no way around it")

	_, kr = m.Enter(0, 64*page, 0, true, mach.ProtNone, mach.ProtNone, mach.InheritCopy)
	require.Equal(t, ok, kr, "what has a maximum of none does not count")
	require.Equal(t, ok, m.Protect(at, page, true, mach.ProtNone))
	_, kr = m.Allocate(0, page, true)
	require.Equal(t, ok, kr, "nor does what gets one")
	require.Equal(t, ok, m.Deallocate(at+page, page))
	_, kr = m.Allocate(0, page, true)
	require.Equal(t, ok, kr)

	c, kr := NewCopy(b.fr, make([]byte, page))
	require.Equal(t, ok, kr)
	require.False(t, m.HasRoom(0, page))
	_, kr = m.Copyout(c)
	require.Equal(t, mach.KernNoSpace, kr, "memory in a message counts")
	c.Discard()
}

func TestWhoMayRaiseALimit(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	require.Equal(t, ok, m.SetLimits(Limits{4 * page, 8 * page}, false))
	require.Equal(t, mach.KernNoAccess, m.SetLimits(Limits{4 * page, 9 * page}, false))
	require.Equal(t, Limits{4 * page, 8 * page}, m.Limits(), "a refused call changes nothing")
	require.Equal(t, ok, m.SetLimits(Limits{8 * page, 8 * page}, false))
	require.Equal(t, ok, m.SetLimits(Limits{8 * page, 9 * page}, true))
}

func TestAForkHasItsParentsLimitsAndFreshProtection(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	m.SetFresh(mach.ProtAll)
	require.Equal(t, ok, m.SetLimits(Limits{4 * page, 8 * page}, true))
	child := b.fork(m)
	require.Equal(t, m.Limits(), child.Limits())
	b.alloc(child, base, 1)
	require.Equal(t, []string{"0+1 rwx/rwx copy"}, layout(child))
}

func TestRoomForACopy(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	_, kr := m.Allocate(0, uint64(top), false)
	require.Equal(t, ok, kr)
	require.True(t, m.HasRoom(0, 0), "nothing needs no room")
	require.False(t, m.HasRoom(0, 1))
	require.Equal(t, ok, m.Deallocate(base, page))
	require.True(t, m.HasRoom(8, page-8))
	require.False(t, m.HasRoom(8, page), "it touches two pages")
	require.False(t, m.Holds(base+5))
	require.True(t, m.Holds(base-1))
	require.False(t, m.Holds(top))
}
