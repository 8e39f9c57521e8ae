package vm

import "machkernel/mach"

const (
	// aroundPages is how many pages one fault maps at most: an aligned window.
	aroundPages = 16

	// aheadPages is how many pages a sequential zero-fill makes resident.
	aheadPages = 8
)

// Fault makes the page at addr accessible to the task's instructions: the one
// place where a page becomes resident for machine code. access is what the
// instruction tried. The page is filled with zeroes or copied if need be, and
// entered in the pmap together with neighbours that are resident in
// contiguous frames.
//
// Locks: takes the map's for reading and the object's; the caller holds none.
//
// Returns
//   - KernSuccess: the access can be tried again. The pmap may have forgotten
//     the page by then; then it faults again.
//   - KernInvalidAddress: no memory is allocated at addr; the map is dead.
//   - KernProtectionFailure: access exceeds the current protection.
//   - KernResourceShortage: no frame is left; nothing changed.
//
// and the pmap's error, with KernFailure, if the host cannot map that address
// at all.
func (m *Map) Fault(addr mach.Addr, access mach.Prot) (mach.KernReturn, error) {
	_, kr, err := m.resolve(addr, access, false)
	return kr, err
}

// Filled is what a fault did to its page.
type Filled int

// What a fault can do to its page.
const (
	FilledNot    Filled = iota // it was there
	FilledZero                 // it is a zero page now
	FilledByCopy               // it has a private frame now
)

// FaultOne is Fault for those who look at each fault: it does nothing for the
// page's neighbours, so that they fault, too, and tells what it did.
func (m *Map) FaultOne(addr mach.Addr, access mach.Prot) (Filled, mach.KernReturn, error) {
	return m.resolve(addr, access, true)
}

// resolve is Fault, with alone for FaultOne.
func (m *Map) resolve(addr mach.Addr, access mach.Prot, alone bool) (Filled, mach.KernReturn, error) {
	m.fr.stats.Faults.Add(1)
	m.events.Faults.Add(1)
	addr = addr.TruncPage()
	for {
		m.mu.RLock()
		e := m.at(addr)
		switch {
		case e == nil:
			m.mu.RUnlock()
			return FilledNot, mach.KernInvalidAddress, nil
		case !e.prot.Has(access):
			m.mu.RUnlock()
			return FilledNot, mach.KernProtectionFailure, nil
		case e.ready(access):
			filled, kr, err := e.fault(m, addr, access, alone)
			m.mu.RUnlock()
			return filled, kr, err
		}
		m.mu.RUnlock()
		m.touch(addr, addr+1, access)
	}
}

// ready reports whether the entry's books are right for the access.
func (e *Entry) ready(access mach.Prot) bool {
	return e.object != nil && !(e.lazyCopy && access.Has(mach.ProtWrite))
}

// touch makes the entries in [lo, hi) ready for the access.
func (m *Map) touch(lo, hi mach.Addr, access mach.Prot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for e := m.from(lo); e != nil && e.start < hi; e = e.next {
		m.touchEntry(e)
		if access.Has(mach.ProtWrite) {
			e.shadow()
		}
	}
}

// touchEntry gives e an object if it has none.
// Precondition: m.mu held for writing.
func (m *Map) touchEntry(e *Entry) {
	if e.object == nil {
		o := newObject(m.fr)
		o.size = e.size()
		o.carry()
		e.back(m, o, 0)
	}
}

// fault makes a page of the entry resident and enters it in the pmap, with its
// neighbours or alone.
// Preconditions: m.mu held for reading; e ready for the access, which is allowed.
func (e *Entry) fault(m *Map, addr mach.Addr, access mach.Prot, alone bool) (filled Filled, kr mach.KernReturn, err error) {
	o, page := e.object, e.page(addr)
	o.mu.Lock()
	defer o.mu.Unlock()
	x, _ := o.lookup(page)
	ok := true
	var dead reaper
	defer m.fr.bury(&dead) // a frame that was copied is mapped until the copy is
	switch {
	case x == NoFrame:
		pages := 1
		if !alone {
			pages = e.ahead(m.fr, page)
		}
		n := o.fill(page, pages)
		ok = n > 0
		m.events.ZeroFills.Add(uint64(n))
		filled = FilledZero
	case access.Has(mach.ProtWrite):
		var own Frame
		if own, _, ok = o.own(page, NoFrame, e.view, &dead); ok && own != x {
			m.events.CowFaults.Add(1)
			filled = FilledByCopy
		}
	}
	switch {
	case !ok:
		return FilledNot, mach.KernResourceShortage, nil
	case m.pm == nil:
		return filled, mach.KernSuccess, nil
	case alone:
		kr, err = e.enterRuns(m, addr, e.run(addr, addr))
	case access.Has(mach.ProtWrite):
		kr, err = e.enterRuns(m, addr, e.around(addr))
	default:
		kr, err = e.enterRuns(m, addr, e.window(addr)...)
	}
	return filled, kr, err
}

