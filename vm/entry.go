package vm

import "machkernel/mach"

// Entry is a run of addresses in a Map with one object and one set of
// attributes. It is protected by the map's lock.
//
// States of its memory:
//
//	untouched  object and view nil: nobody has touched it; zero
//	backed     object and view set: page p of the entry is page first+p of
//	           the object
//	copied     backed, and lazyCopy: a copy was taken of it, or it is one, and
//	           nobody has written it since
//
// offset and lazyCopy are books that clients see. In Mach the first write after
// a copy puts a shadow object in front of the copied one, for this entry alone:
// its pages count from 0 there, and the entry can no more join what was one
// with it before. Here the object stays and only the books follow (shadow).
//
// Invariants: start < end, both page aligned and inside the map; entries of a
// map do not overlap; view belongs to object, with delta == start minus first
// page; a shared entry is backed; offset is page aligned.
type Entry struct {
	start, end mach.Addr
	object     *Object
	view       *view
	first      uint64 // page number in the object
	offset     uint64 // bytes: what vm_region tells
	lazyCopy   bool   // C: needs_copy
	prot       mach.Prot
	maxProt    mach.Prot
	inherit    mach.Inherit
	wired      wiring
	shared     bool // another map, or another entry, has, or had, the same object to share
	permanent  bool // never deleted while the map lives, see neuter
	tag        uint8

	prev, next *Entry
	gap        uint64 // bytes free behind the entry
	gapSeq     uint64 // when the gap was entered in the map's gap index
}

// RegionInfo describes one entry of a map.
type RegionInfo struct {
	Start   mach.Addr
	Size    uint64 // bytes
	Prot    mach.Prot
	MaxProt mach.Prot
	Inherit mach.Inherit
	Shared  bool
	Tag     uint8   // what the maker said the memory is for
	Offset  uint64  // bytes into the object
	Object  *Object // identity of the object, nil while untouched; not to be used otherwise
}

func (e *Entry) info() RegionInfo {
	return RegionInfo{
		Start: e.start, Size: e.size(), Prot: e.prot, MaxProt: e.maxProt,
		Inherit: e.inherit, Shared: e.shared, Tag: e.tag,
		Offset: e.offset, Object: e.object,
	}
}

func (e *Entry) size() uint64 { return uint64(e.end - e.start) }

// page is the object's page number for an address in the entry.
func (e *Entry) page(a mach.Addr) uint64 {
	return e.first + uint64(a-e.start)>>mach.PageShift
}

// span is the object's pages that show in [lo, hi) of the entry; the bounds
// are clamped to it and must be page aligned.
func (e *Entry) span(lo, hi mach.Addr) span {
	lo, hi = max(lo, e.start), min(hi, e.end)
	return span{e.page(lo), e.page(hi)}
}

// all is the object's pages that show in the entry.
func (e *Entry) all() span { return e.span(e.start, e.end) }

// delta is the difference of address and place in the object.
func (e *Entry) delta() mach.Addr { return e.start - mach.Addr(e.first<<mach.PageShift) }

// alike reports whether two entries have the attributes that merging asks
// for: equal, not shared, copied or not, equally often wired.
func (e *Entry) alike(o *Entry) bool {
	return !e.shared && !o.shared && e.inherit == o.inherit && e.prot == o.prot &&
		e.maxProt == o.maxProt && e.lazyCopy == o.lazyCopy && e.wired.count == o.wired.count &&
		e.permanent == o.permanent && e.tag == o.tag
}

// back gives the entry object o (the caller's use of it ends in favour of the
// entry's) with its first page number. nil makes the entry untouched.
func (e *Entry) back(m *Map, o *Object, first uint64) {
	e.object, e.view, e.lazyCopy = nil, nil, false
	e.first, e.offset = first, first<<mach.PageShift
	if o != nil {
		e.object = o
		e.view = o.handOver(m, e.delta())
	}
}

// fill gives the entry what a segment holds, or a part of it.
func (e *Entry) fill(m *Map, s segment) {
	e.back(m, s.object, s.first)
	e.offset, e.lazyCopy = s.offset, s.lazyCopy
}

// shadow notes the first write after a copy. Precondition: the map's lock held
// for writing.
func (e *Entry) shadow() {
	if !e.lazyCopy {
		return
	}
	e.lazyCopy, e.offset = false, 0
	o := e.object
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users == 1 {
		o.size, o.shadowed = e.size(), false
	}
}

// copy takes a copy of the entry's memory as Mach would: nothing of untouched
// memory; page by page of wired memory, whose pages may not be given away; else
// copy-on-write. With steal the entry is about to go, and what is not shared
// moves as it is. It fails only for want of frames.
//
// Precondition: the map's lock held for writing.
func (e *Entry) copy(steal bool) (segment, mach.KernReturn) {
	g := segment{offset: e.offset, pages: e.size() >> mach.PageShift}
	if e.object == nil {
		return g, mach.KernSuccess
	}
	s := e.all()
	symmetric := e.object.symmetric()
	steal = steal && symmetric
	if e.wired.count != 0 && !steal {
		o, kr := e.object.copySlowly(s)
		g.object, g.offset = o, 0
		return g, kr
	}
	g.object, g.first = e.object.copyRange(s), s.lo
	switch {
	case steal:
		g.lazyCopy = e.lazyCopy
	case !symmetric:
		g.lazyCopy = true
	default:
		g.lazyCopy, e.lazyCopy = true, true
		e.object.markShadowed(g.object)
	}
	return g, mach.KernSuccess
}

// unback takes the entry's object away. The pmap must not map the entry.
func (e *Entry) unback(dead *reaper) {
	if e.object != nil {
		e.object.detach(e.view, e.all(), dead)
		e.object, e.view, e.first, e.offset, e.lazyCopy = nil, nil, 0, 0, false
	}
}

// pmapProt is what hardware may do under protection p. What else it has to allow
// for that, say reading for executing, is the pmap's affair.
func pmapProt(p mach.Prot) mach.Prot { return p & mach.ProtAll }
