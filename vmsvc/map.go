package vmsvc

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/vm"
)

// Mapping is what vm_map is asked for; all of it is untrusted.
type Mapping struct {
	Addr     mach.Addr // where; ignored if Anywhere
	Size     uint64    // bytes, rounded up to pages
	Mask     uint64    // bits that must be clear in the address; see vm.Map.Enter
	Anywhere bool
	Object   ports.Right // the memory object; null or dead for zero-filled memory
	Offset   uint64      // bytes into the memory object
	Copy     bool        // map a copy of its memory

	Prot, MaxProt mach.Prot
	Inherit       mach.Inherit
}

// Map is vm_map (2089): memory with the given attributes. It returns the
// address. A current protection above the maximum is taken as it is. With no
// memory object the memory is filled with zeros, and Offset and Copy mean
// nothing. A proxy of the kernel's cuts both protections to its own; of a copy
// it asks only that it be readable. Offset is cut to a page.
//
//	KERN_INVALID_ARGUMENT    m is nil; a protection has unknown bits; Inherit is
//	                         none of the three values; size is zero
//	KERN_INVALID_ARGUMENT    the port is no memory object
//	KERN_PROTECTION_FAILURE  a copy of a proxy that may not be read
//	KERN_INVALID_ARGUMENT    the rounded size, from Offset on, is not all in the
//	                         proxy; its memory is gone; the size rounds to zero
//	KERN_INVALID_ADDRESS     the fixed range is not inside the map (KERN_NO_SPACE
//	                         under OutsideNoSpace)
//	KERN_NO_SPACE            occupied, or no room anywhere, or none that Mask
//	                         allows
//
// The codes are found in this order, but a mask that forbids a fixed address
// before an address outside the map. The real kernel lets an offset by which the
// sum wraps out of a proxy's range.
//
// Only the kernel's proxies are memory objects yet: pagers come later. The real
// kernel refuses its own other ports so, too, but maps any port of a task as
// memory of the manager that may be behind.
func (s *Server) Map(m *vm.Map, r Mapping) (mach.Addr, mach.KernReturn) {
	switch {
	case m == nil, (r.Prot|r.MaxProt)&^mach.ProtAll != 0, !r.Inherit.Valid(), r.Size == 0:
		return 0, mach.KernInvalidArgument
	}
	size, at := uint64(mach.Addr(r.Size).RoundPage()), r.Addr.TruncPage()
	var addr mach.Addr
	var kr mach.KernReturn
	if r.Object.Valid() {
		var b vm.Backing
		if b, kr = s.backing(&r, size); kr == mach.KernSuccess {
			addr, kr = m.EnterBacked(at, size, r.Mask, r.Anywhere, b, r.Prot, r.MaxProt, r.Inherit)
		}
	} else {
		addr, kr = m.Enter(at, size, r.Mask, r.Anywhere, r.Prot, r.MaxProt, r.Inherit)
	}
	if kr == mach.KernInvalidAddress && s.rules.OutsideNoSpace {
		kr = mach.KernNoSpace
	}
	return addr, kr
}

// backing finds what the memory object of r stands for, and cuts r to it; size is
// rounded.
func (s *Server) backing(r *Mapping, size uint64) (b vm.Backing, kr mach.KernReturn) {
	if s.object == nil {
		return b, mach.KernInvalidArgument
	}
	part, ok := s.object(r.Object)
	if !ok {
		return b, mach.KernInvalidArgument
	}
	if r.Copy {
		if !part.Prot.Has(mach.ProtRead) {
			return b, mach.KernProtectionFailure
		}
	} else {
		r.Prot &= part.Prot
		r.MaxProt &= part.Prot
	}
	if r.Offset > part.Len || size > part.Len-r.Offset || part.Object == nil {
		return b, mach.KernInvalidArgument
	}
	return vm.Backing{Object: part.Object, Offset: part.Start + r.Offset, Copy: r.Copy}, mach.KernSuccess
}

// VMMap is vm_map (2089); see Map. The mapping does not keep the right.
func (s *Server) VMMap(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, mask mach.Addr, anywhere bool, object ports.Right, offset uint64, copied bool, prot, maxProt mach.Prot, in mach.Inherit) (mach.Addr, mach.KernReturn) {
	at, kr := s.Map(m, Mapping{
		Addr: addr, Size: size, Mask: uint64(mask), Anywhere: anywhere,
		Object: object, Offset: offset, Copy: copied,
		Prot: prot, MaxProt: maxProt, Inherit: in,
	})
	if kr == mach.KernSuccess && object.Valid() {
		object.Port.Zone().Release(object)
	}
	return at, kr
}

// VMMachineAttribute is vm_machine_attribute (2099). The machine has no
// attributes of memory; the value comes back as it was.
//
//	KERN_INVALID_ARGUMENT  m is nil; the range is not inside the map; otherwise
//	                       under AttributeInvalidArgument
//	KERN_INVALID_ADDRESS   otherwise; a size by which the sum wraps is no matter
func (s *Server) VMMachineAttribute(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, _, value int32) (int32, mach.KernReturn) {
	if m == nil || addr+mach.Addr(size) > mach.VMMaxAddress || s.rules.AttributeInvalidArgument {
		return value, mach.KernInvalidArgument
	}
	return value, mach.KernInvalidAddress
}

// Flags of vm_msync.
const (
	syncAsynchronous = 1 // C: VM_SYNC_ASYNCHRONOUS
	syncSynchronous  = 2 // C: VM_SYNC_SYNCHRONOUS
)

// VMMsync is vm_msync (4209): it would have pages written to their memory
// object. The kernel has the routine for no bytes only.
//
//	KERN_INVALID_ARGUMENT  m is nil; both ways of waiting are asked for; the
//	                       range has a page
func (s *Server) VMMsync(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, flags int32) mach.KernReturn {
	const both = syncAsynchronous | syncSynchronous
	if m == nil || flags&both == both || (addr+mach.Addr(size)).RoundPage() != addr.TruncPage() {
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}

// VMCacheStatistics is vm_cache_statistics (4200): how many memory objects with
// a pager there are, and how many pages they have resident, in the first two
// words; the kernel counts nothing else. Here no object has a pager.
//
//	KERN_INVALID_ARGUMENT  m is nil
func (s *Server) VMCacheStatistics(_ *mig.Call, m *vm.Map) (words [11]uint32, kr mach.KernReturn) {
	if m == nil {
		return words, mach.KernInvalidArgument
	}
	return words, mach.KernSuccess
}
