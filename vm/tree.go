package vm

import (
	"math/bits"
	"sync/atomic"
)

const (
	fanBits = 6
	fan     = 1 << fanBits
)

// node is a node of a page tree. A leaf has frames, an interior node kids;
// present has the bit of each slot in use.
//
// Invariants:
//   - refs counts the slots and tree roots that point to the node.
//   - A node with refs > 1, or below such a node, is immutable.
//   - A node with refs == 1 is reached from one tree only, and so changes
//     under the lock of the one object that owns that tree.
//   - Each present leaf slot holds one reference on its frame.
//   - present is never 0: an empty node is replaced by nil.
type node struct {
	refs    atomic.Int32
	present uint64
	kids    *[fan]*node
	frames  *[fan]Frame
}

// tree maps page numbers to frames: a radix tree that shares nodes with its
// copies. height 0 is the empty tree, 1 a tree whose root is a leaf.
type tree struct {
	root   *node
	height int
}

func newNode(level int) *node {
	n := &node{}
	n.refs.Store(1)
	if level == 0 {
		n.frames = new([fan]Frame)
	} else {
		n.kids = new([fan]*node)
	}
	return n
}

// slotSpan is how many pages one slot of a node at the level covers.
func slotSpan(level int) uint64 { return 1 << (fanBits * level) }

// slotOf is the slot of a node at the level that covers the page.
func slotOf(page uint64, level int) int { return int(page >> (fanBits * level) & (fan - 1)) }

// covers reports whether the page lies in the range the tree can hold.
func (t *tree) covers(page uint64) bool {
	return t.height > 0 && page>>(fanBits*t.height) == 0
}

// lookup finds the frame of a page, or NoFrame. exclusive says that no other
// tree can reach the frame, so that it may be written in place.
func (t *tree) lookup(page uint64) (x Frame, exclusive bool) {
	if !t.covers(page) {
		return NoFrame, false
	}
	n := t.root
	exclusive = n.refs.Load() == 1
	for level := t.height - 1; level > 0; level-- {
		i := slotOf(page, level)
		if n.present>>i&1 == 0 {
			return NoFrame, false
		}
		n = n.kids[i]
		exclusive = exclusive && n.refs.Load() == 1
	}
	i := slotOf(page, 0)
	if n.present>>i&1 == 0 {
		return NoFrame, false
	}
	return n.frames[i], exclusive
}

// ownNode returns n if only the caller's slot points to it, or else a copy
// that replaces it in that slot (the caller's reference on n is consumed).
func (f *Frames) ownNode(n *node, level int, dead *reaper) *node {
	if n.refs.Load() == 1 {
		return n
	}
	c := newNode(level)
	c.present = n.present
	for m := n.present; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if level == 0 {
			c.frames[i] = n.frames[i]
			f.incref(n.frames[i])
		} else {
			c.kids[i] = n.kids[i]
			n.kids[i].refs.Add(1)
		}
	}
	f.dropNode(n, level, dead)
	return c
}

// dropNode consumes one reference on n.
func (f *Frames) dropNode(n *node, level int, dead *reaper) {
	switch r := n.refs.Add(-1); {
	case r > 0:
		return
	case r < 0:
		panic("BUG: page tree node has fewer references than holders")
	}
	for m := n.present; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if level == 0 {
			f.decref(n.frames[i], dead)
		} else {
			f.dropNode(n.kids[i], level-1, dead)
		}
	}
}

// set puts frame x, whose reference it consumes, at the page and returns what
// was there (the reference goes to the caller), or NoFrame. Nodes shared with
// other trees are copied on the way down.
func (t *tree) set(f *Frames, page uint64, x Frame, dead *reaper) Frame {
	for !t.covers(page) {
		if t.root != nil {
			up := newNode(t.height)
			up.kids[0], up.present = t.root, 1
			t.root = up
		}
		t.height++
	}
	slot := &t.root
	for level := t.height - 1; ; level-- {
		if *slot == nil {
			*slot = newNode(level)
		} else {
			*slot = f.ownNode(*slot, level, dead)
		}
		n, i := *slot, slotOf(page, level)
		was := n.present>>i&1 != 0
		n.present |= 1 << i
		if level > 0 {
			slot = &n.kids[i]
			continue
		}
		old := NoFrame
		if was {
			old = n.frames[i]
		}
		n.frames[i] = x
		return old
	}
}

