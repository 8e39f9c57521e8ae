package vm

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// hostPages is how many pages of the memfd the host has memory for.
func hostPages(t *testing.T, fr *Frames) int {
	var st unix.Stat_t
	require.NoError(t, unix.Fstat(fr.FD(), &st))
	return int(st.Blocks * 512 / page)
}

func TestHostMemoryIsTakenLateAndGivenBack(t *testing.T) {
	b := newBed(t, 1<<20)
	m := b.newMap()
	require.Zero(t, hostPages(t, b.fr), "a budget costs nothing")
	const n = 4 * poolFrames
	b.alloc(m, base, n)
	for i := range mach.Addr(n) {
		b.store(m, base+i*page, "x")
	}
	require.Equal(t, n, hostPages(t, b.fr))
	require.Equal(t, n, b.fr.Stats().Committed)
	m.Deallocate(base, n*page)
	s := b.fr.Stats()
	require.Equal(t, FrameStats{Total: 1 << 20, Free: 1 << 20, FreeCommitted: poolFrames, Committed: poolFrames}, s)
	require.Equal(t, poolFrames, hostPages(t, b.fr), "all but the pool")
}

func TestMemfdIsSealed(t *testing.T) {
	b := newBed(t, 16)
	require.ErrorIs(t, unix.Ftruncate(b.fr.FD(), page), unix.EPERM)
	require.ErrorIs(t, unix.Ftruncate(b.fr.FD(), 17*page), unix.EPERM)
}

func TestHostShortageIsAnErrorNotASignal(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 8)
	b.store(m, base, "x")
	c := b.copyin(m, base, page)
	fd := b.fr.store.file
	b.fr.store.file = -1 // the host refuses
	_, kr := storeAs(m, base+5*page, []byte("y"))
	require.Equal(t, mach.KernResourceShortage, kr)
	_, kr = storeAs(m, base, []byte("y"))
	require.Equal(t, mach.KernResourceShortage, kr)
	require.Equal(t, mach.KernResourceShortage, m.WriteBytes(base, []byte("y")))
	b.fr.store.file = fd
	b.audit()
	require.Equal(t, "x", b.bytes(c)[:1])
	b.store(m, base, "y")
	m.Deallocate(base, page) // one frame to the pool
	b.fr.store.file = -1
	b.store(m, base+6*page, "z") // the pool still has one
	b.fr.store.file = fd
}
