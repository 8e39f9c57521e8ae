package vm

import (
	"slices"

	"machkernel/mach"
)

// wiring is what vm_wire and vm_wire_all made of an entry.
//
// An entry of no protection is never wired, but keeps the access for the time
// when it gets one. The count stops at many; that it is kept shows only where
// entries of different counts stay apart.
type wiring struct {
	access mach.Prot // what must not fault; ProtNone if nothing was asked for
	count  uint8     // how often the entry was found to be wired: 0 not, 1 once, many
}

const many = 2

// Wire makes the pages of [addr, addr+size) resident and marks them as wanted
// for the access (vm_wire); ProtNone unmarks them. addr and size are untrusted.
// If the map would come to have more than most bytes wired, by the size as it
// was given, it refuses. Resident anonymous pages stay, so the mark only keeps
// entries apart and a page shared by a later copy still faults once.
//
// Entries are split at the ends of the range and stay so, even when the call
// fails: GNU Mach does that, and vm_region shows it.
//
// Locks: takes the map's and object locks; the caller holds none.
//
// Returns
//   - KernSuccess; for an empty range too, if its address is allocated.
//   - KernNoAccess: more than most, and access is not ProtNone.
//   - KernNoSpace: a page is not allocated, or its protection lacks the access.
//   - KernResourceShortage: no frame is left; nothing is wired.
func (m *Map) Wire(addr mach.Addr, size uint64, access mach.Prot, most uint64) mach.KernReturn {
	lo, hi := m.clampRange(addr, size)
	lo = min(lo, hi)
	m.mu.Lock()
	defer m.mu.Unlock()
	if access != mach.ProtNone && m.wiredSize()+size > most {
		return mach.KernNoAccess
	}
	if !m.clipWired(lo, hi, access) {
		return mach.KernNoSpace
	}
	if access != mach.ProtNone && !m.reside(lo, hi, access) {
		return mach.KernResourceShortage
	}
	m.setWired(lo, hi, access)
	m.fr.noteWirer(m)
	return mach.KernSuccess
}

// clipWired splits the entries at lo and hi, and reports whether the range has
// no hole and allows the access everywhere. Precondition: m.mu held for writing.
func (m *Map) clipWired(lo, hi mach.Addr, access mach.Prot) bool {
	e := m.at(lo)
	if e == nil {
		return false
	}
	m.clipStart(e, lo)
	for ; e != nil && e.start < hi; e = e.next {
		m.clipEnd(e, hi)
		hole := e.end < hi && (e.next == nil || e.next.start > e.end)
		if hole || !e.prot.Has(access) {
			return false
		}
	}
	return true
}

// WireAll wires, or with neither argument unwires, a whole map (vm_wire_all).
// With current all memory there is, for reading and writing as far as it is
// protected; with future all that will be. With neither, memory to come is not
// wired any more.
//
// Locks: takes the map's and object locks; the caller holds none.
//
// Returns
//   - KernSuccess; for an empty map too.
//   - KernResourceShortage: no frame is left; nothing is wired.
func (m *Map) WireAll(current, future bool) mach.KernReturn {
	m.mu.Lock()
	defer m.mu.Unlock()
	access := mach.ProtNone
	switch {
	case current:
		access = mach.ProtDefault
		if !m.reside(m.layout.Min, m.layout.Max, access) {
			return mach.KernResourceShortage
		}
	case !future:
		m.wireNew = false
	}
	if !m.dead {
		m.fr.noteWirer(m)
	}
	m.wireNew = m.wireNew || future
	if current || !future {
		m.setWired(m.layout.Min, m.layout.Max, access)
	}
	return mach.KernSuccess
}

// reside makes the pages in the range resident that would be wired for the
// access; it reports false when no frame is left. Precondition: m.mu held for
// writing.
func (m *Map) reside(lo, hi mach.Addr, access mach.Prot) bool {
	for e := m.from(lo); e != nil && e.start < hi; e = e.next {
		if e.prot == mach.ProtNone {
			continue
		}
		m.touchEntry(e)
		if e.prot.Has(mach.ProtWrite) && e.wired.count == 0 {
			e.shadow()
		}
		if !e.object.resident(e.span(lo, hi), (access & e.prot).Has(mach.ProtWrite)) {
			return false
		}
	}
	return true
}

// setWired gives the entries in the range their access. Preconditions: m.mu held
// for writing; entries are split at lo and hi; the pages are resident.
func (m *Map) setWired(lo, hi mach.Addr, access mach.Prot) {
	for e := m.from(lo); e != nil && e.start < hi; e = e.next {
		e.wired.access = access
		e.countWired()
	}
}

// wire wires the entries in the range that are to be and are not, after new
// memory was entered or a protection changed. Where no frame is left they stay
// unwired: what was asked for has been done. Precondition: m.mu held for
// writing.
func (m *Map) wire(lo, hi mach.Addr) {
	for e := m.from(lo); e != nil && e.start < hi; e = e.next {
		if e.wired.access != mach.ProtNone && e.wired.count == 0 &&
			!m.reside(e.start, e.end, e.wired.access) {
			continue
		}
		e.countWired()
	}
}

// countWired brings the entry's count up to its access and protection.
func (e *Entry) countWired() {
	if e.wired.access == mach.ProtNone || e.prot == mach.ProtNone {
		e.wired.count = 0
		return
	}
	e.wired.count = min(e.wired.count+1, many)
}

// wiredSize is how many bytes are wired. Precondition: m.mu held.
func (m *Map) wiredSize() (size uint64) {
	for e := m.first; e != nil; e = e.next {
		if e.wired.count != 0 {
			size += e.size()
		}
	}
	return size
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
func (f *Frames) Wired() int { return len(f.wired()) }

// wired are the frames that Wired counts.
func (f *Frames) wired() map[Frame]struct{} {
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
	return seen
}
