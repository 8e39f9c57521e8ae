package vm

import "machkernel/mach"

// Entry is a run of addresses in a Map with one object and one set of
// attributes. It is protected by the map's lock.
//
// States of its memory:
//
//	untouched  object nil, view nil, offset 0: nobody has touched it; zero
//	backed     object and view set: page p of the entry is page
//	           offset/PageSize+p of the object
//
// Invariants: start < end, both page aligned and inside the map; entries of a
// map do not overlap; view belongs to object, with delta == start-offset; a
// shared entry is backed.
type Entry struct {
	start, end mach.Addr
	object     *Object
	view       *view
	offset     uint64 // bytes, page aligned
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
	return (e.offset + uint64(a-e.start)) >> mach.PageShift
}

// span is the object's pages that show in [lo, hi) of the entry; the bounds
// are clamped to it and must be page aligned.
func (e *Entry) span(lo, hi mach.Addr) span {
	lo, hi = max(lo, e.start), min(hi, e.end)
	return span{e.page(lo), e.page(hi)}
}

// all is the object's pages that show in the entry.
func (e *Entry) all() span { return e.span(e.start, e.end) }

// delta is the difference of address and object offset.
func (e *Entry) delta() mach.Addr { return e.start - mach.Addr(e.offset) }

// alike reports whether two entries have the attributes that merging asks
// for: equal, not shared, equally often wired.
func (e *Entry) alike(o *Entry) bool {
	return !e.shared && !o.shared && e.inherit == o.inherit && e.prot == o.prot &&
		e.maxProt == o.maxProt && e.wired.count == o.wired.count &&
		e.permanent == o.permanent && e.tag == o.tag
}

// back gives the entry object o (the caller's use of it ends in favour of the
// entry's) with its first page number. nil makes the entry untouched.
func (e *Entry) back(m *Map, o *Object, first uint64) {
	if o == nil {
		e.object, e.view, e.offset = nil, nil, 0
		return
	}
	e.object, e.offset = o, first<<mach.PageShift
	e.view = o.handOver(m, e.delta())
}

// unback takes the entry's object away. The pmap must not map the entry.
func (e *Entry) unback(dead *reaper) {
	if e.object != nil {
		e.object.detach(e.view, e.all(), dead)
		e.object, e.view, e.offset = nil, nil, 0
	}
}

// pmapProt is what hardware may do under protection p. What else it has to allow
// for that, say reading for executing, is the pmap's affair.
func pmapProt(p mach.Prot) mach.Prot { return p & mach.ProtAll }
