package vm

import (
	"sync"

	"github.com/tidwall/btree"

	"machkernel/mach"
)

// Map is an address map: the memory of one task (C: vm_map_t). It is safe for
// concurrent use.
//
// A Map is live until Terminate; afterwards it has no entries, refuses new
// ones, and its pmap is destroyed.
type Map struct {
	fr *Frames // immutable
	pm Pmap    // immutable; nil if only the kernel reaches the memory

	layout Layout // see SetLayout

	mu        sync.RWMutex // before object locks
	entries   *btree.BTreeG[*Entry]
	gaps      *btree.BTreeG[*Entry] // entries with gap > 0, by gap, newest first
	gapClock  uint64
	first     *Entry
	last      *Entry
	firstFree *Entry    // placement hint, see findSpace; nil is the map's minimum
	packed    mach.Addr // placement hint, see firstFit: from min to here all is allocated
	dead      bool

	fresh   mach.Prot // current protection of new memory
	limit   Limits
	wireNew bool // new memory is wired, see WireAll

	events Events
}

// Limits bound the memory a map may have in bytes, what can never be reached
// (maximum protection none) not counted. Cur is in force, Max is what the
// map's owner may raise it to.
type Limits struct{ Cur, Max uint64 }

// Unlimited is what a new map has.
const Unlimited = ^uint64(0)

// NewMap makes an empty map over the kernel's frames. pm may be nil: then
// only the kernel reaches the memory (ReadBytes, WriteBytes, copies). The map
// owns pm and destroys it in Terminate.
func NewMap(fr *Frames, pm Pmap) *Map {
	return &Map{
		fr: fr, pm: pm, fresh: mach.ProtDefault, limit: Limits{Unlimited, Unlimited},
		layout: Layout{Min: mach.VMMinAddress, Max: mach.VMMaxAddress},
		entries: btree.NewBTreeGOptions(
			func(a, b *Entry) bool { return a.start < b.start },
			btree.Options{NoLocks: true}),
		gaps: btree.NewBTreeGOptions(
			func(a, b *Entry) bool {
				if a.gap != b.gap {
					return a.gap < b.gap
				}
				return a.gapSeq > b.gapSeq
			},
			btree.Options{NoLocks: true}),
	}
}

// Pmap is the map's pmap, or nil.
func (m *Map) Pmap() Pmap { return m.pm }

// Frames are the frames the map lives on.
func (m *Map) Frames() *Frames { return m.fr }

// at finds the entry that holds the address, or nil.
// Precondition: m.mu held.
func (m *Map) at(a mach.Addr) *Entry {
	e := m.before(a)
	if e == nil || a >= e.end {
		return nil
	}
	return e
}

// before finds the last entry that starts at or before the address, or nil.
// Precondition: m.mu held.
func (m *Map) before(a mach.Addr) (found *Entry) {
	m.entries.Descend(&Entry{start: a}, func(e *Entry) bool {
		found = e
		return false
	})
	return found
}

// from finds the entry that holds the address, else the next higher one, else
// nil. Precondition: m.mu held.
func (m *Map) from(a mach.Addr) *Entry {
	e := m.before(a)
	if e == nil {
		return m.first
	}
	if a >= e.end {
		return e.next
	}
	return e
}

// link inserts e behind prev (nil: at the front).
// Precondition: m.mu held for writing.
func (m *Map) link(prev, e *Entry) {
	e.prev = prev
	if prev == nil {
		e.next, m.first = m.first, e
	} else {
		e.next, prev.next = prev.next, e
	}
	if e.next == nil {
		m.last = e
	} else {
		e.next.prev = e
	}
	m.entries.Set(e)
	m.regap(prev)
	m.regap(e)
}

