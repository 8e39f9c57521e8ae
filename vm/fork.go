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
//   - KernSuccess; no frame is needed.
//   - KernInvalidArgument: the map is dead; pm stays the caller's.
func (m *Map) Fork(pm Pmap) (*Map, mach.KernReturn) {
	child := NewMap(m.fr, pm)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return nil, mach.KernInvalidArgument
	}
	child.fresh, child.limit = m.fresh, m.limit
	for e := m.first; e != nil; e = e.next {
		n := &Entry{start: e.start, end: e.end, prot: e.prot, maxProt: e.maxProt, inherit: e.inherit}
		switch e.inherit {
		case mach.InheritNone:
			continue
		case mach.InheritShare:
			m.isolate(e)
			e.shared, n.shared = true, true
			n.object, n.offset = e.object, e.offset
			n.view = e.object.attach(child, n.delta())
		case mach.InheritCopy:
			n.offset = e.offset
			if e.object != nil {
				s := e.all()
				n.back(child, e.object.copyRange(s), s.lo)
			}
		}
		child.link(child.last, n)
	}
	return child, mach.KernSuccess
}

// isolate gives a private entry that shows only a part of its object an
// object of its own, so that sharing one part does not hold the others. Its
// Places are new, as they are on GNU Mach, which puts a shadow object there.
// Precondition: m.mu held for writing.
func (m *Map) isolate(e *Entry) {
	m.touchEntry(e)
	e.object.mu.Lock()
	only := e.object.users == 1
	e.object.mu.Unlock()
	if e.shared || only {
		return
	}
	var dead reaper
	s := e.all()
	m.removeFromPmap(e)
	o := e.object.copyRange(s)
	e.unback(&dead)
	e.back(m, o, s.lo)
	m.fr.bury(&dead)
}
