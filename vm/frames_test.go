package vm

import (
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func TestNewFramesRange(t *testing.T) {
	for _, n := range []int{0, -1, int(NoFrame)} {
		_, err := NewFrames(n)
		require.Error(t, err)
	}
}

func TestCloseReportsLostFrames(t *testing.T) {
	fr, err := NewFrames(4)
	require.NoError(t, err)
	c, _ := NewCopy(fr, []byte("x"))
	require.Error(t, Audit(fr, nil, nil), "a copy nobody names is lost")
	require.NoError(t, Audit(fr, nil, []*Copy{c}))
	require.ErrorContains(t, fr.Close(), "1 frames still used")
}

func TestAuditNamesWhatIsWrong(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	b.alloc(m, base, 3)
	b.store(m, base, "x")
	c := b.copyin(m, base, page)
	o := m.first.object
	for _, d := range []struct {
		want       string
		harm, heal func()
	}{
		{"frame", func() { b.fr.refs[0].Add(1) }, func() { b.fr.refs[0].Add(-1) }},
		{"node", func() { o.pages.root.refs.Add(1) }, func() { o.pages.root.refs.Add(-1) }},
		{"users", func() { o.users++ }, func() { o.users-- }},
		{"a view counts", func() { o.views[0].entries++ }, func() { o.views[0].entries-- }},
		{"gap", func() { m.first.gap++ }, func() { m.first.gap-- }},
		{"segment", func() { c.segs[0].at++ }, func() { c.segs[0].at-- }},
		{"frames free", func() { b.fr.pooled++ }, func() { b.fr.pooled-- }},
	} {
		d.harm()
		require.ErrorContains(t, Audit(b.fr, b.maps, b.copies), d.want)
		d.heal()
		require.NoError(t, Audit(b.fr, b.maps, b.copies))
	}
}

func TestExhaustionLosesNothing(t *testing.T) {
	const budget = 40
	b := newBed(t, budget)
	m := b.newMap()
	b.alloc(m, base, 2*budget)
	for i := range mach.Addr(budget) {
		b.store(m, base+i*page, "full")
	}
	require.Equal(t, budget, b.fr.Stats().Used)
	_, kr := storeAs(m, base+budget*page, []byte("x"))
	require.Equal(t, mach.KernResourceShortage, kr)
	require.Equal(t, mach.KernResourceShortage, m.WriteBytes(base+budget*page, []byte("x")))
	require.Equal(t, ok, m.ReadBytes(base+budget*page, make([]byte, 9)), "the kernel reads zeroes without frames")
	_, kr = NewCopy(b.fr, []byte("x"))
	require.Equal(t, mach.KernResourceShortage, kr)

	c := b.copyin(m, base, 2*budget*page)
	_, kr = storeAs(m, base, []byte("x"))
	require.Equal(t, mach.KernResourceShortage, kr, "a copy costs nothing, its first write does")
	require.Equal(t, mach.KernResourceShortage, m.WriteBytes(base, []byte("x")))
	require.Equal(t, "full", b.load(m, base, 4))
	b.audit()

	src := b.copyin(m, base+page, page+7)
	before := snapshot(m)
	require.Equal(t, mach.KernResourceShortage, m.Overwrite(base+5*page, src), "the ragged end needs a frame")
	require.Equal(t, mach.KernResourceShortage, m.Overwrite(base+5*page+1, src))
	require.Equal(t, mach.KernInvalidAddress, m.Overwrite(0, src), "the destination's faults win")
	require.Equal(t, before, snapshot(m))
	require.Equal(t, ok, m.Overwrite(base+5*page, b.copyin(m, base, page)), "whole pages need none")

	c.Discard()
	src.Discard()
	b.store(m, base, "x")
	m.Deallocate(base, budget*page)
	b.store(m, base+budget*page, "again")
}

// A map without a pmap faults for frames all the same.
func TestFaultWithoutFrames(t *testing.T) {
	b := newBed(t, 1)
	m := b.adopt(NewMap(b.fr, nil))
	b.alloc(m, base, 2)
	for i, want := range []mach.KernReturn{ok, mach.KernResourceShortage} {
		kr, err := m.Fault(base+mach.Addr(i)*page, mach.ProtWrite)
		require.NoError(t, err)
		require.Equal(t, want, kr)
	}
}

func TestWriteBytesHasNoPartialEffectOnShortage(t *testing.T) {
	b := newBed(t, 4)
	m := b.newMap()
	b.alloc(m, base, 8)
	require.Equal(t, mach.KernResourceShortage, m.WriteBytes(base, []byte(strings.Repeat("x", 5*page))))
	require.Equal(t, strings.Repeat("\x00", page), b.load(m, base, page))
}

func TestReusedFramesAreZero(t *testing.T) {
	b := newBed(t, 64)
	m := b.newMap()
	for range 3 {
		b.alloc(m, base, 40)
		require.Equal(t, strings.Repeat("\x00", 40*page), b.load(m, base, 40*page))
		b.store(m, base, strings.Repeat("dirty", 8*page))
		m.Deallocate(base, 40*page)
	}
}

func TestContiguousPagesGetContiguousFrames(t *testing.T) {
	b := newBed(t, 1024)
	r := newRecorder()
	m, other := b.adopt(NewMap(b.fr, r)), b.newMap()
	b.alloc(m, base, 128)
	b.alloc(other, base, 128)
	for i := range mach.Addr(128) { // two tasks fault in turn
		b.store(m, base+i*page, "m")
		b.store(other, base+i*page, "o")
	}
	breaks := 0
	for i := range uint64(127) {
		p := pageOf(base) + i
		if r.pages[p+1].frame != r.pages[p].frame+1 {
			breaks++
		}
	}
	require.LessOrEqual(t, breaks, 128/chunkFrames)

	// A new pmap over the same memory: one fault maps a window of 16 pages.
	m.Inherit(base, 128*page, mach.InheritShare)
	r2 := newRecorder()
	child, kr := m.Fork(r2)
	require.Equal(t, ok, kr)
	b.adopt(child)
	b.load(child, base, 128*page)
	require.LessOrEqual(t, r2.entered, 2*128/aroundPages)
}

func TestSequentialZeroFillTakesFewFaults(t *testing.T) {
	b := newBed(t, 1024)
	r := newRecorder()
	m := b.adopt(NewMap(b.fr, r))
	b.alloc(m, base, 64)
	for i := range mach.Addr(64) {
		b.store(m, base+i*page, "x")
	}
	require.Less(t, r.entered, 16)
	require.Equal(t, 64, b.fr.Stats().Used, "never beyond the entry")
	m.Deallocate(base, 64*page)
	b.alloc(m, base, 64)
	for i := mach.Addr(0); i < 64; i += 2 {
		b.store(m, base+i*page, "x")
	}
	require.Equal(t, 32, b.fr.Stats().Used, "scattered writes get what they touch")
}

func TestPmapThatCannotMapAnAddress(t *testing.T) {
	b := newBed(t, 64)
	r := newRecorder()
	m := b.adopt(NewMap(b.fr, r))
	b.alloc(m, base, 16)
	require.Equal(t, ok, m.WriteBytes(base, []byte(strings.Repeat("x", 16*page))))
	r.holes[pageOf(base)+3] = true
	kr, err := m.Fault(base+3*page, mach.ProtRead)
	require.Error(t, err)
	require.Equal(t, mach.KernFailure, kr)
	for _, i := range []mach.Addr{0, 2, 4, 15} {
		require.Equal(t, "x", b.load(m, base+i*page, 1), "pages beside the hole are mapped one by one")
	}
	require.Equal(t, ok, m.ReadBytes(base+3*page, make([]byte, 5)), "the kernel still reaches the memory")
}

func TestExecutableMemoryIsEnteredAsItIs(t *testing.T) {
	b := newBed(t, 64)
	r := newRecorder()
	m := b.adopt(NewMap(b.fr, r))
	require.Equal(t, ok, m.MapSegment(base, page, []byte("code"), mach.ProtExecute, mach.ProtAll))
	kr, err := m.Fault(base, mach.ProtExecute)
	require.NoError(t, err)
	require.Equal(t, ok, kr)
	require.Equal(t, mach.ProtExecute, r.pages[pageOf(base)].prot)
	kr, _ = m.Fault(base, mach.ProtRead)
	require.Equal(t, mach.KernProtectionFailure, kr, "the entry does not allow reading")
}

func TestFaultResults(t *testing.T) {
	b := newBed(t, 64)
	m := b.adopt(NewMap(b.fr, nil))
	b.alloc(m, base, 1)
	m.Protect(base, page, false, mach.ProtRead)
	for _, c := range []struct {
		addr   mach.Addr
		access mach.Prot
		kr     mach.KernReturn
	}{
		{base + 9, mach.ProtRead, ok},
		{base, mach.ProtWrite, mach.KernProtectionFailure},
		{base, mach.ProtExecute, mach.KernProtectionFailure},
		{base - 1, mach.ProtRead, mach.KernInvalidAddress},
		{base + page, mach.ProtRead, mach.KernInvalidAddress},
		{^mach.Addr(0), mach.ProtRead, mach.KernInvalidAddress},
	} {
		kr, err := m.Fault(c.addr, c.access)
		require.NoError(t, err)
		require.Equal(t, c.kr, kr, "%v %v", c.addr, c.access)
	}
}

// slotMasks against the definition.
func TestSlotMasks(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for range 20000 {
		level := rng.Intn(3)
		span := slotSpan(level)
		at := uint64(rng.Intn(3)) * span * fan
		lo, hi := uint64(rng.Int63n(int64(4*span*fan))), uint64(rng.Int63n(int64(4*span*fan)))
		if rng.Intn(3) == 0 {
			hi = lo + uint64(rng.Intn(3))
		}
		touched, inside := slotMasks(level, at, lo, hi)
		for i := range uint64(fan) {
			a, e := at+i*span, at+(i+1)*span
			require.Equal(t, lo < hi && lo < e && hi > a, touched>>i&1 != 0)
			require.Equal(t, lo < hi && lo <= a && hi >= e, inside>>i&1 != 0)
		}
	}
}
