package vm

import "machkernel/mach"

// roundSize rounds a size up to whole pages; it wraps to 0 as round_page does.
func roundSize(size uint64) uint64 { return uint64(mach.Addr(size).RoundPage()) }

// clampRange is the page range of a request for [addr, addr+size): rounded
// outwards, then cut to the map's bounds; empty (lo >= hi) where the sum
// wrapped. So requests that make no sense touch nothing.
func (m *Map) clampRange(addr mach.Addr, size uint64) (lo, hi mach.Addr) {
	lo = max(addr.TruncPage(), m.layout.Min)
	hi = min((addr + mach.Addr(size)).RoundPage(), m.layout.Max)
	return lo, hi
}

// Allocate makes zero-filled memory: read-write (or as SetFresh says), maximum
// all, inherited by copy (vm_allocate). addr and size are untrusted, in bytes of this map's
// address space; size is rounded up to pages, a fixed addr down to one. With
// anywhere the kernel chooses and addr is ignored.
//
// Locks: takes the map's; the caller holds none.
//
// Returns the address and
//   - KernSuccess; for size 0 too, with address 0 and nothing done.
//   - KernInvalidArgument: the rounded size is 0 (it wrapped); the map is dead.
//   - KernInvalidAddress: fixed, and the range leaves the map's bounds or wraps.
//   - KernNoSpace: fixed, and a page is in use; anywhere, and no gap is large
//     enough; or the map's limit would be passed.
//
// Source: GNU Mach's observed behaviour; the manual agrees but says that
// anywhere starts at addr.
func (m *Map) Allocate(addr mach.Addr, size uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
	if size == 0 {
		return 0, mach.KernSuccess
	}
	return m.Enter(addr.TruncPage(), roundSize(size), 0, anywhere,
		m.fresh, mach.ProtAll, mach.InheritCopy)
}

// Enter makes zero-filled memory with the given attributes, see EnterAt: with
// anywhere the kernel chooses the place, and high bits set in mask cap it.
//
// Locks and return codes as EnterAt.
func (m *Map) Enter(addr mach.Addr, size, mask uint64, anywhere bool,
	prot, maxProt mach.Prot, inherit mach.Inherit,
) (mach.Addr, mach.KernReturn) {
	return m.EnterAt(Spot{Addr: addr, Mask: mask, Anywhere: anywhere, MaskCaps: true}, size,
		Attributes{Prot: prot, MaxProt: maxProt, Inherit: inherit})
}

// enter links the new, untouched entry e behind prev, or grows a neighbour
// that is alike. In a map that wires new memory, what became an entry of its own
// is wired, as on GNU Mach. Precondition: m.mu held for writing.
func (m *Map) enter(prev, e *Entry) {
	m.link(prev, e)
	m.pack()
	raise := m.firstFree == prev &&
		(prev == nil && m.layout.Min >= e.start || prev != nil && prev.end >= e.start)
	lazy := e.lazyCopy
	e.lazyCopy = prev != nil && prev.lazyCopy // not asked for here
	if m.coalesce(e) {
		m.coalesce(prev.next)
		return
	}
	if next := e.next; next != nil {
		e.lazyCopy = next.lazyCopy
		if m.coalesceInto(next) {
			m.coalesce(next)
			return
		}
	}
	e.lazyCopy = lazy
	if raise {
		m.firstFree = e
	}
	if m.wireNew {
		e.wired.access = e.prot
		m.wire(e.start, e.end)
	}
}

// coalesceInto merges the entry before next into next, which stays the same
// *Entry: new memory below an entry grows that entry downwards.
func (m *Map) coalesceInto(next *Entry) bool {
	e := next.prev
	if e.end != next.start || !e.alike(next) || !m.join(e, next) {
		return false
	}
	next.object, next.view, next.first, next.offset, next.origin = e.object, e.view, e.first, e.offset, e.origin
	start := e.start
	m.unlink(e)
	m.move(next, start)
	m.regap(next.prev)
	return true
}

// Deallocate removes memory (vm_deallocate): all pages that [addr, addr+size)
// touches. addr and size are untrusted. Holes, memory that was never there
// and ranges that wrap or leave the map are no error.
//
// Locks: takes the map's; the caller holds none. Returns KernSuccess always.
func (m *Map) Deallocate(addr mach.Addr, size uint64) mach.KernReturn {
	if size == 0 {
		return mach.KernSuccess
	}
	var dead reaper
	lo, hi := m.clampRange(addr, size)
	m.mu.Lock()
	m.deleteRange(lo, hi, &dead)
	m.mu.Unlock()
	m.fr.bury(&dead)
	return mach.KernSuccess
}

