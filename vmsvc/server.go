package vmsvc

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/vm"
)

// Rules are the points where families and editions of the vm_* routines
// differ. A value is immutable once a Server uses it.
type Rules struct {
	// AlignedOverwrite: vm_write and vm_copy refuse a destination, source or
	// size that is not page aligned with KERN_INVALID_ARGUMENT. GNU Mach does,
	// by its manual ("Data Transfer") and in fact; for a copy it finds out only
	// after the source was found readable. XNU demands it in its manual pages
	// and does not check it.
	AlignedOverwrite bool

	// AlignedRead: vm_read refuses an unaligned address or size likewise. The
	// GNU Mach manual says so; no kernel does it.
	AlignedRead bool
}

// GNUMachObserved is what the packaged GNU Mach kernel really answers.
func GNUMachObserved() Rules { return Rules{AlignedOverwrite: true} }

// AddressSpace is a kernel object that has an address map: a task. A request
// to any other object is answered KERN_INVALID_ARGUMENT.
type AddressSpace interface {
	// VMMap is the object's map, or nil once it has none any more.
	VMMap() *vm.Map
}

// Server serves the vm_* routines of one kernel.
type Server struct {
	rules  Rules
	frames *vm.Frames
	memory func(*vm.Copy) ipc.Region // wraps a copy as message memory
	copies func(ipc.Region) *vm.Copy // and back, or nil
}

// Config is what a Server is made of.
type Config struct {
	Rules  Rules
	Frames *vm.Frames

	// Region wraps a copy object for a message, and Copy unwraps it; the copy
	// changes hands with the call. Copy answers nil for a Region of another make.
	Region func(*vm.Copy) ipc.Region
	Copy   func(ipc.Region) *vm.Copy
}

// New makes a server.
func New(c Config) *Server {
	return &Server{rules: c.Rules, frames: c.Frames, memory: c.Region, copies: c.Copy}
}

// Allocate is vm_allocate (2021): zero-filled memory of size bytes at addr, or
// at the first fitting place if anywhere. It returns the address.
//
//	KERN_INVALID_ARGUMENT  m is nil, or size rounds to zero
//	KERN_INVALID_ADDRESS   the fixed range is not inside the map
//	KERN_NO_SPACE          occupied, or no room anywhere
func (s *Server) Allocate(m *vm.Map, addr mach.Addr, size uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
	if m == nil {
		return 0, mach.KernInvalidArgument
	}
	return m.Allocate(addr, size, anywhere)
}

// Deallocate is vm_deallocate (2023). It succeeds whatever the range; what is
// allocated in it goes.
//
//	KERN_INVALID_ARGUMENT  m is nil
func (s *Server) Deallocate(m *vm.Map, addr mach.Addr, size uint64) mach.KernReturn {
	if m == nil {
		return mach.KernInvalidArgument
	}
	return m.Deallocate(addr, size)
}

// Protect is vm_protect (2024).
//
//	KERN_INVALID_ARGUMENT    m is nil, or prot has unknown bits
//	KERN_PROTECTION_FAILURE  prot exceeds an entry's maximum; nothing changed
func (s *Server) Protect(m *vm.Map, addr mach.Addr, size uint64, setMax bool, prot mach.Prot) mach.KernReturn {
	if m == nil || prot&^(mach.ProtAll|mach.ProtNotify) != 0 {
		return mach.KernInvalidArgument
	}
	return m.Protect(addr, size, setMax, prot)
}

// Inherit is vm_inherit (2025).
//
//	KERN_INVALID_ARGUMENT  m is nil, or in is none of the three values
func (s *Server) Inherit(m *vm.Map, addr mach.Addr, size uint64, in mach.Inherit) mach.KernReturn {
	if m == nil || !in.Valid() {
		return mach.KernInvalidArgument
	}
	return m.Inherit(addr, size, in)
}

// Read is vm_read (2026): a lazy copy of size bytes at addr. The caller owns
// the copy.
//
//	KERN_INVALID_ARGUMENT    m is nil; unaligned, under AlignedRead
//	KERN_INVALID_ADDRESS     part of the range is not allocated, or it wraps
//	KERN_PROTECTION_FAILURE  part of the range is not readable
func (s *Server) Read(m *vm.Map, addr mach.Addr, size uint64) (*vm.Copy, mach.KernReturn) {
	if m == nil {
		return nil, mach.KernInvalidArgument
	}
	if s.rules.AlignedRead && !aligned(uint64(addr), size) {
		return nil, mach.KernInvalidArgument
	}
	return m.Copyin(addr, size, false)
}

// Write is vm_write (2027): the bytes of data replace those at addr. data is
// consumed when the call succeeds and stays the caller's when it fails.
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
// looked at when c is empty. c is consumed on success only.
func (s *Server) overwrite(m *vm.Map, dst mach.Addr, c *vm.Copy) mach.KernReturn {
	if c.Size() == 0 {
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
