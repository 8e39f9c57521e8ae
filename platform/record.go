package platform

import (
	"slices"

	"machkernel/mach"
	"machkernel/vm"
)

const (
	windowShift = mach.PageShift + 9 // 2 MiB
	windowPages = 1 << (windowShift - mach.PageShift)
)

// record is what a process has mapped, page by page: so that a request that
// changes nothing costs no round trip, and so that whole mappings can be
// dropped when the host runs out of them. It is not safe for concurrent use.
//
// Invariant: a window in the table has at least one mapped page, and counts
// them rightly. A mapped page has a protection other than none.
type record struct {
	windows map[uint64]*window // by address >> windowShift
}

type window struct {
	mapped int
	pages  [windowPages]pageEntry
}

// pageEntry is one page's mapping; prot is ProtNone for a page without one.
type pageEntry struct {
	frame vm.Frame
	prot  mach.Prot
}

// extent is a range of pages, [start, end).
type extent struct{ start, end mach.Addr }

func (r *record) at(addr mach.Addr) pageEntry {
	w := r.windows[uint64(addr)>>windowShift]
	if w == nil {
		return pageEntry{}
	}
	return w.pages[pageIndex(addr)]
}

func pageIndex(addr mach.Addr) int {
	return int(addr>>mach.PageShift) & (windowPages - 1)
}

// set records the mapping of one page; a protection of none forgets it.
func (r *record) set(addr mach.Addr, e pageEntry) {
	key := uint64(addr) >> windowShift
	w := r.windows[key]
	if w == nil {
		if e.prot == mach.ProtNone {
			return
		}
		if r.windows == nil {
			r.windows = map[uint64]*window{}
		}
		w = &window{}
		r.windows[key] = w
	}
	p := &w.pages[pageIndex(addr)]
	if p.prot != mach.ProtNone {
		w.mapped--
	}
	if e.prot != mach.ProtNone {
		w.mapped++
	}
	*p = e
	if w.mapped == 0 {
		delete(r.windows, key)
	}
}

// keys are the windows with mapped pages that meet [start, end), in order.
func (r *record) keys(start, end mach.Addr) []uint64 {
	if start >= end || len(r.windows) == 0 {
		return nil
	}
	first, last := uint64(start)>>windowShift, uint64(end-1)>>windowShift
	var keys []uint64
	if last-first < uint64(len(r.windows)) {
		for k := first; k <= last; k++ {
			if r.windows[k] != nil {
				keys = append(keys, k)
			}
		}
		return keys
	}
	for k := range r.windows {
		if k >= first && k <= last {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// each calls f for the mapped pages in [start, end), in order. f must not
// change the record.
func (r *record) each(start, end mach.Addr, f func(addr mach.Addr, e pageEntry)) {
	for _, k := range r.keys(start, end) {
		w, base := r.windows[k], mach.Addr(k<<windowShift)
		lo, hi := max(start, base), min(end, base+windowPages*mach.PageSize)
		for a := lo; a < hi; a += mach.PageSize {
			if e := w.pages[pageIndex(a)]; e.prot != mach.ProtNone {
				f(a, e)
			}
		}
	}
}

// clear forgets the mappings in [start, end).
func (r *record) clear(start, end mach.Addr) {
	for _, k := range r.keys(start, end) {
		w, base := r.windows[k], mach.Addr(k<<windowShift)
		lo, hi := max(start, base), min(end, base+windowPages*mach.PageSize)
		for a := lo; a < hi; a += mach.PageSize {
			if p := &w.pages[pageIndex(a)]; p.prot != mach.ProtNone {
				*p = pageEntry{}
				w.mapped--
			}
		}
		if w.mapped == 0 {
			delete(r.windows, k)
		}
	}
}

// runs are the maximal runs of neighbouring mapped pages in [start, end).
func (r *record) runs(start, end mach.Addr) []extent {
	var runs []extent
	r.each(start, end, func(a mach.Addr, _ pageEntry) {
		if n := len(runs); n > 0 && runs[n-1].end == a {
			runs[n-1].end += mach.PageSize
			return
		}
		runs = append(runs, extent{a, a + mach.PageSize})
	})
	return runs
}

// widen moves the ends of x outward to where no mapped page follows, so that
// unmapping it cuts no mapping of the host in two.
func (r *record) widen(x extent) extent {
	for x.start > 0 && r.at(x.start-mach.PageSize).prot != mach.ProtNone {
		x.start -= mach.PageSize
	}
	for r.at(x.end).prot != mach.ProtNone {
		x.end += mach.PageSize
	}
	return x
}
