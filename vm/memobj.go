package vm

import (
	"slices"

	"machkernel/mach"
)

// A memory object that a client may map: what vm_region_create_proxy makes of a
// task's memory.

// Offer makes the memory behind addr an object that can be mapped elsewhere
// (Enter with Backing), and describes the entry that holds addr, or else the next
// higher one. Offset is addr's in the object, and may wrap below it. The object
// keeps its pages as long as somebody has it mapped, also where its first mapping
// is deallocated in part, and its entries grow no more. Offering it does not hold
// it: whoever keeps Object finds it dead when the last mapping is gone.
//
// Locks: takes the map's; the caller holds none.
//
// Returns
//   - KernSuccess.
//   - KernNoSpace: there is no entry at or above addr.
//   - KernInvalidArgument: size is more than the entry's.
func (m *Map) Offer(addr mach.Addr, size uint64) (RegionInfo, mach.KernReturn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.from(addr)
	if e == nil {
		return RegionInfo{}, mach.KernNoSpace
	}
	if size > e.size() {
		return RegionInfo{}, mach.KernInvalidArgument
	}
	m.touchEntry(e)
	o := e.object
	o.mu.Lock()
	o.offered = true
	o.mu.Unlock()
	r := e.info()
	r.Offset = e.first<<mach.PageShift + uint64(addr-e.start)
	return r, mach.KernSuccess
}

// Backing is what new memory shows.
type Backing struct {
	Object *Object // offered by a map; nil for zeros, with Offset and Copy of no matter
	Offset uint64  // bytes into it; cut to a page
	Copy   bool    // a copy-on-write copy of it, and not the memory itself
}

// take makes a segment of n bytes of the object, whose use is the caller's. It
// reports false if the object is dead.
func (b Backing) take(n uint64) (segment, bool) {
	o := b.Object
	g := segment{first: b.Offset >> mach.PageShift, pages: n >> mach.PageShift}
	g.offset = g.first << mach.PageShift
	o.mu.Lock()
	live := o.users > 0
	if live {
		o.users++
	}
	o.mu.Unlock()
	if !live {
		return g, false
	}
	g.object = o
	if b.Copy {
		g.object, g.lazyCopy = o.copyRange(span{g.first, g.first + g.pages}), true
		var dead reaper
		o.discard(&dead)
		o.fr.bury(&dead)
	}
	return g, true
}

// drop ends the segment's use of its object.
func (g segment) drop() {
	var dead reaper
	g.object.discard(&dead)
	g.object.fr.bury(&dead)
}

// EnterBacked is EnterAt of memory that shows a memory object (vm_map of one), or
// is filled with zeros if the backing names none. The codes are EnterAt's, and
//   - KernInvalidArgument: the object is dead; offset and size wrap.
//
// Locks: takes the map's and object locks; the caller holds none.
func (m *Map) EnterBacked(at Spot, size uint64, b Backing, a Attributes) (mach.Addr, mach.KernReturn) {
	if b.Object == nil {
		return m.EnterAt(at, size, a)
	}
	if b.Offset+size < size {
		return 0, mach.KernInvalidArgument
	}
	g, live := b.take(size)
	if !live {
		return 0, mach.KernInvalidArgument
	}
	start, kr := m.enterSegment(at, size, g, a, wiring{})
	if kr != mach.KernSuccess {
		g.drop()
	}
	return start, kr
}

// enterSegment is EnterAt of an entry that shows g, whose object becomes the
// entry's on success.
func (m *Map) enterSegment(at Spot, size uint64, g segment, a Attributes, wired wiring) (mach.Addr, mach.KernReturn) {
	return m.enterAt(at, size, a, func(e *Entry) {
		e.wired = wired
		e.fill(m, g)
	})
}

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
	g := segment{object: o, pages: n}
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

// noteWirer remembers that the map has, or had, wired memory.
func (f *Frames) noteWirer(m *Map) {
	f.wireMu.Lock()
	defer f.wireMu.Unlock()
	if !slices.Contains(f.wirers, m) {
		f.wirers = append(f.wirers, m)
	}
}

// dropWirer forgets a map that ends.
func (f *Frames) dropWirer(m *Map) {
	f.wireMu.Lock()
	defer f.wireMu.Unlock()
	f.wirers = slices.DeleteFunc(f.wirers, func(w *Map) bool { return w == m })
}

// Wired is how many frames are wired, each counted once whoever has it wired
// (vm_statistics). It looks at every wired page.
//
// Locks: takes the locks of maps with wired memory for reading, one by one, and
// object locks; the caller holds none.
func (f *Frames) Wired() int {
	f.wireMu.Lock()
	wirers := slices.Clone(f.wirers)
	f.wireMu.Unlock()
	seen := map[Frame]struct{}{}
	for _, m := range wirers {
		m.mu.RLock()
		for e := m.first; e != nil; e = e.next {
			if e.wired.count == 0 || e.object == nil {
				continue
			}
			s := e.all()
			e.object.mu.Lock()
			e.object.pages.each(s.lo, s.hi, func(_ uint64, x Frame) { seen[x] = struct{}{} })
			e.object.mu.Unlock()
		}
		m.mu.RUnlock()
	}
	return len(seen)
}
