package rules

import "machkernel/mach"

// Short names for the values below.
const (
	success    = mach.KernSuccess
	address    = mach.KernInvalidAddress
	protection = mach.KernProtectionFailure
	noSpace    = mach.KernNoSpace
	argument   = mach.KernInvalidArgument
)

// Placement is how the kernel chooses a place for memory.
type Placement uint8

// Placements.
const (
	BestFit  Placement = iota // behind the first-free hint, else the smallest gap, see vm.Map.Enter
	FirstFit                  // the lowest gap
)

func (p Placement) String() string {
	if p == FirstFit {
		return "first fit"
	}
	return "best fit"
}

// Reading.
var (
	// ReadUnaligned is asked after the range was found readable.
	ReadUnaligned = define(Rule[mach.KernReturn]{
		Name:    "vm_read/unaligned",
		About:   "the address or the size is not page aligned",
		GNUMach: says(argument, success),
		XNU:     silent(success),
		Sources: "GNU Mach Reference Manual, Data Transfer; gm vm/vm_user.c: vm_read; XNU vm_read.html takes any address and number of bytes",
	})

	ReadNoRoom = define(Rule[mach.KernReturn]{
		Name:    "vm_read/no-room",
		About:   "the caller's map has no room for the data; with KERN_SUCCESS mach_msg says so",
		GNUMach: says(noSpace, success),
		XNU:     silent(success),
		Sources: "GNU Mach Reference Manual, Data Transfer, and Message Receive; gm ipc/ipc_kmsg.c; xnu osfmk/ipc/ipc_kmsg.c",
	})

	// ReadOversize is XNU's first check of the arguments. GNU Mach tells the
	// count truncated to 32 bits.
	ReadOversize = define(Rule[mach.KernReturn]{
		Name:    "vm_read/over-4-gib",
		About:   "the size does not fit the 32 bits of the count in the reply",
		GNUMach: silent(success),
		XNU:     silent(argument),
		Sources: "gm vm/vm_user.c: vm_read; xnu osfmk/vm/vm_user.c: mach_vm_read",
	})

	ReadSmallUnreadable = define(Rule[mach.KernReturn]{
		Name:    "vm_read/small-unreadable",
		About:   "a page of a range within the kernel-buffer limit is not readable (vm_copy and vm_read_overwrite, too)",
		GNUMach: says(protection, protection),
		XNU:     says(protection, address),
		Sources: "GNU Mach Reference Manual, Data Transfer; XNU vm_read.html, vm_copy.html; xnu osfmk/vm/vm_map.c: vm_map_copyin_kernel_buffer",
	})
)

// ReadSplits shows in vm_region.
var ReadSplits = define(Rule[bool]{
	Name:    "vm_read/entries-stay-split",
	About:   "entries that lie partly in a range that was copied lazily are two from then on",
	GNUMach: silent(true),
	XNU:     silent(false),
	Sources: "the recordings; gm vm/vm_map.c: vm_map_copyin; xnu osfmk/vm/vm_map.c: vm_map_copyin_internal joins those that are alike, needs_copy too, with vm_map_simplify_range",
})

// Copies on their way.
var (
	// BufferLimit is msg_ool_size_small, KHEAP_MAX_SIZE of x86-64.
	BufferLimit = define(Rule[uint64]{
		Name:    "copy/kernel-buffer-limit",
		About:   "up to so many bytes are copied at once, and received at a page boundary; more, lazily, keep their in-page offset",
		GNUMach: silent(uint64(0)),
		XNU:     silent(uint64(16 << 10)),
		Sources: "gm vm/vm_map.c: vm_map_copyin; xnu osfmk/vm/vm_map.c: vm_map_copyin_internal, osfmk/kern/kalloc.h",
	})

	CopyCrosses48Bits = define(Rule[mach.KernReturn]{
		Name:    "copy/crosses-48-bits",
		About:   "a source or destination goes over an address with bits 48 and up; asked before any memory is looked at",
		GNUMach: silent(success),
		XNU:     silent(address),
		Sources: "xnu osfmk/vm/vm_sanitize.c: vm_sanitize_addr_size; nothing like it in gm vm/vm_map.c",
	})
)