// clone returns a tree with the pages [lo, hi) of t, under the same page
// numbers. Subtrees wholly inside are shared; only the nodes on the two
// borders are new. So its cost does not depend on the number of pages, and
// nothing outside [lo, hi) is held.
func (t *tree) clone(f *Frames, lo, hi uint64) tree {
	if t.root == nil {
		return tree{}
	}
	n := f.cut(t.root, t.height-1, 0, lo, hi)
	if n == nil {
		return tree{}
	}
	return tree{root: n, height: t.height}
}

// cut returns a node with one new reference that holds the pages of n in
// [lo, hi), or nil if there are none. base is n's first page.
func (f *Frames) cut(n *node, level int, base, lo, hi uint64) *node {
	touched, inside := slotMasks(level, base, lo, hi)
	if n.present&^inside == 0 {
		n.refs.Add(1)
		return n
	}
	if n.present&touched == 0 {
		return nil
	}
	c := newNode(level)
	for m := n.present & touched; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if level == 0 {
			c.frames[i] = n.frames[i]
			f.incref(n.frames[i])
		} else if c.kids[i] = f.cut(n.kids[i], level-1, base+uint64(i)*slotSpan(level), lo, hi); c.kids[i] == nil {
			continue
		}
		c.present |= 1 << i
	}
	if c.present == 0 {
		return nil
	}
	return c
}

// slotMasks says which slots of a node with first page base overlap [lo, hi)
// and which lie wholly inside it.
func slotMasks(level int, base, lo, hi uint64) (touched, inside uint64) {
	span := slotSpan(level)
	end := base + span*fan
	if hi <= base || lo >= end || lo >= hi {
		return 0, 0
	}
	lo, hi = max(lo, base)-base, min(hi, end)-base
	touched = slotRange(lo/span, (hi+span-1)/span)
	inside = slotRange((lo+span-1)/span, hi/span)
	return touched, inside
}

// slotRange is the mask of slots [a, b).
func slotRange(a, b uint64) uint64 {
	if a >= b {
		return 0
	}
	return ^uint64(0) << a & (^uint64(0) >> (fan - b))
}

// remove drops the pages [lo, hi).
func (t *tree) remove(f *Frames, lo, hi uint64, dead *reaper) {
	if t.root == nil {
		return
	}
	if t.root = f.prune(t.root, t.height-1, 0, lo, hi, dead); t.root == nil {
		t.height = 0
	}
}

// prune consumes the caller's reference on n and returns n, or what replaces
// it, without the pages [lo, hi); nil if nothing is left.
func (f *Frames) prune(n *node, level int, base, lo, hi uint64, dead *reaper) *node {
	touched, inside := slotMasks(level, base, lo, hi)
	if n.present&touched == 0 {
		return n
	}
	if n.present&^inside == 0 {
		f.dropNode(n, level, dead)
		return nil
	}
	n = f.ownNode(n, level, dead)
	for m := n.present & touched; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if level == 0 {
			f.decref(n.frames[i], dead)
			n.present &^= 1 << i
			continue
		}
		n.kids[i] = f.prune(n.kids[i], level-1, base+uint64(i)*slotSpan(level), lo, hi, dead)
		if n.kids[i] == nil {
			n.present &^= 1 << i
		}
	}
	if n.present == 0 {
		return nil
	}
	return n
}

// drop empties the tree.
func (t *tree) drop(f *Frames, dead *reaper) {
	if t.root != nil {
		f.dropNode(t.root, t.height-1, dead)
	}
	*t = tree{}
}

// each calls fn for the resident pages in [lo, hi), in order.
func (t *tree) each(lo, hi uint64, fn func(page uint64, x Frame)) {
	if t.root != nil {
		eachNode(t.root, t.height-1, 0, lo, hi, fn)
	}
}

func eachNode(n *node, level int, base, lo, hi uint64, fn func(uint64, Frame)) {
	touched, _ := slotMasks(level, base, lo, hi)
	for m := n.present & touched; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		at := base + uint64(i)*slotSpan(level)
		if level == 0 {
			fn(at, n.frames[i])
		} else {
			eachNode(n.kids[i], level-1, at, lo, hi, fn)
		}
	}
}

// exclusive reports whether no other tree can reach a page of t.
func (t *tree) exclusive(f *Frames) bool {
	return t.root == nil || exclusiveNode(f, t.root, t.height-1)
}

func exclusiveNode(f *Frames, n *node, level int) bool {
	if n.refs.Load() != 1 {
		return false
	}
	for m := n.present; m != 0; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if level == 0 && f.refs[n.frames[i]].Load() != 1 || level > 0 && !exclusiveNode(f, n.kids[i], level-1) {
			return false
		}
	}
	return true
}
