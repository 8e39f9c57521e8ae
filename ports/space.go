package ports

import (
	"slices"

	"machkernel/mach"
)

// namesMax is how many names a space may hold unless told otherwise.
const namesMax = 1 << 24

// Space is the port name space of one task. All fields are guarded by the
// zone's lock but zone and id.
//
//	state  active  names     reverse, sets
//	live   true    any       a reverse entry per pure send right whose port is
//	                         alive or not yet found dead; a set per set name
//	dead   false   shrinking while Destroy runs, then empty
type Space struct {
	zone   *Zone
	id     uint64
	active bool

	names   table
	reverse map[*Port]mach.Name // pure send rights: the name they go by
	sets    map[mach.Name]*Set
	forced  map[mach.Name]*acceptRequest // by entries marked forced
}

// NewSpace makes an empty space.
func (z *Zone) NewSpace() *Space {
	return &Space{
		zone: z, id: z.nextID.Add(1), active: true,
		names:   table{limit: namesMax},
		reverse: make(map[*Port]mach.Name),
	}
}

// ID is a number of the space's own, never used again in this zone.
func (s *Space) ID() uint64 { return s.id }

// Zone is where the space comes from.
func (s *Space) Zone() *Zone { return s.zone }

// Active reports whether the space lives.
func (s *Space) Active() bool {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	return s.active
}

// Len is the number of names in use.
func (s *Space) Len() int {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	return s.names.size
}

// SetNameLimit bounds how many names the space may hold; at the bound there is
// no room for another name. Names held already stay.
func (s *Space) SetNameLimit(n int) {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	s.names.limit = n
}

// Destroy ends the space with all rights in it, name by name in ascending
// order: receive rights die with their ports, send-once rights owe their
// notifications. own are ports of the kernel that end with it, after its names,
// as by DestroyPort: the port of the task. A dead space stays dead.
//
// Locks: none held; takes the IPC lock for each name. Consumes the receive rights
// of own.
func (s *Space) Destroy(own ...*Port) {
	s.zone.mu.Lock()
	lived := s.active
	held := make([]mach.Name, 0, s.names.size)
	if lived {
		s.active = false
		s.names.each(func(n mach.Name, _ *entry) bool {
			held = append(held, n)
			return true
		})
	}
	s.zone.mu.Unlock()
	r := &Reaper{z: s.zone}
	for _, name := range held {
		s.zone.mu.Lock()
		s.destroyEntry(r, name, s.names.lookup(name))
		s.zone.mu.Unlock()
		r.runJobs()
	}
	for _, p := range own {
		s.zone.mu.Lock()
		p.end(r)
		s.zone.mu.Unlock()
		r.runJobs()
	}
	r.run()
	if lived {
		s.zone.mu.Lock()
		s.names, s.reverse, s.sets, s.forced = table{}, nil, nil, nil
		s.zone.mu.Unlock()
	}
}

// find is the entry of name in a live space.
func (s *Space) find(name mach.Name) (*entry, mach.KernReturn) {
	if !s.active {
		return nil, mach.KernInvalidTask
	}
	e := s.names.lookup(name)
	if e == nil {
		return nil, mach.KernInvalidName
	}
	return e, mach.KernSuccess
}

// findReceive is the port whose receive right name denotes.
func (s *Space) findReceive(name mach.Name) (*Port, mach.KernReturn) {
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	if e.kind&kindReceive == 0 {
		return nil, mach.KernInvalidRight
	}
	return e.port, mach.KernSuccess
}

// nameOf is the name under which s holds send or receive rights to a live
// port.
func (s *Space) nameOf(p *Port) (mach.Name, *entry) {
	if p.space == s && p.state == stateSpace {
		return p.name, s.names.lookup(p.name)
	}
	if name, ok := s.reverse[p]; ok {
		return name, s.names.lookup(name)
	}
	return mach.NameNull, nil
}

