package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// portRoutines is what is served of GNU Mach's subsystem "mach_port".
func portRoutines() []mig.Routine {
	in := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.In, Type: t} }
	out := func(name string, t mig.Type) mig.Arg { return mig.Arg{Name: name, Dir: mig.Out, Type: t} }
	name, right := in("name", mig.PortName), in("right", mig.PortRight)
	return []mig.Routine{
		{
			ID: 3200, Name: "mach_port_names", Serve: servePortNames,
			Args: []mig.Arg{out("names", mig.PortNames), out("types", mig.PortTypes)},
		},
		{ID: 3201, Name: "mach_port_type", Serve: servePortType, Args: []mig.Arg{name, out("ptype", mig.PortType)}},
		{ID: 3204, Name: "mach_port_allocate", Serve: servePortAllocate, Args: []mig.Arg{right, out("name", mig.PortName)}},
		{ID: 3205, Name: "mach_port_destroy", Serve: servePortDestroy, Args: []mig.Arg{name}},
		{ID: 3206, Name: "mach_port_deallocate", Serve: servePortDeallocate, Args: []mig.Arg{name}},
		{
			ID: 3207, Name: "mach_port_get_refs", Serve: servePortGetRefs,
			Args: []mig.Arg{name, right, out("refs", mig.Urefs)},
		},
		{
			ID: 3208, Name: "mach_port_mod_refs", Serve: servePortModRefs,
			Args: []mig.Arg{name, right, in("delta", mig.Delta)},
		},
		{
			ID: 3215, Name: "mach_port_insert_right", Serve: servePortInsertRight,
			Args: []mig.Arg{name, in("poly", mig.PolyRight)},
		},
	}
}

// targetSpace is the name space of the task behind the request port
// (C: convert_port_to_space); nil answers KERN_INVALID_TASK everywhere.
func targetSpace(c *mig.Call) *ports.Space {
	if t := targetTask(c); t != nil {
		return t.portSpace()
	}
	return nil
}

func servePortNames(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	list, kr := s.Names()
	if kr != mach.KernSuccess {
		return kr
	}
	names, types := make([]uint32, len(list)), make([]uint32, len(list))
	for i, n := range list {
		names[i], types[i] = uint32(n.Name), uint32(n.Type)
	}
	if kr = setWords(c, 0, names); kr == mach.KernSuccess {
		kr = setWords(c, 1, types)
	}
	return kr
}

// setWords makes result i an out-of-line array of 32-bit words.
func setWords(c *mig.Call, i int, words []uint32) mach.KernReturn {
	b := make([]byte, 0, 4*len(words))
	for _, w := range words {
		b = le.AppendUint32(b, w)
	}
	r, kr := caller(c).mem.NewRegion(b)
	if kr != mach.KernSuccess {
		return mach.KernResourceShortage
	}
	c.SetRegion(i, r, uint32(len(words)))
	return mach.KernSuccess
}

func servePortType(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	t, kr := s.Type(c.PortName(0))
	c.SetUint32(1, uint32(t))
	return kr
}

func servePortAllocate(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	name, kr := s.Allocate(mach.Right(c.Uint32(0)))
	c.SetUint32(1, uint32(name))
	return kr
}

func servePortDestroy(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.DestroyName(c.PortName(0))
}

func servePortDeallocate(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.Deallocate(c.PortName(0))
}

func servePortGetRefs(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	refs, kr := s.GetRefs(c.PortName(0), mach.Right(c.Uint32(1)))
	c.SetUint32(2, refs)
	return kr
}

func servePortModRefs(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	return s.ModRefs(c.PortName(0), mach.Right(c.Uint32(1)), c.Int32(2))
}

// servePortInsertRight is mach_port_insert_right (3215). The right came in the
// message; it is the space's on success only.
func servePortInsertRight(c *mig.Call) mach.KernReturn {
	s := targetSpace(c)
	if s == nil {
		return mach.KernInvalidTask
	}
	right, disposition := c.Right(1)
	if !disposition.IsPort() {
		return mach.KernInvalidValue
	}
	kr := s.InsertRight(c.PortName(0), right)
	if kr == mach.KernSuccess {
		c.TakeRight(1)
	}
	return kr
}
