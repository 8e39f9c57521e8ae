package vmsvc

import (
	"machkernel/mach"
	"machkernel/rules"
	"machkernel/vm"
)

// Copyin takes a copy of size bytes at addr as the family makes it, also for
// the out-of-line memory of a message: small ones at once, others lazily. The
// caller owns it. Of no bytes the copy is empty, whatever the address.
//
//	KERN_INVALID_ARGUMENT    m is nil
//	KERN_INVALID_ADDRESS     part of the range is not allocated, or it wraps, or
//	                         as rules.CopyCrosses48Bits
//	KERN_PROTECTION_FAILURE  part of the range is not readable; of a small one
//	                         as rules.ReadSmallUnreadable
//	KERN_RESOURCE_SHORTAGE   no frame is left for a small one
//
// Of several faults the lowest address wins.
func (s *Server) Copyin(m *vm.Map, addr mach.Addr, size uint64) (*vm.Copy, mach.KernReturn) {
	if m == nil {
		return nil, mach.KernInvalidArgument
	}
	if kr := s.crosses(addr, size); kr != mach.KernSuccess {
		return nil, kr
	}
	if !s.small(m.Layout(), addr, size) {
		return m.Copyin(addr, size, false)
	}
	c, kr := m.CopyinBuffer(addr, size)
	if kr == mach.KernProtectionFailure {
		kr = rules.ReadSmallUnreadable.In(s.rules)
	}
	return c, kr
}

func (s *Server) crosses(addr mach.Addr, size uint64) mach.KernReturn {
	if size != 0 && crosses48(addr, size) {
		return rules.CopyCrosses48Bits.In(s.rules)
	}
	return mach.KernSuccess
}

// small reports whether a range is copied through a kernel buffer: not if its
// last page is the map's, as XNU has it.
func (s *Server) small(l vm.Layout, addr mach.Addr, size uint64) bool {
	return size != 0 && size <= rules.BufferLimit.In(s.rules) &&
		!outside(l, addr, size) && (addr+mach.Addr(size)).RoundPage() < l.Max
}

// Read is vm_read (2026): a copy of size bytes at addr, for a caller whose map
// is to (nil if it has none). The caller owns the copy.
//
//	KERN_INVALID_ARGUMENT    m is nil; unaligned (rules.ReadUnaligned); too much
//	                         (rules.ReadOversize)
//	KERN_NO_SPACE            no room in to (rules.ReadNoRoom)
//
// Other codes are Copyin's.
func (s *Server) Read(m *vm.Map, addr mach.Addr, size uint64, to *vm.Map) (*vm.Copy, mach.KernReturn) {
	if size > 1<<32-1 {
		if kr := rules.ReadOversize.In(s.rules); kr != mach.KernSuccess {
			return nil, kr
		}
	}
	data, kr := s.Copyin(m, addr, size)
	if kr != mach.KernSuccess || size == 0 {
		return data, kr
	}
	if !aligned(uint64(addr), size) {
		kr = rules.ReadUnaligned.In(s.rules)
	}
	if kr == mach.KernSuccess && to != nil && !to.HasRoom(data.InPageOffset(), size) {
		kr = rules.ReadNoRoom.In(s.rules)
	}
	if kr != mach.KernSuccess {
		data.Discard()
		return nil, kr
	}
	return data, kr
}

// ReadOverwrite is vm_read_overwrite: the bytes at addr replace those at data in
// the caller's map, to. The codes are Copyin's for the source, which is looked
// at first, and then Write's for the buffer, but a buffer that is not writable
// is as rules.ReadOverwriteUnwritable.
func (s *Server) ReadOverwrite(m *vm.Map, addr mach.Addr, size uint64, to *vm.Map, data mach.Addr) mach.KernReturn {
	if to == nil {
		return mach.KernInvalidArgument
	}
	c, kr := s.Copyin(m, addr, size)
	if kr != mach.KernSuccess {
		return kr
	}
	kr = s.overwrite(to, data, c)
	c.Discard()
	if kr == mach.KernProtectionFailure {
		return rules.ReadOverwriteUnwritable.In(s.rules)
	}
	return kr
}

// Range is some bytes of a map.
type Range struct {
	Addr mach.Addr
	Size uint64
}

// MaxRanges is how many ranges ReadList takes (C: VM_MAP_ENTRY_MAX).
const MaxRanges = 256

