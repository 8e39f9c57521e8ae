package vm

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	page = mach.PageSize
	ok   = mach.KernSuccess
	base = mach.Addr(0x100000)
)

// tester is what a test is run by: testing.T, testing.B, rapid.T.
type tester interface {
	require.TestingT
	Cleanup(func())
	Helper()
	Logf(format string, args ...any)
}

// bed is the frames of one test, with the maps and copies that are alive, so
// that every test ends with an audit.
type bed struct {
	tester
	fr     *Frames
	maps   []*Map
	copies []*Copy
}

func newBed(t tester, pages int) *bed {
	fr, err := NewFrames(pages)
	require.NoError(t, err)
	b := &bed{tester: t, fr: fr}
	t.Cleanup(func() {
		b.audit()
		for _, m := range b.maps {
			m.Terminate()
		}
		for _, c := range b.copies {
			c.Discard()
		}
		require.NoError(t, Audit(fr, b.maps, b.copies))
		require.Zero(t, fr.Stats().Used, "frames left when all is gone")
		require.NoError(t, fr.Close())
	})
	return b
}

func (b *bed) audit() {
	b.Helper()
	require.NoError(b, Audit(b.fr, b.maps, b.copies))
	for _, m := range b.maps {
		require.NoError(b, checkPmap(m))
	}
}

// newMap makes a map with a software pmap.
func (b *bed) newMap() *Map { return b.adopt(NewMap(b.fr, NewSoftPmap(b.fr))) }

func (b *bed) adopt(m *Map) *Map {
	b.maps = append(b.maps, m)
	return m
}

// alloc makes n pages at addr.
func (b *bed) alloc(m *Map, addr mach.Addr, n int) {
	b.Helper()
	got, kr := m.Allocate(addr, uint64(n)*page, false)
	require.Equal(b, ok, kr)
	require.Equal(b, addr, got)
}

func (b *bed) copyin(m *Map, addr mach.Addr, size uint64) *Copy {
	b.Helper()
	c, kr := m.Copyin(addr, size, false)
	require.Equal(b, ok, kr)
	b.copies = append(b.copies, c)
	return c
}

func (b *bed) fork(m *Map) *Map {
	b.Helper()
	c, kr := m.Fork(NewSoftPmap(b.fr))
	require.Equal(b, ok, kr)
	return b.adopt(c)
}

// store writes as the task's instructions do.
func (b *bed) store(m *Map, addr mach.Addr, s string) {
	b.Helper()
	_, kr := storeAs(m, addr, []byte(s))
	require.Equal(b, ok, kr)
}

// load reads as the task's instructions do.
func (b *bed) load(m *Map, addr mach.Addr, n int) string {
	b.Helper()
	p := make([]byte, n)
	_, kr := loadAs(m, addr, p)
	require.Equal(b, ok, kr)
	return string(p)
}

func (b *bed) bytes(c *Copy) string {
	b.Helper()
	p := make([]byte, c.Size())
	require.Equal(b, len(p), c.ReadAt(p, 0))
	return string(p)
}

// layout is the map as text: "start+pages prot/max inherit" per entry, with
// "shared" where it is. Addresses are pages relative to base.
func layout(m *Map) (all []string) {
	for _, r := range m.Entries() {
		s := fmt.Sprintf("%d+%d %v/%v %v", (int64(r.Start)-int64(base))/page, r.Size/page, r.Prot, r.MaxProt, r.Inherit)
		if r.Shared {
			s += " shared"
		}
		all = append(all, s)
	}
	return all
}

// recorder is a pmap that keeps every translation it is given, unlike a
// SoftPmap, which forgets: so it shows each one that vm failed to withdraw.
type recorder struct {
	mu      sync.Mutex
	pages   map[uint64]softSlot
	holes   map[uint64]bool // pages it cannot map
	entered int             // calls of Enter
	dead    bool
}

func newRecorder() *recorder {
	return &recorder{pages: map[uint64]softSlot{}, holes: map[uint64]bool{}}
}

