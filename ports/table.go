package ports

import (
	"math/bits"
	"slices"

	"machkernel/mach"
)

// freeListMax is how many freed names a space remembers for reuse, last freed
// first. Names freed beyond it return to the pool of unused numbers.
const freeListMax = 64

// Geometry of the name table: a page holds 64 consecutive names, so that one
// word says which are in use.
const (
	pageShift = 6
	pageNames = 1 << pageShift
	pageMask  = pageNames - 1
	lastPage  = 1<<(32-pageShift) - 1
)

// entry is what one name means in one space.
//
//	kind                port   urefs     request
//	0 (unused)          nil    0         0
//	send                port   1..65534  index or 0
//	receive             port   0         index or 0
//	send+receive        port   1..65534  index or 0
//	send-once           port   1         index or 0
//	dead name           nil    1..65535  0
//	port set            nil    0         0          (object in Space.sets)
//
// A send or send-once entry may point to a port that has died meanwhile; it is
// a dead name then, and the next operation that looks at it makes it one (see
// Space.check). The request index is the entry's dead-name request in
// Port.requests. Only send and receive rights are ever marked forced.
type entry struct {
	port    *Port
	request uint32
	urefs   uint16
	kind    uint8 // mach.PortType >> 16
	forced  bool  // a message was forced through it: Space.forced has its request
}

const (
	kindSend     = uint8(mach.TypeSend >> 16)
	kindReceive  = uint8(mach.TypeReceive >> 16)
	kindSendOnce = uint8(mach.TypeSendOnce >> 16)
	kindSet      = uint8(mach.TypePortSet >> 16)
	kindDead     = uint8(mach.TypeDeadName >> 16)

	kindSendRights = kindSend | kindSendOnce
	kindPortRights = kindSend | kindSendOnce | kindReceive
)

func (e *entry) typ() mach.PortType { return mach.PortType(e.kind) << 16 }

// page is 64 consecutive names. A bit of used is set for a name that is in use
// or on the free list.
type page struct {
	used uint64
	e    [pageNames]entry
}

// table maps names to entries. Pages of low names are reached through an
// array, pages far above it (names that a client chose) through a map.
// Invariants: a page exists iff one of its used bits is set; full has a bit
// for each page of dir that has no unused name; every page of sparse is beyond
// dir; free holds at most freeListMax names, all marked used with kind 0; the
// words of full before low are all ones.
type table struct {
	dir    []*page
	full   []uint64
	low    int
	sparse map[uint32]*page
	free   []mach.Name
	pages  uint32 // pages that exist; the array covers few more
	size   int    // names in use
	limit  int    // most names in use at once
}

func (t *table) pageAt(i uint32) *page {
	if uint64(i) < uint64(len(t.dir)) {
		return t.dir[i]
	}
	return t.sparse[i]
}

// lookup is the entry of name, nil when the name is not in use.
func (t *table) lookup(name mach.Name) *entry {
	p := t.pageAt(uint32(name) >> pageShift)
	if p == nil {
		return nil
	}
	e := &p.e[name&pageMask]
	if e.kind == 0 {
		return nil
	}
	return e
}

// alloc takes the name that was freed last, else the lowest unused number. It
// fails when the space holds as many names as it may. The entry's kind is
// still zero: the caller fills it, or gives it back with release.
func (t *table) alloc() (mach.Name, *entry, bool) {
	if t.size >= t.limit {
		return 0, nil, false
	}
	t.size++
	if n := len(t.free); n > 0 {
		name := t.free[n-1]
		t.free = t.free[:n-1]
		return name, &t.pageAt(uint32(name) >> pageShift).e[name&pageMask], true
	}
	i := t.firstNotFull()
	p := t.makePage(i)
	slot := bits.TrailingZeros64(^p.used)
	t.markUsed(i, p, slot)
	return mach.Name(i<<pageShift | uint32(slot)), &p.e[slot], true
}

