package vm

import "machkernel/mach"

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
	Object *Object // offered by a map
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

// EnterBacked is Enter of memory that shows a memory object (vm_map of one).
// The arguments and codes are Enter's, and
//   - KernInvalidArgument: the object is dead; offset and size wrap.
//
// Locks: takes the map's and object locks; the caller holds none.
func (m *Map) EnterBacked(addr mach.Addr, size, mask uint64, anywhere bool, b Backing,
	prot, maxProt mach.Prot, inherit mach.Inherit,
) (mach.Addr, mach.KernReturn) {
	if b.Offset+size < size {
		return 0, mach.KernInvalidArgument
	}
	g, live := b.take(size)
	if !live {
		return 0, mach.KernInvalidArgument
	}
	start, kr := m.enterSegment(addr, size, mask, anywhere, g,
		Entry{prot: prot, maxProt: maxProt, inherit: inherit})
	if kr != mach.KernSuccess {
		g.drop()
	}
	return start, kr
}

// enterSegment makes an entry with the attributes of like that shows g, whose
// object becomes the entry's on success.
func (m *Map) enterSegment(addr mach.Addr, size, mask uint64, anywhere bool, g segment, like Entry) (mach.Addr, mach.KernReturn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	prev, start, kr := m.place(addr, size, mask, anywhere)
	if kr != mach.KernSuccess {
		return 0, kr
	}
	if like.maxProt != mach.ProtNone {
		if kr = m.charge(size); kr != mach.KernSuccess {
			return 0, kr
		}
	}
	e := like
	e.start, e.end = start, start+mach.Addr(size)
	e.fill(m, g)
	m.enter(prev, &e)
	return start, mach.KernSuccess
}
