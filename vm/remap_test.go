package vm

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func (b *bed) extract(m *Map, addr mach.Addr, pages int, share bool) *Excerpt {
	b.Helper()
	x, kr := m.Extract(addr, uint64(pages)*page, share, 0, 0)
	require.Equal(b, ok, kr)
	return x
}

func (b *bed) insert(m *Map, addr mach.Addr, x *Excerpt) {
	b.Helper()
	at, kr := m.Insert(Spot{Addr: addr}, x)
	require.Equal(b, ok, kr)
	require.Equal(b, addr, at)
	b.audit()
}

func TestExtractCopies(t *testing.T) {
	b := newBed(t, 64)
	m, to := b.adopt(NewMap(b.fr, newRecorder())), b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base+page, "one")
	require.Equal(t, ok, m.Protect(base+2*page, page, false, mach.ProtRead))
	b.insert(to, base+8*page, b.extract(m, base, 4, false))
	require.Equal(t, []string{"8+2 rw-/rwx copy", "10+1 r--/rwx copy", "11+1 rw-/rwx copy"}, layout(to))
	b.store(m, base+page, "two") // write access was withdrawn: this faults
	require.Equal(t, "one", b.load(to, base+9*page, 3))
	b.store(to, base+9*page, "six")
	require.Equal(t, "two", b.load(m, base+page, 3))
	b.insert(m, base+20*page, b.extract(m, base, 1, false))
	require.Equal(t, "\x00", b.load(m, base+20*page, 1), "untouched memory")
}

func TestExtractShares(t *testing.T) {
	b := newBed(t, 64)
	m, to := b.adopt(NewMap(b.fr, newRecorder())), b.adopt(NewMap(b.fr, newRecorder()))
	b.alloc(m, base, 4)
	b.store(m, base, "zero")
	b.insert(to, base, b.extract(m, base+page, 2, true))
	b.insert(m, base+8*page, b.extract(m, base+page, 1, true))
	for i, at := range []mach.Addr{base + page, base + 8*page} {
		b.store(m, at, string(rune('a'+i)))
		require.Equal(t, string(rune('a'+i)), b.load(to, base, 1))
	}
	b.store(to, base, "c")
	require.Equal(t, "c", b.load(m, base+page, 1))
	require.Equal(t, "c", b.load(m, base+8*page, 1))
	require.Equal(t, ok, m.Deallocate(base, 4*page))
	b.audit()
	b.store(m, base+8*page, "d")
	require.Equal(t, "d", b.load(to, base, 1))

	// A copy of shared memory is a snapshot.
	c := b.copyin(to, base, page)
	b.store(m, base+8*page, "e")
	require.Equal(t, "d", b.bytes(c)[:1])
	require.Equal(t, "e", b.load(to, base, 1))
}

// Onto itself: the memory is first taken, then its place is made free.
func TestInsertOverItsSource(t *testing.T) {
	for _, share := range []bool{false, true} {
		b := newBed(t, 64)
		m := b.newMap()
		b.alloc(m, base, 4)
		b.store(m, base+page, "kept")
		x := b.extract(m, base, 4, share)
		x.Each(func(a *Attributes) { a.Prot = mach.ProtRead })
		_, kr := m.Insert(Spot{Addr: base + page, Overwrite: true}, x)
		require.Equal(t, ok, kr)
		b.audit()
		require.Equal(t, "kept", b.load(m, base+2*page, 4))
		_, kr = storeAs(m, base+2*page, []byte("x"))
		require.Equal(t, mach.KernProtectionFailure, kr)
	}
}

func TestExtractRefusals(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, "x")
	require.Equal(t, ok, m.Deallocate(base+2*page, page))
	require.Equal(t, ok, m.Protect(base+page, page, true, mach.ProtRead))
	for _, c := range []struct {
		addr     mach.Addr
		pages    uint64
		cur, max mach.Prot
		want     mach.KernReturn
	}{
		{base, 2, 0, 0, ok},
		{base, 3, 0, 0, mach.KernInvalidAddress},
		{base + 2*page, 1, 0, 0, mach.KernInvalidAddress},
		{base, 4, mach.ProtWrite, 0, mach.KernProtectionFailure},
		{base, 2, mach.ProtRead, mach.ProtWrite, mach.KernProtectionFailure},
		{base, 1, mach.ProtWrite, mach.ProtAll, ok},
		{^mach.Addr(0) &^ (page - 1), 2, 0, 0, mach.KernInvalidAddress},
	} {
		for _, share := range []bool{false, true} {
			x, kr := m.Extract(c.addr, c.pages*page, share, c.cur, c.max)
			require.Equal(t, c.want, kr)
			x.Discard()
			b.audit()
		}
	}
	x := b.extract(m, base, 1, false)
	_, kr := m.Insert(Spot{Addr: base}, x)
	require.Equal(t, mach.KernNoSpace, kr, "the excerpt is the caller's still")
	cur, most := x.Strictest()
	require.Equal(t, []mach.Prot{mach.ProtDefault, mach.ProtAll}, []mach.Prot{cur, most})
	b.insert(m, base+9*page, x)
	x.Discard()
}

