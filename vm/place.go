package vm

import "machkernel/mach"

// Place names a byte of memory, wherever it is mapped: two addresses, of one map
// or of two, have the same Place as long as they show the same byte of the same
// memory object. Memory shared by inheritance is the same in all who share it.
// A copy is other memory from the start, although no page may have been copied
// yet; what it was taken of stays the same.
//
// A byte gets another Place when its pages get another object: when a part of
// larger memory is shared for the first time (Fork), and when Overwrite replaces
// the object of private memory.
//
// Places are compared, and used as keys of maps. They hold nothing: a Place is
// never used again for other memory, unless a task deallocates the byte and the
// neighbour's memory grows over the gap.
type Place struct{ object, offset uint64 }

// Examine finds the Place of addr, and reads the bytes there into p, in one
// moment. addr is untrusted; access is what its page must allow beside READ.
//
// Locks: takes the map's for reading and object locks; the caller holds none.
// It waits for no other thread's doing: absent pages read as zero and stay
// absent.
//
// Returns
//   - KernSuccess.
//   - KernInvalidAddress: the range wraps or a page is not allocated; the map
//     is dead.
//   - KernProtectionFailure: the first page's current protection lacks READ or
//     access, another's READ.
func (m *Map) Examine(addr mach.Addr, access mach.Prot, p []byte) (Place, mach.KernReturn) {
	end := addr + mach.Addr(max(len(p), 1))
	if end <= addr {
		return Place{}, mach.KernInvalidAddress
	}
	for {
		m.mu.RLock()
		e := m.at(addr)
		if kr := m.examinable(e, addr, end, access); kr != mach.KernSuccess {
			m.mu.RUnlock()
			return Place{}, kr
		}
		if e.object != nil {
			at := Place{e.object.id, e.first<<mach.PageShift + uint64(addr-e.start)}
			e.read(addr, p)
			m.mu.RUnlock()
			return at, mach.KernSuccess
		}
		m.mu.RUnlock()
		m.touch(addr, addr+1, mach.ProtRead) // untouched memory is nobody's yet
	}
}

// examinable checks what Examine may do; e is the entry of addr, or nil.
// Precondition: m.mu held.
func (m *Map) examinable(e *Entry, addr, end mach.Addr, access mach.Prot) mach.KernReturn {
	switch {
	case e == nil:
		return mach.KernInvalidAddress
	case !e.prot.Has(access | mach.ProtRead):
		return mach.KernProtectionFailure
	case end > e.end:
		return m.check(addr, end, mach.ProtRead)
	}
	return mach.KernSuccess
}
