package vmsvc

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// Rules are the points where families and editions of the vm_* routines
// differ; each names both values and who says so. "Manual" is the GNU Mach
// Reference Manual, with its section; "kernel" is the packaged GNU Mach of the
// recordings. What the manual leaves open (requests of no bytes; which of two
// faults is found first) is the kernel's in every edition. A value is immutable
// once a Server uses it.
type Rules struct {
	// AlignedOverwrite: vm_write and vm_copy refuse a destination, source or
	// size that is not page aligned with KERN_INVALID_ARGUMENT. Manual (Data
	// Transfer) and kernel do; for a copy only after the source was found
	// readable. XNU demands it in its manual pages and does not check it.
	AlignedOverwrite bool

	// AlignedRead: vm_read refuses an unaligned address or size likewise. The
	// manual (Data Transfer) says so; no kernel does it: it succeeds, with
	// exactly the bytes asked for.
	AlignedRead bool

	// ReadNeedsRoom: vm_read answers KERN_NO_SPACE if the caller's map has no
	// room for the data. The manual (Data Transfer) says so; in the kernel the
	// routine succeeds, and mach_msg answers MACH_RCV_BODY_ERROR with
	// MACH_MSG_VM_SPACE, as the manual, too, says of mach_msg (Message Receive).
	ReadNeedsRoom bool

	// AllocatedDeallocate: vm_deallocate answers KERN_INVALID_ADDRESS if the
	// page of its address is not allocated. The manual (Memory Deallocation)
	// says so; the kernel succeeds, and frees what there is in the range.
	AllocatedDeallocate bool

	// AllocatedProtect: the same for vm_protect (Memory Attributes).
	AllocatedProtect bool

	// AllocatedInherit: the same for vm_inherit (Memory Attributes).
	AllocatedInherit bool

	// OversizeNoSpace: vm_allocate of a size that rounds up to zero answers
	// KERN_NO_SPACE, as for any size that does not fit (manual, Memory
	// Allocation). The kernel answers KERN_INVALID_ARGUMENT.
	OversizeNoSpace bool

	// OutsideNoSpace: vm_map of a range that is not inside the map answers
	// KERN_NO_SPACE, the manual's code for an address that cannot be had (Mapping
	// Memory Objects). The kernel answers KERN_INVALID_ADDRESS.
	OutsideNoSpace bool

	// WireInvalidValue: vm_wire and vm_wire_all answer KERN_INVALID_VALUE to an
	// access or flags with unknown bits (manual, Memory Attributes). The kernel
	// answers KERN_INVALID_ARGUMENT.
	WireInvalidValue bool

	// AttributeInvalidArgument: vm_machine_attribute answers KERN_INVALID_ARGUMENT
	// where an attribute is not implemented (manual, Memory Attributes). The
	// kernel, which has none, answers KERN_INVALID_ADDRESS.
	AttributeInvalidArgument bool

	// FreshAllAccess: new memory, allocated or received in a message, permits
	// all access (manual, Memory Allocation and Memory). In the kernel it is
	// read-write, with a maximum of all.
	FreshAllAccess bool
}

// GNUMachObserved is what the packaged GNU Mach kernel really answers.
func GNUMachObserved() Rules { return Rules{AlignedOverwrite: true} }

// GNUMachDocumented is what the GNU Mach Reference Manual promises.
func GNUMachDocumented() Rules {
	return Rules{
		AlignedOverwrite: true, AlignedRead: true, ReadNeedsRoom: true,
		AllocatedDeallocate: true, AllocatedProtect: true, AllocatedInherit: true,
		OversizeNoSpace: true, FreshAllAccess: true,
		OutsideNoSpace: true, WireInvalidValue: true, AttributeInvalidArgument: true,
	}
}

// Fresh is the current protection of new memory.
func (r *Rules) Fresh() mach.Prot {
	if r.FreshAllAccess {
		return mach.ProtAll
	}
	return mach.ProtDefault
}

