package vm

import (
	"sync"
	"sync/atomic"

	"machkernel/mach"
)

// readExecute is what Protect leaves when write access is withdrawn.
const readExecute = mach.ProtRead | mach.ProtExecute

// Object is a memory object: pages by page number, and the maps that can see
// them. Anonymous memory so far: a page that is absent reads as zero, and a
// write makes it resident. An object with a pager would ask that for absent
// pages instead (fill is the one place).
//
// An object is in one of three states:
//
//	mapped   users >= 1, counted by views; seen through that many entries
//	carried  users >= 1, no views; held by segments of one Copy, or by a part of
//	         an Excerpt, which may also hold a mapped one
//	dead     users == 0; its pages are dropped and it is not used again
//
// A mapped object with one view is private to one map, whose entries show
// disjoint parts of it; with more it is shared (inheritance "share").
//
// size, shadowed and asymmetric are books of Mach's that decide what its clients
// see of entries.
type Object struct {
	fr  *Frames
	kin *kin
	id  uint64 // see Place; immutable

	mu       sync.Mutex // after the map's lock, before the frames'
	pages    tree
	views    []*view
	users    int    // entries and segments that hold the object
	size     uint64 // bytes that its first entry, and those it grew to, showed
	shadowed bool   // a copy was taken of it

	bound      bool // as long as its kin live it does not grow: see bind, and copies of shared memory
	asymmetric bool // shared by inheritance: copies cost its own entries nothing (C: use_shared_copy)

	offered bool // a client may map it: it keeps its pages and its offsets
}

// kin counts the live objects that descend from one object by copying. An
// object with no kin has its pages to itself, as a classical object without
// shadow or copy would. All of them have one name: see Label.
type kin struct {
	n atomic.Int32

	mu    sync.Mutex // innermost
	label Label
	dead  bool
}

// view is how one map sees an object: at address offset+delta, through so
// many entries. It remembers which pages may be in the pmap, so that a copy
// taken twice in a row withdraws nothing the second time.
type view struct {
	m       *Map
	pm      Pmap
	delta   mach.Addr // address minus offset; may wrap
	entries int
	mapped  span // pages that may be in the pmap
	written span // pages that may be in the pmap with write access
}

// span is a range of pages [lo, hi); empty if lo >= hi.
type span struct{ lo, hi uint64 }

func (s span) meet(t span) span { return span{max(s.lo, t.lo), min(s.hi, t.hi)} }

func (s span) empty() bool { return s.lo >= s.hi }

// join is the smallest span that holds both.
func (s span) join(t span) span {
	if s.empty() {
		return t
	}
	return span{min(s.lo, t.lo), max(s.hi, t.hi)}
}

// without is the smallest span that holds s less t.
func (s span) without(t span) span {
	switch {
	case t.empty():
	case t.lo <= s.lo && t.hi >= s.hi:
		return span{}
	case t.lo <= s.lo:
		s.lo = max(s.lo, t.hi)
	case t.hi >= s.hi:
		s.hi = min(s.hi, t.lo)
	}
	return s
}

// newObject makes an object with no pages and no users.
func newObject(f *Frames) *Object {
	o := &Object{fr: f, kin: &kin{}, id: f.objects.Add(1)}
	o.kin.n.Store(1)
	return o
}

func (v *view) addr(page uint64) mach.Addr {
	return mach.Addr(page<<mach.PageShift) + v.delta
}

// attach registers one more entry of m that shows the object at the given
// difference of address and offset. The entry becomes a user.
func (o *Object) attach(m *Map, delta mach.Addr) *view {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users++
	for _, v := range o.views {
		if v.m == m && v.delta == delta {
			v.entries++
			return v
		}
	}
	v := &view{m: m, pm: m.pm, delta: delta, entries: 1}
	o.views = append(o.views, v)
	return v
}

// again counts one more entry on a view that has one.
func (o *Object) again(v *view) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users++
	v.entries++
}