// Writing.
var (
	// WriteUnaligned and CopyUnaligned are asked after the source was found
	// readable, before the destination is looked at.
	WriteUnaligned = define(Rule[mach.KernReturn]{
		Name:    "vm_write/unaligned",
		About:   "the address or the count is not page aligned",
		GNUMach: says(argument, argument),
		XNU:     silent(success),
		Sources: "GNU Mach Reference Manual, Data Transfer; gm vm/vm_map.c: vm_map_copy_overwrite; xnu osfmk/vm/vm_map.c: vm_map_copy_overwrite",
	})

	WriteUnalignedData = define(Rule[mach.KernReturn]{
		Name:    "vm_write/unaligned-data",
		About:   "the sender's data is not page aligned",
		GNUMach: says(argument, argument),
		XNU:     says(argument, success),
		Sources: "GNU Mach Reference Manual, Data Transfer; XNU vm_write.html wants it aligned and names no code: GNU Mach's; xnu osfmk/vm/vm_map.c: vm_map_copy_overwrite",
	})

	CopyUnaligned = define(Rule[mach.KernReturn]{
		Name:    "vm_copy/unaligned",
		About:   "an address or the count is not page aligned",
		GNUMach: says(argument, argument),
		XNU:     says(argument, success),
		Sources: "GNU Mach Reference Manual, Data Transfer; XNU vm_copy.html wants page boundaries and integral pages and names no code: GNU Mach's; xnu osfmk/vm/vm_user.c: mach_vm_copy",
	})

	WriteSmallUnwritable = define(Rule[mach.KernReturn]{
		Name:    "vm_write/small-unwritable",
		About:   "data within the kernel-buffer limit meets a page that is not writable (vm_copy and vm_read_overwrite, too)",
		GNUMach: says(protection, protection),
		XNU:     says(protection, address),
		Sources: "GNU Mach Reference Manual, Data Transfer; XNU vm_write.html, vm_copy.html; xnu osfmk/vm/vm_map.c: vm_map_copyout_kernel_buffer",
	})

	// WriteSmallNeedsRead: a fault of the kernel's own copyout asks for both.
	WriteSmallNeedsRead = define(Rule[bool]{
		Name:    "vm_write/small-needs-read",
		About:   "data within the kernel-buffer limit can only be written to pages that are readable, too",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "XNU vm_protect.html lets kernels want both; xnu osfmk/i386/trap.c: kernel_trap faults for reading and writing; gm vm/vm_map.c: vm_map_copy_overwrite",
	})

	WriteSmallPartly = define(Rule[bool]{
		Name:    "vm_write/small-partly",
		About:   "of data within the kernel-buffer limit, what comes before the page that refuses it has been written",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "gm vm/vm_map.c: vm_map_copy_overwrite looks first; xnu osfmk/vm/vm_map.c: vm_map_copyout_kernel_buffer. XNU vm_write.html: as if the task had written itself",
	})

	// WriteInParts is VM_MAP_COPY_OVERWRITE_OPTIMIZATION_THRESHOLD_PAGES.
	WriteInParts = define(Rule[uint64]{
		Name:    "vm_write/parts-from-pages",
		About:   "from so many pages on, data with the destination's in-page offset is written as first page, whole pages, last page, each checked by itself (0: never)",
		GNUMach: silent(uint64(0)),
		XNU:     silent(uint64(3)),
		Sources: "gm vm/vm_map.c: vm_map_copy_overwrite; xnu osfmk/vm/vm_map.c: vm_map_copy_overwrite, osfmk/vm/vm_map.h",
	})

	ReadOverwriteUnwritable = define(Rule[mach.KernReturn]{
		Name:    "vm_read_overwrite/unwritable",
		About:   "the buffer is not writable, beyond the kernel-buffer limit",
		GNUMach: absent(protection),
		XNU:     says(address, protection),
		Sources: "XNU vm_read.html; xnu osfmk/vm/vm_map.c: vm_map_copy_overwrite_nested",
	})
)

