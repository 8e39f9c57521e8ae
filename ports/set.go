package ports

import (
	"machkernel/mach"
)

// Set is a port set: several ports received from as one. Its members'
// messages are in its queue. All fields are guarded by the zone's lock.
//
//	state  space  members, queue
//	live   set    any; each member is a port of the same space with set == this
//	dead   nil    empty
type Set struct {
	space *Space
	name  mach.Name
	queue queue
	first *Port // members, through setPrev and setNext
}

// add puts a port that is in no set into s: its messages move to the set's
// queue, behind those there, and threads waiting at the port learn that it
// changed.
func (s *Set) add(r *Reaper, p *Port) {
	p.set = s
	p.setNext = s.first
	if s.first != nil {
		s.first.setPrev = p
	}
	s.first = p
	moved := p.queue
	p.queue.first, p.queue.last = nil, nil
	for m := moved.pop(); m != nil; m = moved.pop() {
		s.queue.offer(m)
	}
	p.queue.receivers.wakeAll(wokePortChanged)
	p.admit(r)
}

// remove takes a port out of the set, with its messages.
func (s *Set) remove(r *Reaper, p *Port) {
	if p.setPrev != nil {
		p.setPrev.setNext = p.setNext
	} else {
		s.first = p.setNext
	}
	if p.setNext != nil {
		p.setNext.setPrev = p.setPrev
	}
	p.set, p.setPrev, p.setNext = nil, nil, nil
	mine := s.queue.take(p)
	p.queue.first, p.queue.last = mine.first, mine.last
	p.admit(r)
}

// destroy ends the set: its members are in no set, threads waiting at it
// learn that it died.
func (s *Set) destroy(r *Reaper) {
	for s.first != nil {
		s.remove(r, s.first)
	}
	s.queue.receivers.wakeAll(wokePortDied)
	s.space, s.name = nil, 0
}

// MoveMember puts the receive right member into the set after, taking it out
// of the set it is in; a null after only takes it out.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask   the space is dead
//	KernInvalidName   member denotes nothing; after denotes nothing
//	KernInvalidRight  member is no receive right; after is no set
//	KernNotInSet      after is null and member is in no set
func (s *Space) MoveMember(member, after mach.Name) mach.KernReturn {
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	e, kr := s.find(member)
	if kr != mach.KernSuccess {
		return kr
	}
	if e.kind&kindReceive == 0 {
		return mach.KernInvalidRight
	}
	p := e.port
	var to *Set
	if after != mach.NameNull {
		if e, kr = s.find(after); kr != mach.KernSuccess {
			return kr
		}
		if e.kind&kindSet == 0 {
			return mach.KernInvalidRight
		}
		to = s.sets[after]
	}
	from := p.set
	if from == nil && to == nil {
		return mach.KernNotInSet
	}
	if from == to {
		return mach.KernSuccess
	}
	if from != nil {
		from.remove(&r, p)
	}
	if to != nil {
		to.add(&r, p)
	}
	return mach.KernSuccess
}

// SetMembers lists the names of a set's members, in ascending order.
//
//	KernInvalidTask   the space is dead
//	KernInvalidName   name denotes nothing
//	KernInvalidRight  name is no set
func (s *Space) SetMembers(name mach.Name) ([]mach.Name, mach.KernReturn) {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	if e.kind&kindSet == 0 {
		return nil, mach.KernInvalidRight
	}
	var names []mach.Name
	for p := s.sets[name].first; p != nil; p = p.setNext {
		names = append(names, p.name)
	}
	sortNames(names)
	return names, mach.KernSuccess
}
