// Package vm is the memory of the kernel: address maps, memory objects, page
// frames, faults, copy objects, and the software pmap of Go-thread tasks.
//
//	Map      the memory of one task: an ordered set of entries
//	Entry    a run of addresses: object, offset, protections, inheritance
//	Object   pages by page number, and the maps that see them
//	Copy     a snapshot of a range on its way to another map (vm_map_copy)
//	Frames   the page frames of one kernel, in one piece of host memory
//	Pmap     what makes frames accessible to a task's instructions
//	SoftPmap the Pmap of tasks whose threads are Go functions
//
// # Copying without shadow chains
//
// Mach's answer to copy-on-write is the shadow object. After a copy, source
// and copy refer to one object that nobody writes any more; the first write
// puts an object with the changed pages in front of it. Copy the copy, write,
// copy again, and the chain grows; a fault walks it, and a collapse has to
// clean up behind the walk:
//
//	entry A -> shadow {2} -> shadow {5} -> object {0 1 2 3 4 5 ...}
//	entry B -> shadow {0} ----^
//
// Here every object has all its pages to itself, in a radix tree whose nodes
// and frames are counted and shared between objects; whatever has more than
// one reference is immutable:
//
//	object A: root' ---+--> leaf' {frame 9, 1, 2 ...}     private since a write
//	                   |
//	                   +--> leaf {64, 65, ...} refs 2
//	                   |
//	object B: root ----+--> leaf {0, 1, 2 ...}
//
// To copy a range is to make a new object that shares the subtrees inside it;
// only the nodes on its two borders are new, so the cost does not depend on
// the number of pages, and the copy holds nothing outside the range. A write
// to a page that is shared, because its frame or a node above it has more
// than one reference, copies the path (at most one node of 64 slots per
// level) and gives the page a frame of its own. A fault therefore costs the
// same after a million copies as after one, and there is nothing to collapse.
//
// What clients see is the same: a copy is a snapshot, writes on either side
// stay private, memory shared by inheritance is one memory for all who share
// it. Where the kernel shows its bookkeeping (vm_region), entries are split and
// merged when Mach's would be: an object "without shadow or copy" is one with
// no other object of its kin alive, and an entry remembers that it was copied
// until it is written (Entry.lazyCopy). Wired pages are not shared with a copy:
// they stay where they are, and the copy is made at once.
//
// # Before a page is shared
//
// Frames may be written by task threads at any time while a pmap maps them
// writable. So Object.copyRange first withdraws write access to the range from
// every pmap that sees the object (Pmap.Protect returns when no thread can use
// it any more) and only then shares the tree, under one hold of the object's
// lock. In the same way a frame that is replaced is first removed from all
// pmaps. Pmap.Enter is called under the object's lock too: what was decided
// about a page is still true when it is mapped. Each view remembers the span
// of pages that may be mapped, and mapped writable, so that taking a second
// copy withdraws nothing.
//
// # Kernels
//
// A map has a Layout: its bounds, and how places are chosen and entries kept,
// which differ between the kernels that the VM server can be. Nothing else here
// knows one. Memory moves between maps in a Copy, which is bytes with an in-page
// offset, or in an Excerpt, which is pages with their attributes (vm_remap).
//
// # Locks
//
//	Map.mu          address map; read: faults, reads, copyin; write: changes
//	  Object.mu     pages and views
//	    Frames.mu   free frames; innermost
//	    the pmap's own lock
//
// No two maps are locked at once: data goes from map to map in a Copy or an
// Excerpt, and a forked child is nobody else's yet. No two objects are locked at once: a new
// object is nobody else's yet. Under an object's lock at most one page is
// copied. The IPC lock, where there is one, is never held here.
//
// # Ownership
//
// An entry, a segment of a Copy, or a part of an Excerpt, is a user of its
// object; an object without users is dead and its pages are dropped. A tree owns one reference
// on its root, a node one on each child or frame. Frames that lose their last
// reference are collected in a reaper and freed after the pmaps have forgotten
// them, normally after all locks are released. A Copy belongs to one owner,
// who ends it by Discard, Copyout or Overwrite. Audit recounts all of this.
//
// # Invariants
//
//   - A frame that two trees can reach is mapped writable by no pmap.
//   - A pmap maps a page only to the frame the page's object has for it.
//   - A node with refs > 1, or below one, does not change.
//   - Pages of a private object show in an entry of its map.
//   - Memory on the host is committed before a frame is first touched.
package vm
