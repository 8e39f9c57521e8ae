package vm

import "machkernel/mach"

// CopyinBuffer copies [addr, addr+size) at once, into memory of its own
// (XNU's vm_map_copyin_kernel_buffer): for small ranges, which the VM server
// decides. Copyout maps such a copy at a page boundary, with zeroes behind it.
//
// Locks: takes the map's for reading and object locks; the caller holds none.
//
// Returns the copy, which the caller owns, or nil and
//   - KernSuccess; for size 0 too, with an empty copy, whatever the address.
//   - KernInvalidAddress: the range wraps or a page is not allocated.
//   - KernProtectionFailure: a page's current protection lacks READ.
//   - KernResourceShortage: no frame is left.
//
// Of several faults the lowest address wins.
func (m *Map) CopyinBuffer(addr mach.Addr, size uint64) (*Copy, mach.KernReturn) {
	b := make([]byte, size)
	if kr := m.ReadBytes(addr, b); kr != mach.KernSuccess {
		return nil, kr
	}
	c, kr := NewCopy(m.fr, b)
	if kr == mach.KernSuccess {
		c.source = addr
	}
	return c, kr
}

// Buffered reports whether the copy's bytes were copied when it was made, by
// CopyinBuffer or NewCopy, and not only its pages shared.
func (c *Copy) Buffered() bool { return c != nil && c.buffer }

// Pour writes the copy's bytes at addr, page after page, as XNU's copyout does
// from a kernel buffer: a page that does not allow the access need ends it, and
// what lies before it has been written. addr is untrusted.
//
// Locks: takes the map's and object locks, a page at a time; the caller holds
// none. Consumes c on success; on failure the caller still owns it.
//
// Returns
//   - KernSuccess; for an empty or nil copy too, whatever the address.
//   - KernInvalidAddress: a page is not allocated.
//   - KernProtectionFailure: a page's current protection lacks need.
//   - KernResourceShortage: no frame is left.
func (m *Map) Pour(addr mach.Addr, c *Copy, need mach.Prot) mach.KernReturn {
	if c == nil {
		return mach.KernSuccess
	}
	var buf [mach.PageSize]byte
	for off := uint64(0); off < c.size; {
		at := addr + mach.Addr(off)
		n := c.ReadAt(buf[:mach.PageSize-at.PageOffset()], off)
		if kr := m.writeBytes(at, buf[:n], need); kr != mach.KernSuccess {
			return kr
		}
		off += uint64(n)
	}
	c.Discard()
	return mach.KernSuccess
}

// Check reports whether all of [addr, addr+size) allows the access. addr is
// untrusted.
//
// Locks: takes the map's for reading; the caller holds none.
//
// Returns
//   - KernSuccess; for size 0 too, whatever the address.
//   - KernInvalidAddress: the range wraps or a page is not allocated.
//   - KernProtectionFailure: a page's current protection lacks the access.
//
// Of several faults the lowest address wins.
func (m *Map) Check(addr mach.Addr, size uint64, access mach.Prot) mach.KernReturn {
	end := addr + mach.Addr(size)
	switch {
	case size == 0:
		return mach.KernSuccess
	case end <= addr:
		return mach.KernInvalidAddress
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.check(addr, end, access)
}