// allocName takes a name the client chose. The entry may be in use already
// (its kind is not zero then). It fails only at the limit.
func (t *table) allocName(name mach.Name) (*entry, bool) {
	i, slot := uint32(name)>>pageShift, int(name&pageMask)
	p := t.pageAt(i)
	if p != nil && p.e[slot].kind != 0 {
		return &p.e[slot], true
	}
	if t.size >= t.limit {
		return nil, false
	}
	t.size++
	if p != nil && p.used&(1<<slot) != 0 {
		k := slices.Index(t.free, name)
		t.free = slices.Delete(t.free, k, k+1)
		return &p.e[slot], true
	}
	p = t.makePage(i)
	t.markUsed(i, p, slot)
	return &p.e[slot], true
}

// release frees name. The caller has taken care of what the entry held.
func (t *table) release(name mach.Name, e *entry) {
	*e = entry{}
	t.size--
	if len(t.free) < freeListMax {
		t.free = append(t.free, name)
		return
	}
	i := uint32(name) >> pageShift
	p := t.pageAt(i)
	p.used &^= 1 << (name & pageMask)
	if uint64(i) < uint64(len(t.dir)) {
		t.full[i/64] &^= 1 << (i % 64)
		t.low = min(t.low, int(i/64))
	}
	if p.used&^reserved(i) == 0 {
		t.dropPage(i)
	}
}

// reserved are the slots of page i that never name a right: MACH_PORT_NULL
// and MACH_PORT_DEAD.
func reserved(i uint32) uint64 {
	switch i {
	case 0:
		return 1
	case lastPage:
		return 1 << pageMask
	}
	return 0
}

// firstNotFull is the lowest page with an unused name. A page that does not
// exist yet has one.
func (t *table) firstNotFull() uint32 {
	for ; t.low < len(t.full); t.low++ {
		if word := t.full[t.low]; word != ^uint64(0) {
			i := uint32(t.low*64 + bits.TrailingZeros64(^word))
			if int(i) < len(t.dir) {
				return i
			}
			break
		}
	}
	// All pages of the array are full. The one behind it may exist in sparse,
	// and may be full too.
	i := uint32(len(t.dir))
	for {
		p := t.sparse[i]
		if p == nil || p.used != ^uint64(0) {
			return i
		}
		t.growDir(i + 1)
		i++
	}
}

func (t *table) makePage(i uint32) *page {
	if p := t.pageAt(i); p != nil {
		return p
	}
	p := &page{used: reserved(i)}
	t.pages++
	if i < uint32(len(t.dir)) || i <= 15+4*t.pages {
		t.growDir(i + 1)
		t.dir[i] = p
		return p
	}
	if t.sparse == nil {
		t.sparse = make(map[uint32]*page)
	}
	t.sparse[i] = p
	return p
}

// growDir makes the array cover n pages, moving those it now covers out of
// the map.
func (t *table) growDir(n uint32) {
	for uint32(len(t.dir)) < n {
		i := uint32(len(t.dir))
		p := t.sparse[i]
		t.dir = append(t.dir, p)
		if i%64 == 0 {
			t.full = append(t.full, 0)
		}
		if p != nil {
			delete(t.sparse, i)
			if p.used == ^uint64(0) {
				t.full[i/64] |= 1 << (i % 64)
			}
		}
	}
}

func (t *table) markUsed(i uint32, p *page, slot int) {
	p.used |= 1 << slot
	if p.used == ^uint64(0) && uint64(i) < uint64(len(t.dir)) {
		t.full[i/64] |= 1 << (i % 64)
	}
}

func (t *table) dropPage(i uint32) {
	t.pages--
	if uint64(i) < uint64(len(t.dir)) {
		t.dir[i] = nil
		return
	}
	delete(t.sparse, i)
}

// each calls f for the names in use, in ascending order, until f says false.
// f must not change the table.
func (t *table) each(f func(mach.Name, *entry) bool) {
	for i, p := range t.dir {
		if p != nil && !p.each(uint32(i), f) {
			return
		}
	}
	far := make([]uint32, 0, len(t.sparse))
	for i := range t.sparse {
		far = append(far, i)
	}
	slices.Sort(far)
	for _, i := range far {
		if !t.sparse[i].each(i, f) {
			return
		}
	}
}

func (p *page) each(i uint32, f func(mach.Name, *entry) bool) bool {
	for slot := range p.e {
		if p.e[slot].kind != 0 && !f(mach.Name(i<<pageShift|uint32(slot)), &p.e[slot]) {
			return false
		}
	}
	return true
}
