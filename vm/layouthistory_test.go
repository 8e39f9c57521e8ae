package vm

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"machkernel/mach"
)

// Histories in maps of another layout than GNU Mach's, with memory that is moved or
// shared by Extract and Insert, and copies written in parts.

func (w *world) remap(from *model) {
	to := w.any()
	src := base + mach.Addr(w.intn(worldPages))*page
	dst := base + mach.Addr(w.intn(worldPages))*page
	n := 1 + w.intn(4)
	share, over := w.intn(2) == 0, w.intn(2) == 0
	want := from.check(src, uint64(n)*page, 0)
	x, kr := from.real.Extract(src, uint64(n)*page, share, 0, 0)
	require.Equal(w, want, kr)
	if kr != ok {
		if share { // what was before the fault is shared with nobody
			w.markShared(from)
		}
		return
	}
	var pages []*modelPage
	for i := range n {
		q := *from.pages[pageOf(src)+uint64(i)]
		if !share {
			c := *q.cell
			q.cell, q.shared = &c, false
		} else {
			q.shared = true
		}
		pages = append(pages, &q)
	}
	w.markShared(from)
	if w.intn(8) == 0 {
		x.Discard()
		return
	}
	free := true
	for i := range n {
		free = free && to.pages[pageOf(dst)+uint64(i)] == nil
	}
	_, kr = to.real.Insert(Spot{Addr: dst, Overwrite: over}, x)
	if !free && !over {
		require.Equal(w, mach.KernNoSpace, kr)
		x.Discard()
		return
	}
	require.Equal(w, ok, kr)
	for i := range n {
		to.pages[pageOf(dst)+uint64(i)] = pages[i]
	}
}

func (w *world) markShared(m *model) {
	for _, r := range m.real.Entries() {
		for a := r.Start; a < r.Start+mach.Addr(r.Size); a += page {
			if p := m.pages[pageOf(a)]; p != nil && r.Shared {
				p.shared = true
			}
		}
	}
}

func (w *world) parts(m *model) {
	c := w.takeCopy()
	if c == nil {
		return
	}
	addr := base + mach.Addr(w.intn(worldPages))*page + mach.Addr(c.in)
	end := addr + mach.Addr(c.size)
	lo, hi := addr.RoundPage(), end.TruncPage()
	if c.size == 0 || lo >= hi {
		w.copies = append(w.copies, c)
		return
	}
	want := ok
	for _, p := range [][2]mach.Addr{{addr, lo}, {lo, hi}, {hi, end}} {
		if p[0] == p[1] {
			continue
		}
		if want = m.check(p[0], uint64(p[1]-p[0]), mach.ProtWrite); want != ok {
			break
		}
		if p[0] == lo {
			for q := pageOf(lo); q < pageOf(hi); q++ {
				if x := m.pages[q]; !x.shared {
					x.cell = new(cell)
				}
			}
		}
		off := uint64(p[0] - addr)
		m.write(p[0], c.data[c.in:][off:off+uint64(p[1]-p[0])])
	}
	require.Equal(w, want, m.real.OverwriteInParts(addr, c.real))
	if want != ok {
		w.copies = append(w.copies, c)
	}
}

func layoutHistory(t *rapid.T) {
	w := &world{bed: newBed(t, 8192), t: t}
	m := NewMap(w.fr, w.pmap())
	m.SetLayout(Layout{Min: 0x1000, Max: 1 << 40, FirstFit: rapid.Bool().Draw(t, "first"), Rejoin: rapid.Bool().Draw(t, "rejoin")})
	w.tasks = []*model{w.task(m)}
	ops := map[string]func(*rapid.T){
		"": func(*rapid.T) {
			w.bed.audit()
			w.compare()
		},
		"fork":      func(*rapid.T) { w.fork(w.any()) },
		"terminate": func(*rapid.T) { w.terminate() },
		"discard":   func(*rapid.T) { w.discard() },
	}
	for name, op := range map[string]func(*model){
		"allocate": w.allocate, "allocate again": w.allocate, "deallocate": w.deallocate, "protect": w.protect, "inherit": w.inherit,
		"write": w.write, "write again": w.write, "copyin": w.copyin, "copyin again": w.copyin, "copyout": w.copyout,
		"overwrite": w.overwrite, "parts": w.parts, "wire": w.wire, "remap": w.remap, "remap again": w.remap,
		"offer": w.offer,
	} {
		ops[name] = func(*rapid.T) { op(w.any()) }
	}
	t.Repeat(ops)
}

func TestHistoriesOfOtherLayouts(t *testing.T) { rapid.Check(t, layoutHistory) }
