package vmsvc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/rules"
	"machkernel/vm"
)

// Codes, short.
const (
	ok  = mach.KernSuccess
	adr = mach.KernInvalidAddress
	prt = mach.KernProtectionFailure
	spc = mach.KernNoSpace
	arg = mach.KernInvalidArgument
)

// four is what the four kernels answer, in the order of the table of rules: GNU
// Mach's manual and kernel, XNU's manual and kernel.
type four [4]mach.KernReturn

func all(kr mach.KernReturn) four { return four{kr, kr, kr, kr} }

// each is GNU Mach's answer and XNU's, of manual and kernel.
func each(gnu, xnu mach.KernReturn) four { return four{gnu, gnu, xnu, xnu} }

var fourSets = [4]*rules.Set{documented, observed, xnuDocumented, xnuObserved}

// small and large are sizes on both sides of XNU's kernel-buffer limit.
const (
	small = 3 * page
	large = 6 * page
	limit = 4 * page // the limit itself is small
)

const (
	last = ^mach.Addr(0) &^ (page - 1) // the last page of 64 bits
	all1 = ^uint64(0)
)

// The world's pages, changed.

func (w *world) at(pages int) mach.Addr { return w.base + mach.Addr(pages)*page }

func (w *world) hole(p int) *world {
	require.Equal(w.t, ok, w.m.Deallocate(w.at(p), page))
	return w
}

func (w *world) allow(p int, prot mach.Prot) *world {
	require.Equal(w.t, ok, w.m.Protect(w.at(p), page, false, prot))
	return w
}

func (w *world) most(p int, prot mach.Prot) *world {
	require.Equal(w.t, ok, w.m.Protect(w.at(p), page, true, prot))
	return w
}

// place allocates size bytes at an address.
func (w *world) place(addr mach.Addr, size uint64) *world {
	_, kr := w.m.EnterAt(vm.Spot{Addr: addr}, size, vm.Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy})
	require.Equal(w.t, ok, kr)
	return w
}

// The calls, with one result.

func (w *world) vmRead(addr mach.Addr, size uint64) mach.KernReturn {
	c, kr := w.Read(w.m, addr, size, nil)
	c.Discard()
	return kr
}

// vmWrite sends size bytes that lie at an in-page offset.
func (w *world) vmWrite(addr mach.Addr, size, in uint64) mach.KernReturn {
	c, kr := w.Copyin(w.sender(), 0x200000+mach.Addr(in), size)
	require.Equal(w.t, ok, kr)
	kr = w.Write(w.m, addr, c)
	c.Discard()
	return kr
}

// sender is a map with data: "s" everywhere, 0x200000 on.
func (w *world) sender() *vm.Map {
	if w.other == nil {
		w.other = vm.NewMap(w.frames, nil)
		w.Prepare(w.other)
		_, kr := w.other.Allocate(0x200000, 16*page, false)
		require.Equal(w.t, ok, kr)
		b := make([]byte, 16*page)
		for i := range b {
			b[i] = 's'
		}
		require.Equal(w.t, ok, w.other.WriteBytes(0x200000, b))
	}
	return w.other
}

func (w *world) vmReadOverwrite(addr mach.Addr, size uint64, data mach.Addr) mach.KernReturn {
	return w.ReadOverwrite(w.sender(), addr, size, w.m, data)
}

func (w *world) vmAllocate(addr mach.Addr, size uint64, anywhere bool) mach.KernReturn {
	_, kr := w.Allocate(w.m, addr, size, anywhere)
	return kr
}

func (w *world) vmMap(change func(r *Mapping)) mach.KernReturn {
	r := Mapping{Addr: 0x900000, Size: page, Prot: mach.ProtRead, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy}
	change(&r)
	_, kr := w.Map(w.m, r)
	return kr
}

