package vm

import (
	"fmt"
	"math/bits"
)

// Audit proves conservation: it walks the page trees of all maps and copies
// over the frames once and compares the references it finds with those
// counted, and checks the invariants of maps, entries, objects and frames. It
// names the first discrepancy; nil means that nothing is lost, held too
// often, or held by nobody.
//
// All live maps and copies must be given, and nothing may use them meanwhile
// (the kernel closes its gate). Locks: takes the maps' for reading, one by
// one; the caller holds none.
func Audit(fr *Frames, maps []*Map, copies []*Copy) error {
	a := &audit{
		fr: fr, objects: map[*Object]*sighting{}, nodes: map[*node]int32{},
		frames: make([]int32, fr.total),
	}
	for i, m := range maps {
		if err := a.mapEntries(m); err != nil {
			return fmt.Errorf("vm audit: map %d: %w", i, err)
		}
	}
	for i, c := range copies {
		if err := a.copySegments(c); err != nil {
			return fmt.Errorf("vm audit: copy %d: %w", i, err)
		}
	}
	for o, s := range a.objects {
		if err := a.object(o, s); err != nil {
			return fmt.Errorf("vm audit: object %p: %w", o, err)
		}
	}
	if err := a.counts(); err != nil {
		return fmt.Errorf("vm audit: %w", err)
	}
	return nil
}

type audit struct {
	fr      *Frames
	objects map[*Object]*sighting
	nodes   map[*node]int32 // references found
	frames  []int32         // references found
}

// sighting is what maps and copies show of an object.
type sighting struct {
	users int
	views map[*view]int
	shown []span // the pages each user shows
	share bool   // an entry has it by inheritance "share"
}

func (a *audit) see(o *Object) *sighting {
	s := a.objects[o]
	if s == nil {
		s = &sighting{views: map[*view]int{}}
		a.objects[o] = s
	}
	s.users++
	return s
}

func (a *audit) mapEntries(m *Map) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.fr != a.fr {
		return fmt.Errorf("it has other frames")
	}
	if err := m.checkInvariants(); err != nil {
		return err
	}
	for e := m.first; e != nil; e = e.next {
		if e.object != nil {
			s := a.see(e.object)
			s.views[e.view]++
			s.shown = append(s.shown, e.all())
			s.share = s.share || e.shared
		}
	}
	return nil
}

func (a *audit) copySegments(c *Copy) error {
	pages := uint64(0)
	for _, s := range c.segs {
		if s.at != pages || s.pages == 0 {
			return fmt.Errorf("segment at page %d does not follow page %d", s.at, pages)
		}
		pages += s.pages
		if s.object == nil {
			continue
		}
		seen := a.see(s.object)
		seen.shown = append(seen.shown, span{s.first, s.first + s.pages})
		if len(s.object.views) != 0 {
			return fmt.Errorf("the object of the segment at page %d is mapped", s.at)
		}
	}
	if !c.spent && pages != c.pages() {
		return fmt.Errorf("%d bytes at %v in %d pages", c.size, c.offset, pages)
	}
	return nil
}

// object checks the counts of o and walks its tree.
func (a *audit) object(o *Object, s *sighting) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users != s.users {
		return fmt.Errorf("counts %d users, has %d", o.users, s.users)
	}
	if len(o.views) != len(s.views) {
		return fmt.Errorf("knows %d views, has %d", len(o.views), len(s.views))
	}
	for _, v := range o.views {
		if v.entries != s.views[v] {
			return fmt.Errorf("a view counts %d entries, has %d", v.entries, s.views[v])
		}
	}
	if o.pages.root == nil {
		return nil
	}
	if err := a.walk(o.pages.root, o.pages.height-1); err != nil {
		return err
	}
	return s.reachable(o)
}

// reachable checks that the pages of a private object show in its map or
// copy: others would be held for nobody. (Of a shared object, and of one that a
// client may map, pages that one map deallocated stay until the object dies.)
func (s *sighting) reachable(o *Object) error {
	if s.share || o.offered {
		return nil
	}
	var shown, all int
	for _, p := range s.shown {
		o.pages.each(p.lo, p.hi, func(uint64, Frame) { shown++ })
	}
	o.pages.each(0, ^uint64(0), func(uint64, Frame) { all++ })
	if shown != all {
		return fmt.Errorf("%d pages resident, %d of them reachable", all, shown)
	}
	return nil
}