// check turns an entry whose port has died into a dead name, and reports
// whether it did. An armed dead-name request adds the reference that stands
// for the notification sent.
func (s *Space) check(e *entry) bool {
	if e.kind&kindPortRights == 0 || e.port.alive() {
		return false
	}
	if e.kind&kindReceive != 0 {
		panic("BUG: a receive right to a dead port")
	}
	if e.kind&kindSend != 0 {
		s.cancelAccept(s.reverse[e.port], e)
		delete(s.reverse, e.port)
	}
	e.kind = kindDead
	e.port = nil
	if e.request != 0 {
		e.request = 0
		e.urefs++
	}
	return true
}

// portDeleted owes the port-deleted notification to a dead-name request that
// ended with its name.
func (r *Reaper) portDeleted(to *Port, name mach.Name) {
	if to != nil {
		r.notify(Notification{
			ID: mach.NotifyPortDeleted, Name: name,
			To: Right{Port: to, Type: mach.TypePortSendOnce},
		})
	}
}

// destroyEntry frees name with all it denotes.
func (s *Space) destroyEntry(r *Reaper, name mach.Name, e *entry) {
	kind, p := e.kind, e.port
	switch {
	case kind == kindDead:
		s.names.release(name, e)
		return
	case kind == kindSet:
		set := s.sets[name]
		delete(s.sets, name)
		s.names.release(name, e)
		set.destroy(r)
		return
	}
	s.cancelAccept(name, e)
	if kind == kindSend {
		delete(s.reverse, p)
	}
	if !p.alive() {
		s.names.release(name, e)
		return
	}
	to := p.cancelRequest(e)
	s.names.release(name, e)
	var silent Reaper
	notes := r
	if kind&kindReceive != 0 {
		notes = &silent // the last send right goes first, its notice comes last
	}
	if kind&kindSend != 0 {
		p.dropSend(notes)
	}
	switch {
	case kind&kindReceive != 0:
		p.clearReceiver(r)
		p.destroy(r)
	case kind == kindSendOnce:
		r.sendOnceDestroyed(p)
	}
	r.jobs = append(r.jobs, silent.jobs...)
	r.portDeleted(to, name)
}

// copyinCheck reports whether copyin with this disposition would succeed when
// dead rights are welcome.
func (s *Space) copyinCheck(e *entry, disposition mach.TypeName) bool {
	switch disposition {
	case mach.TypeMakeSend, mach.TypeMakeSendOnce, mach.TypeMoveReceive:
		return e.kind&kindReceive != 0
	}
	if e.kind == kindDead {
		return true
	}
	if e.kind&kindSendRights == 0 {
		return false
	}
	if !e.port.alive() {
		return true
	}
	if disposition == mach.TypeMoveSendOnce {
		return e.kind == kindSendOnce
	}
	return e.kind&kindSend != 0
}

// copyin takes a right out of an entry. deadok says whether a dead name will
// do. The name is freed when nothing is left under it.
//
// It returns the right, and in deleted the port of a dead-name request that
// ended with the name. It fails, changing nothing but a dead port's entry into
// a dead name, when the entry lacks the right.
func (s *Space) copyin(r *Reaper, name mach.Name, e *entry, disposition mach.TypeName, deadok bool) (right Right, deleted *Port, ok bool) {
	switch disposition {
	case mach.TypeMakeSend, mach.TypeMakeSendOnce, mach.TypeMoveReceive:
		if e.kind&kindReceive == 0 {
			return Right{}, nil, false
		}
		switch disposition {
		case mach.TypeMakeSend:
			return e.port.makeSend(), nil, true
		case mach.TypeMakeSendOnce:
			return e.port.makeSendOnce(), nil, true
		}
		right, deleted = s.moveReceive(r, name, e)
		return right, deleted, true
	}
	if e.kind != kindDead && e.kind&kindSendRights == 0 {
		return Right{}, nil, false
	}
	if s.check(e); e.kind == kindDead {
		if !deadok {
			return Right{}, nil, false
		}
		if disposition != mach.TypeCopySend {
			if e.urefs--; e.urefs == 0 {
				s.names.release(name, e)
			}
		}
		return DeadRight(), nil, true
	}
	p := e.port
	if disposition == mach.TypeMoveSendOnce {
		if e.kind != kindSendOnce {
			return Right{}, nil, false
		}
		deleted = p.cancelRequest(e)
		s.names.release(name, e)
		return Right{Port: p, Type: mach.TypePortSendOnce}, deleted, true
	}
	if e.kind&kindSend == 0 {
		return Right{}, nil, false
	}
	if disposition == mach.TypeMoveSend {
		return Right{Port: p, Type: mach.TypePortSend}, s.takeSend(name, e), true
	}
	return p.copySend(), nil, true
}

