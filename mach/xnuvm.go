package mach

// Flags of XNU's calls that make memory (C: VM_FLAGS_*).
const (
	VMFlagsAnywhere       = 0x00000001 // C: VM_FLAGS_ANYWHERE, the kernel chooses the place
	VMFlagsPurgable       = 0x00000002 // C: VM_FLAGS_PURGABLE
	VMFlags4GBChunk       = 0x00000004 // C: VM_FLAGS_4GB_CHUNK
	VMFlagsRandomAddr     = 0x00000008 // C: VM_FLAGS_RANDOM_ADDR
	VMFlagsNoCache        = 0x00000010 // C: VM_FLAGS_NO_CACHE
	VMFlagsResilientCode  = 0x00000020 // C: VM_FLAGS_RESILIENT_CODESIGN
	VMFlagsResilientMedia = 0x00000040 // C: VM_FLAGS_RESILIENT_MEDIA
	VMFlagsPermanent      = 0x00000080 // C: VM_FLAGS_PERMANENT
	VMFlagsTPRO           = 0x00001000 // C: VM_FLAGS_TPRO
	VMFlagsOverwrite      = 0x00004000 // C: VM_FLAGS_OVERWRITE, what lies there is deallocated first
	VMFlagsSuperpageMask  = 0x00070000 // C: VM_FLAGS_SUPERPAGE_MASK
	VMFlagsReturnData     = 0x00100000 // C: VM_FLAGS_RETURN_DATA_ADDR
	VMFlagsReturn4K       = 0x00800000 // C: VM_FLAGS_RETURN_4K_DATA_ADDR
	VMFlagsAliasMask      = 0xff000000 // C: VM_FLAGS_ALIAS_MASK: what the memory is for
	VMFlagsAliasShift     = 24

	VMFlagsSuperpageAny = 0x00010000 // C: VM_FLAGS_SUPERPAGE_SIZE_ANY
	VMFlagsSuperpage2MB = 0x00020000 // C: VM_FLAGS_SUPERPAGE_SIZE_2MB
)

// What each of XNU's calls takes of them.
const (
	VMFlagsUserAllocate = VMFlagsAnywhere | VMFlagsPurgable | VMFlags4GBChunk | VMFlagsRandomAddr |
		VMFlagsNoCache | VMFlagsPermanent | VMFlagsOverwrite | VMFlagsSuperpageMask | VMFlagsTPRO |
		VMFlagsAliasMask // C: VM_FLAGS_USER_ALLOCATE
	VMFlagsUserMap   = VMFlagsUserAllocate | VMFlagsReturn4K | VMFlagsReturnData // C: VM_FLAGS_USER_MAP
	VMFlagsUserRemap = VMFlagsAnywhere | VMFlagsRandomAddr | VMFlagsOverwrite | VMFlagsReturnData |
		VMFlagsResilientCode | VMFlagsResilientMedia // C: VM_FLAGS_USER_REMAP
)

// Protection bits of XNU.
const (
	ProtCopy   Prot = 0x10 // C: VM_PROT_COPY, for vm_protect; GNU Mach's VM_PROT_NOTIFY
	ProtIsMask Prot = 0x40 // C: VM_PROT_IS_MASK, for vm_map of a memory entry
)

// RegionFlavor is what XNU's vm_region is asked for (C: vm_region_flavor_t).
type RegionFlavor int32

// Flavors, and how many words each has.
const (
	RegionBasicInfo64    RegionFlavor = 9  // C: VM_REGION_BASIC_INFO_64
	RegionBasicInfo      RegionFlavor = 10 // C: VM_REGION_BASIC_INFO
	RegionExtendedLegacy RegionFlavor = 11 // C: VM_REGION_EXTENDED_INFO__legacy
	RegionTopInfo        RegionFlavor = 12 // C: VM_REGION_TOP_INFO
	RegionExtendedInfo   RegionFlavor = 13 // C: VM_REGION_EXTENDED_INFO
)

// Words is how many 32-bit words the flavor's structure has; 0 if there is no
// such flavor.
func (f RegionFlavor) Words() int {
	switch f {
	case RegionBasicInfo64, RegionExtendedInfo:
		return 9
	case RegionBasicInfo, RegionExtendedLegacy:
		return 8
	case RegionTopInfo:
		return 5
	}
	return 0
}

// ShareMode says who else has the memory of a region (C: SM_*).
type ShareMode uint8

// Share modes.
const (
	ShareCOW     ShareMode = 1 // C: SM_COW
	SharePrivate ShareMode = 2 // C: SM_PRIVATE
	ShareEmpty   ShareMode = 3 // C: SM_EMPTY
	ShareShared  ShareMode = 4 // C: SM_SHARED
	ShareTrue    ShareMode = 5 // C: SM_TRUESHARED
)
