package vmsvc

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/ports"
	"machkernel/rules"
	"machkernel/vm"
)

// Server serves the vm_* routines of one kernel.
type Server struct {
	rules  *rules.Set
	frames *vm.Frames
	memory func(*vm.Copy) ipc.Region // wraps a copy as message memory
	copies func(ipc.Region) *vm.Copy // and back, or nil

	receiver func(ipc.Caller) *vm.Map // where a reply's memory goes; may be nil

	name   func(*vm.Object) ports.Right
	object func(ports.Right) (Part, bool)
}

// Config is what a Server is made of.
type Config struct {
	Rules  *rules.Set
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

// Prepare makes a new map one of the server's family: its bounds, how places are
// chosen in it, what becomes of its entries, and what new memory allows. Precondition: m is empty.
func (s *Server) Prepare(m *vm.Map) {
	m.SetLayout(vm.Layout{
		Min:      rules.MapMinimum.In(s.rules),
		Max:      rules.MapMaximum.In(s.rules),
		FirstFit: rules.MapPlacement.In(s.rules) == rules.FirstFit,
		Rejoin:   !rules.ReadSplits.In(s.rules),
	})
	m.SetFresh(rules.NewMemory.In(s.rules))
}

// Allocate is vm_allocate (2021): zero-filled memory of size bytes at addr, or
// at a place of the kernel's if anywhere. It returns the address.
//
//	KERN_INVALID_ARGUMENT  m is nil; size rounds to zero (rules.AllocateOversize)
//	KERN_INVALID_ADDRESS   the fixed range is not inside the map
//	KERN_NO_SPACE          occupied, or no room anywhere
func (s *Server) Allocate(m *vm.Map, addr mach.Addr, size uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
	return s.allocate(m, size, vm.Spot{Addr: addr.TruncPage(), Anywhere: anywhere}, 0)
}

// allocate is Allocate, of memory as the flags say it is to be.
func (s *Server) allocate(m *vm.Map, size uint64, at vm.Spot, flags uint32) (mach.Addr, mach.KernReturn) {
	switch {
	case m == nil:
		return 0, mach.KernInvalidArgument
	case size == 0:
		return 0, mach.KernSuccess
	case roundSize(size) == 0:
		return 0, rules.AllocateOversize.In(s.rules)
	case at.Anywhere:
		at.Addr = 0 // vm_allocate has no hint
	}
	a := vm.Attributes{Prot: rules.NewMemory.In(s.rules), MaxProt: mach.ProtAll, Inherit: mach.InheritCopy}
	if kr := applyFlags(flags, &a, &size, &at.Mask); kr != mach.KernSuccess {
		return 0, kr
	}
	return m.EnterAt(at, roundSize(size), a)
}

// Deallocate is vm_deallocate (2023). It succeeds whatever the range; what is
// allocated in it goes.
//
//	KERN_INVALID_ARGUMENT  m is nil; the range wraps (rules.DeallocateWraps)
//	KERN_INVALID_ADDRESS   addr is not allocated (rules.DeallocateUnallocated)
func (s *Server) Deallocate(m *vm.Map, addr mach.Addr, size uint64) mach.KernReturn {
	switch {
	case m == nil:
		return mach.KernInvalidArgument
	case size == 0:
		return mach.KernSuccess
	}
	if wraps(addr, size) {
		if kr := rules.DeallocateWraps.In(s.rules); kr != mach.KernSuccess {
			return kr
		}
	}
	if kr := unallocated(m, addr, rules.DeallocateUnallocated.In(s.rules)); kr != mach.KernSuccess {
		return kr
	}
	if !rules.DeallocateOutside.In(s.rules) && outside(m.Layout(), addr, size) {
		return mach.KernSuccess
	}
	return m.Deallocate(addr, size)
}

// unallocated answers kr if the page of addr is not allocated.
func unallocated(m *vm.Map, addr mach.Addr, kr mach.KernReturn) mach.KernReturn {
	if kr == mach.KernSuccess || m.Holds(addr) {
		return mach.KernSuccess
	}
	return kr
}

// Protect is vm_protect (2024).
//
//	KERN_INVALID_ARGUMENT    m is nil; prot has unknown bits; the range wraps
//	                         (rules.ProtectWraps, ProtectWhole)
//	KERN_INVALID_ADDRESS     a page is not allocated (rules.ProtectUnallocated,
//	                         ProtectHole)
//	KERN_PROTECTION_FAILURE  prot exceeds an entry's maximum; nothing changed
//	KERN_NO_SPACE            VM_PROT_COPY (rules.ProtectCopies) of permanent memory,
//	                         which has lost all access then
func (s *Server) Protect(m *vm.Map, addr mach.Addr, size uint64, setMax bool, prot mach.Prot) mach.KernReturn {
	switch {
	case m == nil:
		return mach.KernInvalidArgument
	case size == 0 && rules.ProtectNothing.In(s.rules):
		return mach.KernSuccess
	case prot&^(mach.ProtAll|mach.ProtCopy) != 0:
		return mach.KernInvalidArgument
	}
	if kr := s.protectWraps(addr, size); kr != mach.KernSuccess {
		return kr
	}
	if size != 0 {
		if kr := unallocated(m, addr, rules.ProtectUnallocated.In(s.rules)); kr != mach.KernSuccess {
			return kr
		}
	}
	if prot&mach.ProtCopy != 0 && rules.ProtectCopies.In(s.rules) {
		prot &^= mach.ProtCopy
		if kr := privatize(m, addr, size, prot); kr != mach.KernSuccess {
			return kr
		}
	}
	hole := rules.ProtectHole.In(s.rules)
	if hole == mach.KernSuccess {
		return m.Protect(addr, size, setMax, prot)
	}
	free := mach.ProtNone
	if rules.ProtectExecuteFree.In(s.rules) {
		free = mach.ProtExecute
	}
	kr := m.ProtectWhole(addr, size, setMax, prot, free)
	if kr == mach.KernInvalidAddress {
		return hole
	}
	return kr
}

func (s *Server) protectWraps(addr mach.Addr, size uint64) mach.KernReturn {
	switch {
	case !wraps(addr, size):
		return mach.KernSuccess
	case addr.TruncPage() == 0 && addr+mach.Addr(size) >= addr:
		return rules.ProtectWhole.In(s.rules)
	}
	return rules.ProtectWraps.In(s.rules)
}

// privatize makes a copy of the range in its place, which may be written.
func privatize(m *vm.Map, addr mach.Addr, size uint64, prot mach.Prot) mach.KernReturn {
	lo, hi := addr.TruncPage(), (addr + mach.Addr(size)).RoundPage()
	x, kr := m.Extract(lo, uint64(hi-lo), false, mach.ProtNone, mach.ProtNone)
	if kr != mach.KernSuccess {
		return kr
	}
	x.Each(func(a *vm.Attributes) {
		a.Prot &= prot
		a.MaxProt |= mach.ProtWrite
	})
	_, kr = m.Insert(vm.Spot{Addr: lo, Overwrite: true}, x)
	x.Discard()
	return kr
}

// Inherit is vm_inherit (2025).
//
//	KERN_INVALID_ARGUMENT  m is nil; in is none of the three values; the range
//	                       wraps (rules.InheritWraps)
//	KERN_INVALID_ADDRESS   addr is not allocated (rules.InheritUnallocated)
func (s *Server) Inherit(m *vm.Map, addr mach.Addr, size uint64, in mach.Inherit) mach.KernReturn {
	switch {
	case m == nil:
		return mach.KernInvalidArgument
	case size == 0 && rules.InheritNothing.In(s.rules):
		return mach.KernSuccess
	case !in.Valid():
		return mach.KernInvalidArgument
	}
	if wraps(addr, size) {
		if kr := rules.InheritWraps.In(s.rules); kr != mach.KernSuccess {
			return kr
		}
	}
	if size != 0 {
		if kr := unallocated(m, addr, rules.InheritUnallocated.In(s.rules)); kr != mach.KernSuccess {
			return kr
		}
	}
	return m.Inherit(addr, size, in)
}

// Region is vm_region (2029): the entry that holds addr, or else the next one.
//
//	KERN_INVALID_ARGUMENT  m is nil
//	KERN_NO_SPACE          nothing is allocated at or after addr
//	                       (rules.RegionNone)
func (s *Server) Region(m *vm.Map, addr mach.Addr) (vm.RegionInfo, mach.KernReturn) {
	r, _, kr := s.survey(m, addr)
	return r, kr
}

func (s *Server) survey(m *vm.Map, addr mach.Addr) (vm.RegionInfo, vm.Residence, mach.KernReturn) {
	if m == nil {
		return vm.RegionInfo{}, vm.Residence{}, mach.KernInvalidArgument
	}
	info, r, kr := m.Survey(addr)
	if kr != mach.KernSuccess {
		kr = rules.RegionNone.In(s.rules)
	}
	return info, r, kr
}
