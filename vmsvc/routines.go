package vmsvc

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/vm"
)

// The vm_* part of GNU Mach's subsystem "mach", as MIG's stubs call it.

// VMAllocate is vm_allocate (2021); see Allocate.
func (s *Server) VMAllocate(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
	return s.Allocate(m, addr, size, anywhere)
}

// VMDeallocate is vm_deallocate (2023); see Deallocate.
func (s *Server) VMDeallocate(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64) mach.KernReturn {
	return s.Deallocate(m, addr, size)
}

// VMProtect is vm_protect (2024); see Protect.
func (s *Server) VMProtect(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, setMax bool, prot mach.Prot) mach.KernReturn {
	return s.Protect(m, addr, size, setMax, prot)
}

// VMInherit is vm_inherit (2025); see Inherit.
func (s *Server) VMInherit(_ *mig.Call, m *vm.Map, addr mach.Addr, size uint64, in mach.Inherit) mach.KernReturn {
	return s.Inherit(m, addr, size, in)
}

// VMRead is vm_read (2026); see Read.
//
// The count travels in 32 bits. The real kernel tells a longer one truncated,
// beside a copy of full size; and nothing, if nothing is left.
func (s *Server) VMRead(c *mig.Call, m *vm.Map, addr mach.Addr, size uint64) (ipc.Region, uint32, mach.KernReturn) {
	var to *vm.Map
	if s.receiver != nil {
		to = s.receiver(c.Caller)
	}
	data, kr := s.Read(m, addr, size, to)
	if kr != mach.KernSuccess {
		return nil, 0, kr
	}
	count := uint32(data.Size())
	if count == 0 {
		data.Discard()
		return nil, 0, kr
	}
	return s.memory(data), count, kr
}

// VMWrite is vm_write (2027); see Write. Without bytes there is no region.
func (s *Server) VMWrite(_ *mig.Call, m *vm.Map, addr mach.Addr, data ipc.Region, _ uint32) mach.KernReturn {
	return s.Write(m, addr, s.copies(data))
}

// VMCopy is vm_copy (2028); see Copy.
func (s *Server) VMCopy(_ *mig.Call, m *vm.Map, src mach.Addr, size uint64, dst mach.Addr) mach.KernReturn {
	return s.Copy(m, src, size, dst)
}

// VMRegion is vm_region (2029); see Region. The object's name is a right to its
// name port; of memory that nobody has touched it is null.
func (s *Server) VMRegion(_ *mig.Call, m *vm.Map, at mach.Addr) (addr mach.Addr, size uint64, prot, maxProt mach.Prot, in mach.Inherit, shared bool, name ports.Right, offset uint64, kr mach.KernReturn) {
	r, kr := s.Region(m, at)
	if kr == mach.KernSuccess && s.name != nil {
		name = s.name(r.Object)
	}
	return r.Start, r.Size, r.Prot, r.MaxProt, r.Inherit, r.Shared, name, r.Offset, kr
}

// VMStatistics is vm_statistics (2030): the host's counts. Memory is that of
// tasks: the kernel's own is not counted. All of it that is neither free nor
// wired counts as active: nothing is paged out yet.
//
//	KERN_INVALID_ARGUMENT  m is nil
func (s *Server) VMStatistics(_ *mig.Call, m *vm.Map) (mach.VMStatistics, mach.KernReturn) {
	if m == nil {
		return mach.VMStatistics{}, mach.KernInvalidArgument
	}
	f, n := s.frames.Stats(), s.frames.Counters()
	wired := s.frames.Wired()
	return mach.VMStatistics{
		PageSize:      mach.PageSize,
		FreeCount:     int32(f.Free),
		ActiveCount:   int32(max(f.Used-wired, 0)),
		WireCount:     int32(wired),
		ZeroFillCount: int32(n.ZeroFills.Load()),
		Pageins:       int32(n.Pageins.Load()),
		Pageouts:      int32(n.Pageouts.Load()),
		Faults:        int32(n.Faults.Load()),
		CowFaults:     int32(n.CowFaults.Load()),
		CacheLookups:  int32(n.Lookups.Load()),
		CacheHits:     int32(n.Hits.Load()),
	}, mach.KernSuccess
}