func (r *recorder) Enter(runs []Mapping) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entered++
	for _, m := range runs {
		for i := range m.Pages {
			if r.holes[pageOf(m.VA)+uint64(i)] {
				return fmt.Errorf("%v cannot be mapped here", m.VA)
			}
		}
		for i := range m.Pages {
			p := pageOf(m.VA) + uint64(i)
			r.pages[p] = softSlot{p, m.Frame + Frame(i), m.Prot}
		}
	}
	return nil
}

func (r *recorder) Protect(start, end mach.Addr, prot mach.Prot) {
	r.each(start, end, func(p uint64, s softSlot) {
		s.prot &= prot
		r.pages[p] = s
	})
}

func (r *recorder) Remove(start, end mach.Addr) {
	r.each(start, end, func(p uint64, _ softSlot) { delete(r.pages, p) })
}

func (r *recorder) Destroy() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dead {
		panic("BUG: destroyed twice")
	}
	r.dead, r.pages = true, nil
}

func (r *recorder) each(start, end mach.Addr, fn func(uint64, softSlot)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p, s := range r.pages {
		if p >= pageOf(start) && p < pageOf(end) {
			fn(p, s)
		}
	}
}

// access is what hardware does with a translation.
func (r *recorder) access(fr *Frames, addr mach.Addr, p []byte, want mach.Prot) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, found := r.pages[pageOf(addr)]
	if !found || !s.prot.Has(want) {
		return false
	}
	if b := fr.Bytes(s.frame)[addr.PageOffset():]; want.Has(mach.ProtWrite) {
		copy(b, p)
	} else {
		copy(p, b)
	}
	return true
}

func storeAs(m *Map, addr mach.Addr, p []byte) (mach.Addr, mach.KernReturn) {
	return accessAs(m, addr, p, mach.ProtDefault)
}

func loadAs(m *Map, addr mach.Addr, p []byte) (mach.Addr, mach.KernReturn) {
	return accessAs(m, addr, p, mach.ProtRead)
}

// accessAs is Load or Store, or the same on a recorder.
func accessAs(m *Map, addr mach.Addr, p []byte, want mach.Prot) (mach.Addr, mach.KernReturn) {
	r, isRecorder := m.pm.(*recorder)
	if !isRecorder {
		return m.instruction(addr, p, want)
	}
	for len(p) > 0 {
		n := min(len(p), int(page-addr.PageOffset()))
		for !r.access(m.fr, addr, p[:n], want) {
			if kr, err := m.Fault(addr, want); kr != ok || err != nil {
				return addr, kr
			}
		}
		p, addr = p[n:], addr+mach.Addr(n)
	}
	return addr, ok
}

// checkPmap checks a map's pmap against its objects: each translation shows
// the frame the page has, allows no more than the entry, and allows writing
// only to a frame that no copy shares.
func checkPmap(m *Map) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, s := range translations(m.pm) {
		va := mach.Addr(s.page << mach.PageShift)
		e := m.at(va)
		if e == nil || e.object == nil {
			return fmt.Errorf("%v is mapped but has no memory", va)
		}
		x, exclusive := e.object.lookup(e.page(va))
		switch {
		case x != s.frame:
			return fmt.Errorf("%v is mapped to frame %d, its page has %d", va, s.frame, x)
		case !pmapProt(e.prot).Has(s.prot):
			return fmt.Errorf("%v is mapped %v, the entry allows %v", va, s.prot, e.prot)
		case s.prot.Has(mach.ProtWrite) && !exclusive:
			return fmt.Errorf("%v is mapped writable, but its frame is shared", va)
		}
	}
	return nil
}

// translations are what a pmap has.
func translations(pm Pmap) (all []softSlot) {
	switch p := pm.(type) {
	case *recorder:
		for _, s := range p.pages {
			if s.prot != 0 {
				all = append(all, s)
			}
		}
	case *SoftPmap:
		for _, s := range p.slots {
			if s.prot != 0 {
				all = append(all, s)
			}
		}
	}
	return all
}
