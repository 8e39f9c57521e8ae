package vm

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// While threads write, every copy taken is a snapshot: it reads the same
// twice, whatever happens to its source. More threads than processors, and
// long stores, so that the host interrupts stores halfway.
func TestAConcurrentWriterNeverChangesACopy(t *testing.T) {
	const pages, writers = 4, 6
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(writers + 2))
	b := newBed(t, 4096)
	m, r := b.newMap(), b.newMap()
	b.alloc(m, base, pages)
	m.Inherit(base, pages*page, mach.InheritShare)
	child := b.fork(m)
	var stop atomic.Bool
	var wg sync.WaitGroup
	for w := range writers {
		src := []*Map{m, child}[w%2]
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				p := bytes.Repeat([]byte{byte(i)}, page)
				if _, kr := src.Store(base+mach.Addr(i%pages*page), p); kr != ok {
					t.Errorf("store: %v", kr)
					return
				}
			}
		})
	}
	until := time.Now().Add(time.Second)
	if testing.Short() {
		until = time.Now().Add(200 * time.Millisecond)
	}
	once, twice := make([]byte, pages*page), make([]byte, pages*page)
	for time.Now().Before(until) {
		c, kr := m.Copyin(base, pages*page, false)
		require.Equal(t, ok, kr)
		c.ReadAt(once, 0)
		a, kr := r.Copyout(c)
		require.Equal(t, ok, kr)
		runtime.Gosched()
		_, kr = r.Load(a, twice)
		require.Equal(t, ok, kr)
		require.True(t, bytes.Equal(once, twice), "the copy changed")
		r.Deallocate(a, pages*page)
	}
	stop.Store(true)
	wg.Wait()
}

// Maps are used from many goroutines at once; nothing is lost and no lock
// order is broken (the test would hang).
func TestEverythingAtOnce(t *testing.T) {
	const rounds = 1500
	b := newBed(t, 2048)
	m := b.newMap()
	b.alloc(m, base, 64)
	m.Inherit(base, 16*page, mach.InheritShare)
	other := b.fork(m)
	var wg sync.WaitGroup
	do := func(fn func(i int)) {
		wg.Go(func() {
			for i := range rounds {
				fn(i)
			}
		})
	}
	do(func(i int) { m.Store(base+mach.Addr(i%64*page), []byte("store")) })
	do(func(i int) { other.Store(base+mach.Addr(i%16*page), []byte("other")) })
	do(func(i int) { m.Load(base+mach.Addr(i%60*page), make([]byte, 3*page)) })
	do(func(i int) {
		if c, kr := m.Copyin(base+mach.Addr(i%40*page), 5*page, false); kr == ok {
			if other.Overwrite(base+mach.Addr(i%11*page), c) != ok {
				c.Discard()
			}
		}
	})
	do(func(i int) {
		if c, kr := other.Copyin(base+mach.Addr(i%9), 3*page, false); kr == ok {
			if m.Overwrite(base+mach.Addr(i%50*page+i%3), c) != ok {
				c.Discard()
			}
		}
	})
	do(func(i int) {
		m.Protect(base+mach.Addr(i%60*page), 4*page, false, mach.Prot(i%2)<<1|mach.ProtRead)
		m.Protect(base, 64*page, false, mach.ProtDefault)
	})
	do(func(i int) {
		c, kr := m.Fork(NewSoftPmap(b.fr))
		if kr != ok {
			t.Errorf("fork: %v", kr)
			return
		}
		c.Store(base+mach.Addr(i%64*page), []byte("child"))
		c.Terminate()
	})
	do(func(i int) {
		at := base + mach.Addr(30+i%20)*page
		m.Deallocate(at, 2*page)
		m.Allocate(at, 2*page, false)
		m.Entries()
		m.Region(at)
	})
	wg.Wait()
}