// Server serves the vm_* routines of one kernel.
type Server struct {
	rules  Rules
	frames *vm.Frames
	memory func(*vm.Copy) ipc.Region // wraps a copy as message memory
	copies func(ipc.Region) *vm.Copy // and back, or nil

	receiver func(ipc.Caller) *vm.Map // where a reply's memory goes; may be nil

	name   func(*vm.Object) ports.Right
	object func(ports.Right) (Part, bool)
}

// Config is what a Server is made of.
type Config struct {
	Rules  Rules
	Frames *vm.Frames

	// Region wraps a copy object for a message, and Copy unwraps it; the copy
	// changes hands with the call. Copy answers nil for a Region of another make
	// and for none.
	Region func(*vm.Copy) ipc.Region
	Copy   func(ipc.Region) *vm.Copy

	// Receiver is the map that the memory in a reply to the caller goes to.
	// May be nil: then no reply is refused for want of room.
	Receiver func(ipc.Caller) *vm.Map

	// Name makes a send right to the name port of memory, null for nil. May be
	// nil: then no memory has a name.
	Name func(*vm.Object) ports.Right

	// Object says what memory a memory object stands for, and reports false if
	// the port is none. May be nil: then no port is.
	Object func(ports.Right) (Part, bool)
}

// Part is the part of a task's memory that a memory object stands for.
type Part struct {
	Object     *vm.Object // nil if what is behind is nothing that can be mapped
	Start, Len uint64     // bytes of the object
	Prot       mach.Prot  // what a mapping may have at most
}

// New makes a server.
func New(c Config) *Server {
	return &Server{
		rules: c.Rules, frames: c.Frames, memory: c.Region, copies: c.Copy,
		receiver: c.Receiver, name: c.Name, object: c.Object,
	}
}

// Allocate is vm_allocate (2021): zero-filled memory of size bytes at addr, or
// at the first fitting place if anywhere. It returns the address.
//
//	KERN_INVALID_ARGUMENT  m is nil; size rounds to zero, but under OversizeNoSpace
//	KERN_INVALID_ADDRESS   the fixed range is not inside the map
//	KERN_NO_SPACE          occupied, or no room anywhere
func (s *Server) Allocate(m *vm.Map, addr mach.Addr, size uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
	if m == nil {
		return 0, mach.KernInvalidArgument
	}
	if s.rules.OversizeNoSpace && mach.Addr(size).RoundPage() < mach.Addr(size) {
		return 0, mach.KernNoSpace
	}
	return m.Allocate(addr, size, anywhere)
}

// Deallocate is vm_deallocate (2023). It succeeds whatever the range; what is
// allocated in it goes.
//
//	KERN_INVALID_ARGUMENT  m is nil
//	KERN_INVALID_ADDRESS   addr is not allocated, under AllocatedDeallocate
func (s *Server) Deallocate(m *vm.Map, addr mach.Addr, size uint64) mach.KernReturn {
	if m == nil {
		return mach.KernInvalidArgument
	}
	if s.rules.AllocatedDeallocate && size != 0 && !m.Holds(addr) {
		return mach.KernInvalidAddress
	}
	return m.Deallocate(addr, size)
}

// Protect is vm_protect (2024).
//
//	KERN_INVALID_ARGUMENT    m is nil, or prot has unknown bits
//	KERN_INVALID_ADDRESS     addr is not allocated, under AllocatedProtect
//	KERN_PROTECTION_FAILURE  prot exceeds an entry's maximum; nothing changed
func (s *Server) Protect(m *vm.Map, addr mach.Addr, size uint64, setMax bool, prot mach.Prot) mach.KernReturn {
	if m == nil || prot&^(mach.ProtAll|mach.ProtNotify) != 0 {
		return mach.KernInvalidArgument
	}
	if s.rules.AllocatedProtect && size != 0 && !m.Holds(addr) {
		return mach.KernInvalidAddress
	}
	return m.Protect(addr, size, setMax, prot)
}