// What each of the four kernels answers: the conditions of both families'
// routines, side by side. GNU Mach's are recorded or stand in its Reference
// Manual; XNU's are read from xnu-11417.101.15, osfmk/vm, or stand in the pages of
// osfmk/man.
var fourCases = []struct {
	name string
	do   func(w *world) mach.KernReturn
	want four
}{
	{"vm_read of no bytes, anywhere", func(w *world) mach.KernReturn { return w.vmRead(last+5, 0) }, all(ok)},
	{"vm_read of no task", func(w *world) mach.KernReturn { _, kr := w.Read(nil, 0, all1, nil); return kr }, all(arg)},
	{"vm_read that wraps", func(w *world) mach.KernReturn { return w.vmRead(last+5, page) }, all(adr)},
	{"vm_read whose rounded end is zero", func(w *world) mach.KernReturn { return w.vmRead(last+5, 7) }, all(adr)},
	{"vm_read over 4 GiB", func(w *world) mach.KernReturn {
		return w.place(1<<32, 1<<32+page).vmRead(1<<32, 1<<32)
	}, each(ok, arg)},
	{"vm_read of a byte less", func(w *world) mach.KernReturn {
		return w.place(1<<32, 1<<32).vmRead(1<<32, 1<<32-1)
	}, four{arg, ok, ok, ok}},
	{"vm_read over 4 GiB that wraps", func(w *world) mach.KernReturn { return w.vmRead(last, 1<<33) }, each(adr, arg)},
	{"vm_read unaligned", func(w *world) mach.KernReturn { return w.vmRead(w.at(0)+1, page) }, four{arg, ok, ok, ok}},
	{"vm_read of a hole", func(w *world) mach.KernReturn { return w.hole(1).vmRead(w.at(0), small) }, all(adr)},
	{"vm_read of a hole, large", func(w *world) mach.KernReturn { return w.hole(1).vmRead(w.at(0), large) }, all(adr)},
	{"vm_read past the end", func(w *world) mach.KernReturn { return w.vmRead(w.at(7), small) }, all(adr)},
	{"vm_read past the end, large", func(w *world) mach.KernReturn { return w.vmRead(w.at(7), large) }, all(adr)},
	{"vm_read unreadable", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtNone).vmRead(w.at(0), small) }, four{prt, prt, prt, adr}},
	{"vm_read unreadable, at the limit", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtWrite).vmRead(w.at(0), limit) }, four{prt, prt, prt, adr}},
	{"vm_read unreadable, past the limit", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtNone).vmRead(w.at(0), limit+1) }, all(prt)},
	{"vm_read unreadable, large", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtWrite).vmRead(w.at(0), large) }, all(prt)},
	{"vm_read unreadable, then a hole", func(w *world) mach.KernReturn {
		return w.allow(1, mach.ProtNone).hole(2).vmRead(w.at(0), large)
	}, all(prt)},
	{"vm_read of a hole, then unreadable", func(w *world) mach.KernReturn {
		return w.hole(1).allow(2, mach.ProtNone).vmRead(w.at(0), large)
	}, all(adr)},
	{"vm_read unreadable in the last page of the map", func(w *world) mach.KernReturn {
		at := w.m.Layout().Max - page
		w.place(at, page)
		require.Equal(w.t, ok, w.m.Protect(at, page, false, mach.ProtNone))
		return w.vmRead(at, page)
	}, all(prt)},
	{"vm_read for a map without room", func(w *world) mach.KernReturn {
		l := w.m.Layout()
		_, kr := w.sender().EnterAt(vm.Spot{Addr: 0x400000}, uint64(l.Max-0x400000), vm.Attributes{})
		require.Equal(w.t, ok, kr)
		_, kr = w.sender().EnterAt(vm.Spot{Addr: l.Min}, uint64(0x200000-l.Min), vm.Attributes{})
		require.Equal(w.t, ok, kr)
		_, kr = w.sender().EnterAt(vm.Spot{Addr: 0x210000}, 0x1f0000, vm.Attributes{})
		require.Equal(w.t, ok, kr)
		c, kr := w.Read(w.m, w.base, page, w.sender())
		c.Discard()
		return kr
	}, four{spc, ok, ok, ok}},

	{"vm_read_overwrite of no bytes", func(w *world) mach.KernReturn { return w.vmReadOverwrite(last, 0, last) }, all(ok)},
	{"vm_read_overwrite", func(w *world) mach.KernReturn { return w.vmReadOverwrite(0x200001, small, w.at(1)+3) }, all(ok)},
	{"vm_read_overwrite for nobody", func(w *world) mach.KernReturn { return w.ReadOverwrite(w.m, w.base, 1, nil, w.base) }, all(arg)},
	{"vm_read_overwrite of no task", func(w *world) mach.KernReturn { return w.ReadOverwrite(nil, w.base, 1, w.m, w.base) }, all(arg)},
	{"vm_read_overwrite: a bad source comes first", func(w *world) mach.KernReturn {
		require.Equal(w.t, ok, w.sender().Protect(0x200000, page, false, mach.ProtNone))
		return w.vmReadOverwrite(0x200000, large, w.at(100))
	}, all(prt)},
	{"vm_read_overwrite into a hole", func(w *world) mach.KernReturn { return w.hole(1).vmReadOverwrite(0x200000, small, w.at(0)) }, all(adr)},
	{"vm_read_overwrite, unwritable", func(w *world) mach.KernReturn {
		return w.allow(1, mach.ProtRead).vmReadOverwrite(0x200000, small, w.at(0))
	}, four{prt, prt, adr, adr}},
	{"vm_read_overwrite, unwritable, large", func(w *world) mach.KernReturn {
		return w.allow(1, mach.ProtRead).vmReadOverwrite(0x200000, large, w.at(0))
	}, four{prt, prt, adr, prt}},

	{"vm_write of no bytes, anywhere", func(w *world) mach.KernReturn { return w.vmWrite(last+3, 0, 0) }, all(ok)},
	{"vm_write to no task", func(w *world) mach.KernReturn { return w.Write(nil, 0, nil) }, all(arg)},
	{"vm_write to an unaligned address", func(w *world) mach.KernReturn { return w.vmWrite(w.at(0)+1, page, 0) }, each(arg, ok)},
	{"vm_write of an unaligned count", func(w *world) mach.KernReturn { return w.vmWrite(w.at(0), 100, 0) }, each(arg, ok)},
	{"vm_write of unaligned data", func(w *world) mach.KernReturn { return w.vmWrite(w.at(0), page, 8) }, four{arg, arg, arg, ok}},
	{"vm_write of unaligned data, large", func(w *world) mach.KernReturn { return w.vmWrite(w.at(0), large, 8) }, four{arg, arg, arg, ok}},
	{"vm_write unaligned, to a hole", func(w *world) mach.KernReturn { return w.hole(0).vmWrite(w.at(0)+1, page, 0) }, each(arg, adr)},
	{"vm_write to a hole", func(w *world) mach.KernReturn { return w.hole(1).vmWrite(w.at(0), small, 0) }, all(adr)},
	{"vm_write to a hole, large", func(w *world) mach.KernReturn { return w.hole(1).vmWrite(w.at(0), large, 0) }, all(adr)},
	{"vm_write past the map", func(w *world) mach.KernReturn { return w.vmWrite(w.m.Layout().Max, small, 0) }, all(adr)},
	{"vm_write that wraps", func(w *world) mach.KernReturn { return w.vmWrite(last, small, 0) }, all(adr)},
	{"vm_write, unwritable", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtRead).vmWrite(w.at(0), small, 0) }, four{prt, prt, prt, adr}},
	{"vm_write, unwritable, large", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtRead).vmWrite(w.at(0), large, 0) }, all(prt)},
	{"vm_write, unwritable although the maximum allows it", func(w *world) mach.KernReturn {
		return w.allow(0, mach.ProtNone).vmWrite(w.at(0), large, 0)
	}, all(prt)},
	{"vm_write to what can be written only", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtWrite).vmWrite(w.at(0), small, 0) }, four{ok, ok, prt, adr}},
	{"vm_write to what can be written only, large", func(w *world) mach.KernReturn { return w.allow(1, mach.ProtWrite).vmWrite(w.at(0), large, 0) }, all(ok)},
	{"vm_write, unwritable, then a hole", func(w *world) mach.KernReturn {
		return w.allow(1, mach.ProtRead).hole(2).vmWrite(w.at(0), large, 0)
	}, all(prt)},
	{"vm_write to a hole, then unwritable", func(w *world) mach.KernReturn {
		return w.hole(1).allow(2, mach.ProtRead).vmWrite(w.at(0), large, 0)
	}, all(adr)},

	{"vm_copy of no bytes, anywhere", func(w *world) mach.KernReturn { return w.Copy(w.m, last, 0, last+1) }, all(ok)},
	{"vm_copy in no task", func(w *world) mach.KernReturn { return w.Copy(nil, 0, page, page) }, all(arg)},
	{"vm_copy", func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0), large, w.at(1)) }, all(ok)},
	{"vm_copy unaligned", func(w *world) mach.KernReturn { return w.Copy(w.m, w.at(0)+8, page, w.at(3)) }, four{arg, arg, arg, ok}},
	{"vm_copy unaligned, of a hole", func(w *world) mach.KernReturn { return w.hole(0).Copy(w.m, w.at(0)+8, page, w.at(3)) }, all(adr)},
	{"vm_copy over 4 GiB", func(w *world) mach.KernReturn {
		return w.place(1<<33, 1<<33+page).Copy(w.m, 1<<33, 1<<32, 1<<33+1<<32)
	}, all(ok)},
	{"vm_copy that wraps", func(w *world) mach.KernReturn { return w.Copy(w.m, last, page, w.at(0)) }, all(adr)},
	{"vm_copy of what is unreadable, over 48 bits", func(w *world) mach.KernReturn {
		return w.allow(0, mach.ProtNone).Copy(w.m, w.at(0), 1<<48, w.at(0))
	}, each(prt, adr)},
	{"vm_copy of what is unreadable, up to 48 bits", func(w *world) mach.KernReturn {
		return w.allow(0, mach.ProtNone).Copy(w.m, w.at(0), 1<<48-uint64(w.at(0)), w.at(0))
	}, all(prt)},
	{"vm_copy, unreadable", func(w *world) mach.KernReturn { return w.allow(0, mach.ProtNone).Copy(w.m, w.at(0), page, w.at(3)) }, four{prt, prt, prt, adr}},
	{"vm_copy, unwritable", func(w *world) mach.KernReturn { return w.allow(3, mach.ProtRead).Copy(w.m, w.at(0), page, w.at(3)) }, four{prt, prt, prt, adr}},
	{"vm_copy, unwritable, large", func(w *world) mach.KernReturn { return w.allow(3, mach.ProtRead).Copy(w.m, w.at(0), large, w.at(1)) }, all(prt)},
	{"vm_copy to a hole", func(w *world) mach.KernReturn { return w.hole(3).Copy(w.m, w.at(0), page, w.at(3)) }, all(adr)},

	{"vm_allocate of no bytes", func(w *world) mach.KernReturn { return w.vmAllocate(last, 0, false) }, all(ok)},
	{"vm_allocate of a size that rounds to zero", func(w *world) mach.KernReturn { return w.vmAllocate(0, all1, true) }, four{spc, arg, spc, arg}},
	{"vm_allocate of a size that rounds to zero, fixed", func(w *world) mach.KernReturn { return w.vmAllocate(w.at(20), all1, false) }, four{spc, arg, spc, arg}},
	{"vm_allocate of almost everything", func(w *world) mach.KernReturn { return w.vmAllocate(0, all1-page+1, true) }, all(spc)},
	{"vm_allocate at page zero", func(w *world) mach.KernReturn { return w.vmAllocate(0, page, false) }, each(ok, adr)},
	{"vm_allocate below page one", func(w *world) mach.KernReturn { return w.vmAllocate(page-1, page, false) }, each(ok, adr)},
	{"vm_allocate past the map", func(w *world) mach.KernReturn { return w.vmAllocate(w.m.Layout().Max, page, false) }, all(adr)},
	{"vm_allocate across the end of the map", func(w *world) mach.KernReturn { return w.vmAllocate(w.m.Layout().Max-page, 2*page, false) }, all(adr)},
	{"vm_allocate that wraps", func(w *world) mach.KernReturn { return w.vmAllocate(last, 2*page, false) }, all(adr)},
	{"vm_allocate, occupied", func(w *world) mach.KernReturn { return w.vmAllocate(w.at(7)+5, 2*page, false) }, all(spc)},
	{"vm_allocate with the last page as a hint", func(w *world) mach.KernReturn { return w.vmAllocate(w.m.Layout().Max-page, 2*page, true) }, all(ok)},

	{"vm_deallocate of no bytes", func(w *world) mach.KernReturn { return w.Deallocate(w.m, last, 0) }, all(ok)},
	{"vm_deallocate in no task", func(w *world) mach.KernReturn { return w.Deallocate(nil, 0, 0) }, all(arg)},
	{"vm_deallocate of a hole", func(w *world) mach.KernReturn { return w.hole(1).Deallocate(w.m, w.at(1), page) }, four{adr, ok, adr, ok}},
	{"vm_deallocate across a hole", func(w *world) mach.KernReturn { return w.hole(1).Deallocate(w.m, w.at(0), 3*page) }, all(ok)},
	{"vm_deallocate that wraps", func(w *world) mach.KernReturn { return w.Deallocate(w.m, w.at(0), all1) }, each(ok, arg)},
	{"vm_deallocate whose rounded end is zero", func(w *world) mach.KernReturn {
		return w.Deallocate(w.m, w.at(0), all1-uint64(w.at(0)))
	}, each(ok, arg)},
	{"vm_deallocate past the map", func(w *world) mach.KernReturn { return w.Deallocate(w.m, w.m.Layout().Max, page) }, four{adr, ok, adr, ok}},

	{"vm_protect of no bytes", func(w *world) mach.KernReturn { return w.Protect(w.m, last, 0, false, mach.ProtRead) }, all(ok)},
	{"vm_protect of no bytes, bad bits", func(w *world) mach.KernReturn { return w.Protect(w.m, last, 0, false, 0x20) }, each(arg, ok)},
	{"vm_protect in no task", func(w *world) mach.KernReturn { return w.Protect(nil, 0, 0, false, 0) }, all(arg)},
	{"vm_protect, bad bits", func(w *world) mach.KernReturn { return w.Protect(w.m, w.at(0), page, false, 8) }, all(arg)},
	{"vm_protect, bad bits of a hole", func(w *world) mach.KernReturn { return w.Protect(w.m, last, all1, false, 0x40) }, all(arg)},
	{"vm_protect that wraps", func(w *world) mach.KernReturn { return w.Protect(w.m, w.at(0), all1, false, mach.ProtRead) }, each(ok, arg)},
	{"vm_protect whose rounded end is zero", func(w *world) mach.KernReturn {
		return w.Protect(w.m, w.at(0), all1-uint64(w.at(0)), false, mach.ProtRead)
	}, each(ok, arg)},
	{"vm_protect of everything", func(w *world) mach.KernReturn { return w.Protect(w.m, 5, all1-5, false, mach.ProtRead) }, four{adr, ok, adr, adr}},
	{"vm_protect of a hole", func(w *world) mach.KernReturn { return w.hole(1).Protect(w.m, w.at(1), page, false, mach.ProtRead) }, four{adr, ok, adr, adr}},
	{"vm_protect across a hole", func(w *world) mach.KernReturn { return w.hole(1).Protect(w.m, w.at(0), 3*page, false, mach.ProtRead) }, each(ok, adr)},
	{"vm_protect into a hole", func(w *world) mach.KernReturn { return w.Protect(w.m, w.at(7), 2*page, false, mach.ProtRead) }, each(ok, adr)},
	{"vm_protect past the map", func(w *world) mach.KernReturn { return w.Protect(w.m, w.m.Layout().Max, page, false, mach.ProtRead) }, four{adr, ok, adr, adr}},
	{"vm_protect above the maximum", func(w *world) mach.KernReturn {
		return w.most(1, mach.ProtRead).Protect(w.m, w.at(0), 2*page, false, mach.ProtDefault)
	}, all(prt)},
	{"vm_protect above the maximum, then a hole", func(w *world) mach.KernReturn {
		return w.most(1, mach.ProtRead).hole(2).Protect(w.m, w.at(0), 4*page, false, mach.ProtDefault)
	}, all(prt)},
	{"vm_protect of a hole, then above the maximum", func(w *world) mach.KernReturn {
		return w.hole(1).most(2, mach.ProtRead).Protect(w.m, w.at(0), 4*page, false, mach.ProtDefault)
	}, each(prt, adr)},
	{"vm_protect raises the maximum", func(w *world) mach.KernReturn {
		return w.most(0, mach.ProtRead).Protect(w.m, w.at(0), page, true, mach.ProtDefault)
	}, all(prt)},
	{"vm_protect lets the maximum execute", func(w *world) mach.KernReturn {
		return w.most(0, mach.ProtRead).Protect(w.m, w.at(0), page, true, mach.ProtRead|mach.ProtExecute)
	}, four{prt, prt, prt, ok}},

	{"vm_inherit of no bytes", func(w *world) mach.KernReturn { return w.Inherit(w.m, last, 0, mach.InheritNone) }, all(ok)},
	{"vm_inherit of no bytes, a bad value", func(w *world) mach.KernReturn { return w.Inherit(w.m, last, 0, 3) }, each(arg, ok)},
	{"vm_inherit in no task", func(w *world) mach.KernReturn { return w.Inherit(nil, 0, 0, 0) }, all(arg)},
	{"vm_inherit, a bad value", func(w *world) mach.KernReturn { return w.Inherit(w.m, w.at(0), page, 3) }, all(arg)},
	{"vm_inherit that wraps", func(w *world) mach.KernReturn { return w.Inherit(w.m, w.at(0), all1, mach.InheritNone) }, each(ok, arg)},
	{"vm_inherit whose rounded end is zero", func(w *world) mach.KernReturn {
		return w.Inherit(w.m, w.at(0), all1-uint64(w.at(0)), mach.InheritNone)
	}, each(ok, arg)},
	{"vm_inherit of a hole", func(w *world) mach.KernReturn { return w.hole(1).Inherit(w.m, w.at(1), page, mach.InheritNone) }, four{adr, ok, adr, ok}},
	{"vm_inherit across a hole", func(w *world) mach.KernReturn { return w.hole(1).Inherit(w.m, w.at(0), 3*page, mach.InheritNone) }, all(ok)},

	{"vm_region past the end", func(w *world) mach.KernReturn { _, kr := w.Region(w.m, w.at(8)); return kr }, each(spc, adr)},
	{"vm_region in no task", func(w *world) mach.KernReturn { _, kr := w.Region(nil, 0); return kr }, all(arg)},

	{"vm_map", func(w *world) mach.KernReturn { return w.vmMap(func(*Mapping) {}) }, all(ok)},
	{"vm_map of no bytes", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Size = 0 }) }, all(arg)},
	{"vm_map of a size that rounds to zero", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Size, r.Anywhere = all1, true }) }, all(arg)},
	{"vm_map, bad bits", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.MaxProt = 0x20 }) }, all(arg)},
	{"vm_map, a bad inheritance", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Inherit = 3 }) }, all(arg)},
	{"vm_map, more than the maximum", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Prot, r.MaxProt = mach.ProtAll, mach.ProtRead })
	}, all(ok)},
	{"vm_map that wraps", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Addr, r.Size = last, 2*page }) }, four{spc, adr, arg, arg}},
	{"vm_map that wraps, under a mask", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Addr, r.Size, r.Mask = last, 2*page, 0x1fffff })
	}, each(spc, arg)},
	{"vm_map past the map", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Addr = w.m.Layout().Max }) }, four{spc, adr, adr, adr}},
	{"vm_map at page zero", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Addr = 0 }) }, each(ok, adr)},
	{"vm_map, occupied", func(w *world) mach.KernReturn { return w.vmMap(func(r *Mapping) { r.Addr = w.at(0) }) }, all(spc)},
	{"vm_map, an address the mask forbids", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Addr, r.Mask = 0x901000, 0x1fffff })
	}, all(spc)},
	{"vm_map anywhere, from the last page on", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Addr, r.Size, r.Anywhere = w.m.Layout().Max-page, 2*page, true })
	}, each(ok, spc)},
	{"vm_map anywhere, from past the map on", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Addr, r.Anywhere = w.m.Layout().Max, true })
	}, each(ok, spc)},
	{"vm_map anywhere, any mask", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Mask, r.Anywhere = all1, true })
	}, all(spc)},
	{"vm_map anywhere, a mask with a hole", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Mask, r.Anywhere = 0x5000, true })
	}, each(spc, ok)},
	{"vm_map anywhere, a mask that caps", func(w *world) mach.KernReturn {
		return w.vmMap(func(r *Mapping) { r.Mask, r.Anywhere = ^uint64(0x7fff_ffff), true })
	}, all(ok)},

	{"vm_wire, unknown bits", func(w *world) mach.KernReturn { return w.Wire(w.m, w.at(0), page, 8, true) }, four{mach.KernInvalidValue, arg, arg, arg}},
	{"vm_machine_attribute", func(w *world) mach.KernReturn {
		_, kr := w.VMMachineAttribute(nil, w.m, w.at(0), page, 1, 0)
		return kr
	}, four{arg, adr, adr, adr}},
}

func TestFourKernels(t *testing.T) {
	for _, c := range fourCases {
		t.Run(c.name, func(t *testing.T) {
			for i, set := range fourSets {
				require.Equal(t, c.want[i], c.do(newWorld(t, set)), set.String())
			}
		})
	}
}