// Making memory.
var (
	MapMinimum = define(Rule[mach.Addr]{
		Name:    "map/minimum",
		About:   "the lowest address of a map; below it nothing can be allocated",
		GNUMach: silent(mach.Addr(0)),
		XNU:     silent(mach.Addr(mach.PageSize)),
		Sources: "gm i386/include/mach/i386/vm_param.h; xnu osfmk/vm/vm_map.c: vm_map_raise_min_offset, by the page zero of the program, here one page; tests/vm/vm_allocation.c: test_allocate_at_zero",
	})

	MapMaximum = define(Rule[mach.Addr]{
		Name:    "map/maximum",
		About:   "where a map ends",
		GNUMach: silent(mach.VMMaxAddress),
		XNU:     silent(mach.Addr(0x7fffffe00000)),
		Sources: "gm i386/include/mach/i386/vm_param.h; xnu osfmk/mach/i386/vm_param.h: VM_MAX_PAGE_ADDRESS",
	})

	MapPlacement = define(Rule[Placement]{
		Name:    "map/placement",
		About:   "where memory goes for which the kernel chooses the place",
		GNUMach: silent(BestFit),
		XNU:     silent(FirstFit),
		Sources: "the recordings; gm vm/vm_map.c: vm_map_find_entry_anywhere; xnu osfmk/vm/vm_map_store.c: vm_map_store_find_space_forward",
	})

	MapHint = define(Rule[bool]{
		Name:    "vm_map/hint",
		About:   "with anywhere, vm_map searches from the address on and not below",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "gm vm/vm_user.c: vm_map; xnu osfmk/vm/vm_map.c: vm_map_locate_space_anywhere; tests/vm/vm_allocation.c:1929",
	})

	MapMaskCaps = define(Rule[bool]{
		Name:    "vm_map/mask-caps",
		About:   "high bits set in the mask of vm_map are the end of the range to search, and others not to be satisfied are refused",
		GNUMach: silent(true),
		XNU:     silent(false),
		Sources: "gm vm/vm_map.c: vm_map_find_entry_anywhere; xnu osfmk/vm/vm_map_store.c rounds by the mask as it is",
	})

	MapCapsCurrent = define(Rule[bool]{
		Name:    "vm_map/current-above-maximum",
		About:   "vm_map takes from the current protection what the maximum lacks",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "gm vm/vm_user.c: vm_map; xnu osfmk/vm/vm_sanitize_error_compat.c: vm_sanitize_err_compat_cur_and_max_prots_vm_map",
	})

	MapWraps = define(Rule[mach.KernReturn]{
		Name:    "vm_map/fixed-wraps",
		About:   "a fixed range of vm_map wraps, or its rounded end is zero; with KERN_SUCCESS it is as one outside the map",
		GNUMach: silent(success),
		XNU:     silent(argument),
		Sources: "gm vm/vm_map.c: vm_map_enter; xnu osfmk/vm/vm_map.c: vm_map_enter_mem_object_sanitize",
	})

	MapOutside = define(Rule[mach.KernReturn]{
		Name:    "vm_map/outside",
		About:   "a fixed range of vm_map is not inside the map",
		GNUMach: says(noSpace, address),
		XNU:     silent(address),
		Sources: "GNU Mach Reference Manual, Mapping Memory Objects; gm vm/vm_map.c: vm_map_enter; xnu osfmk/vm/vm_map.c: vm_map_locate_space_fixed",
	})

	MapNoObject = define(Rule[mach.KernReturn]{
		Name:    "vm_map/no-memory-object",
		About:   "the port given to vm_map is one of the kernel's that is no memory object",
		GNUMach: silent(argument),
		XNU:     says(mach.KernInvalidObject, mach.KernInvalidObject),
		Sources: "gm vm/vm_user.c: vm_map; XNU vm_map.html; xnu osfmk/vm/vm_map.c: vm_map_enter_mem_object",
	})

	AllocateOversize = define(Rule[mach.KernReturn]{
		Name:    "vm_allocate/size-rounds-to-zero",
		About:   "the size rounds up to zero",
		GNUMach: says(noSpace, argument),
		XNU:     says(noSpace, argument),
		Sources: "GNU Mach Reference Manual, Memory Allocation; XNU vm_allocate.html; gm vm/vm_map.c; xnu osfmk/vm/vm_sanitize.c: vm_sanitize_size",
	})

	NewMemory = define(Rule[mach.Prot]{
		Name:    "vm_allocate/protection",
		About:   "the current protection of new memory, allocated or received",
		GNUMach: says(mach.ProtAll, mach.ProtDefault),
		XNU:     says(mach.ProtAll, mach.ProtDefault),
		Sources: "GNU Mach Reference Manual, Memory Allocation, and Memory; XNU vm_allocate.html; gm vm/vm_map.c; xnu osfmk/vm/vm_kern.c: mach_vm_allocate_kernel",
	})
)