// Inherit is vm_inherit (2025).
//
//	KERN_INVALID_ARGUMENT  m is nil, or in is none of the three values
//	KERN_INVALID_ADDRESS   addr is not allocated, under AllocatedInherit
func (s *Server) Inherit(m *vm.Map, addr mach.Addr, size uint64, in mach.Inherit) mach.KernReturn {
	if m == nil || !in.Valid() {
		return mach.KernInvalidArgument
	}
	if s.rules.AllocatedInherit && size != 0 && !m.Holds(addr) {
		return mach.KernInvalidAddress
	}
	return m.Inherit(addr, size, in)
}

// Read is vm_read (2026): a lazy copy of size bytes at addr, for a caller whose
// map is to (nil if it has none). The caller owns the copy.
//
//	KERN_INVALID_ARGUMENT    m is nil; unaligned, under AlignedRead
//	KERN_INVALID_ADDRESS     part of the range is not allocated, or it wraps
//	KERN_PROTECTION_FAILURE  part of the range is not readable
//	KERN_NO_SPACE            no room in to, under ReadNeedsRoom
func (s *Server) Read(m *vm.Map, addr mach.Addr, size uint64, to *vm.Map) (*vm.Copy, mach.KernReturn) {
	if m == nil {
		return nil, mach.KernInvalidArgument
	}
	data, kr := m.Copyin(addr, size, false)
	switch {
	case kr != mach.KernSuccess || size == 0:
		return data, kr
	case s.rules.AlignedRead && !aligned(uint64(addr), size):
		kr = mach.KernInvalidArgument
	case s.rules.ReadNeedsRoom && to != nil && !to.HasRoom(data.InPageOffset(), size):
		kr = mach.KernNoSpace
	default:
		return data, kr
	}
	data.Discard()
	return nil, kr
}

// Write is vm_write (2027): the bytes of data replace those at addr. data is
// consumed when the call succeeds and stays the caller's when it fails. nil is
// no bytes: nothing but m is looked at.
//
//	KERN_INVALID_ARGUMENT    m is nil; unaligned, under AlignedOverwrite
//	KERN_INVALID_ADDRESS     part of the destination is not allocated
//	KERN_PROTECTION_FAILURE  part of the destination is not writable
//
// A refused call has written nothing.
func (s *Server) Write(m *vm.Map, addr mach.Addr, data *vm.Copy) mach.KernReturn {
	if m == nil {
		return mach.KernInvalidArgument
	}
	return s.overwrite(m, addr, data)
}

// Copy is vm_copy (2028): as Read followed by Write, so that the ranges may
// overlap, and a bad source is found before a bad alignment or destination.
// The codes are Read's and Write's.
func (s *Server) Copy(m *vm.Map, src mach.Addr, size uint64, dst mach.Addr) mach.KernReturn {
	if m == nil {
		return mach.KernInvalidArgument
	}
	c, kr := m.Copyin(src, size, false)
	if kr != mach.KernSuccess {
		return kr
	}
	if kr = s.overwrite(m, dst, c); kr != mach.KernSuccess {
		c.Discard()
	}
	return kr
}

// overwrite writes c at dst under the family's alignment rule. Nothing is
// looked at when c is empty or nil. c is consumed on success only.
func (s *Server) overwrite(m *vm.Map, dst mach.Addr, c *vm.Copy) mach.KernReturn {
	if c == nil || c.Size() == 0 {
		c.Discard()
		return mach.KernSuccess
	}
	if s.rules.AlignedOverwrite && !aligned(uint64(dst), c.Size(), c.InPageOffset()) {
		return mach.KernInvalidArgument
	}
	return m.Overwrite(dst, c)
}

// Region is vm_region (2029): the entry that holds addr, or else the next one.
//
//	KERN_INVALID_ARGUMENT  m is nil
//	KERN_NO_SPACE          nothing is allocated at or after addr
func (s *Server) Region(m *vm.Map, addr mach.Addr) (vm.RegionInfo, mach.KernReturn) {
	if m == nil {
		return vm.RegionInfo{}, mach.KernInvalidArgument
	}
	return m.Region(addr)
}

func aligned(values ...uint64) bool {
	for _, v := range values {
		if v&mach.PageMask != 0 {
			return false
		}
	}
	return true
}
