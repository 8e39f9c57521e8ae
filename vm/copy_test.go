package vm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// faulty is a map with, at base: page 0 "rw", 1 "r", 2 none, 3 hole, 4 "rw",
// 5 "w" only, 6 and 7 "rw", then nothing.
func faulty(b *bed) *Map {
	m := b.newMap()
	b.alloc(m, base, 3)
	b.alloc(m, base+4*page, 4)
	b.store(m, base, "page0")
	b.store(m, base+page, "page1")
	b.store(m, base+4*page, "page4")
	m.Protect(base+page, page, false, mach.ProtRead)
	m.Protect(base+2*page, page, false, mach.ProtNone)
	m.Protect(base+5*page, page, false, mach.ProtWrite)
	return m
}

func TestCopyinResults(t *testing.T) {
	for _, c := range []struct {
		fact string
		addr mach.Addr
		size uint64
		kr   mach.KernReturn
	}{
		{"size 0 never looks at the address", top + 123, 0, ok},
		{"a plain page", base, page, ok},
		{"unaligned, over two pages", base + page - 3, 9, ok},
		{"a wrapped range", base, ^uint64(0) - uint64(base) + 1, mach.KernInvalidAddress},
		{"a range that wraps far", ^mach.Addr(0), 2, mach.KernInvalidAddress},
		{"a rounded end of 0", ^mach.Addr(0) - 9, 5, mach.KernInvalidAddress},
		{"first page unmapped", base - 1, 2, mach.KernInvalidAddress},
		{"no READ", base + 2*page, 1, mach.KernProtectionFailure},
		{"write-only is not readable", base + 5*page, 1, mach.KernProtectionFailure},
		{"the unreadable page before the hole wins", base + page, 3 * page, mach.KernProtectionFailure},
		{"a hole first in address order wins", base + 3*page, 3 * page, mach.KernInvalidAddress},
		{"a gap behind a readable entry", base + 6*page, 3 * page, mach.KernInvalidAddress},
		{"beyond the map", top - 1, 2, mach.KernInvalidAddress},
	} {
		t.Run(c.fact, func(t *testing.T) {
			b := newBed(t, 16)
			m := faulty(b)
			before := layout(m)
			cp, kr := m.Copyin(c.addr, c.size, false)
			require.Equal(t, c.kr, kr)
			require.Equal(t, before, layout(m))
			if kr != ok {
				require.Nil(t, cp)
				return
			}
			b.copies = append(b.copies, cp)
			require.Equal(t, c.size, cp.Size(), "exact bytes, not whole pages")
			require.Equal(t, c.addr.PageOffset(), cp.InPageOffset())
		})
	}
}

func TestMaximumProtectionDoesNotMatterForReading(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	_, kr := m.Enter(base, page, 0, false, mach.ProtRead, mach.ProtNone, mach.InheritCopy)
	require.Equal(t, ok, kr)
	b.copyin(m, base, page)
}

func TestCopyinDestroyTakesWholePages(t *testing.T) {
	b := newBed(t, 16)
	m := b.newMap()
	b.alloc(m, base, 4)
	b.store(m, base, strings.Repeat("x", 4*page))
	c, kr := m.Copyin(base+page+5, page, true)
	require.Equal(t, ok, kr)
	b.copies = append(b.copies, c)
	require.Equal(t, []string{"0+1 rw-/rwx copy", "3+1 rw-/rwx copy"}, layout(m))
	require.Equal(t, strings.Repeat("x", page), b.bytes(c))
	require.Equal(t, 4, b.fr.Stats().Used, "moved, not copied")
	a, kr := m.Copyout(c)
	require.Equal(t, ok, kr)
	b.store(m, a, "y")
	require.Equal(t, 4, b.fr.Stats().Used, "and written in place afterwards")

	before := layout(m)
	_, kr = m.Copyin(base+3*page, 2*page, true)
	require.Equal(t, mach.KernInvalidAddress, kr)
	require.Equal(t, before, layout(m), "a refused copyin destroys nothing")
}

