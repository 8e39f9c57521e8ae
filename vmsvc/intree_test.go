package vmsvc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// What XNU's own tests (tests/vm in its tree) assert of the VM, as facts; the
// line is where. What they ask of a null task port is answered by the message
// and not by the server. Two of their assertions do not hold of the source they
// lie beside, xnu-11417.101.15:
//
//   - a range to deallocate whose rounded end is zero is refused
//     (vm_sanitize_err_compat_addr_size_vm_deallocate only reports the old
//     answer), where vm_allocation.c:2122 wants success;
//   - the limit for small copies is 16 KiB on x86-64 (msg_ool_size_small is
//     KHEAP_MAX_SIZE), where vm_allocation.c:2261, 2518 and 2794 take two pages, or
//     one.
func TestWhatXNUsTestsAssert(t *testing.T) {
	const any, max = mach.VMFlagsAnywhere, all1
	deallocate := func(addr mach.Addr, size uint64) func(w *world) mach.KernReturn {
		return func(w *world) mach.KernReturn { return w.Deallocate(w.m, addr, size) }
	}
	edges := []mach.Addr{0, 1, page - 1, page, page + 1, 0xfffff000, 0xffffffff, last, mach.Addr(max)}
	// everywhere asks at all the addresses the tests ask at; one answer.
	everywhere := func(do func(w *world, at mach.Addr) mach.KernReturn) func(w *world) mach.KernReturn {
		return func(w *world) mach.KernReturn {
			kr := do(w, edges[0])
			for _, at := range edges[1:] {
				require.Equal(w.t, kr, do(w, at), "%v", at)
			}
			return kr
		}
	}
	// around asks of all the ranges that wrap.
	around := func(do func(w *world, at mach.Addr, size uint64) mach.KernReturn) func(w *world) mach.KernReturn {
		return func(w *world) mach.KernReturn {
			kr := do(w, 1, max)
			for _, r := range []Range{{page, max - page + 1}, {last, page}, {mach.Addr(max), 1}} {
				require.Equal(w.t, kr, do(w, r.Addr, r.Size), "%v", r)
			}
			return kr
		}
	}
	// aroundOf32 asks of those whose size fits 32 bits.
	aroundOf32 := func(do func(w *world, at mach.Addr, size uint64) mach.KernReturn) func(w *world) mach.KernReturn {
		return func(w *world) mach.KernReturn {
			kr := do(w, mach.Addr(max-0xffffffff+1), 0xffffffff)
			for _, r := range []Range{{mach.Addr(max - 0xffffffff + page), 0xffffffff - page + 1}, {last, page}, {mach.Addr(max), 1}} {
				require.Equal(w.t, kr, do(w, r.Addr, r.Size), "%v", r)
			}
			return kr
		}
	}
	for _, c := range []struct {
		source string // in tests/vm
		about  string
		do     func(w *world) mach.KernReturn
		want   mach.KernReturn
	}{
		{"vm_allocation.c:1618", "allocate: fixed, occupied", func(w *world) mach.KernReturn { return w.allocateFlags(w.at(0), page, 0) }, spc},
		{"vm_allocation.c:1618", "map: fixed, occupied", func(w *world) mach.KernReturn { return w.mapFlags(func(r *MachMapping) { r.Addr = w.at(0) }) }, spc},
		{"vm_allocation.c:1672", "allocate: a flag of the kernel's", func(w *world) mach.KernReturn { return w.allocateFlags(0, page, any|0x8000) }, arg},
		{"vm_allocation.c:1709", "allocate: superpage and purgable", func(w *world) mach.KernReturn {
			return w.allocateFlags(0, page, any|mach.VMFlagsSuperpageAny|mach.VMFlagsPurgable)
		}, arg},
		{"vm_allocation.c:1709", "allocate: superpage and TPRO", func(w *world) mach.KernReturn {
			return w.allocateFlags(0, page, any|mach.VMFlagsSuperpageAny|mach.VMFlagsTPRO)
		}, arg},
		{"vm_allocation.c:1761", "map: current protection out of range", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Prot = -1 })
		}, arg},
		{"vm_allocation.c:1761", "map: maximum protection out of range", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.MaxProt = -1 })
		}, arg},
		{"vm_allocation.c:1761", "map: inheritance out of range", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Inherit = -1 })
		}, arg},
		{"vm_allocation.c:1784", "map: anywhere, the mask is everything", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Mask, r.Flags = 1, max, any })
		}, spc},
		{"vm_allocation.c:1784", "map: the same of no bytes", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Mask, r.Flags, r.Size = 1, max, any, 0 })
		}, arg},
		{"vm_allocation.c:1814", "allocate: no bytes", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.allocateFlags(at, 0, 0) }), ok},
		{"vm_allocation.c:1814", "allocate: no bytes, anywhere", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.allocateFlags(at, 0, any) }), ok},
		{"vm_allocation.c:1814", "map: no bytes", everywhere(func(w *world, at mach.Addr) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Size = at, 0 })
		}), arg},
		{"vm_allocation.c:1830", "allocate: anywhere, all but a page", func(w *world) mach.KernReturn { return w.allocateFlags(0, max-page+1, any) }, spc},
		{"vm_allocation.c:1850", "allocate: a size that rounds to zero", func(w *world) mach.KernReturn { return w.allocateFlags(0, max, any) }, arg},
		{"vm_allocation.c:1865", "allocate: fixed at zero", func(w *world) mach.KernReturn { return w.allocateFlags(0, page, 0) }, adr},
		{"vm_allocation.c:1865", "allocate: no bytes at zero", func(w *world) mach.KernReturn { return w.allocateFlags(0, 0, 0) }, ok},
		{"vm_allocation.c:1865", "map: no bytes at zero", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Size = 0, 0 })
		}, arg},
		{"vm_allocation.c:1897", "map: fixed, against a mask of 2 MiB", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Mask = 0x901000, 2<<20-1 })
		}, spc},
		{"vm_allocation.c:1929", "map: anywhere, the hint is the last page", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Flags = last, any })
		}, spc},
		{"vm_allocation.c:1929", "allocate: anywhere, the hint is the last page", func(w *world) mach.KernReturn { return w.allocateFlags(last, page, any) }, ok},

		{"vm_allocation.c:2038", "deallocate: twice", func(w *world) mach.KernReturn {
			require.Equal(w.t, ok, w.Deallocate(w.m, w.at(0), page))
			return w.Deallocate(w.m, w.at(0), page)
		}, ok},
		{"vm_allocation.c:2087", "deallocate: no bytes", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.Deallocate(w.m, at, 0) }), ok},
		{"vm_allocation.c:2122, against vm_sanitize_error_compat.c", "deallocate: the rounded end is zero", deallocate(1, max-1), arg},
		{"vm_allocation.c:2122, against vm_sanitize_error_compat.c", "deallocate: in the last page", deallocate(last, 1), arg},
		{"vm_allocation.c:2122, against vm_sanitize_error_compat.c", "deallocate: from zero", deallocate(0, max), arg},
		{"vm_allocation.c:2154", "deallocate: wraps", around(func(w *world, at mach.Addr, size uint64) mach.KernReturn { return w.Deallocate(w.m, at, size) }), arg},

		{"vm_allocation.c:2244", "read: a hole in the middle", func(w *world) mach.KernReturn { return w.hole(3).vmRead(w.at(0), large) }, adr},
		{"vm_allocation.c:2261", "read: a page that is unreadable, small", func(w *world) mach.KernReturn {
			return w.allow(0, mach.ProtWrite).vmRead(w.at(0), 2*page-1)
		}, adr},
		{"vm_allocation.c:2261, against kern/kalloc.h", "read: the same of two pages and more", func(w *world) mach.KernReturn {
			return w.allow(1, mach.ProtWrite).vmRead(w.at(0), 2*page)
		}, adr},
		{"vm_allocation.c:2261", "read: a page that is unreadable, large", func(w *world) mach.KernReturn {
			return w.allow(3, mach.ProtWrite).vmRead(w.at(0), large)
		}, prt},
		{"vm_allocation.c:2313", "read: no bytes", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.vmRead(at, 0) }), ok},
		{"vm_allocation.c:2320", "read: 4 GiB", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.vmRead(at, 1<<32) }), arg},
		{"vm_allocation.c:2348", "read: wraps", aroundOf32(func(w *world, at mach.Addr, size uint64) mach.KernReturn { return w.vmRead(at, size) }), adr},

		{"vm_allocation.c:2452", "write: a buffer with a hole cannot be sent", func(w *world) mach.KernReturn {
			_, kr := w.hole(1).Copyin(w.m, w.at(0), small)
			return kr
		}, adr},
		{"vm_allocation.c:2477", "write: a buffer that is unreadable cannot be sent", func(w *world) mach.KernReturn {
			_, kr := w.allow(1, mach.ProtWrite).Copyin(w.m, w.at(0), large)
			return kr
		}, prt},
		{"vm_allocation.c:2501", "write: a hole in the destination", func(w *world) mach.KernReturn { return w.hole(3).vmWrite(w.at(0), large, 0) }, adr},
		{"vm_allocation.c:2518", "write: a page that is unwritable, small", func(w *world) mach.KernReturn {
			return w.allow(0, mach.ProtRead).vmWrite(w.at(0), 2*page-1, 0)
		}, adr},
		{"vm_allocation.c:2518", "write: a page that is unwritable, large", func(w *world) mach.KernReturn {
			return w.allow(0, mach.ProtRead).vmWrite(w.at(0), large, 0)
		}, prt},

		{"vm_allocation.c:2649", "copy: no bytes", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.Copy(w.m, at, 0, w.at(0)) }), ok},
		{"vm_allocation.c:2656", "copy: far too much", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.Copy(w.m, at, 0xfffffffe, w.at(0)) }), adr},
		{"vm_allocation.c:2686", "copy: wraps", aroundOf32(func(w *world, at mach.Addr, size uint64) mach.KernReturn { return w.Copy(w.m, at, size, w.at(0)) }), adr},
		{"vm_allocation.c:2775", "copy: a hole in the source", func(w *world) mach.KernReturn { return w.hole(1).Copy(w.m, w.at(0), small, w.at(4)) }, adr},
		{"vm_allocation.c:2828", "copy: a hole at the source's end", func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(6), small, w.at(0)) }, adr},
		{"vm_allocation.c:2857", "copy: a hole in the destination", func(w *world) mach.KernReturn { return w.hole(5).Copy(w.m, w.at(0), small, w.at(4)) }, adr},
		{"vm_allocation.c:2942", "copy: onto itself, a hole in both", func(w *world) mach.KernReturn { return w.hole(1).Copy(w.m, w.at(0), large, w.at(0)) }, adr},
		{"vm_allocation.c:2966", "copy: a hole in an overlapping destination", func(w *world) mach.KernReturn { return w.hole(7).Copy(w.m, w.at(0), large, w.at(2)) }, adr},
		{"vm_allocation.c:2794", "copy: unreadable, small", func(w *world) mach.KernReturn { return w.allow(0, mach.ProtWrite).Copy(w.m, w.at(0), page-1, w.at(4)) }, adr},
		{"vm_allocation.c:2794", "copy: unreadable, large", func(w *world) mach.KernReturn { return w.allow(3, mach.ProtWrite).Copy(w.m, w.at(0), large, w.at(2)) }, prt},
		{"vm_allocation.c:2869", "copy: unwritable, small", func(w *world) mach.KernReturn { return w.allow(4, mach.ProtRead).Copy(w.m, w.at(0), page-1, w.at(4)) }, adr},
		{"vm_allocation.c:2869", "copy: unwritable, large", func(w *world) mach.KernReturn { return w.allow(7, mach.ProtRead).Copy(w.m, w.at(0), large, w.at(2)) }, prt},
		{"vm_allocation.c:2909", "copy: onto itself, unreadable, large", func(w *world) mach.KernReturn { return w.allow(3, mach.ProtWrite).Copy(w.m, w.at(0), large, w.at(0)) }, prt},
		{"vm_allocation.c:2983", "copy: onto itself, unwritable, large", func(w *world) mach.KernReturn { return w.allow(3, mach.ProtRead).Copy(w.m, w.at(0), large, w.at(0)) }, prt},
		{"vm_allocation.c:3013", "copy: overlapping, unwritable, large", func(w *world) mach.KernReturn { return w.allow(7, mach.ProtRead).Copy(w.m, w.at(0), large, w.at(2)) }, prt},

		{"vm_allocation.c:3196", "protect: no bytes", everywhere(func(w *world, at mach.Addr) mach.KernReturn { return w.Protect(w.m, at, 0, false, mach.ProtRead) }), ok},
		{"vm_allocation.c:3240", "protect: wraps", around(func(w *world, at mach.Addr, size uint64) mach.KernReturn {
			return w.Protect(w.m, at, size, false, mach.ProtRead)
		}), arg},

		{"vm_test_linkedit_permanent.c:183", "write: to a large permanent mapping that is read-only", func(w *world) mach.KernReturn {
			require.Equal(w.t, ok, w.allocateFlags(0x900000, large, mach.VMFlagsPermanent))
			require.Equal(w.t, ok, w.Protect(w.m, 0x900000, large, true, mach.ProtRead))
			return w.vmWrite(0x900000, large, 0)
		}, prt},
		{"vm_test_linkedit_permanent.c:205", "allocate: over a permanent mapping", func(w *world) mach.KernReturn {
			return w.permanent(0, mach.ProtRead).allocateFlags(w.at(0), page, mach.VMFlagsOverwrite)
		}, spc},
		{"vm_test_linkedit_permanent.c:272", "protect: VM_PROT_COPY of a permanent mapping", func(w *world) mach.KernReturn {
			return w.permanent(0, mach.ProtRead).Protect(w.m, w.at(0), page, false, mach.ProtCopy|mach.ProtDefault)
		}, spc},
		{"vm_user.c:102", "protect: VM_PROT_COPY of a permanent mapping, the maximum", func(w *world) mach.KernReturn {
			return w.permanent(0, mach.ProtRead).Protect(w.m, w.at(0), page, true, mach.ProtCopy|mach.ProtDefault)
		}, spc},
		{"vm_user.c:169", "deallocate: a permanent mapping", func(w *world) mach.KernReturn {
			return w.permanent(0, mach.ProtRead).Deallocate(w.m, w.at(0), page)
		}, ok},
	} {
		t.Run(c.source+" "+c.about, func(t *testing.T) {
			require.Equal(t, c.want, c.do(newWorld(t, xnuObserved)))
		})
	}
}
