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

// Whatever happened to memory, the host has it back when it is gone.
func TestHostMemoryComesBackFromEverywhere(t *testing.T) {
	const n = 3 * poolFrames
	b := newBed(t, 16*n)
	m := b.newMap()
	fill := func(m *Map, at mach.Addr, pages int) {
		for i := range mach.Addr(pages) {
			b.store(m, at+i*page, "x")
		}
	}
	b.alloc(m, base, n)
	fill(m, base, n)
	m.Inherit(base, n/2*page, mach.InheritShare)
	child := b.fork(m)
	fill(child, base, n) // half of it copied
	require.Equal(t, n+n/2, hostPages(t, b.fr))
	c := b.copyin(child, base, n*page)
	fill(m, base, n)
	at, kr := m.Copyout(b.copyin(child, base+page/2, n/2*page))
	require.Equal(t, ok, kr)
	fill(m, at.TruncPage(), n/2)
	require.Equal(t, ok, m.Overwrite(base+n/4*page, b.copyin(child, base, n/2*page)))
	require.Equal(t, ok, m.Overwrite(base+n/4*page+5, b.copyin(child, base, n/4*page)))
	require.Equal(t, ok, m.Wire(at, n/4*page, mach.ProtDefault, Unlimited))
	_, kr = m.Copyout(b.copyin(m, at, n/4*page))
	require.Equal(t, ok, kr)
	_, _, kr = m.EnterContiguous(n/4*page, Unlimited)
	require.Equal(t, ok, kr)
	b.mapOffered(child, base, base+2*n*page, n/8, false)
	fill(child, base+2*n*page, n/8)
	b.audit()
	require.Greater(t, hostPages(t, b.fr), 3*n)

	child.Terminate()
	c.Discard()
	m.Terminate()
	require.Equal(t, FrameStats{Total: 16 * n, Free: 16 * n, FreeCommitted: poolFrames, Committed: poolFrames}, b.fr.Stats())
	require.Equal(t, poolFrames, hostPages(t, b.fr), "all but the pool")
}

func TestSparseMemoryCostsWhatIsTouched(t *testing.T) {
	b := newBed(t, 1<<19)
	m := b.newMap()
	b.alloc(m, base, 1<<18) // 1 GiB
	for at := mach.Addr(0); at < 1<<30; at += 1 << 26 {
		b.store(m, base+at, "x")
	}
	require.Equal(t, 16, hostPages(t, b.fr))
	c := b.copyin(m, base, 1<<30)
	child := b.fork(m)
	b.store(child, base+1<<26, "y")
	require.Equal(t, 17, hostPages(t, b.fr), "copies cost what is written")
	c.Discard()
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