func TestCopyoutKeepsInPageOffsetAndNeighbours(t *testing.T) {
	b := newBed(t, 16)
	m, r := b.newMap(), b.newMap()
	b.alloc(m, base, 2)
	b.alloc(r, 0, 1)
	b.store(m, base+page-6, "hello, world")
	c := b.copyin(m, base+page-4, 8)
	a, kr := r.Copyout(c)
	require.Equal(t, ok, kr)
	require.Equal(t, mach.Addr(2*page-4), a)
	require.Equal(t, "hello, world", b.load(r, a-2, 12), "page granularity: the neighbours are visible")
	require.Equal(t, "llo, wor", b.load(r, a, 8))
	reg, _ := r.Region(a)
	require.Equal(t, mach.Addr(page), reg.Start)
	require.Equal(t, []any{mach.ProtDefault, mach.ProtAll, mach.InheritCopy, false},
		[]any{reg.Prot, reg.MaxProt, reg.Inherit, reg.Shared}, "attributes are reset")

	a, kr = r.Copyout(b.copyin(m, 12345, 0))
	require.Equal(t, ok, kr)
	require.Zero(t, a, "an empty copy comes out at address 0")
	a, kr = r.Copyout(nil)
	require.Equal(t, ok, kr)
	require.Zero(t, a)
}

func TestCopyoutNoSpaceKeepsTheCopy(t *testing.T) {
	b := newBed(t, 16)
	m, full := b.newMap(), b.newMap()
	b.alloc(m, base, 1)
	b.store(m, base, "kept")
	_, kr := full.Allocate(0, uint64(top), false)
	require.Equal(t, ok, kr)
	c := b.copyin(m, base, 4)
	_, kr = full.Copyout(c)
	require.Equal(t, mach.KernNoSpace, kr)
	require.Equal(t, "kept", b.bytes(c))
	_, kr = m.Copyout(c)
	require.Equal(t, ok, kr, "the caller still owns it")
}

func TestCopyOnWriteIsolatesBothWays(t *testing.T) {
	for _, touched := range []bool{true, false} {
		b := newBed(t, 64)
		m, r := b.newMap(), b.newMap()
		b.alloc(m, base, 3)
		if touched {
			b.store(m, base, strings.Repeat("a", 3*page))
		}
		was := b.load(m, base, 1)
		c1 := b.copyin(m, base, 3*page)
		c2 := b.copyin(m, base+page, page)
		a1, _ := r.Copyout(c1)
		c3 := b.copyin(r, a1, 3*page) // a copy of a copy
		b.store(r, a1+page, "b")
		b.store(m, base+page, "c")
		b.store(m, base, "d")
		b.audit()
		require.Equal(t, was+"b"+was, b.load(r, a1, 1)+b.load(r, a1+page, 1)+b.load(r, a1+2*page, 1))
		require.Equal(t, "dc"+was, b.load(m, base, 1)+b.load(m, base+page, 1)+b.load(m, base+2*page, 1))
		require.Equal(t, was, b.bytes(c2)[:1])
		require.Equal(t, was, b.bytes(c3)[page:page+1])
	}
}

func TestACopyOfPartHoldsNothingElse(t *testing.T) {
	b := newBed(t, 4096)
	m := b.newMap()
	const n = 3000 // more than one leaf, and two levels
	b.alloc(m, base, n)
	for i := range mach.Addr(n) {
		b.store(m, base+i*page, "x")
	}
	c := b.copyin(m, base+64*page+7*page, 2*page)
	d := b.copyin(m, base+100*page, 2000*page)
	m.Deallocate(base, n*page)
	require.Equal(t, 2000+2, b.fr.Stats().Used)
	d.Discard()
	require.Equal(t, 2, b.fr.Stats().Used)
	c.Discard()
	require.Zero(t, b.fr.Stats().Used)
}