// ReadList is vm_read_list: each range of m is copied into the caller's map, to,
// and the list tells where. Of one that fails, or has no bytes, it tells no
// address and no bytes. The code is that of the last range with bytes: earlier
// failures do not show in it, and when it is a failure, what the earlier ranges
// brought stays in the caller's map although MIG's reply will not tell where.
//
//	KERN_INVALID_ARGUMENT  m or to is nil; more than MaxRanges
//	KERN_NO_SPACE          no room in to
//
// Other codes are Copyin's.
func (s *Server) ReadList(m *vm.Map, list []Range, to *vm.Map) mach.KernReturn {
	if m == nil || to == nil || len(list) > MaxRanges {
		return mach.KernInvalidArgument
	}
	last := mach.KernSuccess
	for i, r := range list {
		list[i] = Range{}
		if r.Size == 0 {
			continue
		}
		c, kr := s.Copyin(m, r.Addr, r.Size)
		if last = kr; kr != mach.KernSuccess {
			continue
		}
		if r.Addr, last = to.Copyout(c); last != mach.KernSuccess {
			c.Discard()
			continue
		}
		list[i] = r
	}
	return last
}

// Write is vm_write (2027): the bytes of data replace those at addr. data is
// consumed when the call succeeds and stays the caller's when it fails. nil is
// no bytes: nothing but m is looked at.
//
//	KERN_INVALID_ARGUMENT    m is nil; unaligned (rules.WriteUnaligned,
//	                         WriteUnalignedData)
//	KERN_INVALID_ADDRESS     part of the destination is not allocated, or it
//	                         wraps, or as rules.CopyCrosses48Bits
//	KERN_PROTECTION_FAILURE  part of the destination is not writable; of small
//	                         data as rules.WriteSmallUnwritable
//	KERN_RESOURCE_SHORTAGE   no frame is left
//
// Of several faults in the destination the lowest address wins. A refused call
// has written nothing, but as rules.WriteSmallPartly and WriteInParts say.
func (s *Server) Write(m *vm.Map, addr mach.Addr, data *vm.Copy) mach.KernReturn {
	if m == nil {
		return mach.KernInvalidArgument
	}
	if data != nil && data.Size() != 0 {
		if !aligned(uint64(data.Offset())) {
			if kr := rules.WriteUnalignedData.In(s.rules); kr != mach.KernSuccess {
				return kr
			}
		}
		if !aligned(uint64(addr), data.Size()) {
			if kr := rules.WriteUnaligned.In(s.rules); kr != mach.KernSuccess {
				return kr
			}
		}
	}
	return s.overwrite(m, addr, data)
}

// Copy is vm_copy (2028): as Read followed by Write, so that the ranges may
// overlap, and a bad source is found before a bad alignment (rules.CopyUnaligned)
// or destination. The codes are Copyin's and Write's.
func (s *Server) Copy(m *vm.Map, src mach.Addr, size uint64, dst mach.Addr) mach.KernReturn {
	c, kr := s.Copyin(m, src, size)
	if kr != mach.KernSuccess {
		return kr
	}
	if size != 0 && !aligned(uint64(src), size, uint64(dst)) {
		kr = rules.CopyUnaligned.In(s.rules)
	}
	if kr == mach.KernSuccess {
		kr = s.overwrite(m, dst, c)
	}
	c.Discard()
	return kr
}

// overwrite writes c at dst, in the way the family has for its size. Nothing is
// looked at when c is empty or nil. c is consumed on success only.
func (s *Server) overwrite(m *vm.Map, dst mach.Addr, c *vm.Copy) mach.KernReturn {
	if c == nil || c.Size() == 0 {
		c.Discard()
		return mach.KernSuccess
	}
	if kr := s.crosses(dst, c.Size()); kr != mach.KernSuccess {
		return kr
	}
	switch {
	case c.Buffered() && c.Size() <= rules.BufferLimit.In(s.rules):
		return s.pour(m, dst, c)
	case s.inParts(dst, c):
		return m.OverwriteInParts(dst, c)
	}
	return m.Overwrite(dst, c)
}

// pour writes a small copy.
func (s *Server) pour(m *vm.Map, dst mach.Addr, c *vm.Copy) mach.KernReturn {
	need := mach.ProtWrite
	if rules.WriteSmallNeedsRead.In(s.rules) {
		need |= mach.ProtRead
	}
	kr := mach.KernSuccess
	if !rules.WriteSmallPartly.In(s.rules) {
		kr = m.Check(dst, c.Size(), need)
	}
	if kr == mach.KernSuccess {
		kr = m.Pour(dst, c, need)
	}
	if kr == mach.KernProtectionFailure {
		return rules.WriteSmallUnwritable.In(s.rules)
	}
	return kr
}

// inParts reports whether a copy is written part by part: large enough, of the
// destination's in-page offset, and with a whole page.
func (s *Server) inParts(dst mach.Addr, c *vm.Copy) bool {
	from, end := rules.WriteInParts.In(s.rules), dst+mach.Addr(c.Size())
	return from != 0 && c.Size() >= from*mach.PageSize && c.InPageOffset() == dst.PageOffset() &&
		!wraps(dst, c.Size()) && dst.RoundPage() < end.TruncPage()
}
