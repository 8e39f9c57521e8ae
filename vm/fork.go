package vm

import "machkernel/mach"

// Fork makes the map of a child task (task_create with inherited memory) over
// the pmap pm, which the new map owns: entries inherited "share" show the
// same object in both maps from now on, "copy" a copy-on-write copy with the
// same attributes, "none" nothing. Wiring is not inherited.
//
// Locks: takes the map's and object locks; the caller holds none. The child
// is nobody else's yet, so its lock is not taken.
//
// Returns
//   - KernSuccess; a frame is needed only for a copy of wired memory.
//   - KernInvalidArgument: the map is dead; pm stays the caller's.
//   - KernResourceShortage: no frame is left; pm stays the caller's.
func (m *Map) Fork(pm Pmap) (*Map, mach.KernReturn) {
	child := NewMap(m.fr, pm)
	if kr := m.forkInto(child); kr != mach.KernSuccess {
		child.pm = nil
		child.Terminate()
		return nil, kr
	}
	return child, mach.KernSuccess
}

// forkInto fills the empty map of a child.
func (m *Map) forkInto(child *Map) mach.KernReturn {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return mach.KernInvalidArgument
	}
	child.fresh, child.limit = m.fresh, m.limit
	child.layout, child.packed = m.layout, m.layout.Min
	from := copier{fork: true}
	for e := m.first; e != nil; e = e.next {
		n := &Entry{start: e.start, end: e.end, prot: e.prot, maxProt: e.maxProt, inherit: e.inherit, tag: e.tag}
		switch e.inherit {
		case mach.InheritNone:
			from.from = nil
			continue
		case mach.InheritShare:
			from.from = nil
			m.isolate(e)
			e.shared, n.shared = true, true
			n.object, n.first, n.offset, n.origin = e.object, e.first, e.offset, e.origin
			n.view = e.object.attach(child, n.delta())
		case mach.InheritCopy:
			s, kr := from.copy(e, m.layout.Max)
			if kr != mach.KernSuccess {
				return kr
			}
			n.fill(child, s)
			n.permanent = e.permanent
		}
		child.link(child.last, n)
	}
	return mach.KernSuccess
}

// isolate makes an entry ready to be shared. A private one that shows only a
// part of its object gets an object of its own, so that sharing one part does
// not hold the others. Its Places are new, as they are on GNU Mach, which puts
// a shadow object there; that one counts from 0. Memory that a client was
// offered stays what the client knows.
// Precondition: m.mu held for writing.
func (m *Map) isolate(e *Entry) {
	m.touchEntry(e)
	o := e.object
	o.mu.Lock()
	only := o.users == 1 || o.offered
	shadow := !e.shared && (e.lazyCopy || o.shadowed || o.size > e.size())
	o.mu.Unlock()
	if !e.shared && !only {
		var dead reaper
		s := e.all()
		m.removeFromPmap(e)
		c := o.copyRange(s)
		e.unback(&dead)
		e.back(m, c, s.lo)
		m.fr.bury(&dead)
	}
	if shadow {
		e.lazyCopy = true
		e.shadow()
	}
	o = e.object
	o.mu.Lock()
	o.asymmetric = true
	o.mu.Unlock()
}
