package vm

import "machkernel/mach"

// physBase is the number of the first frame as physical memory counts: what lies
// below is the machine's own, and no page is at address 0.
const physBase = 256

// physical is the frame's address in physical memory, in bytes.
func (x Frame) physical() uint64 { return (uint64(x) + physBase) << mach.PageShift }

// Physical tells where the pages of [addr, addr+n*PageSize) lie in physical
// memory, in bytes; 0 for a page that is not resident, or not allocated
// (vm_pages_phys). addr is untrusted and page aligned; the range may wrap.
//
// Locks: takes the map's for reading and object locks; the caller holds none.
func (m *Map) Physical(addr mach.Addr, n int) []uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := make([]uint64, n)
	for i := range all {
		if e := m.at(addr + mach.Addr(i)<<mach.PageShift); e != nil && e.object != nil {
			e.object.mu.Lock()
			x, _ := e.object.lookup(e.page(addr + mach.Addr(i)<<mach.PageShift))
			e.object.mu.Unlock()
			if x != NoFrame {
				all[i] = x.physical()
			}
		}
	}
	return all
}

// EnterContiguous makes memory in contiguous frames that end at or below the
// physical address below, in bytes: zero-filled, wired, readable and writable at
// most, inherited by copy, at a place that the kernel chooses
// (vm_allocate_contiguous). size is page aligned. Wired pages do not move, so the
// frames stay contiguous until a page is unwired and copied.
//
// Locks: takes the map's and object locks; the caller holds none.
//
// Returns the address, the physical address of the first frame, and
//   - KernSuccess.
//   - KernResourceShortage: no frames that fit are free in a row.
//   - KernNoSpace: no gap is large enough; or the map's limit would be passed.
//   - KernInvalidArgument: size is 0; the map is dead.
func (m *Map) EnterContiguous(size, below uint64) (mach.Addr, uint64, mach.KernReturn) {
	if size == 0 {
		return 0, 0, mach.KernInvalidArgument
	}
	n := size >> mach.PageShift
	x, ok := m.fr.contiguous(n, below)
	if !ok {
		return 0, 0, mach.KernResourceShortage
	}
	o := newObject(m.fr)
	o.size = size
	o.carry()
	var none reaper
	for page := range n {
		o.pages.set(m.fr, page, x+Frame(page), &none)
	}
	g := segment{object: o, pages: n, origin: o.id}
	rw := mach.ProtDefault
	start, kr := m.enterSegment(Spot{Anywhere: true}, size, g,
		Attributes{Prot: rw, MaxProt: rw, Inherit: mach.InheritCopy}, wiring{access: rw, count: 1})
	if kr != mach.KernSuccess {
		g.drop()
		return 0, 0, kr
	}
	m.fr.noteWirer(m)
	return start, x.physical(), mach.KernSuccess
}

// contiguous takes n free frames in a row that end at or below a physical
// address, zero-filled, with one reference each, which the caller owns.
func (f *Frames) contiguous(n, below uint64) (Frame, bool) {
	if below>>mach.PageShift < physBase+n {
		return NoFrame, false
	}
	end := min(below>>mach.PageShift-physBase, uint64(f.total))
	f.mu.Lock()
	x, ok := f.searchRow(n, end)
	if !ok {
		f.mu.Unlock()
		return NoFrame, false
	}
	var runs []run
	for done := uint64(0); done < n; done += uint64(runs[len(runs)-1].n) {
		runs = append(runs, f.take(x+Frame(done), int(min(n-done, chunkFrames))))
	}
	f.mu.Unlock()
	for i, r := range runs {
		if !f.commit(r) {
			f.mu.Lock()
			for _, r := range runs[i:] {
				f.untake(r)
			}
			f.mu.Unlock()
			f.dropRuns(runs[:i])
			return NoFrame, false
		}
		f.hold(r)
		for k := range r.n {
			f.zeroed(r, k)
		}
	}
	return x, true
}

// dropRuns gives up the references on runs of frames.
func (f *Frames) dropRuns(runs []run) {
	var dead reaper
	for _, r := range runs {
		for k := range r.n {
			f.decref(r.first+Frame(k), &dead)
		}
	}
	f.bury(&dead)
}

// searchRow finds n free frames in a row, the last before number end.
// Precondition: f.mu held.
func (f *Frames) searchRow(n, end uint64) (Frame, bool) {
	row := uint64(0)
	for x := uint64(0); x < end; x++ {
		if f.chunks[x/chunkFrames].free>>(x%chunkFrames)&1 == 0 {
			row = 0
			continue
		}
		if row++; row == n {
			return Frame(x + 1 - n), true
		}
	}
	return NoFrame, false
}