// ahead is how many pages to zero-fill at an absent page: more than one when
// the page before is resident, so that the task goes through memory in order,
// and frames are plentiful. Precondition: o.mu held.
func (e *Entry) ahead(f *Frames, page uint64) int {
	if page == 0 {
		return 1
	}
	if x, exclusive := e.object.lookup(page - 1); x == NoFrame || !exclusive {
		return 1
	}
	if s := f.Stats(); s.Free < s.Total/2 {
		return 1
	}
	return int(min(aheadPages, e.all().hi-page))
}

// bounds is the aligned window of pages around addr, within the entry.
func (e *Entry) bounds(addr mach.Addr) (lo, hi mach.Addr) {
	const window = aroundPages * mach.PageSize
	base := addr &^ (window - 1)
	return max(base, e.start), min(base+window, e.end)
}

// around is the longest run of resident pages around addr, in its window,
// that one mapping can show: contiguous frames, equal access. A page that is
// being written has neighbours that are mapped already, as a rule.
// Precondition: o.mu held, the page at addr resident.
func (e *Entry) around(addr mach.Addr) Mapping {
	start, end := e.bounds(addr)
	lo, hi := addr, addr
	for lo > start && e.follows(lo-mach.PageSize) {
		lo -= mach.PageSize
	}
	for hi+mach.PageSize < end && e.follows(hi) {
		hi += mach.PageSize
	}
	return e.run(lo, hi)
}

// window is all resident pages in addr's window, as runs: in memory that is
// copied in part, one fault then maps what would else take one for each page.
// Precondition: o.mu held, the page at addr resident.
func (e *Entry) window(addr mach.Addr) []Mapping {
	var runs []Mapping
	start, end := e.bounds(addr)
	for lo := start; lo < end; lo += mach.PageSize {
		if x, _ := e.object.lookup(e.page(lo)); x == NoFrame {
			continue
		}
		hi := lo
		for hi+mach.PageSize < end && e.follows(hi) {
			hi += mach.PageSize
		}
		runs = append(runs, e.run(lo, hi))
		lo = hi
	}
	return runs
}

// follows reports whether the page behind the one at a continues its run.
func (e *Entry) follows(a mach.Addr) bool {
	x, xe := e.object.lookup(e.page(a))
	y, ye := e.object.lookup(e.page(a) + 1)
	return x != NoFrame && y == x+1 && xe == ye
}

// run is the mapping for the pages from lo to hi, both included. Write access
// is given only to a frame that no copy shares, and not before the entry's first
// write after a copy.
func (e *Entry) run(lo, hi mach.Addr) Mapping {
	x, exclusive := e.object.lookup(e.page(lo))
	prot := pmapProt(e.prot)
	if !exclusive || e.lazyCopy {
		prot &^= mach.ProtWrite
	}
	return Mapping{VA: lo, Frame: x, Pages: int((hi-lo)>>mach.PageShift) + 1, Prot: prot}
}

// enterRuns tells the pmap, and remembers which pages it may map. Where the
// host refuses the neighbours, the page at addr is tried alone.
// Precondition: o.mu held.
func (e *Entry) enterRuns(m *Map, addr mach.Addr, runs ...Mapping) (mach.KernReturn, error) {
	for _, r := range runs {
		s := span{e.page(r.VA), e.page(r.VA) + uint64(r.Pages)}
		e.view.mapped = e.view.mapped.join(s)
		if r.Prot.Has(mach.ProtWrite) {
			e.view.written = e.view.written.join(s)
		}
	}
	err := m.pm.Enter(runs)
	if err != nil && (len(runs) > 1 || runs[0].Pages > 1) {
		err = m.pm.Enter([]Mapping{e.run(addr, addr)})
	}
	if err != nil {
		return mach.KernFailure, err
	}
	return mach.KernSuccess, nil
}
