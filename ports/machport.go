package ports

import (
	"machkernel/mach"
)

// Allocate makes a new right in s under the next free name: a receive right
// with no rights to it and the default queue limit, an empty port set, or a
// dead name with one reference.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask   the space is dead
//	KernInvalidValue  right is none of the three
//	KernNoSpace       no room for another name
func (s *Space) Allocate(right mach.Right) (mach.Name, mach.KernReturn) {
	if !allocatable(right) {
		return 0, mach.KernInvalidValue
	}
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	if !s.active {
		return 0, mach.KernInvalidTask
	}
	name, e, ok := s.names.alloc()
	if !ok {
		return 0, mach.KernNoSpace
	}
	s.fill(name, e, right)
	return name, mach.KernSuccess
}

// AllocateName is Allocate under a name the client chose.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidValue      name is null or dead; right is none of the three
//	KernInvalidTask       the space is dead
//	KernNameExists        the name is in use
//	KernResourceShortage  no room for another name
func (s *Space) AllocateName(right mach.Right, name mach.Name) mach.KernReturn {
	if !name.Valid() || !allocatable(right) {
		return mach.KernInvalidValue
	}
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	if !s.active {
		return mach.KernInvalidTask
	}
	e, ok := s.names.allocName(name)
	if !ok {
		return mach.KernResourceShortage
	}
	if e.kind != 0 {
		return mach.KernNameExists
	}
	s.fill(name, e, right)
	return mach.KernSuccess
}

func allocatable(right mach.Right) bool {
	return right == mach.RightReceive || right == mach.RightPortSet || right == mach.RightDeadName
}

func (s *Space) fill(name mach.Name, e *entry, right mach.Right) {
	switch right {
	case mach.RightReceive:
		p := s.zone.newPort(stateSpace)
		p.space, p.name = s, name
		e.kind, e.port = kindReceive, p
	case mach.RightPortSet:
		if s.sets == nil {
			s.sets = make(map[mach.Name]*Set)
		}
		s.sets[name] = &Set{space: s, name: name}
		e.kind = kindSet
	case mach.RightDeadName:
		e.kind, e.urefs = kindDead, 1
	}
}

// DestroyName frees name with all rights it denotes.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask  the space is dead
//	KernInvalidName  name denotes nothing
func (s *Space) DestroyName(name mach.Name) mach.KernReturn {
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	e, kr := s.find(name)
	if kr == mach.KernSuccess {
		s.destroyEntry(&r, name, e)
	}
	return kr
}

// Deallocate gives up one user reference of a send right, send-once right or
// dead name.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask   the space is dead
//	KernInvalidName   name denotes nothing
//	KernInvalidRight  name is a port set, or a receive right only
func (s *Space) Deallocate(name mach.Name) mach.KernReturn {
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return kr
	}
	if e.kind&(kindSendRights|kindDead) == 0 {
		return mach.KernInvalidRight
	}
	s.check(e)
	switch {
	case e.kind == kindDead:
		if e.urefs--; e.urefs == 0 {
			s.names.release(name, e)
		}
	case e.kind == kindSendOnce:
		s.destroyEntry(&r, name, e)
	default:
		s.modSend(&r, name, e, -1)
	}
	return mach.KernSuccess
}

// modSend changes the references of a live send right; the sum is legal.
func (s *Space) modSend(r *Reaper, name mach.Name, e *entry, delta int32) {
	n := int32(e.urefs) + delta
	switch {
	case n > 0:
		e.urefs = uint16(n)
	case e.kind&kindReceive != 0:
		e.urefs, e.kind = 0, kindReceive
		e.port.dropSend(r)
	default:
		s.destroyEntry(r, name, e)
	}
}

// ModRefs changes the user references of one of the rights under name by
// delta. Receive rights, port sets and send-once rights know only 0 and -1.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidValue   right is not a kind of right; delta is not one the right
//	                   knows, or takes more references than there are
//	KernInvalidTask    the space is dead
//	KernInvalidName    name denotes nothing
//	KernInvalidRight   name does not denote that right (any more)
//	KernUrefsOverflow  too many references: 65535 and up for a send right, more
//	                   than 65535 for a dead name
func (s *Space) ModRefs(name mach.Name, right mach.Right, delta int32) mach.KernReturn {
	if right >= mach.RightNumber {
		return mach.KernInvalidValue
	}
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return kr
	}
	switch right {
	case mach.RightPortSet:
		return s.modSingle(&r, name, e, kindSet, delta)
	case mach.RightReceive:
		return s.modReceive(&r, name, e, delta)
	case mach.RightSendOnce:
		return s.modSendOnce(&r, name, e, delta)
	case mach.RightDeadName:
		return s.modDead(name, e, delta)
	}
	if e.kind&kindSend == 0 {
		return mach.KernInvalidRight
	}
	// A send right stops one short of the maximum, so that a dead-name
	// notification can still add its reference.
	if kr := urefsSum(int64(e.urefs), int64(delta), mach.UrefsMax-1); kr != mach.KernSuccess {
		return kr
	}
	if s.check(e) {
		return mach.KernInvalidRight
	}
	s.modSend(&r, name, e, delta)
	return mach.KernSuccess
}

