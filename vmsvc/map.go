package vmsvc

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/rules"
	"machkernel/vm"
)

// Mapping is what vm_map is asked for; all of it is untrusted.
type Mapping struct {
	Addr      mach.Addr // where; with Anywhere, as rules.MapHint
	Size      uint64    // bytes, rounded up to pages
	Mask      uint64    // bits that must be clear in the address; see rules.MapMaskCaps
	Anywhere  bool
	Overwrite bool        // not with Anywhere: what lies there is deallocated
	Object    ports.Right // the memory object; null or dead for zero-filled memory
	Offset    uint64      // bytes into the memory object
	Copy      bool        // map a copy of its memory

	Prot, MaxProt mach.Prot
	Inherit       mach.Inherit
}

// Map is vm_map (2089): memory with the given attributes. It returns the
// address. With no memory object the memory is filled with zeros, and Offset and
// Copy mean nothing. A proxy of the kernel's cuts both protections to its own; of a
// copy it asks only that it be readable. Offset is cut to a page.
//
//	KERN_INVALID_ARGUMENT    m is nil; a protection has unknown bits; Inherit is
//	                         none of the three values; size is zero; the fixed
//	                         range wraps (rules.MapWraps)
//	KERN_INVALID_ARGUMENT    the port is no memory object (rules.MapNoObject)
//	KERN_PROTECTION_FAILURE  a copy of a proxy that may not be read
//	KERN_INVALID_ARGUMENT    the rounded size, from Offset on, is not all in the
//	                         proxy; its memory is gone; the size rounds to zero
//	KERN_INVALID_ADDRESS     the fixed range is not inside the map
//	                         (rules.MapOutside)
//	KERN_NO_SPACE            occupied, or no room anywhere, or none that Mask
//	                         allows
//
// The codes are found in this order, but a mask that forbids a fixed address
// before an address outside the map. A current protection above the maximum is
// no fault; see rules.MapCapsCurrent. The real kernel lets an offset by which the
// sum wraps out of a proxy's range.
//
// Only the kernel's proxies are memory objects yet: pagers come later. The real
// kernel refuses its own other ports so, too, but maps any port of a task as
// memory of the manager that may be behind.
func (s *Server) Map(m *vm.Map, r Mapping) (mach.Addr, mach.KernReturn) {
	return s.mapFlags(m, r, 0)
}

// mapFlags is Map, of memory as the flags say it is to be.
func (s *Server) mapFlags(m *vm.Map, r Mapping, flags uint32) (mach.Addr, mach.KernReturn) {
	switch {
	case m == nil, (r.Prot|r.MaxProt)&^mach.ProtAll != 0, !r.Inherit.Valid(), r.Size == 0:
		return 0, mach.KernInvalidArgument
	}
	if !r.Anywhere && wraps(r.Addr.TruncPage(), r.Size) {
		if kr := rules.MapWraps.In(s.rules); kr != mach.KernSuccess {
			return 0, kr
		}
	}
	var back vm.Backing
	if r.Object.Valid() {
		var kr mach.KernReturn
		if back, kr = s.backing(&r); kr != mach.KernSuccess {
			return 0, kr
		}
	}
	if roundSize(r.Size) == 0 {
		return 0, mach.KernInvalidArgument
	}
	if rules.MapCapsCurrent.In(s.rules) {
		r.Prot &= r.MaxProt
	}
	a := vm.Attributes{Prot: r.Prot, MaxProt: r.MaxProt, Inherit: r.Inherit}
	if kr := applyFlags(flags, &a, &r.Size, &r.Mask); kr != mach.KernSuccess {
		return 0, kr
	}
	if back.Object != nil && flags&mach.VMFlagsSuperpageMask != 0 {
		return 0, mach.KernInvalidArgument // the object's part was checked for the size as it was asked for
	}
	at := vm.Spot{
		Addr: r.Addr.TruncPage(), Mask: r.Mask, MaskCaps: rules.MapMaskCaps.In(s.rules),
		Anywhere: r.Anywhere, Overwrite: r.Overwrite,
	}
	if r.Anywhere && !rules.MapHint.In(s.rules) {
		at.Addr = 0
	}
	addr, kr := m.EnterBacked(at, roundSize(r.Size), back, a)
	if kr == mach.KernInvalidAddress {
		kr = rules.MapOutside.In(s.rules)
	}
	return addr, kr
}

// backing finds what the memory object of r stands for, and cuts r to it.
func (s *Server) backing(r *Mapping) (b vm.Backing, kr mach.KernReturn) {
	if s.object == nil {
		return b, rules.MapNoObject.In(s.rules)
	}
	part, ok := s.object(r.Object)
	if !ok {
		return b, rules.MapNoObject.In(s.rules)
	}
	if r.Copy {
		if !part.Prot.Has(mach.ProtRead) {
			return b, mach.KernProtectionFailure
		}
	} else {
		r.Prot &= part.Prot
		r.MaxProt &= part.Prot
	}
	if r.Offset > part.Len || roundSize(r.Size) > part.Len-r.Offset || part.Object == nil {
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
//	KERN_INVALID_ARGUMENT  m is nil; the range is not inside the map
//	KERN_INVALID_ADDRESS   otherwise (rules.AttributeNone); a size by which the sum
//	                       wraps is no matter
func (s *Server) VMMachineAttribute(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, _, value int32) (int32, mach.KernReturn) {
	if m == nil || addr+mach.Addr(size) > m.Layout().Max {
		return value, mach.KernInvalidArgument
	}
	return value, rules.AttributeNone.In(s.rules)
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