// moveReceive takes the receive right out of an entry. A send right stays
// under the name.
func (s *Space) moveReceive(r *Reaper, name mach.Name, e *entry) (Right, *Port) {
	p := e.port
	p.clearReceiver(r)
	p.protected = false
	var deleted *Port
	if e.kind&kindSend != 0 {
		e.kind = kindSend
		s.reverse[p] = name
	} else {
		s.cancelAccept(name, e)
		deleted = p.cancelRequest(e)
		s.names.release(name, e)
	}
	return Right{Port: p, Type: mach.TypePortReceive}, deleted
}

// takeSend takes one user reference of a send right out of an entry, as a send
// right of its own.
func (s *Space) takeSend(name mach.Name, e *entry) (deleted *Port) {
	p := e.port
	if e.urefs > 1 {
		e.urefs--
		p.srights++
		return nil
	}
	e.urefs = 0
	if e.kind&kindReceive != 0 {
		e.kind = kindReceive
		return nil
	}
	deleted = p.cancelRequest(e)
	delete(s.reverse, p)
	s.cancelAccept(name, e)
	s.names.release(name, e)
	return deleted
}

// copyout puts a right to a live port into an entry, which is unused or holds
// send or receive rights to the same port. It consumes the right. Too many
// references of a send right are dropped silently if overflow says so, else it
// fails and changes nothing.
func (s *Space) copyout(name mach.Name, e *entry, right Right, overflow bool) mach.KernReturn {
	p := right.Port
	switch right.Type {
	case mach.TypePortSendOnce:
		e.kind, e.port, e.urefs = kindSendOnce, p, 1
	case mach.TypePortSend:
		switch {
		case e.kind&kindSend != 0:
			if e.urefs+1 == mach.UrefsMax {
				if !overflow {
					return mach.KernUrefsOverflow
				}
			} else {
				e.urefs++
			}
			p.srights--
			return mach.KernSuccess
		case e.kind == 0:
			e.port = p
			s.reverse[p] = name
		}
		e.kind |= kindSend
		e.urefs = 1
	case mach.TypePortReceive:
		if e.kind&kindSend != 0 {
			delete(s.reverse, p)
		}
		e.port = p
		e.kind |= kindReceive
		p.state, p.space, p.name, p.dest = stateSpace, s, name, nil
	}
	return mach.KernSuccess
}

// place puts a right into s under the name its port has there, or a new one.
//
//	KernInvalidTask        the space is dead
//	KernInvalidCapability  the right is dead
//	KernNoSpace            no room for another name
//	KernUrefsOverflow      too many references, and overflow is false
func (s *Space) place(right Right, overflow bool) (mach.Name, mach.KernReturn) {
	if !s.active {
		return 0, mach.KernInvalidTask
	}
	if !right.Port.alive() {
		// A name is taken before the port is found dead, and freed again: it
		// is then on top of the free list, which a client can tell.
		if name, e, ok := s.names.alloc(); ok {
			s.names.release(name, e)
		} else {
			return 0, mach.KernNoSpace
		}
		return 0, mach.KernInvalidCapability
	}
	var name mach.Name
	var e *entry
	if right.Type != mach.TypePortSendOnce {
		name, e = s.nameOf(right.Port)
	}
	if e == nil {
		var ok bool
		if name, e, ok = s.names.alloc(); !ok {
			return 0, mach.KernNoSpace
		}
	}
	return name, s.copyout(name, e, right, overflow)
}

func sortNames(n []mach.Name) { slices.Sort(n) }
