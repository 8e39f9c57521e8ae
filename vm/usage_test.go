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
