package vmsvc

import (
	"fmt"
	"maps"
	"math/rand"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/vm"
)

// The small scope: all ranges over eight pages, in all arrangements of holes and
// protections that have a bound number of such pages, against a model that knows
// no entries and no copies: an array of pages, and the rules of
// vm_family_semantics, section 4, said once more. VM_SCOPE=all takes more of them.

const scopePages = 8

// kind is what a page is that is not plain read-write memory.
type kind struct {
	name     string
	hole     bool
	cur, max mach.Prot
}

var kinds = []kind{
	{"hole", true, 0, 0},
	{"none", false, mach.ProtNone, mach.ProtAll},
	{"read", false, mach.ProtRead, mach.ProtAll},
	{"write", false, mach.ProtWrite, mach.ProtAll},
	{"read at most", false, mach.ProtRead, mach.ProtRead},
}

// modelPages is the model: the state of XNU's memory, byte by byte.
type modelPages struct {
	pages [scopePages]struct {
		mapped   bool
		cur, max mach.Prot
		inherit  mach.Inherit
	}
	data [scopePages * page]byte
}

// newModel is plain memory with a letter in each page's bytes.
func newModel(special map[int]kind) *modelPages {
	m := &modelPages{}
	for p := range m.pages {
		x := &m.pages[p]
		x.mapped, x.cur, x.max, x.inherit = true, mach.ProtDefault, mach.ProtAll, mach.InheritCopy
		if k, ok := special[p]; ok {
			x.mapped, x.cur, x.max = !k.hole, k.cur, k.max
		}
		for i := range page {
			m.data[p*page+i] = byte('A' + p + i%7)
		}
	}
	return m
}

// at reports whether the page of a byte is there and allows an access.
func (m *modelPages) at(off int) (mapped bool, cur mach.Prot) {
	if off < 0 || off >= len(m.data) {
		return false, 0
	}
	x := m.pages[off/page]
	return x.mapped, x.cur
}

// judge finds the first page of [off, off+size) that is not there or lacks a
// protection.
func (m *modelPages) judge(off, size int, need mach.Prot) mach.KernReturn {
	for a := off; a < off+size; a = (a/page + 1) * page {
		switch mapped, cur := m.at(a); {
		case !mapped:
			return adr
		case cur&need != need:
			return prt
		}
	}
	return ok
}

// read is vm_read's answer, and the bytes.
func (m *modelPages) read(off, size int) ([]byte, mach.KernReturn) {
	if size == 0 {
		return nil, ok
	}
	kr := m.judge(off, size, mach.ProtRead)
	if kr != ok {
		if size <= 16<<10 {
			kr = adr // a fault of the kernel's own copying
		}
		return nil, kr
	}
	return append([]byte(nil), m.data[off:off+size]...), ok
}

// write is vm_write's answer: data came from an in-page offset.
func (m *modelPages) write(off int, data []byte, in int) mach.KernReturn {
	size := len(data)
	if size == 0 {
		return ok
	}
	if size <= 16<<10 { // page after page, as if the kernel's instructions did it
		for done := 0; done < size; {
			mapped, cur := m.at(off + done)
			if !mapped || cur&mach.ProtDefault != mach.ProtDefault {
				return adr
			}
			n := min(page-(off+done)%page, size-done)
			copy(m.data[off+done:], data[done:done+n])
			done += n
		}
		return ok
	}
	parts := [][2]int{{off, off + size}}
	if size >= 3*page && off%page == in {
		lo, hi := (off+page-1)/page*page, (off+size)/page*page
		parts = [][2]int{{off, lo}, {lo, hi}, {hi, off + size}}
	}
	for _, p := range parts {
		if kr := m.judge(p[0], p[1]-p[0], mach.ProtWrite); kr != ok {
			return kr
		}
		copy(m.data[p[0]:p[1]], data[p[0]-off:])
	}
	return ok
}

func (m *modelPages) copy(src, size, dst int) mach.KernReturn {
	data, kr := m.read(src, size)
	if kr != ok {
		return kr
	}
	in := src % page
	return m.write(dst, data, in)
}

// pagesOf is the pages that a range of bytes touches.
func pagesOf(off, size int) (lo, hi int) { return off / page, (off + size + page - 1) / page }

