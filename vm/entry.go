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
	origin     uint64 // whose pages they are in Mach's books: copies and their source alike
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
		e.object, e.origin = o, o.id
		e.view = o.handOver(m, e.delta())
	}
}

// fill gives the entry what a segment holds, or a part of it.
func (e *Entry) fill(m *Map, s segment) {
	e.back(m, s.object, s.first)
	e.offset, e.lazyCopy, e.origin = s.offset, s.lazyCopy, s.origin
}

// shadow notes the first write after a copy. Precondition: the map's lock held
// for writing.
func (e *Entry) shadow() {
	if !e.lazyCopy {
		return
	}
	e.lazyCopy, e.offset, e.origin = false, 0, e.object.fr.objects.Add(1)
	o := e.object
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users == 1 {
		o.size, o.shadowed = e.size(), false
	}
}

// copier takes copies of entries that follow one another. Those that show
// consecutive pages of one object get one object again: in Mach they would have
// the very same, and could be one entry some day.
type copier struct {
	steal bool    // the entries are about to go: what is not shared moves as it is
	fork  bool    // only entries inherited by copy are copied
	from  *Object // of the entry before
	to    *Object // its copy
	next  uint64  // page behind it
}

// copy takes a copy of the entry's memory as Mach would: nothing of untouched
// memory; page by page of wired memory, whose pages may not be given away; else
// copy-on-write. hi is where the memory to be copied ends, here or further on. It
// fails only for want of frames.
//
// Precondition: the map's lock held for writing.
func (c *copier) copy(e *Entry, hi mach.Addr) (segment, mach.KernReturn) {
	g := segment{offset: e.offset, pages: e.size() >> mach.PageShift, origin: e.origin}
	if e.object == nil {
		c.from = nil
		return g, mach.KernSuccess
	}
	s := e.all()
	symmetric := e.object.symmetric()
	steal := c.steal && symmetric
	if e.wired.count != 0 && !steal {
		c.from = nil
		o, kr := e.object.copySlowly(s)
		g.object, g.offset, g.origin = o, 0, e.object.fr.objects.Add(1)
		return g, kr
	}
	g.first = s.lo
	if c.from == e.object && c.next == s.lo && e.prev.end == e.start {
		g.object = c.to
		g.object.hold()
	} else {
		c.from, c.to = e.object, e.object.copyRange(span{s.lo, c.last(e, hi, steal)})
		g.object = c.to
	}
	c.next = s.hi
	switch {
	case steal:
		g.lazyCopy = e.lazyCopy
		e.object.bind(g.object)
	case !symmetric:
		g.lazyCopy, g.origin = true, c.to.id
	default:
		g.lazyCopy, e.lazyCopy = true, true
		e.object.markShadowed(g.object)
	}
	return g, mach.KernSuccess
}

// last is the page behind those that e, and entries before hi that follow it and
// will be copied likewise, show of its object in one run.
func (c *copier) last(e *Entry, hi mach.Addr, steal bool) uint64 {
	last := e.all().hi
	for n := e.next; n != nil && n.start < hi && n.start == n.prev.end; n = n.next {
		if n.object != e.object || n.first != last || n.wired.count != 0 && !steal ||
			c.fork && n.inherit != mach.InheritCopy {
			break
		}
		last = n.span(n.start, hi).hi
	}
	return last
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