func TestOverwriteResults(t *testing.T) {
	for _, c := range []struct {
		fact string
		addr mach.Addr
		size uint64
		kr   mach.KernReturn
	}{
		{"size 0 never looks at the address", top + 1, 0, ok},
		{"a page", base, page, ok},
		{"first page unmapped", base + 3*page, page, mach.KernInvalidAddress},
		{"not writable", base + page, page, mach.KernProtectionFailure},
		{"the unwritable page before the hole wins", base, 4 * page, mach.KernProtectionFailure},
		{"a write-only page is writable", base + 4*page, 4 * page, ok},
		{"end of memory", base + 6*page, 3 * page, mach.KernInvalidAddress},
		{"wrapping", ^mach.Addr(0) - page + 1, page, mach.KernInvalidAddress},
		{"unaligned: the last page counts", base + 7*page + 1, page, mach.KernInvalidAddress},
		{"unaligned: the protection too", base + 1, page, mach.KernProtectionFailure},
		{"unaligned inside", base + 6*page + 1, page, ok},
	} {
		t.Run(c.fact, func(t *testing.T) {
			b := newBed(t, 64)
			m, src := faulty(b), b.newMap()
			b.alloc(src, base, 8)
			b.store(src, base, strings.Repeat("N", 8*page))
			cp := b.copyin(src, base, c.size)
			all := snapshot(m)
			used := b.fr.Stats().Used
			require.Equal(t, c.kr, m.Overwrite(c.addr, cp))
			if c.kr != ok {
				require.Equal(t, all, snapshot(m), "no partial effect")
				require.Equal(t, used, b.fr.Stats().Used)
				require.Equal(t, strings.Repeat("N", int(c.size)), b.bytes(cp), "the caller still owns the copy")
				return
			}
			require.Zero(t, cp.ReadAt(make([]byte, 1), 0), "consumed")
			if c.size > 0 {
				m.Protect(base, 8*page, false, mach.ProtDefault)
				require.Equal(t, strings.Repeat("N", int(c.size)), b.load(m, c.addr, int(c.size)))
			}
		})
	}
}

// snapshot is all memory of a map, whatever its protection, and its entries.
func snapshot(m *Map) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var s strings.Builder
	for e := m.first; e != nil; e = e.next {
		fmt.Fprintln(&s, e.start, e.size(), e.prot, e.maxProt, e.inherit, e.shared)
		for a := e.start; a < e.end; a += page {
			p := make([]byte, page)
			if e.object != nil {
				e.object.readPage(e.page(a), 0, p)
			}
			s.Write(p)
		}
	}
	return s.String()
}

func TestOverwriteAnyAlignment(t *testing.T) {
	const pages = 6
	for _, shared := range []bool{false, true} {
		for _, from := range []uint64{0, 1, 100, page - 1} {
			for _, to := range []uint64{0, 1, 100, page - 1} {
				for _, size := range []uint64{1, 10, page - 1, page, page + 1, 2 * page, 3*page + 17} {
					b := newBed(t, 64)
					m, src := b.newMap(), b.newMap()
					b.alloc(m, base, pages)
					b.alloc(src, base, pages)
					want := []byte(strings.Repeat("old.", pages*page/4))
					b.store(m, base, string(want))
					text := strings.Repeat("0123456789abc", pages*page/13)
					b.store(src, base, text)
					var child *Map
					if shared {
						m.Inherit(base, pages*page, mach.InheritShare)
						child = b.fork(m)
						b.load(child, base, pages*page)
					}
					c := b.copyin(src, base+mach.Addr(from), size)
					keep := b.copyin(m, base, pages*page)
					require.Equal(t, ok, m.Overwrite(base+mach.Addr(to), c))
					b.audit()
					old := string(want)
					copy(want[to:], text[from:from+size])
					require.Equal(t, string(want), b.load(m, base, pages*page))
					require.Equal(t, old, b.bytes(keep), "a copy taken before is not changed")
					if shared {
						require.Equal(t, string(want), b.load(child, base, pages*page), "all who share see it")
					}
					require.Equal(t, text[:pages*page-13], b.load(src, base, pages*page-13))
				}
			}
		}
	}
}

func TestOverwriteOfManyPagesReplacesTheObject(t *testing.T) {
	const n = 192
	b := newBed(t, 1024)
	m, src := b.newMap(), b.newMap()
	b.alloc(m, base, n+2)
	b.alloc(src, base, n)
	text := strings.Repeat("0123456789abcdef", n*page/16)
	b.store(m, base, strings.Repeat("o", (n+2)*page))
	b.store(src, base, text)
	require.Equal(t, ok, m.Overwrite(base+page, b.copyin(src, base, n*page)))
	require.Equal(t, "o"+text+"o", b.load(m, base+page-1, n*page+2))
	require.Equal(t, n+2, b.fr.Stats().Used, "by reference")
	b.store(m, base+page, "X")
	require.Equal(t, "0", b.load(src, base, 1))

	require.Equal(t, ok, m.Overwrite(base+3, b.copyin(src, base, n*page)), "moved to another in-page offset")
	require.Equal(t, "ooo"+text+"o", b.load(m, base, n*page+4)[:n*page+3]+"o")
}