// urefsSum checks that urefs+delta is neither negative nor above most.
func urefsSum(urefs, delta, most int64) mach.KernReturn {
	if delta < 0 && -delta > urefs {
		return mach.KernInvalidValue
	}
	if urefs+delta > most {
		return mach.KernUrefsOverflow
	}
	return mach.KernSuccess
}

func (s *Space) modSingle(r *Reaper, name mach.Name, e *entry, kind uint8, delta int32) mach.KernReturn {
	switch {
	case e.kind&kind == 0:
		return mach.KernInvalidRight
	case delta == 0:
		return mach.KernSuccess
	case delta != -1:
		return mach.KernInvalidValue
	}
	s.destroyEntry(r, name, e)
	return mach.KernSuccess
}

// modReceive gives up a receive right. A send right beside it becomes a dead
// name: the port dies first. It becomes one also when the port does not die but
// goes to its backup; Mach then goes on counting that send right, so there are
// senders as long as the port lives, and a client can tell.
func (s *Space) modReceive(r *Reaper, name mach.Name, e *entry, delta int32) mach.KernReturn {
	if e.kind&kindSend == 0 || delta != -1 {
		return s.modSingle(r, name, e, kindReceive, delta)
	}
	if e.kind&kindReceive == 0 {
		return mach.KernInvalidRight
	}
	p := e.port
	e.kind, e.port = kindDead, nil
	if e.request != 0 {
		e.request = 0
		e.urefs++
	}
	p.clearReceiver(r)
	p.destroy(r)
	if p.alive() {
		p.stray++
	}
	return mach.KernSuccess
}

func (s *Space) modSendOnce(r *Reaper, name mach.Name, e *entry, delta int32) mach.KernReturn {
	switch {
	case e.kind != kindSendOnce:
		return mach.KernInvalidRight
	case delta > 0 || delta < -1:
		return mach.KernInvalidValue
	case s.check(e):
		return mach.KernInvalidRight
	case delta == -1:
		s.destroyEntry(r, name, e)
	}
	return mach.KernSuccess
}

func (s *Space) modDead(name mach.Name, e *entry, delta int32) mach.KernReturn {
	if s.check(e); e.kind != kindDead {
		return mach.KernInvalidRight
	}
	if kr := urefsSum(int64(e.urefs), int64(delta), mach.UrefsMax); kr != mach.KernSuccess {
		return kr
	}
	if n := int32(e.urefs) + delta; n > 0 {
		e.urefs = uint16(n)
	} else {
		s.names.release(name, e)
	}
	return mach.KernSuccess
}

// GetRefs is the number of user references of one of the rights under name: 0
// when name denotes others, 1 for receive, set and send-once rights.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidValue  right is not a kind of right
//	KernInvalidTask   the space is dead
//	KernInvalidName   name denotes nothing
func (s *Space) GetRefs(name mach.Name, right mach.Right) (uint32, mach.KernReturn) {
	if right >= mach.RightNumber {
		return 0, mach.KernInvalidValue
	}
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return 0, kr
	}
	s.check(e)
	if e.typ()&right.Type() == 0 {
		return 0, mach.KernSuccess
	}
	if right == mach.RightSend || right == mach.RightDeadName {
		return uint32(e.urefs), mach.KernSuccess
	}
	return 1, mach.KernSuccess
}

// Type is the set of rights under name.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask  the space is dead
//	KernInvalidName  name denotes nothing
func (s *Space) Type(name mach.Name) (mach.PortType, mach.KernReturn) {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return 0, kr
	}
	s.check(e)
	return e.fullType(), mach.KernSuccess
}

func (e *entry) fullType() mach.PortType {
	t := e.typ()
	if e.request != 0 {
		t |= mach.TypeDNRequest
	}
	return t
}

// NameInfo is a name and the rights under it.
type NameInfo struct {
	Name mach.Name
	Type mach.PortType
}

// Names lists all names of s in ascending order.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask  the space is dead
func (s *Space) Names() ([]NameInfo, mach.KernReturn) {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	if !s.active {
		return nil, mach.KernInvalidTask
	}
	list := make([]NameInfo, 0, s.names.size)
	s.names.each(func(n mach.Name, e *entry) bool {
		t := e.fullType()
		if e.kind&kindPortRights != 0 && !e.port.alive() {
			t = mach.TypeDeadName
		}
		list = append(list, NameInfo{n, t})
		return true
	})
	return list, mach.KernSuccess
}