// detach undoes attach for an entry that showed the pages s. Pages nobody can
// reach any more are put on dead. The pmap must not map them any more.
func (o *Object) detach(v *view, s span, dead *reaper) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users--
	v.entries--
	if v.entries == 0 {
		for i, w := range o.views {
			if w == v {
				o.views = append(o.views[:i], o.views[i+1:]...)
				break
			}
		}
	}
	switch {
	case o.users < 0 || v.entries < 0:
		panic("BUG: object has fewer users than holders")
	case o.users == 0:
		o.die(dead)
	case len(o.views) == 1 && o.views[0] == v && o.users == v.entries && !o.offered:
		o.pages.remove(o.fr, s.lo, s.hi, dead)
	}
}

// carry makes a Copy's segment the user of an object that has none.
func (o *Object) carry() { o.users = 1 }

// hold makes the caller one more user of an object that has one.
func (o *Object) hold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users++
}

// handOver ends a segment's hold of o in favour of an entry, which attaches.
func (o *Object) handOver(m *Map, delta mach.Addr) *view {
	v := o.attach(m, delta)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.users--
	return v
}

// discard ends a segment's hold of o.
func (o *Object) discard(dead *reaper) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users--; o.users == 0 {
		o.die(dead)
	}
}

// die drops the pages of an object without users. Precondition: o.mu held.
func (o *Object) die(dead *reaper) {
	o.pages.drop(o.fr, dead)
	if o.kin.n.Add(-1) == 0 {
		o.kin.die(dead)
	}
}

// extend makes room for end bytes if the object has one user, pages shared with
// nobody, and no client knows it: only then can its entry grow, up or down. An
// object that has written every page it shared has nothing of its kin any more;
// lazy says that its entry is still to be written first.
func (o *Object) extend(end uint64, lazy bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users != 1 || o.offered {
		return false
	}
	if o.kin.n.Load() != 1 && (lazy || o.bound || !o.pages.exclusive(o.fr)) {
		return false
	}
	o.size = max(o.size, end)
	return true
}

// known reports whether a client may map the object.
func (o *Object) known() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.offered
}

// symmetric reports whether a copy of the object makes its source wait for a
// first write, as it does the copy.
func (o *Object) symmetric() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.asymmetric
}

// bind notes that o and c are one object in Mach: what a message takes away from its
// sender is the very object that the sender's other entries still show, and that
// one does not grow while the message lives.
func (o *Object) bind(c *Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bound, c.bound = true, true
}

// markShadowed notes that c is a symmetric copy of o.
func (o *Object) markShadowed(c *Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shadowed, c.shadowed = true, true
}

// copyRange takes a copy-on-write copy of the pages s, under the same page
// numbers, after write access to them is withdrawn everywhere. The copy has
// one user, the caller. Its cost does not depend on the number of pages.
func (o *Object) copyRange(s span) *Object {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.withdrawWrite(s)
	c := &Object{
		fr: o.fr, kin: o.kin, id: o.fr.objects.Add(1), size: o.size,
		pages: o.pages.clone(o.fr, s.lo, s.hi), users: 1,
		bound: o.bound || o.asymmetric,
	}
	o.kin.n.Add(1)
	return c
}

// copySlowly copies the pages s now, byte by byte, and counts them from 0. The
// copy has one user, the caller, and no kin. It fails only for want of frames.
func (o *Object) copySlowly(s span) (*Object, mach.KernReturn) {
	size := (s.hi - s.lo) << mach.PageShift
	c, kr := newCopyAt(o.fr, 0, size, func(p []byte, off uint64) {
		o.readPage(s.lo+off>>mach.PageShift, 0, p)
	})
	if kr != mach.KernSuccess {
		return nil, kr
	}
	c.segs[0].object.size = size
	return c.segs[0].object, kr
}

// withdrawWrite takes write access to the pages s from every pmap. When it
// returns no thread can write them. Precondition: o.mu held.
func (o *Object) withdrawWrite(s span) {
	for _, v := range o.views {
		if hit := v.written.meet(s); !hit.empty() && v.pm != nil {
			v.pm.Protect(v.addr(hit.lo), v.addr(hit.hi), readExecute)
			v.written = v.written.without(hit)
		}
	}
}