func (m *modelPages) protect(off, size int, setMax bool, prot mach.Prot) mach.KernReturn {
	if size == 0 {
		return ok
	}
	lo, hi := pagesOf(off, size)
	for p := lo; p < hi; p++ {
		if p >= scopePages || !m.pages[p].mapped {
			return adr
		}
		most := m.pages[p].max
		if setMax {
			most |= mach.ProtExecute
		}
		if prot&^most != 0 {
			return prt
		}
	}
	for p := lo; p < hi; p++ {
		x := &m.pages[p]
		if setMax {
			x.max, x.cur = prot, x.cur&prot
		} else {
			x.cur = prot
		}
	}
	return ok
}

func (m *modelPages) inherit(off, size int, in mach.Inherit) mach.KernReturn {
	lo, hi := pagesOf(off, size)
	for p := lo; size != 0 && p < min(hi, scopePages); p++ {
		m.pages[p].inherit = in
	}
	return ok
}

func (m *modelPages) deallocate(off, size int) mach.KernReturn {
	lo, hi := pagesOf(off, size)
	for p := lo; size != 0 && p < min(hi, scopePages); p++ {
		m.pages[p].mapped = false
	}
	return ok
}

// fresh makes pages new.
func (m *modelPages) fresh(p int) {
	x := &m.pages[p]
	x.mapped, x.cur, x.max, x.inherit = true, mach.ProtDefault, mach.ProtAll, mach.InheritCopy
	clear(m.data[p*page : (p+1)*page])
}

func (m *modelPages) allocate(off, size int, overwrite bool) mach.KernReturn {
	if size == 0 {
		return ok
	}
	lo := off / page
	hi := lo + (size+page-1)/page
	for p := lo; p < min(hi, scopePages) && !overwrite; p++ {
		if m.pages[p].mapped {
			return spc
		}
	}
	for p := lo; p < min(hi, scopePages); p++ {
		m.fresh(p)
	}
	return ok
}

// trial is one map of the real server's, forked from that of an arrangement.
type trial struct {
	*world
	m   *vm.Map
	mod *modelPages
}

// operations are the calls: each makes one of the real server and of the model,
// for the range of size bytes at off, and compares codes.
var operations = map[string]func(t *trial, off, size int) (real, model mach.KernReturn){
	"read": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		c, kr := t.Read(t.m, t.base+mach.Addr(off), uint64(size), nil)
		data, want := t.mod.read(off, size)
		if kr == ok && want == ok {
			got := make([]byte, size)
			c.ReadAt(got, 0)
			require.Equal(t.t, data, append([]byte(nil), got...))
		}
		c.Discard()
		return kr, want
	},
	"read overwrite": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		kr := t.ReadOverwrite(t.sender(), 0x200000, uint64(size), t.m, t.base+mach.Addr(off))
		return kr, t.mod.write(off, sent[:size], 0)
	},
	"write": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) { return t.send(off, size, 0) },
	"write, from the same in-page offset": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		return t.send(off, size, off%page)
	},
	"copy up": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		kr := t.Copy(t.m, t.base+mach.Addr(off), uint64(size), t.base+mach.Addr(off+2*page))
		return kr, t.mod.copy(off, size, off+2*page)
	},
	"copy down, unaligned": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		dst := max(off-page-3, 5)
		kr := t.Copy(t.m, t.base+mach.Addr(off), uint64(size), t.base+mach.Addr(dst))
		return kr, t.mod.copy(off, size, dst)
	},
	"protect": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		kr := t.Protect(t.m, t.base+mach.Addr(off), uint64(size), false, mach.ProtDefault)
		return kr, t.mod.protect(off, size, false, mach.ProtDefault)
	},
	"protect, the maximum": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		const prot = mach.ProtRead | mach.ProtExecute
		kr := t.Protect(t.m, t.base+mach.Addr(off), uint64(size), true, prot)
		return kr, t.mod.protect(off, size, true, prot)
	},
	"inherit": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		kr := t.Inherit(t.m, t.base+mach.Addr(off), uint64(size), mach.InheritNone)
		return kr, t.mod.inherit(off, size, mach.InheritNone)
	},
	"deallocate": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		kr := t.Deallocate(t.m, t.base+mach.Addr(off), uint64(size))
		return kr, t.mod.deallocate(off, size)
	},
	"allocate": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		_, kr := t.MachVMAllocate(t.m, t.base+mach.Addr(off), uint64(size), 0)
		return kr, t.mod.allocate(off, size, false)
	},
	"allocate over it": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		_, kr := t.MachVMAllocate(t.m, t.base+mach.Addr(off), uint64(size), mach.VMFlagsOverwrite)
		return kr, t.mod.allocate(off, size, true)
	},
	"remap": func(t *trial, off, size int) (mach.KernReturn, mach.KernReturn) {
		_, cur, most, kr := t.MachVMRemap(t.m, Remapping{
			Addr: 0x900000, Size: uint64(size), Source: t.base + mach.Addr(off), Flags: mach.VMFlagsOverwrite,
		}, t.m)
		want, wantCur, wantMost := ok, mach.ProtAll, mach.ProtAll
		if size == 0 {
			return kr, arg
		}
		lo := off / page
		for p := lo; p < lo+(size+page-1)/page; p++ {
			if p >= scopePages || !t.mod.pages[p].mapped {
				return kr, adr
			}
			wantCur, wantMost = wantCur&t.mod.pages[p].cur, wantMost&t.mod.pages[p].max
		}
		require.Equal(t.t, []mach.Prot{wantCur, wantMost}, []mach.Prot{cur, most})
		return kr, want
	},
	"region": func(t *trial, off, _ int) (mach.KernReturn, mach.KernReturn) {
		at, size, words, kr := t.MachVMRegion(t.m, t.base+mach.Addr(off), mach.RegionBasicInfo64, 9)
		if kr == ok && at >= t.base+scopePages*page {
			kr = adr // what a remap made, outside the model
		}
		p := off / page
		for p < scopePages && !t.mod.pages[p].mapped {
			p++
		}
		if p == scopePages {
			return kr, adr
		}
		require.Equal(t.t, ok, kr)
		require.LessOrEqual(t.t, at, t.base+mach.Addr(p)*page)
		require.Greater(t.t, at+mach.Addr(size), t.base+mach.Addr(p)*page)
		x := t.mod.pages[p]
		require.Equal(t.t, []uint32{uint32(x.cur), uint32(x.max), uint32(x.inherit)}, words[:3])
		return kr, ok
	},
}

