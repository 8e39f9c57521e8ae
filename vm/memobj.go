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
	g.object, g.origin = o, o.id
	if b.Copy {
		g.object, g.lazyCopy = o.copyRange(span{g.first, g.first + g.pages}), true
		if !o.symmetric() {
			g.origin = g.object.id
		}
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