// unmap takes all access to the pages s from every pmap, but for the one of
// the view keep. When it returns no thread can use them through the others.
// Precondition: o.mu held.
func (o *Object) unmap(s span, keep *view) {
	for _, v := range o.views {
		if v == keep {
			continue
		}
		if hit := v.mapped.meet(s); !hit.empty() && v.pm != nil {
			v.pm.Remove(v.addr(hit.lo), v.addr(hit.hi))
			v.mapped = v.mapped.without(hit)
			v.written = v.written.without(hit)
		}
	}
}

// lookup finds the frame of a page, or NoFrame; exclusive says that it may be
// written in place. Precondition: o.mu held.
func (o *Object) lookup(page uint64) (x Frame, exclusive bool) {
	x, exclusive = o.pages.lookup(page)
	return x, exclusive && o.fr.refs[x].Load() == 1
}

// hint guesses the frame that continues the run of the page's neighbours.
// Precondition: o.mu held.
func (o *Object) hint(page uint64) Frame {
	if page > 0 {
		if x, _ := o.pages.lookup(page - 1); x != NoFrame {
			return x + 1
		}
	}
	if x, _ := o.pages.lookup(page + 1); x != NoFrame && x > 0 {
		return x - 1
	}
	return NoFrame
}

// fill makes an absent page resident, and up to want-1 absent pages after it
// where contiguous frames are at hand. It tells how many; none is a want of
// frames. Precondition: o.mu held.
func (o *Object) fill(page uint64, want int) int {
	for k := 1; k < want; k++ {
		if x, _ := o.pages.lookup(page + uint64(k)); x != NoFrame {
			want = k
		}
	}
	r, ok := o.fr.alloc(o.hint(page), page, want)
	if !ok {
		return 0
	}
	var dead reaper
	for i := range r.n {
		x := o.fr.zeroed(r, i)
		if o.pages.set(o.fr, page+uint64(i), x, &dead) != NoFrame {
			panic("BUG: filled a resident page")
		}
	}
	o.fr.stats.ZeroFills.Add(uint64(r.n))
	o.fr.bury(&dead)
	return int(r.n)
}

// own makes the page resident in a frame that no other tree can reach, and
// returns the frame: zero-filled if it was absent, copied if it was shared.
// spare, if not NoFrame, is a frame the caller gives for that; used says that
// it was taken. It fails only for want of frames. Precondition: o.mu held.
//
// A frame that was replaced is unmapped everywhere, but for the view keep,
// which may show it, read-only, until the caller enters the new one. So what
// ends up on dead may be buried only after that.
func (o *Object) own(page uint64, spare Frame, keep *view, dead *reaper) (x Frame, used, ok bool) {
	old, exclusive := o.lookup(page)
	if exclusive {
		return old, false, true
	}
	if spare == NoFrame {
		if old == NoFrame {
			ok = o.fill(page, 1) > 0
			x, _ = o.pages.lookup(page)
			return x, false, ok
		}
		r, ok := o.fr.alloc(o.hint(page), page, 1)
		if !ok {
			return NoFrame, false, false
		}
		x = r.first
	} else {
		x, used = spare, true
	}
	if old == NoFrame {
		clear(o.fr.Bytes(x))
		o.fr.stats.ZeroFills.Add(1)
	} else {
		copy(o.fr.Bytes(x), o.fr.Bytes(old))
		o.fr.stats.CowFaults.Add(1)
	}
	o.unmap(span{page, page + 1}, keep)
	if old := o.pages.set(o.fr, page, x, dead); old != NoFrame {
		o.fr.decref(old, dead)
	}
	return x, used, true
}

// resident makes the pages s resident, in frames of their own if they are to
// be written. It fails only for want of frames.
func (o *Object) resident(s span, own bool) bool {
	for page := s.lo; page < s.hi; page++ {
		o.mu.Lock()
		x, _ := o.lookup(page)
		ok := x != NoFrame
		if own || !ok {
			var dead reaper
			_, _, ok = o.own(page, NoFrame, nil, &dead)
			o.fr.bury(&dead)
		}
		o.mu.Unlock()
		if !ok {
			return false
		}
	}
	return true
}
