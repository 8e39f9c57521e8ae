package vmsvc

import (
	"machkernel/mach"
	"machkernel/vm"
)

// Ranges as clients name them: untrusted, in bytes.

func roundSize(size uint64) uint64 { return uint64(mach.Addr(size).RoundPage()) }

// wraps reports whether a range with bytes goes over the end of the 64 bits, or
// its end rounds to zero.
func wraps(addr mach.Addr, size uint64) bool {
	end := addr + mach.Addr(size)
	return size != 0 && (end < addr || end.RoundPage() <= addr.TruncPage())
}

// outside reports whether pages of a range lie outside a map.
func outside(l vm.Layout, addr mach.Addr, size uint64) bool {
	return wraps(addr, size) || addr.TruncPage() < l.Min || (addr+mach.Addr(size)).RoundPage() > l.Max
}

// crosses48 reports whether bits 48 and up change within a range.
func crosses48(addr mach.Addr, size uint64) bool {
	end := addr + mach.Addr(size)
	return addr>>48 != end>>48 && end != 1<<48
}

func aligned(values ...uint64) bool {
	for _, v := range values {
		if v&mach.PageMask != 0 {
			return false
		}
	}
	return true
}