// sent is what the world's sender has.
var sent = func() (b [16 * page]byte) {
	for i := range b {
		b[i] = 's'
	}
	return b
}()

func (t *trial) send(off, size, in int) (mach.KernReturn, mach.KernReturn) {
	c, kr := t.Copyin(t.sender(), 0x200000+mach.Addr(in), uint64(size))
	require.Equal(t.t, ok, kr)
	kr = t.Write(t.m, t.base+mach.Addr(off), c)
	c.Discard()
	return kr, t.mod.write(off, sent[:size], in)
}

// compare looks at every page of the real map.
func (t *trial) compare() error {
	have := map[int]vm.RegionInfo{}
	for _, r := range t.m.Entries() {
		for a := r.Start; a < r.Start+mach.Addr(r.Size); a += page {
			if a >= t.base && a < t.base+scopePages*page {
				have[int(a-t.base)/page] = r
			}
		}
	}
	for p, x := range t.mod.pages {
		r, there := have[p]
		switch {
		case there != x.mapped:
			return fmt.Errorf("page %d is there: %v", p, there)
		case there && (r.Prot != x.cur || r.MaxProt != x.max || r.Inherit != x.inherit):
			return fmt.Errorf("page %d is %v/%v %v", p, r.Prot, r.MaxProt, r.Inherit)
		}
	}
	t.m.Protect(t.base, scopePages*page, false, mach.ProtRead) // the map is not used again
	b := make([]byte, page)
	for p, x := range t.mod.pages {
		if !x.mapped || !x.max.Has(mach.ProtRead) {
			continue
		}
		if kr := t.m.ReadBytes(t.base+mach.Addr(p)*page, b); kr != ok || string(b) != string(t.mod.data[p*page:(p+1)*page]) {
			return fmt.Errorf("page %d has other bytes (%v)", p, kr)
		}
	}
	return nil
}

// arrangements are the pages that are special: none, each, and each with a hole
// or an inaccessible page behind it; all such pairs if far; a few if few.
func arrangements(few, far bool) (list []map[int]kind) {
	list = append(list, nil)
	for p := range scopePages {
		if few && p%3 != 0 {
			continue
		}
		for _, k := range kinds {
			list = append(list, map[int]kind{p: k})
			for q := p + 1; !few && q < scopePages && (far || q == p+1); q++ {
				for _, l := range kinds[:2] {
					list = append(list, map[int]kind{p: k, q: l})
				}
			}
		}
	}
	return list
}