// unlink removes e. Precondition: m.mu held for writing.
func (m *Map) unlink(e *Entry) {
	if e.prev == nil {
		m.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		m.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	m.entries.Delete(e)
	m.packed = min(m.packed, e.start)
	m.ungap(e)
	m.regap(e.prev)
	e.prev, e.next = nil, nil
}

// move gives e a new start. Precondition: m.mu held for writing.
func (m *Map) move(e *Entry, start mach.Addr) {
	m.entries.Delete(e)
	e.start = start
	m.entries.Set(e)
}

func (m *Map) ungap(e *Entry) {
	if e.gap != 0 {
		m.gaps.Delete(e)
		e.gap = 0
	}
}

// regap enters the free space behind e in the gap index anew, as the youngest
// of its size. e may be nil.
func (m *Map) regap(e *Entry) {
	if e == nil {
		return
	}
	m.ungap(e)
	end := m.layout.Max
	if e.next != nil {
		end = e.next.start
	}
	if e.gap = uint64(end - e.end); e.gap != 0 {
		m.gapClock++
		e.gapSeq = m.gapClock
		m.gaps.Set(e)
	}
}

// findSpace finds size free bytes whose address has the bits of mask clear
// and that end at or below limit, and the entry they follow (nil in an empty
// map). ok is false if there are none.
//
// The order is GNU Mach's, since clients see it: an empty map gives its
// minimum; else the space behind the first-free hint, if it fits; else the
// smallest gap that fits, of equal ones the one made last. Space below the
// first entry is not looked at.
// Precondition: m.mu held.
func (m *Map) findSpace(size, mask uint64, limit mach.Addr) (prev *Entry, start mach.Addr, ok bool) {
	align := func(a mach.Addr) mach.Addr { return (a + mach.Addr(mask)) &^ mach.Addr(mask) }
	fits := func(a, low, high mach.Addr) bool {
		end := a + mach.Addr(size)
		return a >= low && end > a && end <= high && end <= limit
	}
	if m.first == nil {
		start = align(m.layout.Min)
		return nil, start, fits(start, m.layout.Min, m.layout.Max)
	}
	if e := m.firstFree; e != nil {
		if start = align(e.end); fits(start, e.end, e.end+mach.Addr(e.gap)) {
			return e, start, true
		}
	}
	want := size + mask
	if want < size {
		return nil, 0, false
	}
	m.gaps.Ascend(&Entry{gap: want, gapSeq: ^uint64(0)}, func(e *Entry) bool {
		prev = e
		return false
	})
	if prev == nil {
		return nil, 0, false
	}
	start = align(prev.end)
	return prev, start, fits(start, prev.end, prev.end+mach.Addr(prev.gap))
}

// clipStart splits e so that an entry starts at a. The part
// behind a stays the old *Entry. Precondition: m.mu held for writing.
func (m *Map) clipStart(e *Entry, a mach.Addr) {
	if a <= e.start {
		return
	}
	front := m.split(e, e.start, a)
	prev := e.prev
	e.first = e.page(a)
	m.move(e, a)
	e.offset += front.size() // of untouched memory, too: vm_region shows it
	m.link(prev, front)
}

// clipEnd splits e so that it ends at a. The part before a stays the old
// *Entry. Precondition: m.mu held for writing.
func (m *Map) clipEnd(e *Entry, a mach.Addr) {
	if a >= e.end {
		return
	}
	back := m.split(e, a, e.end)
	back.first = e.page(a)
	back.offset += uint64(a - e.start)
	e.end = a
	m.link(e, back)
}

// split makes an unlinked entry with e's attributes and object (same offset)
// for [start, end).
func (m *Map) split(e *Entry, start, end mach.Addr) *Entry {
	n := &Entry{
		start: start, end: end, object: e.object, view: e.view, first: e.first, offset: e.offset,
		lazyCopy: e.lazyCopy, origin: e.origin, prot: e.prot, maxProt: e.maxProt, inherit: e.inherit,
		wired: e.wired, shared: e.shared, permanent: e.permanent, tag: e.tag,
	}
	if n.object != nil {
		n.object.again(n.view)
	}
	return n
}

// coalesce merges e into the entry before it where both are adjacent and
// alike and their objects can be joined; it reports whether e is gone. e may
// be nil. Precondition: m.mu held for writing.
func (m *Map) coalesce(e *Entry) bool {
	if e == nil || e.prev == nil {
		return false
	}
	p := e.prev
	if p.end != e.start || !p.alike(e) || !m.join(p, e) {
		return false
	}
	if m.firstFree == e {
		m.firstFree = p
	}
	end := e.end
	m.unlink(e)
	p.end = end
	m.regap(p)
	return true
}

// join makes p's object and offset right for p and e together, if one object
// can hold both: both untouched, or consecutive parts of one object, or one
// untouched and the other's object nobody else's. e loses its object.
func (m *Map) join(p, e *Entry) bool {
	switch {
	case p.object == e.object:
		if p.object == nil {
			p.offset = 0 // of untouched memory an offset means nothing
			return true
		}
		if p.offset+p.size() != e.offset || p.view != e.view || p.origin != e.origin {
			return false
		}
		var none reaper
		e.object.detach(e.view, span{}, &none)
	case e.object == nil:
		return p.object.extend(p.offset+p.size()+e.size(), p.lazyCopy)
	case p.object == nil:
		if e.offset < p.size() || !e.object.extend(0, e.lazyCopy) {
			return false
		}
		p.object, p.view = e.object, e.view
		p.first, p.offset = e.first-p.size()>>mach.PageShift, e.offset-p.size()
		p.origin = e.origin
	default:
		if !p.lazyCopy || !e.lazyCopy || p.origin != e.origin || p.object.kin != e.object.kin ||
			p.offset+p.size() != e.offset || p.all().hi != e.first ||
			p.object.known() || e.object.known() {
			return false
		}
		m.absorb(p, e)
	}
	e.object, e.view = nil, nil
	return true
}

// absorb gives p an object with e's pages behind its own; e loses its own. The
// two are copies of one object, and nobody has written them: in Mach they have
// that very object.
func (m *Map) absorb(p, e *Entry) {
	var dead reaper
	o := p.object.copyRange(p.all())
	s := e.all()
	for at := s.lo; at < s.hi; at += graftPages {
		var frames [graftPages]Frame
		k := min(graftPages, s.hi-at)
		e.object.share(at, frames[:k])
		o.put(at, frames[:k], &dead)
	}
	offset, origin := p.offset, p.origin
	for _, old := range []*Entry{p, e} {
		m.removeFromPmap(old)
		old.unback(&dead)
	}
	p.back(m, o, s.lo-p.size()>>mach.PageShift)
	p.offset, p.origin, p.lazyCopy = offset, origin, true
	m.fr.bury(&dead)
}

// delete removes the entry, its pmap mappings and its pages.
// Precondition: m.mu held for writing.
func (m *Map) delete(e *Entry, dead *reaper) {
	m.removeFromPmap(e)
	e.unback(dead)
	m.unlink(e)
}

// removeFromPmap drops what the pmap has of the entry. A dying map has
// dropped everything at once before.
func (m *Map) removeFromPmap(e *Entry) {
	if e.object == nil || m.pm == nil || m.dead {
		return
	}
	e.object.mu.Lock()
	hit := e.view.mapped.meet(e.all())
	e.object.mu.Unlock()
	if !hit.empty() {
		m.pm.Remove(e.view.addr(hit.lo), e.view.addr(hit.hi))
	}
}

// deleteRange removes all entries, and parts of entries, in [lo, hi).
// Precondition: m.mu held for writing; lo and hi page aligned.
func (m *Map) deleteRange(lo, hi mach.Addr, dead *reaper) {
	if lo >= hi {
		return
	}
	e := m.from(lo)
	if e != nil {
		m.clipStart(e, lo)
	}
	m.lowerFirstFree(lo, e)
	for e != nil && e.start < hi {
		m.clipEnd(e, hi)
		next := e.next
		if e.permanent && !m.dead {
			m.neuter(e)
		} else {
			m.delete(e, dead)
		}
		e = next
	}
}

// lowerFirstFree moves the placement hint below a range that begins at lo,
// whose first entry is e (nil: there is none).
func (m *Map) lowerFirstFree(lo mach.Addr, e *Entry) {
	hint := m.layout.Min
	if m.firstFree != nil {
		hint = m.firstFree.start
	}
	if hint < lo {
		return
	}
	if e == nil {
		m.firstFree = m.last
	} else {
		m.firstFree = e.prev
	}
}

// Terminate removes all memory from the map and destroys its pmap. Afterwards
// the map is empty and refuses new memory. Locks: takes the map's lock; the
// caller holds none. Calling it again does nothing.
func (m *Map) Terminate() {
	var dead reaper
	m.mu.Lock()
	if !m.dead {
		m.dead = true
		if m.pm != nil {
			m.pm.Destroy() // and with it all mappings, before any frame is free
		}
		m.deleteRange(m.layout.Min, m.layout.Max, &dead)
	}
	m.mu.Unlock()
	m.fr.bury(&dead)
	m.fr.dropWirer(m)
}