// Changing memory.
var (
	DeallocateUnallocated = define(Rule[mach.KernReturn]{
		Name:    "vm_deallocate/not-allocated",
		About:   "the page of the address is not allocated",
		GNUMach: says(address, success),
		XNU:     says(address, success),
		Sources: "GNU Mach Reference Manual, Memory Deallocation; XNU vm_deallocate.html; gm vm/vm_map.c; xnu osfmk/vm/vm_map.c: vm_map_delete",
	})

	// DeallocateWraps: XNU's own test still wants success where only the rounded
	// end is zero (tests/vm/vm_allocation.c:2122); the compatibility table of
	// this source reports that and does not rewrite it.
	DeallocateWraps = define(Rule[mach.KernReturn]{
		Name:    "vm_deallocate/wraps",
		About:   "the range wraps, or its rounded end is zero",
		GNUMach: silent(success),
		XNU:     silent(argument),
		Sources: "gm vm/vm_map.c; xnu osfmk/vm/vm_sanitize_error_compat.c: vm_sanitize_err_compat_addr_size_vm_deallocate, against tests/vm/vm_allocation.c:2122",
	})

	DeallocateOutside = define(Rule[bool]{
		Name:    "vm_deallocate/partly-outside",
		About:   "a range that leaves the map deallocates what it has inside",
		GNUMach: silent(true),
		XNU:     silent(false),
		Sources: "gm vm/vm_map.c: VM_MAP_RANGE_CHECK; xnu osfmk/vm/vm_map.c: vm_map_delete",
	})

	ProtectNothing = define(Rule[bool]{
		Name:    "vm_protect/no-bytes-first",
		About:   "of no bytes vm_protect succeeds before it looks at the protection, and has no page",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "gm vm/vm_user.c: vm_protect; xnu osfmk/vm/vm_user.c: mach_vm_protect",
	})

	ProtectUnallocated = define(Rule[mach.KernReturn]{
		Name:    "vm_protect/not-allocated",
		About:   "the page of the address is not allocated",
		GNUMach: says(address, success),
		XNU:     says(address, address),
		Sources: "GNU Mach Reference Manual, Memory Attributes; XNU vm_protect.html; gm vm/vm_map.c; xnu osfmk/vm/vm_map.c: vm_map_protect",
	})

	ProtectHole = define(Rule[mach.KernReturn]{
		Name:    "vm_protect/hole",
		About:   "a page behind the first is not allocated",
		GNUMach: silent(success),
		XNU:     says(address, address),
		Sources: "gm vm/vm_map.c: vm_map_protect; XNU vm_protect.html; xnu osfmk/vm/vm_map.c: vm_map_protect",
	})

	ProtectWraps = define(Rule[mach.KernReturn]{
		Name:    "vm_protect/wraps",
		About:   "the range wraps, or its rounded end is zero",
		GNUMach: silent(success),
		XNU:     silent(argument),
		Sources: "gm vm/vm_map.c; xnu osfmk/vm/vm_sanitize.c: vm_sanitize_addr_size",
	})

	ProtectWhole = define(Rule[mach.KernReturn]{
		Name:    "vm_protect/whole-space",
		About:   "a range from page zero on whose rounded end is zero",
		GNUMach: silent(success),
		XNU:     silent(address),
		Sources: "gm vm/vm_map.c; xnu osfmk/vm/vm_sanitize_error_compat.c: vm_sanitize_err_compat_addr_size_vm_protect",
	})

	ProtectCopies = define(Rule[bool]{
		Name:    "vm_protect/copy",
		About:   "protection bit 0x10 is VM_PROT_COPY: the range becomes a private copy that may be written (else VM_PROT_NOTIFY, which is kept)",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "gm include/mach/vm_prot.h; xnu osfmk/mach/vm_prot.h, osfmk/vm/vm_map.c: vm_map_protect",
	})

	ProtectExecuteFree = define(Rule[bool]{
		Name:    "vm_protect/maximum-execute",
		About:   "the maximum protection may gain VM_PROT_EXECUTE",
		GNUMach: says(false, false),
		XNU:     says(false, true),
		Sources: "GNU Mach Reference Manual, Memory Attributes; XNU vm_protect.html; xnu osfmk/vm/vm_map.c: vm_map_protect, x86-64 without enforced code signatures",
	})

	InheritNothing = define(Rule[bool]{
		Name:    "vm_inherit/no-bytes-first",
		About:   "of no bytes vm_inherit succeeds before it looks at the value, and has no page",
		GNUMach: silent(false),
		XNU:     silent(true),
		Sources: "gm vm/vm_user.c: vm_inherit; xnu osfmk/vm/vm_user.c: mach_vm_inherit",
	})

	InheritUnallocated = define(Rule[mach.KernReturn]{
		Name:    "vm_inherit/not-allocated",
		About:   "the page of the address is not allocated",
		GNUMach: says(address, success),
		XNU:     says(address, success),
		Sources: "GNU Mach Reference Manual, Memory Attributes; XNU vm_inherit.html; gm vm/vm_map.c; xnu osfmk/vm/vm_map.c: vm_map_inherit",
	})

	InheritWraps = define(Rule[mach.KernReturn]{
		Name:    "vm_inherit/wraps",
		About:   "the range wraps, or its rounded end is zero",
		GNUMach: silent(success),
		XNU:     silent(argument),
		Sources: "gm vm/vm_map.c; xnu osfmk/vm/vm_sanitize_error_compat.c: vm_sanitize_err_compat_addr_size_vm_map_inherit",
	})

	RegionNone = define(Rule[mach.KernReturn]{
		Name:    "vm_region/past-the-end",
		About:   "nothing is allocated at or above the address",
		GNUMach: says(noSpace, noSpace),
		XNU:     says(address, address),
		Sources: "GNU Mach Reference Manual, Memory Attributes; XNU vm_region.html; gm vm/vm_map.c: vm_region; xnu osfmk/vm/vm_map.c: vm_map_region",
	})

	WireUnknown = define(Rule[mach.KernReturn]{
		Name:    "vm_wire/unknown-bits",
		About:   "the access of vm_wire, or the flags of vm_wire_all, have unknown bits",
		GNUMach: says(mach.KernInvalidValue, argument),
		XNU:     silent(argument),
		Sources: "GNU Mach Reference Manual, Memory Attributes; gm vm/vm_user.c: vm_wire; xnu osfmk/vm/vm_map.c: vm_map_wire_sanitize",
	})

	AttributeNone = define(Rule[mach.KernReturn]{
		Name:    "vm_machine_attribute/not-implemented",
		About:   "the machine has no such attribute",
		GNUMach: says(argument, address),
		XNU:     silent(address),
		Sources: "GNU Mach Reference Manual, Memory Attributes; gm vm/vm_map.c: vm_map_machine_attribute; xnu osfmk/i386/pmap.h: pmap_attribute, but for the cache",
	})
)