// contents compares all bytes and changes nothing: it looks at a copy.
func (t *trial) contents() error {
	scratch := vm.NewMap(t.frames, nil)
	defer scratch.Terminate()
	b := make([]byte, page)
	for p, x := range t.mod.pages {
		if !x.mapped {
			continue
		}
		at := t.base + mach.Addr(p)*page
		e, kr := t.m.Extract(at, page, false, 0, 0)
		require.Equal(t.t, ok, kr)
		e.Each(func(a *vm.Attributes) { a.Prot, a.MaxProt = mach.ProtRead, mach.ProtRead })
		_, kr = scratch.Insert(vm.Spot{Addr: at}, e)
		require.Equal(t.t, ok, kr)
		require.Equal(t.t, ok, scratch.ReadBytes(at, b))
		if string(b) != string(t.mod.data[p*page:(p+1)*page]) {
			return fmt.Errorf("page %d has other bytes", p)
		}
	}
	return nil
}

// Whole histories: calls that follow each other in one map.
func TestXNUHistories(t *testing.T) {
	names := slices.Sorted(maps.Keys(operations))
	seed := time.Now().UnixNano()
	if s := os.Getenv("VM_SEED"); s != "" {
		seed, _ = strconv.ParseInt(s, 10, 64)
	}
	t.Logf("VM_SEED=%d", seed)
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	for i := range rounds {
		rng := rand.New(rand.NewSource(seed + int64(i)))
		w := newWorld(t, xnuObserved)
		tr := &trial{w, w.m, newModel(nil)}
		w.write(w.base, string(tr.mod.data[:]))
		var history []string
		for range 200 {
			name := names[rng.Intn(len(names))]
			if rng.Intn(3) == 0 {
				name = "allocate" // else all would soon be a hole
			}
			off := rng.Intn(scopePages * page)
			size := rng.Intn(scopePages * page)
			if rng.Intn(2) == 0 {
				off, size = off&^(page-1), size&^(page-1)
			}
			if strings.HasPrefix(name, "allocate") {
				size = min(size, scopePages*page-off) // the model ends there
			}
			history = append(history, fmt.Sprintf("%s: %d bytes at %d", name, size, off))
			real, want := operations[name](tr, off, size)
			err := tr.contents()
			if real != want || err != nil {
				require.Fail(t, "history", "seed %d: %v, the model %v, %v:\n%s", seed+int64(i), real, want, err, strings.Join(history, "\n"))
			}
		}
	}
}

func TestXNUSmallScope(t *testing.T) {
	for name, do := range operations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, xnuObserved)
			w.sender()
			for _, special := range arrangements(testing.Short(), os.Getenv("VM_SCOPE") == "all") {
				smallScope(w, special, do)
			}
		})
	}
}

// smallScope makes the call for all ranges in one arrangement.
func smallScope(w *world, special map[int]kind, do func(t *trial, off, size int) (real, model mach.KernReturn)) {
	start := newModel(special)
	m, kr := w.m.Fork(nil)
	require.Equal(w.t, ok, kr)
	defer m.Terminate()
	require.Equal(w.t, ok, m.WriteBytes(w.base, start.data[:]))
	for p, k := range special {
		if k.hole {
			m.Deallocate(w.base+mach.Addr(p)*page, page)
			continue
		}
		m.Protect(w.base+mach.Addr(p)*page, page, true, k.max)
		m.Protect(w.base+mach.Addr(p)*page, page, false, k.cur)
	}
	step := page / 2
	if testing.Short() {
		step = page
	}
	for off := 0; off < scopePages*page; off += page / 2 {
		for size := 0; size <= scopePages*page; size += step {
			child, kr := m.Fork(nil)
			require.Equal(w.t, ok, kr)
			model := *start
			tr := &trial{w, child, &model}
			real, want := do(tr, off, size)
			if real != want {
				require.Equal(w.t, want, real, "%v: %d bytes at %d", special, size, off)
			}
			if err := tr.compare(); err != nil {
				require.NoError(w.t, err, "%v: %d bytes at %d: %v", special, size, off, real)
			}
			child.Terminate()
		}
	}
}
