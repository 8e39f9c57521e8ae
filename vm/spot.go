package vm

import "machkernel/mach"

// Layout says where a map's memory can lie, and how its entries do.
type Layout struct {
	Min, Max mach.Addr // page aligned; Max is exclusive
	FirstFit bool      // memory goes to the lowest gap, and not where findSpace says
	Rejoin   bool      // entries that Copyin split are joined again
}

// SetLayout gives a map its bounds and its way of choosing places, and those
// forked from it. A new map has GNU Mach's. Precondition: the map is empty.
//
// Locks: takes the map's; the caller holds none.
func (m *Map) SetLayout(l Layout) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first != nil || l.Min > l.Max {
		panic("BUG: layout of a map that has memory, or of no addresses")
	}
	m.layout, m.packed = l, l.Min
}

// Layout is where the map's memory can lie. Locks: takes the map's for reading.
func (m *Map) Layout() Layout {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.layout
}

// Spot says where new memory is to lie. All of it is untrusted, but Addr is page
// aligned.
type Spot struct {
	Addr      mach.Addr // the place; with Anywhere the lowest one, in a map that has FirstFit
	Mask      uint64    // bits that are clear in the address
	MaskCaps  bool      // with Anywhere: high bits of Mask are the end of the range to search, see splitMask
	Anywhere  bool      // the kernel chooses
	Overwrite bool      // not with Anywhere: what lies there is deallocated first
}

// Attributes are what new memory is made with. Prot may exceed MaxProt.
type Attributes struct {
	Prot, MaxProt mach.Prot
	Inherit       mach.Inherit
	Permanent     bool  // the memory is never deallocated while the map lives, see Deallocate
	Tag           uint8 // what it is for; memory of different tags stays apart
}

// EnterAt makes size bytes of zero-filled memory (vm_map of no object). size is
// page aligned. The new memory joins a neighbouring entry where the two are
// alike.
//
// Locks: takes the map's; the caller holds none.
//
// Returns the address and
//   - KernSuccess.
//   - KernInvalidArgument: size 0; the map is dead.
//   - KernInvalidAddress: fixed, and the range leaves the map's bounds or wraps.
//   - KernNoSpace: fixed, and a page is in use, or with Overwrite is permanent;
//     anywhere, and no gap is large enough; or the map's limit would be passed;
//     or fixed, and Addr has a bit of Mask; or no place satisfies Mask.
//
// On failure nothing changed, but that permanent memory in the way of Overwrite
// has lost all access.
func (m *Map) EnterAt(s Spot, size uint64, a Attributes) (mach.Addr, mach.KernReturn) {
	return m.enterAt(s, size, a, func(*Entry) {})
}

// enterAt is EnterAt, where back gives the entry its memory.
func (m *Map) enterAt(s Spot, size uint64, a Attributes, back func(*Entry)) (mach.Addr, mach.KernReturn) {
	var dead reaper
	m.mu.Lock()
	defer func() {
		m.mu.Unlock()
		m.fr.bury(&dead)
	}()
	charged := size
	if a.MaxProt == mach.ProtNone {
		charged = 0
	}
	prev, start, kr := m.claim(s, size, charged, &dead)
	if kr != mach.KernSuccess {
		return 0, kr
	}
	e := &Entry{
		start: start, end: start + mach.Addr(size),
		prot: a.Prot, maxProt: a.MaxProt, inherit: a.Inherit, permanent: a.Permanent, tag: a.Tag,
	}
	back(e)
	m.enter(prev, e)
	return start, mach.KernSuccess
}

// claim finds or makes room for an entry, which counts as so many bytes against
// the map's limit; prev is the entry before it. Precondition: m.mu held for
// writing.
func (m *Map) claim(s Spot, size, charged uint64, dead *reaper) (prev *Entry, start mach.Addr, kr mach.KernReturn) {
	if s.Overwrite && !s.Anywhere {
		return m.evict(s, size, charged, dead)
	}
	prev, start, kr = m.place(s, size)
	if kr == mach.KernSuccess && charged != 0 {
		kr = m.charge(charged)
	}
	return prev, start, kr
}

// evict makes room at a fixed place. Precondition: m.mu held for writing.
func (m *Map) evict(s Spot, size, charged uint64, dead *reaper) (prev *Entry, start mach.Addr, kr mach.KernReturn) {
	if kr = m.placeable(s, size); kr != mach.KernSuccess {
		return nil, 0, kr
	}
	if charged != 0 {
		if kr = m.charge(charged); kr != mach.KernSuccess {
			return nil, 0, kr
		}
	}
	lo, hi := s.Addr, s.Addr+mach.Addr(size)
	stays := false
	for e := m.from(lo); e != nil && e.start < hi; e = e.next {
		if e.permanent {
			m.clipStart(e, lo)
			m.clipEnd(e, hi)
			m.neuter(e)
			stays = true
		}
	}
	if stays {
		return nil, 0, mach.KernNoSpace
	}
	m.deleteRange(lo, hi, dead)
	return m.place(s, size)
}

