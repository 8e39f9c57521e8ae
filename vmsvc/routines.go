package vmsvc

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/vm"
)

// Routines is the vm_* part of GNU Mach's subsystem "mach" (ids 2021 to 2030):
// the arguments of each routine, and the glue from its message to the server.
func (s *Server) Routines() []mig.Routine {
	in := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.In, Type: t} }
	out := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.Out, Type: t} }
	inout := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.InOut, Type: t} }

	address, size := in("address", mig.Address), in("size", mig.Size)
	return []mig.Routine{
		{
			ID: 2021, Name: "vm_allocate", Serve: s.serveAllocate,
			Args: []mig.Arg{inout("address", mig.Address), size, in("anywhere", mig.Boolean)},
		},
		{ID: 2023, Name: "vm_deallocate", Serve: s.serveDeallocate, Args: []mig.Arg{address, size}},
		{
			ID: 2024, Name: "vm_protect", Serve: s.serveProtect,
			Args: []mig.Arg{address, size, in("set_maximum", mig.Boolean), in("new_protection", mig.Prot)},
		},
		{
			ID: 2025, Name: "vm_inherit", Serve: s.serveInherit,
			Args: []mig.Arg{address, size, in("new_inheritance", mig.Inherit)},
		},
		{ID: 2026, Name: "vm_read", Serve: s.serveRead, Args: []mig.Arg{address, size, out("data", mig.Pointer)}},
		{ID: 2027, Name: "vm_write", Serve: s.serveWrite, Args: []mig.Arg{address, in("data", mig.Pointer)}},
		{
			ID: 2028, Name: "vm_copy", Serve: s.serveCopy,
			Args: []mig.Arg{in("source_address", mig.Address), size, in("dest_address", mig.Address)},
		},
		{
			ID: 2029, Name: "vm_region", Serve: s.serveRegion,
			Args: []mig.Arg{
				inout("address", mig.Address), out("size", mig.Size), out("protection", mig.Prot),
				out("max_protection", mig.Prot), out("inheritance", mig.Inherit), out("is_shared", mig.Boolean),
				out("object_name", mig.SendRight), out("offset", mig.Offset),
			},
		},
		{ID: 2030, Name: "vm_statistics", Serve: s.serveStatistics, Args: []mig.Arg{out("vm_stats", mig.VMStatistics)}},
	}
}

// target is the map behind the request port (C: convert_port_to_map).
func target(c *mig.Call) *vm.Map {
	if as, ok := c.Object.(AddressSpace); ok {
		return as.VMMap()
	}
	return nil
}

func (s *Server) serveAllocate(c *mig.Call) mach.KernReturn {
	addr, kr := s.Allocate(target(c), c.Addr(0), c.Uint64(1), c.Bool(2))
	c.SetUint64(0, uint64(addr))
	return kr
}

func (s *Server) serveDeallocate(c *mig.Call) mach.KernReturn {
	return s.Deallocate(target(c), c.Addr(0), c.Uint64(1))
}

func (s *Server) serveProtect(c *mig.Call) mach.KernReturn {
	return s.Protect(target(c), c.Addr(0), c.Uint64(1), c.Bool(2), mach.Prot(c.Int32(3)))
}

func (s *Server) serveInherit(c *mig.Call) mach.KernReturn {
	return s.Inherit(target(c), c.Addr(0), c.Uint64(1), mach.Inherit(c.Int32(2)))
}

func (s *Server) serveRead(c *mig.Call) mach.KernReturn {
	var to *vm.Map
	if s.receiver != nil {
		to = s.receiver(c.Caller)
	}
	data, kr := s.Read(target(c), c.Addr(0), c.Uint64(1), to)
	switch {
	case kr != mach.KernSuccess:
	case uint32(data.Size()) == 0:
		data.Discard()
	default:
		// The count travels in 32 bits. The real kernel stores a longer one
		// truncated, beside a copy of full size; and nothing, if nothing is left.
		c.SetRegion(2, s.memory(data), uint32(data.Size()))
	}
	return kr
}

func (s *Server) serveWrite(c *mig.Call) mach.KernReturn {
	if c.Region(1) == nil {
		// No bytes: nothing else is looked at.
		if target(c) == nil {
			return mach.KernInvalidArgument
		}
		return mach.KernSuccess
	}
	data := s.copies(c.Region(1))
	kr := s.Write(target(c), c.Addr(0), data)
	if kr == mach.KernSuccess {
		c.TakeRegion(1)
	}
	return kr
}

func (s *Server) serveCopy(c *mig.Call) mach.KernReturn {
	return s.Copy(target(c), c.Addr(0), c.Uint64(1), c.Addr(2))
}

func (s *Server) serveRegion(c *mig.Call) mach.KernReturn {
	r, kr := s.Region(target(c), c.Addr(0))
	if kr != mach.KernSuccess {
		return kr
	}
	c.SetUint64(0, uint64(r.Start))
	c.SetUint64(1, r.Size)
	c.SetInt32(2, int32(r.Prot))
	c.SetInt32(3, int32(r.MaxProt))
	c.SetInt32(4, int32(r.Inherit))
	c.SetBool(5, r.Shared)
	// object_name stays null: memory without a pager has no name port.
	c.SetUint64(7, r.Offset)
	return kr
}

func (s *Server) serveStatistics(c *mig.Call) mach.KernReturn {
	if target(c) == nil {
		return mach.KernInvalidArgument
	}
	c.SetStruct(0, s.statistics())
	return mach.KernSuccess
}

// statistics is the host's counts. All memory that is neither free nor wired
// counts as active: nothing is paged out yet.
func (s *Server) statistics() mach.VMStatistics {
	f, n := s.frames.Stats(), s.frames.Counters()
	return mach.VMStatistics{
		PageSize:      mach.PageSize,
		FreeCount:     int32(f.Free),
		ActiveCount:   int32(f.Used),
		ZeroFillCount: int32(n.ZeroFills.Load()),
		Pageins:       int32(n.Pageins.Load()),
		Pageouts:      int32(n.Pageouts.Load()),
		Faults:        int32(n.Faults.Load()),
		CowFaults:     int32(n.CowFaults.Load()),
	}
}