// A map may end while its threads run and its pages are shared.
func TestTerminateWhileRunning(t *testing.T) {
	for range 30 {
		b := newBed(t, 256)
		m := b.newMap()
		b.alloc(m, base, 16)
		m.Inherit(base, 16*page, mach.InheritShare)
		child := b.fork(m)
		var wg sync.WaitGroup
		for _, x := range []*Map{m, child} {
			wg.Go(func() {
				for i := range 200 {
					if _, kr := x.Store(base+mach.Addr(i%16*page), []byte("x")); kr != ok {
						return
					}
					if c, kr := x.Copyin(base, 16*page, false); kr == ok {
						c.Discard()
					}
				}
			})
		}
		wg.Go(child.Terminate)
		wg.Wait()
	}
}

// The software cache is smaller than memory: translations push each other
// out, and accesses still succeed.
func TestSoftPmapForgets(t *testing.T) {
	b := newBed(t, 3*softSlots)
	m := b.newMap()
	b.alloc(m, base, 2*softSlots)
	for i := range mach.Addr(2 * softSlots) {
		b.store(m, base+i*page, string(rune('a'+i%26)))
	}
	for i := range mach.Addr(2 * softSlots) {
		require.Equal(t, string(rune('a'+i%26)), b.load(m, base+i*page, 1))
	}
	s := NewSoftPmap(b.fr)
	s.Destroy()
	require.NoError(t, s.Enter([]Mapping{{VA: base, Pages: 1, Prot: mach.ProtRead}}))
	require.Empty(t, translations(s), "a destroyed pmap maps nothing")
}

func TestEverySecondPageOfACopiedRegion(t *testing.T) { everySecondPage(t, 4096) }

func TestEverySecondPageOfACopiedGiB(t *testing.T) {
	if testing.Short() {
		t.Skip("1.5 GiB of host memory")
	}
	everySecondPage(t, 1<<30/page)
}

func everySecondPage(t *testing.T, n int) {
	b := newBed(t, n*2)
	m, r := b.newMap(), b.newMap()
	b.alloc(m, base, n)
	mark := func(s string, i int) []byte { return binary.LittleEndian.AppendUint64([]byte(s), uint64(i)) }
	at := func(a mach.Addr, i int) mach.Addr { return a + mach.Addr(i*page+i%3000) }
	for i := range n {
		if _, kr := m.Store(at(base, i), mark("source", i)); kr != ok {
			t.Fatal(kr)
		}
	}
	c, kr := m.Copyin(base, uint64(n)*page, false)
	require.Equal(t, ok, kr)
	a, kr := r.Copyout(c)
	require.Equal(t, ok, kr)
	for i := 0; i < n; i += 2 {
		if _, kr := r.Store(at(a, i), mark("copied", i)); kr != ok {
			t.Fatal(kr)
		}
	}
	require.Equal(t, n+n/2, b.fr.Stats().Used)
	p := make([]byte, 14)
	for i := range n {
		m.Load(at(base, i), p)
		if !bytes.Equal(p, mark("source", i)) {
			t.Fatalf("source page %d: %q", i, p)
		}
		want := []string{"copied", "source"}[i%2]
		r.Load(at(a, i), p)
		if !bytes.Equal(p, mark(want, i)) {
			t.Fatalf("copy page %d: %q", i, p)
		}
	}
}

// Copying again and again, and writing in between, costs no frames and no
// depth: there is no shadow chain that could grow.
func TestCopiesOfCopiesDoNotPileUp(t *testing.T) {
	b := newBed(t, 256)
	m := b.newMap()
	b.alloc(m, base, 64)
	b.store(m, base, strings.Repeat("x", 64*page))
	a := base
	for i := range 1000 {
		c, kr := m.Copyin(a, 64*page, i%2 == 0)
		require.Equal(t, ok, kr)
		old := a
		a, kr = m.Copyout(c)
		require.Equal(t, ok, kr)
		if i%2 != 0 {
			m.Deallocate(old, 64*page)
		}
		b.store(m, a+mach.Addr(i%64*page), "y")
		require.LessOrEqual(t, b.fr.Stats().Used, 65)
	}
	require.Equal(t, 64, b.fr.Stats().Used)
	require.Equal(t, 1, m.first.object.pages.height)
	require.Len(t, m.Entries(), 1)
}
