package vm

import "machkernel/mach"

// Excerpt is pages of a map with their attributes, on their way to another
// place by Extract and Insert (vm_remap): a copy of them, or the memory itself,
// which both places then share. It belongs to one owner, who ends it with
// Insert or Discard; it is not safe for concurrent use.
type Excerpt struct {
	fr    *Frames
	size  uint64 // bytes
	parts []part
}

// part is a run of pages with one set of attributes: pages of an object, which
// the part is a user of, or untouched memory if that is nil.
type part struct {
	object *Object
	first  uint64 // page number in the object
	size   uint64 // bytes
	shared bool
	Attributes
}

// Extract takes the pages of [addr, addr+size), both page aligned: copied on
// write, or with share the memory itself. Each entry must allow at least the
// current protection cur, and at most the maximum max. The attributes are the
// entries', but nothing is permanent.
//
// Locks: takes the map's and object locks; the caller holds none.
//
// Returns the excerpt, which the caller owns, or nil and
//   - KernSuccess.
//   - KernInvalidAddress: a page is not allocated; the range wraps.
//   - KernProtectionFailure: an entry's protections lack cur or max.
//   - KernResourceShortage: no frame is left for a copy of wired memory.
//
// Of several faults the lowest address wins.
func (m *Map) Extract(addr mach.Addr, size uint64, share bool, cur, max mach.Prot) (*Excerpt, mach.KernReturn) {
	x := &Excerpt{fr: m.fr, size: size}
	end := addr + mach.Addr(size)
	m.mu.Lock()
	kr := mach.KernSuccess
	for at := addr; at != end && kr == mach.KernSuccess; {
		e := m.at(at)
		switch {
		case e == nil:
			kr = mach.KernInvalidAddress
		case !e.prot.Has(cur) || !e.maxProt.Has(max):
			kr = mach.KernProtectionFailure
		default:
			to := e.end
			if end > at && end < to {
				to = end
			}
			var p part
			if p, kr = m.extract(e, at, to, share); kr == mach.KernSuccess {
				x.parts = append(x.parts, p)
			}
			at = to
		}
	}
	m.mu.Unlock()
	if kr != mach.KernSuccess {
		x.Discard()
		return nil, kr
	}
	return x, kr
}

// extract takes the part [lo, hi) of an entry; it fails only for want of frames.
// Precondition: m.mu held for writing.
func (m *Map) extract(e *Entry, lo, hi mach.Addr, share bool) (p part, kr mach.KernReturn) {
	p = part{size: uint64(hi - lo), Attributes: Attributes{
		Prot: e.prot, MaxProt: e.maxProt, Inherit: e.inherit, Tag: e.tag,
	}}
	switch {
	case share && (e.object != nil || e.maxProt != mach.ProtNone):
		m.isolate(e)
		e.shared, p.shared = true, true
		p.object, p.first = e.object, e.page(lo)
		p.object.hold()
	case e.object != nil && e.wired.count != 0:
		p.object, kr = e.object.copySlowly(e.span(lo, hi)) // wired pages are not given away
	case e.object != nil:
		s := e.span(lo, hi)
		p.object, p.first = e.object.copyRange(s), s.lo
	}
	return p, kr
}

// Each calls fn for the attributes of each run of pages, to change them.
func (x *Excerpt) Each(fn func(a *Attributes)) {
	for i := range x.parts {
		fn(&x.parts[i].Attributes)
	}
}

// Strictest is what all of the excerpt allows: of the current protections, and
// of the maxima.
func (x *Excerpt) Strictest() (cur, max mach.Prot) {
	cur, max = mach.ProtAll, mach.ProtAll
	for _, p := range x.parts {
		cur, max = cur&p.Prot, max&p.MaxProt
	}
	return cur, max
}

// Discard ends the excerpt. On one that Insert consumed, and on nil, it does
// nothing. Locks: none may be held.
func (x *Excerpt) Discard() {
	if x == nil {
		return
	}
	var dead reaper
	for _, p := range x.parts {
		if p.object != nil {
			p.object.discard(&dead)
		}
	}
	x.parts = nil
	x.fr.bury(&dead)
}

// Insert maps the excerpt.
//
// Locks: takes the map's and object locks; the caller holds none. Consumes x on
// success; on failure the caller still owns it.
//
// Returns as EnterAt.
func (m *Map) Insert(s Spot, x *Excerpt) (mach.Addr, mach.KernReturn) {
	var charged uint64
	for _, p := range x.parts {
		if p.MaxProt != mach.ProtNone {
			charged += p.size
		}
	}
	var dead reaper
	m.mu.Lock()
	defer func() {
		m.mu.Unlock()
		m.fr.bury(&dead)
	}()
	prev, start, kr := m.claim(s, x.size, charged, &dead)
	if kr != mach.KernSuccess {
		return 0, kr
	}
	at := start
	for _, p := range x.parts {
		e := &Entry{
			start: at, end: at + mach.Addr(p.size), shared: p.shared,
			prot: p.Prot, maxProt: p.MaxProt, inherit: p.Inherit, tag: p.Tag,
		}
		if m.wireNew {
			e.wired.access = p.Prot
		}
		e.back(m, p.object, p.first)
		m.link(prev, e)
		prev, at = e, e.end
	}
	m.pack()
	if m.wireNew {
		m.wire(start, at)
	}
	x.parts = nil
	return start, mach.KernSuccess
}