func TestOverlappingCopyIsASnapshot(t *testing.T) {
	for _, shared := range []bool{false, true} {
		for _, d := range []int64{-3 * page, -page, 0, page, 2 * page, 5, -5} {
			b := newBed(t, 64)
			m := b.newMap()
			b.alloc(m, base, 12)
			text := strings.Repeat("0123456789abcde", 12*page/15)
			b.store(m, base, text)
			var child *Map
			if shared {
				m.Inherit(base, 12*page, mach.InheritShare)
				child = b.fork(m)
			}
			c := b.copyin(m, base+4*page, 4*page)
			to := mach.Addr(int64(base+4*page) + d)
			require.Equal(t, ok, m.Overwrite(to, c))
			require.Equal(t, text[4*page:8*page], b.load(m, to, 4*page), "as if read completely first")
			b.audit()
			if shared {
				require.Equal(t, text[4*page:8*page], b.load(child, to, 4*page))
				b.store(child, to, "still shared")
				require.Equal(t, "still shared", b.load(m, to, 12))
			}
		}
	}
}

func TestOverwriteWithZeroes(t *testing.T) {
	b := newBed(t, 64)
	m, src := b.newMap(), b.newMap()
	b.alloc(m, base, 4)
	b.alloc(src, base, 4)
	b.store(m, base, strings.Repeat("x", 4*page))
	require.Equal(t, ok, m.Overwrite(base+page, b.copyin(src, base, 2*page)))
	require.Equal(t, "x"+strings.Repeat("\x00", 2*page)+"x", b.load(m, base+page-1, 2*page+2))
}

func TestNewCopyAndReadAt(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	text := strings.Repeat("0123456789abc", 1000)
	c, kr := NewCopy(b.fr, []byte(text))
	require.Equal(t, ok, kr)
	p := make([]byte, 5000)
	require.Equal(t, 5000, c.ReadAt(p, 3000))
	require.Equal(t, text[3000:8000], string(p))
	require.Equal(t, 10, c.ReadAt(p, uint64(len(text)-10)), "short at the end")
	require.Equal(t, 0, c.ReadAt(p, uint64(len(text))))
	require.Equal(t, 0, c.ReadAt(p, ^uint64(0)))
	a, kr := m.Copyout(c)
	require.Equal(t, ok, kr)
	require.Zero(t, a.PageOffset())
	require.Equal(t, text, b.load(m, a, len(text)))
	require.Equal(t, "\x00", b.load(m, a+mach.Addr(len(text)), 1), "the rest of the last page is zero")

	e, kr := NewCopy(b.fr, nil)
	require.Equal(t, ok, kr)
	require.Zero(t, e.Size())
	used := b.fr.Stats().Used
	b.alloc(m, base, 5)
	z := b.copyin(m, base, 5*page)
	require.Equal(t, strings.Repeat("\x00", 5*page), b.bytes(z))
	require.Equal(t, used, b.fr.Stats().Used, "reading absent pages allocates none")
}

func TestKernelReadsAndWrites(t *testing.T) {
	b := newBed(t, 64)
	m := faulty(b)
	buf := func(n int) []byte { return make([]byte, n) }
	require.Equal(t, ok, m.ReadBytes(top+5, nil))
	require.Equal(t, ok, m.WriteBytes(top+5, nil))
	require.Equal(t, mach.KernInvalidAddress, m.ReadBytes(^mach.Addr(0), buf(2)))
	require.Equal(t, mach.KernInvalidAddress, m.WriteBytes(base+7*page, buf(page+1)))
	require.Equal(t, mach.KernProtectionFailure, m.ReadBytes(base+5*page, buf(1)))
	require.Equal(t, mach.KernProtectionFailure, m.WriteBytes(base+5*page, buf(1)), "write-only is not writable on x86")

	before := snapshot(m)
	require.Equal(t, mach.KernProtectionFailure, m.WriteBytes(base, []byte(strings.Repeat("z", page+1))))
	require.Equal(t, before, snapshot(m), "refused as a whole")

	c := b.copyin(m, base, 5)
	require.Equal(t, ok, m.WriteBytes(base, []byte("PAGE")))
	require.Equal(t, "page0", b.bytes(c), "kernel writes are copy-on-write too")
	require.Equal(t, "PAGE0", b.load(m, base, 5), "and seen by the task at once")
	p := buf(2 * page)
	require.Equal(t, ok, m.ReadBytes(base, p))
	require.Equal(t, "PAGE0", string(p[:5]))
	require.Equal(t, "page1", string(p[page:page+5]))
}