// Rename moves what oldName denotes to newName.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidValue      newName is null or dead
//	KernInvalidTask       the space is dead
//	KernNameExists        newName is in use
//	KernInvalidName       oldName denotes nothing
//	KernResourceShortage  no room for another name
func (s *Space) Rename(oldName, newName mach.Name) mach.KernReturn {
	if !newName.Valid() {
		return mach.KernInvalidValue
	}
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	if !s.active {
		return mach.KernInvalidTask
	}
	to, ok := s.names.allocName(newName)
	if !ok {
		return mach.KernResourceShortage
	}
	if to.kind != 0 {
		return mach.KernNameExists
	}
	e := s.names.lookup(oldName)
	if e == nil {
		s.names.release(newName, to)
		return mach.KernInvalidName
	}
	if e.request != 0 && !s.check(e) {
		e.port.requests.slots[e.request-1].name = newName
	}
	*to = *e
	switch {
	case e.kind&kindReceive != 0:
		e.port.name = newName
	case e.kind == kindSend:
		s.reverse[e.port] = newName
	case e.kind == kindSet:
		set := s.sets[oldName]
		delete(s.sets, oldName)
		s.sets[newName], set.name = set, newName
	}
	s.names.release(oldName, e)
	return mach.KernSuccess
}

// InsertRight puts a right into s under a name the client chose.
//
// Locks: none held; takes the IPC lock. Consumes right only if it succeeds.
//
//	KernInvalidValue       name is null or dead, or right's type is not that of
//	                       a right
//	KernInvalidCapability  right is null or dead
//	KernInvalidTask        the space is dead
//	KernRightExists        the port has another name in s
//	KernNameExists         name is in use for something else
//	KernUrefsOverflow      too many references
//	KernResourceShortage   no room for another name
func (s *Space) InsertRight(name mach.Name, right Right) mach.KernReturn {
	if !name.Valid() || right.Port != nil && (right.Type < mach.TypePortReceive || right.Type > mach.TypePortSendOnce) {
		return mach.KernInvalidValue
	}
	if right.Port == nil {
		return mach.KernInvalidCapability
	}
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	if !s.active {
		return mach.KernInvalidTask
	}
	e, ok := s.names.allocName(name)
	if !ok {
		return mach.KernResourceShortage
	}
	if right.Type != mach.TypePortSendOnce && right.Port.alive() {
		if other, oe := s.nameOf(right.Port); oe != nil {
			if other == name {
				return s.copyout(name, e, right, false)
			}
			if e.kind == 0 {
				s.names.release(name, e)
			}
			return mach.KernRightExists
		}
	}
	if e.kind != 0 {
		return mach.KernNameExists
	}
	if !right.Port.alive() {
		s.names.release(name, e)
		return mach.KernInvalidCapability
	}
	return s.copyout(name, e, right, false)
}

// ExtractRight takes a right out of s as if s had sent it with that
// disposition.
//
// Locks: none held; takes the IPC lock. Returns a right the caller owns; it is
// dead for a dead name.
//
//	KernInvalidValue  disposition is not that of a right
//	KernInvalidTask   the space is dead
//	KernInvalidName   name denotes nothing
//	KernInvalidRight  name does not denote the right the disposition needs
func (s *Space) ExtractRight(name mach.Name, disposition mach.TypeName) (Right, mach.KernReturn) {
	if !disposition.IsPort() {
		return Right{}, mach.KernInvalidValue
	}
	r := Reaper{z: s.zone}
	s.zone.mu.Lock()
	defer r.unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return Right{}, kr
	}
	right, deleted, ok := s.copyin(&r, name, e, disposition, true)
	if !ok {
		return Right{}, mach.KernInvalidRight
	}
	r.portDeleted(deleted, name)
	return right, mach.KernSuccess
}

// LookupSend is the port for which name denotes a live send right in s, for
// calls that take a port by name instead of in a message. The port may die at
// any moment.
//
// Locks: none held; takes the IPC lock.
func (s *Space) LookupSend(name mach.Name) *Port {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess || e.kind&kindSend == 0 || !e.port.alive() {
		return nil
	}
	return e.port
}

// LookupRight is the port for which name denotes the given right in s. The port
// may die at any moment.
//
// Locks: none held; takes the IPC lock.
//
//	KernInvalidTask   the space is dead
//	KernInvalidName   name denotes nothing
//	KernInvalidRight  name denotes others than right, or right is no port's
func (s *Space) LookupRight(name mach.Name, right mach.Right) (*Port, mach.KernReturn) {
	s.zone.mu.Lock()
	defer s.zone.mu.Unlock()
	e, kr := s.find(name)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	s.check(e)
	if right >= mach.RightNumber || e.typ()&right.Type() == 0 || e.kind&kindPortRights == 0 {
		return nil, mach.KernInvalidRight
	}
	return e.port, mach.KernSuccess
}