// Threads that write while their memory is taken: nobody sees a torn map, and
// nothing is lost.
func TestRemapWhileWriting(t *testing.T) {
	b := newBed(t, 256)
	m, to := b.newMap(), b.newMap()
	b.alloc(m, base, 8)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				storeAs(m, base+mach.Addr(i%8)*page, []byte{byte(i)})
			}
		}
	})
	wg.Go(func() {
		for i := range 200 {
			m.Deallocate(base+mach.Addr(i%8)*page, page)
			m.Allocate(base+mach.Addr(i%8)*page, page, false)
		}
	})
	for i := range 200 {
		if x, kr := m.Extract(base+mach.Addr(i%4)*page, 4*page, i%2 == 0, 0, 0); kr == ok {
			if _, kr := to.Insert(Spot{Addr: base, Overwrite: true}, x); kr != ok {
				x.Discard()
			}
		}
	}
	close(stop)
	wg.Wait()
	b.audit()
}

// A buffered copy is of the moment, at a page boundary, and written page by
// page.
func TestBufferedCopies(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base+page-2, "abcd")
	c, kr := m.CopyinBuffer(base+page-2, 4)
	require.Equal(t, ok, kr)
	b.copies = append(b.copies, c)
	require.True(t, c.Buffered())
	require.Equal(t, base+page-2, c.Offset())
	require.Zero(t, c.InPageOffset())
	b.store(m, base+page-2, "wxyz")
	require.Equal(t, "abcd", b.bytes(c))
	require.False(t, b.copyin(m, base, page).Buffered())

	require.Equal(t, ok, m.Protect(base+3*page, page, false, mach.ProtWrite))
	at := base + 3*page - 2
	require.Equal(t, mach.KernProtectionFailure, m.Check(at, 4, mach.ProtDefault))
	require.Equal(t, mach.KernProtectionFailure, m.Pour(at, c, mach.ProtDefault))
	require.Equal(t, "ab", b.load(m, at, 2))
	require.Equal(t, ok, m.Check(at, 4, mach.ProtWrite))
	require.Equal(t, ok, m.Pour(at, c, mach.ProtWrite))
	require.Zero(t, c.ReadAt(make([]byte, 1), 0), "consumed")
	require.Equal(t, ok, m.Protect(base+3*page, page, false, mach.ProtRead))
	require.Equal(t, "abcd", b.load(m, at, 4))

	_, kr = m.CopyinBuffer(base+4*page, 1)
	require.Equal(t, mach.KernInvalidAddress, kr)
	require.Equal(t, ok, m.Check(base+9*page, 0, mach.ProtRead))
	require.Equal(t, mach.KernInvalidAddress, m.Check(^mach.Addr(0), 2, mach.ProtRead))
	require.Equal(t, mach.KernInvalidAddress, m.Check(base, ^uint64(0), mach.ProtRead), "a range that wraps from memory on")
	require.Equal(t, ok, m.Pour(0, nil, 0))
}

// In parts: what comes before the part that refuses is written.
func TestOverwriteInParts(t *testing.T) {
	b := newBed(t, 64)
	from, m := b.newMap(), b.newMap()
	b.alloc(from, base, 5)
	b.store(from, base, strings.Repeat("n", 5*page))
	for bad, want := range []int{0, page - 3, page - 3, page - 3, 4*page - 3, 4 * page} {
		b.alloc(m, base, 5)
		if bad < 5 {
			require.Equal(t, ok, m.Protect(base+mach.Addr(bad)*page, page, false, mach.ProtRead))
		}
		c := b.copyin(from, base+3, 4*page)
		kr := m.OverwriteInParts(base+3, c)
		require.Equal(t, bad < 5, kr == mach.KernProtectionFailure)
		require.Equal(t, strings.Repeat("n", want)+strings.Repeat("\x00", 4*page-want), b.load(m, base+3, 4*page))
		b.audit()
		require.Equal(t, ok, m.Deallocate(base, 5*page))
	}
}

// What a range that was copied leaves of its entries: where the first write after
// a copy is still to come, and where it is not, they differ in any case.
func TestEntriesAreJoinedAgain(t *testing.T) {
	for _, rejoin := range []bool{false, true} {
		b := newBed(t, 64)
		m := b.newMap()
		m.SetLayout(Layout{Max: mach.VMMaxAddress, Rejoin: rejoin})
		b.alloc(m, base, 4)
		b.store(m, base+page, "x")
		b.copyin(m, base, 4*page)
		b.copyin(m, base+page, 2*page)
		require.Len(t, layout(m), map[bool]int{false: 3, true: 1}[rejoin])
		require.Equal(t, "x", b.load(m, base+page, 1))
		b.store(m, base+page, "y")
		require.Equal(t, "x", b.bytes(b.copies[1])[:1])
	}
}