// neuter takes all access to permanent memory, which is as far as it can be
// deallocated: its addresses stay in use. Precondition: m.mu held for writing.
func (m *Map) neuter(e *Entry) {
	m.removeFromPmap(e)
	e.prot, e.maxProt, e.wired = mach.ProtNone, mach.ProtNone, wiring{}
}

// placeable checks a fixed place but for what lies there. Precondition: m.mu
// held.
func (m *Map) placeable(s Spot, size uint64) mach.KernReturn {
	end := s.Addr + mach.Addr(size)
	switch {
	case m.dead || size == 0:
		return mach.KernInvalidArgument
	case uint64(s.Addr)&s.Mask != 0:
		return mach.KernNoSpace
	case s.Addr < m.layout.Min || end > m.layout.Max || s.Addr >= end:
		return mach.KernInvalidAddress
	}
	return mach.KernSuccess
}

// place finds or checks the place for a new entry; prev is the entry before
// it. Precondition: m.mu held.
func (m *Map) place(s Spot, size uint64) (prev *Entry, start mach.Addr, kr mach.KernReturn) {
	if !s.Anywhere {
		return m.placeFixed(s, size)
	}
	if m.dead || size == 0 {
		return nil, 0, mach.KernInvalidArgument
	}
	mask, limit, ok := s.Mask, m.layout.Max, true
	if s.MaskCaps {
		mask, limit, ok = m.splitMask(mask)
	}
	if ok && m.layout.FirstFit {
		prev, start, ok = m.firstFit(s.Addr, size, mask, limit)
	} else if ok {
		prev, start, ok = m.findSpace(size, mask, limit)
	}
	if !ok {
		return nil, 0, mach.KernNoSpace
	}
	return prev, start, mach.KernSuccess
}

func (m *Map) placeFixed(s Spot, size uint64) (prev *Entry, start mach.Addr, kr mach.KernReturn) {
	if kr = m.placeable(s, size); kr != mach.KernSuccess {
		return nil, 0, kr
	}
	end := s.Addr + mach.Addr(size)
	prev = m.before(s.Addr)
	next := m.first
	if prev != nil {
		next = prev.next
	}
	if prev != nil && prev.end > s.Addr || next != nil && next.start < end {
		return nil, 0, mach.KernNoSpace
	}
	return prev, s.Addr, mach.KernSuccess
}

// firstFit finds the lowest size free bytes at or above from whose address has
// the bits of mask clear and that end at or below limit, and the entry they
// follow, or nil. A search from the bottom begins at the end of what is packed
// there, so that filling a map from below costs nothing.
// Precondition: m.mu held.
func (m *Map) firstFit(from mach.Addr, size, mask uint64, limit mach.Addr) (prev *Entry, start mach.Addr, ok bool) {
	at := max(from, m.layout.Min)
	if at < m.packed {
		at = m.packed
	}
	next := m.from(at)
	if next == nil {
		prev = m.last
	} else {
		prev = next.prev
	}
	for {
		if next != nil && next.start <= at {
			prev, next, at = next, next.next, next.end
			continue
		}
		start = (at + mach.Addr(mask)) &^ mach.Addr(mask)
		start = start.RoundPage()
		end := start + mach.Addr(size)
		switch {
		case start < at || end <= start || end > limit:
			return nil, 0, false
		case next == nil || end <= next.start:
			return prev, start, true
		}
		prev, next, at = next, next.next, next.end
	}
}

// pack moves the hint of firstFit up over what is allocated there.
// Precondition: m.mu held for writing.
func (m *Map) pack() {
	if !m.layout.FirstFit {
		return
	}
	for e := m.at(m.packed); e != nil && e.start <= m.packed; e = e.next {
		m.packed = e.end
	}
}

// gapBelow reports whether a page below a is not allocated. Precondition: m.mu
// held.
func (m *Map) gapBelow(a mach.Addr) bool {
	at := m.layout.Min
	for e := m.first; e != nil && at < a; e = e.next {
		if e.start > at {
			return true
		}
		at = e.end
	}
	return at < a
}

// splitMask takes vm_map's mask apart: its low bits must be clear in the
// address; if bits are set above them, they must go on to the top, and the
// lowest of them is the limit of the range.
func (m *Map) splitMask(mask uint64) (low uint64, limit mach.Addr, ok bool) {
	if mask&(mask+1) == 0 {
		return mask, m.layout.Max, true
	}
	low = mask & ^(mask + 1)
	high := mask &^ low
	bit := high & -high
	return low, mach.Addr(bit), high+bit == 0
}
