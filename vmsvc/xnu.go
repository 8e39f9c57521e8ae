package vmsvc

import (
	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// XNU's subsystems vm_map (3800) and mach_vm (4800), where they are not GNU
// Mach's routines under other rules: what takes flags, vm_remap, and vm_region
// with its flavors. On LP64 the routines of both subsystems are the same, but
// vm_region; each method here names the one of mach_vm. The others are
//
//	4801 deallocate  Deallocate    4805 read_list       ReadList
//	4802 protect     Protect       4806 write           Write
//	4803 inherit     Inherit       4807 copy            Copy
//	4804 read        Read          4808 read_overwrite  ReadOverwrite

// superpage is the size of a superpage in bytes (C: SUPERPAGE_SIZE).
const superpage = 2 << 20

// MachVMAllocate is mach_vm_allocate (4800). It returns the address.
//
//	KERN_INVALID_ARGUMENT  m is nil; unknown flags, found first, also of no bytes;
//	                       flags that exclude each other; size rounds to zero
//	KERN_INVALID_ADDRESS   the fixed range wraps, or is not inside the map
//	KERN_NO_SPACE          occupied or permanent, or no room anywhere
//
// Memory with a flag for how it is paged or cached (purgable, 4 GiB chunks, no
// cache) is made as any other, and a random address is one of the kernel's
// choice.
func (s *Server) MachVMAllocate(m *vm.Map, addr mach.Addr, size uint64, flags uint32) (mach.Addr, mach.KernReturn) {
	if m == nil || flags&^mach.VMFlagsUserAllocate != 0 {
		return 0, mach.KernInvalidArgument
	}
	return s.allocate(m, size, vm.Spot{
		Addr: addr.TruncPage(), Anywhere: flags&mach.VMFlagsAnywhere != 0, Overwrite: flags&mach.VMFlagsOverwrite != 0,
	}, flags)
}

// applyFlags changes what is asked for by the flags that say how memory is to
// be.
func applyFlags(flags uint32, a *vm.Attributes, size, mask *uint64) mach.KernReturn {
	a.Tag = uint8(flags >> mach.VMFlagsAliasShift)
	a.Permanent = flags&mach.VMFlagsPermanent != 0
	if flags&mach.VMFlagsTPRO != 0 {
		if !a.MaxProt.Has(mach.ProtDefault) || !a.Prot.Has(mach.ProtRead) {
			return mach.KernProtectionFailure
		}
		a.Prot = mach.ProtRead
	}
	switch flags & mach.VMFlagsSuperpageMask {
	case 0:
		return mach.KernSuccess
	case mach.VMFlagsSuperpageAny:
		*size = (*size + superpage - 1) &^ (superpage - 1)
	case mach.VMFlagsSuperpage2MB:
	default:
		return mach.KernInvalidArgument
	}
	if *size&(superpage-1) != 0 || flags&(mach.VMFlagsPurgable|mach.VMFlagsTPRO) != 0 {
		return mach.KernInvalidArgument
	}
	*mask, a.Inherit = superpage-1, mach.InheritNone
	return mach.KernSuccess
}

// MachMapping is what mach_vm_map is asked for; all of it is untrusted.
type MachMapping struct {
	Addr   mach.Addr // where, or from where on
	Size   uint64    // bytes, rounded up to pages
	Mask   uint64    // bits that must be clear in the address
	Flags  uint32
	Object ports.Right // a memory entry; null or dead for zero-filled memory
	Offset uint64      // bytes into the memory entry
	Copy   bool        // map a copy of its memory

	Prot, MaxProt mach.Prot
	Inherit       mach.Inherit
}

// MachVMMap is mach_vm_map (4811), also vm_map_64 (3826) and vm_map (3812). It
// returns the address. The codes are Map's, but
//
//	KERN_INVALID_ARGUMENT  unknown flags, found first; flags that exclude each
//	                       other
func (s *Server) MachVMMap(m *vm.Map, r MachMapping) (mach.Addr, mach.KernReturn) {
	if m == nil || r.Flags&^mach.VMFlagsUserMap != 0 {
		return 0, mach.KernInvalidArgument
	}
	ask := Mapping{
		Addr: r.Addr, Size: r.Size, Mask: r.Mask,
		Anywhere: r.Flags&mach.VMFlagsAnywhere != 0, Overwrite: r.Flags&mach.VMFlagsOverwrite != 0,
		Object: r.Object, Offset: r.Offset, Copy: r.Copy,
		Prot: r.Prot &^ mach.ProtIsMask, MaxProt: r.MaxProt &^ mach.ProtIsMask, Inherit: r.Inherit,
	}
	return s.mapFlags(m, ask, r.Flags)
}

// Remapping is what mach_vm_remap is asked for; all of it is untrusted.
type Remapping struct {
	Addr    mach.Addr // where in the target, or from where on
	Size    uint64    // bytes
	Mask    uint64    // bits that must be clear in the address
	Flags   uint32
	Source  mach.Addr // where in the source
	Copy    bool      // a copy of the memory, and not the memory itself
	Inherit mach.Inherit
}

// MachVMRemap is mach_vm_remap (4813), also vm_remap (3814): memory of the map
// from is mapped in the map to, copied or shared, with its own protections. It
// returns the address, and what all of the memory allows: its current
// protections and'ed, and its maxima.
//
// The range begins at the page of Source and has Size bytes, rounded up; so an
// unaligned one may not have its last page. With VM_FLAGS_RETURN_DATA_ADDR it has
// all pages of the Size bytes at Source, and the address is that of the first
// byte.
//
//	KERN_INVALID_ARGUMENT  a map is nil; unknown flags; Inherit is none of the
//	                       three values; no bytes; the source wraps; shared, and to
//	                       be media resilient
//	KERN_INVALID_ADDRESS   a page of the source is not allocated; the fixed
//	                       range is not inside the target
//	KERN_NO_SPACE          occupied or permanent, or no room anywhere, or none that
//	                       Mask allows
func (s *Server) MachVMRemap(to *vm.Map, r Remapping, from *vm.Map) (addr mach.Addr, cur, most mach.Prot, kr mach.KernReturn) {
	if to == nil || r.Flags&^mach.VMFlagsUserRemap != 0 {
		return 0, 0, 0, mach.KernInvalidArgument
	}
	return s.remap(to, r, from, nil)
}

// MachVMRemapNew is mach_vm_remap_new (4821), also vm_remap_new (3832): as
// MachVMRemap with VM_FLAGS_RETURN_DATA_ADDR, but the memory is mapped with the
// protections cur and most, which it must allow if it is shared; a copy must have
// a maximum that is readable. Other codes than MachVMRemap's are
//
//	KERN_INVALID_ARGUMENT    cur and most have unknown bits, or cur exceeds most
//	KERN_PROTECTION_FAILURE  most is for writing and executing; or the source does
//	                         not allow as much
func (s *Server) MachVMRemapNew(to *vm.Map, r Remapping, from *vm.Map, cur, most mach.Prot) (mach.Addr, mach.KernReturn) {
	const writeExecute = mach.ProtWrite | mach.ProtExecute
	switch {
	case to == nil, r.Flags&^mach.VMFlagsUserRemap != 0, (cur|most)&^mach.ProtAll != 0, !most.Has(cur):
		return 0, mach.KernInvalidArgument
	case most.Has(writeExecute):
		return 0, mach.KernProtectionFailure
	}
	r.Flags |= mach.VMFlagsReturnData
	addr, _, _, kr := s.remap(to, r, from, &vm.Attributes{Prot: cur, MaxProt: most})
	return addr, kr
}

// remap is MachVMRemap, or MachVMRemapNew with the protections in as. Arguments
// that both check alike are checked here.
func (s *Server) remap(to *vm.Map, r Remapping, from *vm.Map, as *vm.Attributes) (addr mach.Addr, cur, most mach.Prot, kr mach.KernReturn) {
	if from == nil || !r.Inherit.Valid() || r.Size == 0 {
		return 0, 0, 0, mach.KernInvalidArgument
	}
	whole := r.Flags&mach.VMFlagsReturnData != 0
	lo := r.Source.TruncPage()
	start := lo
	if whole {
		start = r.Source
	}
	if wraps(start, r.Size) || !r.Copy && r.Flags&mach.VMFlagsResilientMedia != 0 {
		return 0, 0, 0, mach.KernInvalidArgument
	}
	need := vm.Attributes{}
	if as != nil {
		need = *as
		if r.Copy {
			need = vm.Attributes{MaxProt: mach.ProtRead}
		}
	}
	x, kr := from.Extract(lo, uint64((start+mach.Addr(r.Size)).RoundPage()-lo), !r.Copy, need.Prot, need.MaxProt)
	if kr != mach.KernSuccess {
		return 0, 0, 0, kr
	}
	defer x.Discard()
	x.Each(func(a *vm.Attributes) {
		a.Inherit = r.Inherit
		if as != nil {
			a.Prot, a.MaxProt = as.Prot, as.MaxProt
		}
		if r.Flags&mach.VMFlagsResilientCode != 0 {
			a.Prot, a.MaxProt = mach.ProtRead, mach.ProtRead
		}
	})
	cur, most = x.Strictest()
	addr, kr = to.Insert(vm.Spot{
		Addr: r.Addr.TruncPage(), Mask: r.Mask,
		Anywhere: r.Flags&mach.VMFlagsAnywhere != 0, Overwrite: r.Flags&mach.VMFlagsOverwrite != 0,
	}, x)
	if kr != mach.KernSuccess {
		return 0, 0, 0, kr
	}
	if whole {
		addr += mach.Addr(r.Source.PageOffset())
	}
	return addr, cur, most, mach.KernSuccess
}

// MachVMRegion is mach_vm_region (4816): the entry that holds addr, or else the
// next one, and what the flavor tells of it, in the words of its structure, of
// which the caller has room for count. The flavor for 32 bits is answered as the
// one for 64. The object's name is null always.
//
// Where an entry begins and ends is this VM's affair: XNU joins no new memory to
// more than 128 KiB, makes entries of 128 MiB at most, and leaves apart what
// vm_inherit split.
//
//	KERN_INVALID_ARGUMENT  m is nil; no such flavor; count is too small
//	KERN_INVALID_ADDRESS   nothing is allocated at or after addr
//	                       (rules.RegionNone)
func (s *Server) MachVMRegion(m *vm.Map, addr mach.Addr, flavor mach.RegionFlavor, count int) (at mach.Addr, size uint64, words []uint32, kr mach.KernReturn) {
	if flavor == mach.RegionBasicInfo {
		flavor = mach.RegionBasicInfo64
	}
	return s.machRegion(m, addr, flavor, count)
}

// legacyMax is the end of what vm_region and vm_region_64 tell of (C:
// VM_MAX_ADDRESS of x86).
const legacyMax mach.Addr = 0xffe00000

// VMRegion32 is vm_region (3800): as MachVMRegion, but with the flavor for 32
// bits, too, and KERN_INVALID_ADDRESS of an entry that reaches over 32 bits.
func (s *Server) VMRegion32(m *vm.Map, addr mach.Addr, flavor mach.RegionFlavor, count int) (at mach.Addr, size uint64, words []uint32, kr mach.KernReturn) {
	return withinLegacy(s.machRegion(m, addr, flavor, count))
}

// VMRegion64 is vm_region_64 (3824): as MachVMRegion, but KERN_INVALID_ADDRESS
// of an entry that reaches over 32 bits.
func (s *Server) VMRegion64(m *vm.Map, addr mach.Addr, flavor mach.RegionFlavor, count int) (at mach.Addr, size uint64, words []uint32, kr mach.KernReturn) {
	return withinLegacy(s.MachVMRegion(m, addr, flavor, count))
}

func withinLegacy(at mach.Addr, size uint64, words []uint32, kr mach.KernReturn) (mach.Addr, uint64, []uint32, mach.KernReturn) {
	if kr == mach.KernSuccess && at+mach.Addr(size) > legacyMax {
		return 0, 0, nil, mach.KernInvalidAddress
	}
	return at, size, words, kr
}

func (s *Server) machRegion(m *vm.Map, addr mach.Addr, flavor mach.RegionFlavor, count int) (at mach.Addr, size uint64, words []uint32, kr mach.KernReturn) {
	if m == nil || flavor.Words() == 0 || count < flavor.Words() {
		return 0, 0, nil, mach.KernInvalidArgument
	}
	info, r, kr := s.survey(m, addr.TruncPage())
	if kr != mach.KernSuccess {
		return 0, 0, nil, kr
	}
	return info.Start, info.Size, regionWords(flavor, info, r), mach.KernSuccess
}

// regionWords is the structure of a flavor. Memory has no behavior set, no user
// wiring, no submap and no pager; pages without a frame were never touched.
func regionWords(flavor mach.RegionFlavor, i vm.RegionInfo, r vm.Residence) []uint32 {
	basic := []uint32{uint32(i.Prot), uint32(i.MaxProt), uint32(i.Inherit), flag(i.Shared), 0}
	switch flavor {
	case mach.RegionBasicInfo64:
		return append(basic, uint32(i.Offset), uint32(i.Offset>>32), 0, 0)
	case mach.RegionBasicInfo:
		return append(basic, uint32(i.Offset), 0, 0)
	}
	mode := shareMode(r)
	if flavor == mach.RegionTopInfo {
		private, shared := uint32(r.Pages), uint32(0)
		if mode != mach.SharePrivate {
			private, shared = 0, private
		}
		return []uint32{uint32(r.Object), uint32(r.Users), private, shared, uint32(mode)}
	}
	dirty := uint32(r.Pages) // what was touched without a pager was never cleaned
	words := []uint32{uint32(i.Prot), uint32(i.Tag), uint32(r.Pages), 0, 0, dirty, uint32(r.Users), uint32(mode) << 24}
	if flavor == mach.RegionExtendedInfo {
		words = append(words, 0)
	}
	return words
}

func shareMode(r vm.Residence) mach.ShareMode {
	switch {
	case r.Users == 0:
		return mach.ShareEmpty
	case r.Copied:
		return mach.ShareCOW
	case r.Users == 1:
		return mach.SharePrivate
	}
	return mach.ShareShared
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
