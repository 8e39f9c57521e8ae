package vm

import "machkernel/mach"

// SetFresh sets the current protection of memory that Allocate and Copyout make
// from now on, in this map and in those forked from it. A new map has
// read-write.
//
// Locks: takes the map's; the caller holds none.
func (m *Map) SetFresh(prot mach.Prot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fresh = prot
}

// Limits are the map's bounds. Locks: takes the map's for reading.
func (m *Map) Limits() Limits {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.limit
}

// SetLimits bounds the map (vm_set_size_limit). Memory it has already stays,
// even if it is more. Only with raise may Max grow. Precondition: Cur is not
// above Max.
//
// Locks: takes the map's; the caller holds none.
//
// Returns
//   - KernSuccess.
//   - KernNoAccess: Max would grow without raise. Nothing is changed.
func (m *Map) SetLimits(to Limits, raise bool) mach.KernReturn {
	m.mu.Lock()
	defer m.mu.Unlock()
	if to.Max > m.limit.Max && !raise {
		return mach.KernNoAccess
	}
	m.limit = to
	return mach.KernSuccess
}

// charge refuses memory by which the map would pass its limit. What the map
// has is added up each time, and only where there is a limit: nothing else
// needs the sum. Precondition: m.mu held.
func (m *Map) charge(size uint64) mach.KernReturn {
	if m.limit.Cur == Unlimited {
		return mach.KernSuccess
	}
	total := size
	for e := m.first; e != nil; e = e.next {
		if e.maxProt != mach.ProtNone {
			total += e.size()
		}
	}
	if total > m.limit.Cur {
		return mach.KernNoSpace
	}
	return mach.KernSuccess
}

// HasRoom reports whether Copyout would find a place for size bytes that begin
// at inPage of a page. Another thread may take it meanwhile.
//
// Locks: takes the map's for reading; the caller holds none.
func (m *Map) HasRoom(inPage, size uint64) bool {
	if size == 0 {
		return true
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	pages := roundSize(inPage + size)
	_, _, kr := m.place(Spot{Anywhere: true}, pages)
	return kr == mach.KernSuccess && m.charge(pages) == mach.KernSuccess
}

// Holds reports whether the page of addr is allocated. addr is untrusted.
//
// Locks: takes the map's for reading; the caller holds none.
func (m *Map) Holds(addr mach.Addr) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.at(addr) != nil
}