// Protect sets the current protection of all pages that [addr, addr+size)
// touches, or with setMax the maximum, to which the current one is then cut
// (vm_protect). addr and size are untrusted. Holes are skipped; wrapped ranges
// are empty. All or nothing. Precondition: prot is of READ, WRITE, EXECUTE and
// NOTIFY; the VM server asks.
//
// Locks: takes the map's; the caller holds none. When access was lowered, no
// thread has the old access after return.
//
// Returns
//   - KernSuccess.
//   - KernProtectionFailure: prot exceeds the maximum of an entry in the range.
func (m *Map) Protect(addr mach.Addr, size uint64, setMax bool, prot mach.Prot) mach.KernReturn {
	lo, hi := m.clampRange(addr, size)
	m.mu.Lock()
	defer m.mu.Unlock()
	if lo >= hi {
		return mach.KernSuccess
	}
	for e := m.from(lo); e != nil && e.start < hi; e = e.next {
		if !(e.maxProt | mach.ProtNotify).Has(prot) {
			return mach.KernProtectionFailure
		}
	}
	m.protect(lo, hi, setMax, prot)
	return mach.KernSuccess
}

// ProtectWhole is Protect of a range that has no holes, as XNU wants it. With
// setMax, the protections in free are no increase. addr and size are untrusted.
//
// Locks as Protect. Returns
//   - KernSuccess.
//   - KernInvalidAddress: a page is not allocated; the range wraps.
//   - KernProtectionFailure: prot exceeds the maximum of an entry in the range.
//
// Of several faults the lowest address wins.
func (m *Map) ProtectWhole(addr mach.Addr, size uint64, setMax bool, prot, free mach.Prot) mach.KernReturn {
	lo, hi := addr.TruncPage(), (addr + mach.Addr(size)).RoundPage()
	if !setMax {
		free = mach.ProtNone
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := lo; at == lo || at < hi; {
		e := m.at(at)
		switch {
		case e == nil || hi <= lo:
			return mach.KernInvalidAddress
		case !(e.maxProt | free).Has(prot):
			return mach.KernProtectionFailure
		}
		at = e.end
	}
	m.protect(lo, hi, setMax, prot)
	return mach.KernSuccess
}

// protect changes the entries of [lo, hi). Precondition: m.mu held for writing;
// lo < hi.
func (m *Map) protect(lo, hi mach.Addr, setMax bool, prot mach.Prot) {
	m.forRange(lo, hi, func(e *Entry) {
		old := e.prot
		if setMax {
			e.maxProt, e.prot = prot, prot&old
		} else {
			e.prot = prot
		}
		if e.prot != old && e.object != nil && m.pm != nil {
			m.pm.Protect(e.start, e.end, pmapProt(e.prot))
		}
		if e.prot != mach.ProtNone && (e.wired.access != mach.ProtNone || m.wireNew) {
			e.wired.access = e.prot
		}
	})
	m.wire(lo, hi)
}

// Inherit sets what a child gets of all pages that [addr, addr+size) touches
// (vm_inherit). addr and size are untrusted. Holes are skipped; wrapped ranges
// are empty. Precondition: in is share, copy or none; the VM server asks.
//
// Locks: takes the map's; the caller holds none.
//
// Returns KernSuccess.
func (m *Map) Inherit(addr mach.Addr, size uint64, in mach.Inherit) mach.KernReturn {
	lo, hi := m.clampRange(addr, size)
	m.mu.Lock()
	defer m.mu.Unlock()
	if lo < hi {
		m.forRange(lo, hi, func(e *Entry) { e.inherit = in })
	}
	return mach.KernSuccess
}

// forRange clips the entries at lo and hi, calls fn for each in between, and
// merges what became alike, the neighbours included.
// Precondition: m.mu held for writing; lo < hi.
func (m *Map) forRange(lo, hi mach.Addr, fn func(*Entry)) {
	e := m.from(lo)
	if e == nil {
		return
	}
	m.clipStart(e, lo)
	for e != nil && e.start < hi {
		m.clipEnd(e, hi)
		fn(e)
		next := e.next
		m.coalesce(e)
		e = next
	}
	m.coalesce(e)
}

// Region describes the entry that holds addr, or else the next higher one
// (vm_region). addr is untrusted.
//
// Locks: takes the map's for reading; the caller holds none.
//
// Returns
//   - KernSuccess.
//   - KernNoSpace: there is no entry at or above addr.
func (m *Map) Region(addr mach.Addr) (RegionInfo, mach.KernReturn) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.from(addr)
	if e == nil {
		return RegionInfo{}, mach.KernNoSpace
	}
	return e.info(), mach.KernSuccess
}

// Entries is a snapshot of the map in address order, for tools. Locks: takes
// the map's for reading; the caller holds none.
func (m *Map) Entries() []RegionInfo {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var all []RegionInfo
	for e := m.first; e != nil; e = e.next {
		all = append(all, e.info())
	}
	return all
}
