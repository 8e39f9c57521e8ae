package vm

import (
	"sync/atomic"

	"machkernel/mach"
)

// Events counts what faults on one map did. Counts only grow.
type Events struct {
	Faults    atomic.Uint64 // calls of Map.Fault
	ZeroFills atomic.Uint64 // absent pages that they made zero pages
	CowFaults atomic.Uint64 // shared pages that they gave a private frame
}

// Events are the map's own counters.
func (m *Map) Events() *Events { return &m.events }

// Sizes are, in bytes, the memory that is allocated in the map and the part of
// it that has page frames.
//
// Locks: takes the map's for reading, and each object's; the caller holds none.
func (m *Map) Sizes() (virtual, resident uint64) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for e := m.first; e != nil; e = e.next {
		virtual += e.size()
		resident += e.resident()
	}
	return virtual, resident
}

// resident is how much of the entry has page frames.
// Precondition: m.mu held for reading.
func (e *Entry) resident() (size uint64) {
	if e.object == nil {
		return 0
	}
	s := e.all()
	e.object.mu.Lock()
	defer e.object.mu.Unlock()
	e.object.pages.each(s.lo, s.hi, func(uint64, Frame) { size += mach.PageSize })
	return size
}

// Residence is what memory an entry has, and who has it besides.
type Residence struct {
	Pages  uint64 // with page frames
	Users  int    // entries and copies on their way that have the object; 0 if nobody touched the entry
	Object uint64 // its number, never used again; 0 if nobody touched the entry
	Copied bool   // a copy of the object is alive, or what it is a copy of
}

// Survey is Region, with the entry's residence.
//
// Locks: takes the map's for reading, and the object's; the caller holds none.
// Returns as Region.
func (m *Map) Survey(addr mach.Addr) (RegionInfo, Residence, mach.KernReturn) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.from(addr)
	if e == nil {
		return RegionInfo{}, Residence{}, mach.KernNoSpace
	}
	var r Residence
	if o := e.object; o != nil {
		r.Pages = e.resident() / mach.PageSize
		o.mu.Lock()
		r.Users, r.Object, r.Copied = o.users, o.id, o.kin.n.Load() > 1
		o.mu.Unlock()
	}
	return e.info(), r, mach.KernSuccess
}
