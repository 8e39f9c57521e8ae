package vm

import "machkernel/mach"

// Label is what another room hangs on memory to know it again: in the kernel
// the name port of memory objects. An object and all that descends from it by
// copying have one label, as on GNU Mach, where the name shown is that of the
// object at the bottom of the shadow chain.
type Label interface {
	// Dead is called once, when the last object with the label is gone. No
	// lock is held.
	Dead()
}

// Label is the object's label, nil if it has none.
//
// Locks: none of the room's need be held.
func (o *Object) Label() Label {
	o.kin.mu.Lock()
	defer o.kin.mu.Unlock()
	return o.kin.label
}

// SetLabel labels the object and its kin, unless they have a label already, and
// returns the one they have then: nil if they are gone.
//
// Locks: none of the room's need be held.
func (o *Object) SetLabel(l Label) Label {
	k := o.kin
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.dead:
		return nil
	case k.label == nil:
		k.label = l
	}
	return k.label
}

// die ends the label of a kin without objects.
func (k *kin) die(dead *reaper) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = true
	if k.label != nil {
		dead.labels = append(dead.labels, k.label)
	}
}

// Flush drops the pages of the object with the label l that lie in [lo, hi),
// given in bytes from the object's start, as if they had been paged out and lost
// (vm_object_sync with should_flush: anonymous memory has no pager to keep them).
// They read as zero afterwards. Pages that a map had wired before the call stay. So
// do those of memory that was copied, while the copy lives: here they are the copy's
// as well, and no page is of the common object alone.
//
// Locks: takes the map's and object locks; the caller holds none.
func (m *Map) Flush(l Label, lo, hi uint64) {
	var dead reaper
	wired := m.fr.wired()
	m.mu.Lock()
	for e := m.first; e != nil; e = e.next {
		if e.object != nil && e.wired.count == 0 && e.object.Label() == l {
			e.flush(lo, hi, wired, &dead)
		}
	}
	m.mu.Unlock()
	m.fr.bury(&dead)
}

// flush drops the entry's pages whose offsets are in [lo, hi).
func (e *Entry) flush(lo, hi uint64, wired map[Frame]struct{}, dead *reaper) {
	lo, hi = max(lo, e.offset), min(hi, e.offset+e.size())
	if lo >= hi {
		return
	}
	at := e.start + mach.Addr(lo-e.offset)
	s := e.span(at, at+mach.Addr(hi-lo))
	o := e.object
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kin.n.Load() != 1 {
		return
	}
	var gone []uint64
	o.pages.each(s.lo, s.hi, func(page uint64, x Frame) {
		if _, stays := wired[x]; !stays {
			gone = append(gone, page)
		}
	})
	for _, page := range gone {
		o.unmap(span{page, page + 1}, nil)
		o.pages.remove(o.fr, page, page+1, dead)
	}
}