// walk counts one reference on n, and the first time those n holds.
func (a *audit) walk(n *node, level int) error {
	a.nodes[n]++
	if a.nodes[n] > 1 {
		return nil
	}
	if n.present == 0 || (level == 0) != (n.frames != nil) || (level == 0) != (n.kids == nil) {
		return fmt.Errorf("malformed page tree node at level %d", level)
	}
	for m := n.present; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if level == 0 {
			if n.frames[i] >= Frame(a.fr.total) {
				return fmt.Errorf("frame %d does not exist", n.frames[i])
			}
			a.frames[n.frames[i]]++
		} else if err := a.walk(n.kids[i], level-1); err != nil {
			return err
		}
	}
	return nil
}

// counts compares what was found with what is counted.
func (a *audit) counts() error {
	for n, found := range a.nodes {
		if r := n.refs.Load(); r != found {
			return fmt.Errorf("page tree node counts %d references, has %d", r, found)
		}
	}
	used := 0
	for x, found := range a.frames {
		if r := a.fr.refs[x].Load(); r != found {
			return fmt.Errorf("frame %d counts %d references, has %d", x, r, found)
		}
		if found > 0 {
			used++
		}
	}
	if s := a.fr.Stats(); s.Used != used {
		return fmt.Errorf("%d frames counted as used, %d have references", s.Used, used)
	}
	return a.fr.checkInvariants()
}

// checkInvariants recomputes the counts of Frames from the chunks.
func (f *Frames) checkInvariants() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var free, pooled, committed int
	for i, c := range f.chunks {
		free += bits.OnesCount16(c.free)
		pooled += bits.OnesCount16(c.free & c.committed)
		committed += bits.OnesCount16(c.committed)
		if c.all&^c.free&^c.committed != 0 {
			return fmt.Errorf("chunk %d: used frames without host memory", i)
		}
		some, whole := f.some[i/64]>>(i%64)&1 != 0, f.whole[i/64]>>(i%64)&1 != 0
		if some != (c.free != 0) || whole != (c.free == c.all) {
			return fmt.Errorf("chunk %d: search bits are stale", i)
		}
	}
	if free != f.free || pooled != f.pooled || committed != f.committed || f.giving != 0 {
		return fmt.Errorf("frames free %d pooled %d committed %d giving %d, found %d %d %d 0",
			f.free, f.pooled, f.committed, f.giving, free, pooled, committed)
	}
	return nil
}

// checkInvariants checks the entries, their order, and the gap index.
// Precondition: m.mu held.
func (m *Map) checkInvariants() error {
	var prev *Entry
	gaps := 0
	for e := m.first; e != nil; e = e.next {
		if e.prev != prev {
			return fmt.Errorf("entry at %v is linked wrongly", e.start)
		}
		if err := e.checkInvariants(m); err != nil {
			return fmt.Errorf("entry at %v: %w", e.start, err)
		}
		if e.gap != 0 {
			gaps++
		}
		prev = e
	}
	switch {
	case m.last != prev:
		return fmt.Errorf("the last entry is not the last")
	case m.gaps.Len() != gaps:
		return fmt.Errorf("%d gaps indexed, %d exist", m.gaps.Len(), gaps)
	case m.firstFree != nil && m.at(m.firstFree.start) != m.firstFree:
		return fmt.Errorf("the first-free hint is no entry of the map")
	case m.packed > m.layout.Min && m.gapBelow(m.packed):
		return fmt.Errorf("there is a gap below %v, where all is allocated", m.packed)
	case m.dead && m.first != nil:
		return fmt.Errorf("a dead map has entries")
	}
	return nil
}

// checkInvariants checks what the comment on Entry says.
func (e *Entry) checkInvariants(m *Map) error {
	next := m.layout.Max
	if e.next != nil {
		next = e.next.start
	}
	switch {
	case e.start >= e.end || e.end > next || !e.start.PageAligned() || !e.end.PageAligned():
		return fmt.Errorf("bounds %v-%v, next at %v", e.start, e.end, next)
	case m.at(e.start) != e:
		return fmt.Errorf("not found by its address")
	case e.gap != uint64(next-e.end):
		return fmt.Errorf("gap of %#x bytes, counts %#x", uint64(next-e.end), e.gap)
	case (e.object == nil) != (e.view == nil):
		return fmt.Errorf("object and view disagree")
	case e.object == nil && e.shared:
		return fmt.Errorf("untouched, but shared")
	case e.object != nil && (e.view.m != m || e.view.delta != e.delta()):
		return fmt.Errorf("its view is another map's or place's")
	}
	return nil
}