func TestMapSegment(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	const rx = mach.ProtRead | mach.ProtExecute
	text := strings.Repeat("code", 2000)
	require.Equal(t, ok, m.MapSegment(base+0x123, 5*page, []byte(text), rx, mach.ProtAll))
	require.Equal(t, []string{"0+6 r-x/rwx copy"}, layout(m))
	require.Equal(t, "\x00"+text+"\x00", b.load(m, base+0x122, len(text)+2))
	for _, c := range []struct {
		fact string
		addr mach.Addr
		size uint64
		n    int
		kr   mach.KernReturn
	}{
		{"occupied", base + 5*page, page, 1, mach.KernNoSpace},
		{"size 0", base, 0, 0, mach.KernInvalidArgument},
		{"more data than memory", base, 1, 2, mach.KernInvalidArgument},
		{"wrapping", ^mach.Addr(0), page, 0, mach.KernInvalidAddress},
		{"wrapping to its own page", 1, ^uint64(0), 0, mach.KernInvalidAddress},
		{"beyond the map", top - 1, 2, 1, mach.KernInvalidAddress},
		{"too large for the frames", base + 100*page, 100 * page, 100 * page, mach.KernResourceShortage},
	} {
		used := b.fr.Stats().Used
		require.Equal(t, c.kr, m.MapSegment(c.addr, c.size, make([]byte, c.n), rx, rx), c.fact)
		require.Equal(t, used, b.fr.Stats().Used, c.fact)
	}
	require.Equal(t, ok, m.MapSegment(base+100*page, 2*page, nil, mach.ProtDefault, mach.ProtAll), "bss")
}

// What a message takes of shared memory holds no pages but those it copied, of wired
// memory a copy of their own: memory that grows over the others is zero.
func TestCopyOfSharedMemoryWiredInPart(t *testing.T) {
	b := newBed(t, 64)
	m, to := b.newMap(), b.newMap()
	b.alloc(m, base, 2)
	b.store(m, base, "zero")
	b.store(m, base+page, "secret")
	require.Equal(t, ok, m.Inherit(base, 2*page, mach.InheritShare))
	child := b.fork(m)
	require.Equal(t, ok, m.Wire(base+page, page, mach.ProtDefault, Unlimited))
	c, kr := m.Copyin(base, 2*page, true)
	require.Equal(t, ok, kr)
	child.Terminate()
	at, kr := to.Copyout(c)
	require.Equal(t, ok, kr)
	require.Equal(t, ok, to.Deallocate(at+page, page))
	got, kr := to.Allocate(at+page, page, false)
	require.Equal(t, ok, kr)
	require.Equal(t, at+page, got)
	require.Equal(t, "\x00\x00", b.load(to, at+page, 2))
}

// A copy that was written has no hold of its memory any more when the map is
// unlocked: what leaves the map leaves the object, too.
func TestOverwriteKeepsNothingBack(t *testing.T) {
	b := newBed(t, 64)
	m, src := b.newMap(), b.newMap()
	b.alloc(src, base, 2)
	b.store(src, base, "zero")
	b.store(src, base+page, "secret")
	c := b.copyin(src, base, 2*page)
	src.Terminate()
	b.alloc(m, base, 2)
	w := &overwrite{m: m, base: base, addr: base, end: base + 2*page, c: c}
	require.Equal(t, ok, w.run())
	require.Equal(t, ok, m.Deallocate(base+page, page))
	c.Discard()
	m.touch(base, base+1, mach.ProtWrite)
	_, kr := m.Allocate(base+page, page, false)
	require.Equal(t, ok, kr)
	require.Equal(t, "\x00\x00", b.load(m, base+page, 2))
}
