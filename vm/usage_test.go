package vm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func TestSizesAndEventsOfAMap(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	sizes := func(m *Map) [2]uint64 { v, r := m.Sizes(); return [2]uint64{v / page, r / page} }
	require.Equal(t, [2]uint64{0, 0}, sizes(m))
	b.alloc(m, 0x10000, 4)
	b.alloc(m, 0x20000, 2)
	require.Equal(t, [2]uint64{6, 0}, sizes(m))
	b.store(m, 0x10000, "one")
	b.store(m, 0x12000, "three")
	require.Equal(t, [2]uint64{6, 2}, sizes(m))
	require.EqualValues(t, 2, m.Events().ZeroFills.Load())
	require.Zero(t, m.Events().CowFaults.Load())

	c := b.fork(m)
	require.Equal(t, [2]uint64{6, 2}, sizes(c), "pages that are shared are resident in both")
	b.store(c, 0x10000, "ONE")
	require.EqualValues(t, 1, c.Events().CowFaults.Load())
	require.EqualValues(t, 2, m.Events().ZeroFills.Load())
	require.GreaterOrEqual(t, c.Events().Faults.Load(), c.Events().CowFaults.Load())

	require.Equal(t, mach.KernSuccess, m.Deallocate(0x10000, 3*page))
	require.Equal(t, [2]uint64{3, 0}, sizes(m))
	m.Terminate()
	require.Equal(t, [2]uint64{0, 0}, sizes(m))
}

// FaultOne does for each page what Fault does for a run of them, and says what.
func TestFaultOneTellsWhatItDid(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, 0x10000, 4)
	fault := func(m *Map, addr mach.Addr, access mach.Prot) (Filled, mach.KernReturn) {
		filled, kr, err := m.FaultOne(addr, access)
		require.NoError(t, err)
		return filled, kr
	}
	for i := range mach.Addr(4) {
		filled, kr := fault(m, 0x10000+i*page, mach.ProtWrite)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, FilledZero, filled)
		require.EqualValues(t, i+1, m.Events().ZeroFills.Load(), "none ahead")
	}
	filled, _ := fault(m, 0x10000, mach.ProtRead)
	require.Equal(t, FilledNot, filled)
	c := b.fork(m)
	filled, _ = fault(c, 0x10000, mach.ProtRead)
	require.Equal(t, FilledNot, filled, "who reads shares")
	filled, _ = fault(c, 0x10000, mach.ProtWrite)
	require.Equal(t, FilledByCopy, filled)
	for _, addr := range []mach.Addr{0x10000 - page, 0x14000} {
		filled, kr := fault(m, addr, mach.ProtRead)
		require.Equal(t, mach.KernInvalidAddress, kr)
		require.Equal(t, FilledNot, filled)
	}
}
