package vmsvc

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// Facts about XNU of vm_family_semantics, section 4, that a code does not show,
// and those of its routines with flags. Read from xnu-11417.101.15, osfmk/vm.

func (w *world) allocateFlags(addr mach.Addr, size uint64, flags uint32) mach.KernReturn {
	_, kr := w.MachVMAllocate(w.m, addr, size, flags)
	return kr
}

func (w *world) mapFlags(change func(r *MachMapping)) mach.KernReturn {
	_, kr := w.mapAt(change)
	return kr
}

func (w *world) mapAt(change func(r *MachMapping)) (mach.Addr, mach.KernReturn) {
	r := MachMapping{Addr: 0x900000, Size: page, Prot: mach.ProtRead, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy}
	change(&r)
	return w.MachVMMap(w.m, r)
}

// permanent makes a page of the world's permanent.
func (w *world) permanent(p int, prot mach.Prot) *world {
	require.Equal(w.t, ok, w.allocateFlags(w.at(p), page, mach.VMFlagsOverwrite|mach.VMFlagsPermanent))
	return w.allow(p, prot)
}

func (w *world) region(p int) vm.RegionInfo {
	r, kr := w.Region(w.m, w.at(p))
	require.Equal(w.t, ok, kr)
	return r
}

// The routines that take flags: in both editions alike, but for what the table
// of rules says.
func TestXNURoutinesWithFlags(t *testing.T) {
	const any, over = mach.VMFlagsAnywhere, mach.VMFlagsOverwrite
	right := func(w *world) ports.Right {
		return ports.Right{Port: ports.NewZone().NewKernelPort(w.t), Type: mach.TypePortSend}
	}
	remap := func(w *world, change func(r *Remapping)) mach.KernReturn {
		r := Remapping{Addr: 0x900000, Size: 2 * page, Source: w.at(0), Inherit: mach.InheritCopy}
		change(&r)
		_, _, _, kr := w.MachVMRemap(w.m, r, w.m)
		return kr
	}
	for _, c := range []struct {
		name string
		do   func(w *world) mach.KernReturn
		want mach.KernReturn
	}{
		{"allocate: a flag of the kernel's, of no bytes", func(w *world) mach.KernReturn { return w.allocateFlags(0, 0, 0x100) }, arg},
		{"allocate: a flag of vm_map's", func(w *world) mach.KernReturn { return w.allocateFlags(0, page, any|mach.VMFlagsReturnData) }, arg},
		{"allocate: every flag of paging", func(w *world) mach.KernReturn {
			return w.allocateFlags(0, page, any|mach.VMFlagsPurgable|mach.VMFlags4GBChunk|mach.VMFlagsRandomAddr|mach.VMFlagsNoCache|7<<24)
		}, ok},
		{"allocate in no task", func(w *world) mach.KernReturn { _, kr := w.MachVMAllocate(nil, 0, 0, 0); return kr }, arg},
		{"allocate of no bytes", func(w *world) mach.KernReturn { return w.allocateFlags(last+7, 0, 0) }, ok},
		{"allocate, occupied", func(w *world) mach.KernReturn { return w.allocateFlags(w.at(0), page, 0) }, spc},
		{"allocate over what is there", func(w *world) mach.KernReturn { return w.allocateFlags(w.at(0), page, over) }, ok},
		{"allocate over what is there and a hole", func(w *world) mach.KernReturn { return w.allocateFlags(w.at(6), 4*page, over) }, ok},
		{"allocate over page zero", func(w *world) mach.KernReturn { return w.allocateFlags(0, 2*page, over) }, adr},
		{"allocate over permanent memory", func(w *world) mach.KernReturn {
			return w.permanent(1, mach.ProtDefault).allocateFlags(w.at(0), 3*page, over)
		}, spc},
		{"allocate a superpage", func(w *world) mach.KernReturn { return w.allocateFlags(0, 1, any|mach.VMFlagsSuperpageAny) }, ok},
		{"allocate a superpage of another size", func(w *world) mach.KernReturn { return w.allocateFlags(0, 1, any|mach.VMFlagsSuperpage2MB) }, arg},
		{"allocate a superpage of no kind", func(w *world) mach.KernReturn { return w.allocateFlags(0, 2<<20, any|3<<16) }, arg},
		{"allocate a superpage at an odd place", func(w *world) mach.KernReturn {
			return w.allocateFlags(0x901000, 2<<20, mach.VMFlagsSuperpage2MB)
		}, spc},
		{"allocate a purgable superpage", func(w *world) mach.KernReturn {
			return w.allocateFlags(0, 2<<20, any|mach.VMFlagsSuperpageAny|mach.VMFlagsPurgable)
		}, arg},
		{"allocate a superpage that is protected", func(w *world) mach.KernReturn {
			return w.allocateFlags(0, 2<<20, any|mach.VMFlagsSuperpageAny|mach.VMFlagsTPRO)
		}, arg},
		{"allocate superpages that wrap", func(w *world) mach.KernReturn {
			return w.allocateFlags(0, all1-1<<20, any|mach.VMFlagsSuperpageAny)
		}, arg},

		{"map: a flag of the kernel's", func(w *world) mach.KernReturn { return w.mapFlags(func(r *MachMapping) { r.Flags = 0x100 }) }, arg},
		{"map: a flag of its own", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Flags = mach.VMFlagsReturnData })
		}, ok},
		{"map in no task", func(w *world) mach.KernReturn { _, kr := w.MachVMMap(nil, MachMapping{}); return kr }, arg},
		{"map: protections as a mask", func(w *world) mach.KernReturn { return w.mapFlags(func(r *MachMapping) { r.Prot |= mach.ProtIsMask }) }, ok},
		{"map: protection bits", func(w *world) mach.KernReturn { return w.mapFlags(func(r *MachMapping) { r.Prot |= 0x10 }) }, arg},
		{"map, occupied", func(w *world) mach.KernReturn { return w.mapFlags(func(r *MachMapping) { r.Addr = w.at(0) }) }, spc},
		{"map over what is there", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Addr, r.Flags = w.at(0), over })
		}, ok},
		{"map of a port that is no memory entry", func(w *world) mach.KernReturn { return w.mapFlags(func(r *MachMapping) { r.Object = right(w) }) }, mach.KernInvalidObject},
		{"map of a port, of no bytes", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Object, r.Size = right(w), 0 })
		}, arg},
		{"map of a dead port", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.Object = ports.DeadRight() })
		}, ok},
		{"map read-only memory that is protected", func(w *world) mach.KernReturn {
			return w.mapFlags(func(r *MachMapping) { r.MaxProt, r.Flags = mach.ProtRead, mach.VMFlagsTPRO })
		}, prt},

		{"remap", func(w *world) mach.KernReturn { return remap(w, func(*Remapping) {}) }, ok},
		{"remap: a flag of vm_map's", func(w *world) mach.KernReturn {
			return remap(w, func(r *Remapping) { r.Flags = mach.VMFlagsPermanent })
		}, arg},
		{"remap from no task", func(w *world) mach.KernReturn { _, _, _, kr := w.MachVMRemap(w.m, Remapping{Size: 1}, nil); return kr }, arg},
		{"remap to no task", func(w *world) mach.KernReturn { _, _, _, kr := w.MachVMRemap(nil, Remapping{Size: 1}, w.m); return kr }, arg},
		{"remap, a bad inheritance", func(w *world) mach.KernReturn { return remap(w, func(r *Remapping) { r.Inherit = 3 }) }, arg},
		{"remap of no bytes", func(w *world) mach.KernReturn { return remap(w, func(r *Remapping) { r.Size = 0 }) }, arg},
		{"remap that wraps", func(w *world) mach.KernReturn { return remap(w, func(r *Remapping) { r.Source = last }) }, arg},
		{"remap of a hole", func(w *world) mach.KernReturn { return remap(w.hole(1), func(*Remapping) {}) }, adr},
		{"remap of what is unreadable", func(w *world) mach.KernReturn { return remap(w.allow(1, mach.ProtNone), func(*Remapping) {}) }, ok},
		{"remap, occupied", func(w *world) mach.KernReturn { return remap(w, func(r *Remapping) { r.Addr = w.at(4) }) }, spc},
		{"remap over what is there", func(w *world) mach.KernReturn {
			return remap(w, func(r *Remapping) { r.Addr, r.Flags = w.at(4), over })
		}, ok},
		{"remap over permanent memory", func(w *world) mach.KernReturn {
			return remap(w.permanent(4, mach.ProtRead), func(r *Remapping) { r.Addr, r.Flags = w.at(4), over })
		}, spc},
		{"remap past the map", func(w *world) mach.KernReturn { return remap(w, func(r *Remapping) { r.Addr = w.m.Layout().Max }) }, adr},
		{"remap, an address the mask forbids", func(w *world) mach.KernReturn {
			return remap(w, func(r *Remapping) { r.Addr, r.Mask = 0x901000, 0x1fffff })
		}, spc},
		{"remap shared, media resilient", func(w *world) mach.KernReturn {
			return remap(w, func(r *Remapping) { r.Flags = mach.VMFlagsResilientMedia })
		}, arg},
		{"remap anywhere, from the last page on", func(w *world) mach.KernReturn {
			return remap(w, func(r *Remapping) { r.Addr, r.Flags = w.m.Layout().Max-page, any })
		}, spc},

		{"protect: VM_PROT_COPY of a hole", func(w *world) mach.KernReturn { return w.hole(1).Protect(w.m, w.at(0), 2*page, false, mach.ProtCopy) }, adr},
		{"protect: VM_PROT_COPY of permanent memory", func(w *world) mach.KernReturn {
			return w.permanent(0, mach.ProtRead).Protect(w.m, w.at(0), page, false, mach.ProtCopy|mach.ProtDefault)
		}, spc},
		{"protect: VM_PROT_COPY beyond what the copy may be", func(w *world) mach.KernReturn {
			return w.most(0, mach.ProtRead).Protect(w.m, w.at(0), page, false, mach.ProtCopy|mach.ProtAll)
		}, prt},
		{"deallocate permanent memory", func(w *world) mach.KernReturn { return w.permanent(0, mach.ProtDefault).Deallocate(w.m, w.at(0), page) }, ok},

		{"region: no such flavor", func(w *world) mach.KernReturn { _, _, _, kr := w.MachVMRegion(w.m, 0, 14, 100); return kr }, arg},
		{"region: too small", func(w *world) mach.KernReturn {
			_, _, _, kr := w.MachVMRegion(w.m, 0, mach.RegionTopInfo, 4)
			return kr
		}, arg},
		{"region: basic info has the words of 64 bits", func(w *world) mach.KernReturn {
			_, _, _, kr := w.MachVMRegion(w.m, 0, mach.RegionBasicInfo, 8)
			return kr
		}, arg},
		{"region past the end", func(w *world) mach.KernReturn {
			_, _, _, kr := w.MachVMRegion(w.m, w.at(8), mach.RegionBasicInfo64, 9)
			return kr
		}, adr},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, set := range fourSets[2:] {
				require.Equal(t, c.want, c.do(newWorld(t, set)), set.String())
			}
		})
	}
}

// A small copy starts at a page boundary with zeroes behind it, a large one at
// the source's in-page offset with the neighbours' bytes around.
func TestXNUPlacesTheDataOfARead(t *testing.T) {
	for _, c := range []struct {
		size   uint64
		in     uint64
		behind byte
	}{{100, 0, 0}, {limit, 0, 0}, {limit + 1, 8, 's'}, {0, 0, 0}} {
		w := newWorld(t, xnuObserved)
		data, kr := w.Read(w.sender(), 0x200008, c.size, w.m)
		require.Equal(t, ok, kr)
		at, kr := w.m.Copyout(data)
		require.Equal(t, ok, kr)
		if c.size == 0 {
			require.Zero(t, at)
			continue
		}
		require.Equal(t, c.in, at.PageOffset())
		end := at + mach.Addr(c.size)
		require.Equal(t, string(bytes.Repeat([]byte("s"), int(c.size))), w.read(at, int(c.size)))
		if !end.PageAligned() {
			require.Equal(t, string([]byte{c.behind}), w.read(end, 1))
		}
		require.Equal(t, ok, w.Deallocate(w.m, at, c.size))
		require.False(t, w.m.Holds(end-1), "the size and the address are enough to free it")
	}
}

// Which bytes a refused write has written: of small data what comes before the
// refusing page; of large data with the destination's in-page offset the parts
// before the one that refuses; otherwise none.
func TestXNUWritesInPart(t *testing.T) {
	for _, c := range []struct {
		name     string
		size, in uint64
		to       uint64 // in-page offset of the destination
		bad      int    // the page that refuses
		written  uint64
		kr       mach.KernReturn
	}{
		{"small", small, 0, 0, 2, 2 * page, adr},
		{"small, unaligned", small, 0, 100, 2, 2*page - 100, adr},
		{"small, the first page", small, 0, 100, 0, 0, adr},
		{"at the limit", limit, 0, 0, 3, 3 * page, adr},
		{"large, aligned", large, 0, 0, 5, 0, prt},
		{"large, another in-page offset", large, 8, 16, 6, 0, prt},
		{"large, the first page refuses", large, 8, 8, 0, 0, prt},
		{"large, a whole page refuses", large, 8, 8, 3, page - 8, prt},
		{"large, the last page refuses", large, 8, 8, 6, 6*page - 8, prt},
		{"large, the end refuses", large - 100, 0, 0, 5, 5 * page, prt},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, xnuObserved).allow(c.bad, mach.ProtRead)
			at := w.at(0) + mach.Addr(c.to)
			require.Equal(t, c.kr, w.vmWrite(at, c.size, c.in))
			want := string(bytes.Repeat([]byte("s"), int(c.written))) + string(make([]byte, c.size-c.written))
			require.Equal(t, want, w.read(at, int(c.size)))
			require.Equal(t, string(make([]byte, c.to)), w.read(w.at(0), int(c.to)), "before")
		})
	}
}

// A hole in the last part leaves the others written, too, and a refused call
// leaves the data its owner's.
func TestXNUWritesUpToAHole(t *testing.T) {
	w := newWorld(t, xnuObserved).hole(6)
	c, kr := w.Copyin(w.sender(), 0x200008, large)
	require.Equal(t, ok, kr)
	require.Equal(t, adr, w.Write(w.m, w.at(0)+8, c))
	require.EqualValues(t, large, c.Size())
	require.Equal(t, "s", w.read(w.at(6)-1, 1))
	c.Discard()
}

func TestXNUReadsAList(t *testing.T) {
	w := newWorld(t, xnuObserved)
	w.write(w.at(0), "first")
	w.write(w.at(4)+8, "second")
	w.hole(6)
	require.Equal(t, arg, w.ReadList(nil, nil, w.m))
	require.Equal(t, arg, w.ReadList(w.m, make([]Range, MaxRanges+1), w.m))
	require.Equal(t, ok, w.ReadList(w.m, make([]Range, MaxRanges), w.m), "of no bytes")

	list := []Range{{w.at(6), page}, {w.at(0), 5}, {last, 0}, {w.at(4) + 8, 6}}
	require.Equal(t, ok, w.ReadList(w.m, list, w.m), "an earlier failure does not show")
	require.Equal(t, []Range{{}, {list[1].Addr, 5}, {}, {list[3].Addr, 6}}, list)
	require.Equal(t, "first", w.read(list[1].Addr, 5))
	require.Equal(t, "second", w.read(list[3].Addr, 6))

	before, _ := w.m.Sizes()
	list = []Range{{w.at(0), 5}, {w.at(6), page}, {0, 0}}
	require.Equal(t, adr, w.ReadList(w.m, list, w.m), "the last range with bytes counts")
	after, _ := w.m.Sizes()
	require.Equal(t, before+page, after, "what came first stays, although the reply will not tell")
	require.Equal(t, []Range{{list[0].Addr, 5}, {}, {}}, list)
}

func TestXNUReadOverwriteGoesToTheCaller(t *testing.T) {
	w := newWorld(t, xnuObserved)
	require.Equal(t, ok, w.vmReadOverwrite(0x200003, 5, w.at(1)+1))
	require.Equal(t, "\x00sssss\x00", w.read(w.at(1), 7))
}

// Permanent memory is never gone: it loses all access, and its place stays in
// use.
func TestXNUPermanentMemory(t *testing.T) {
	neutered := func(w *world) {
		r := w.region(1)
		require.Equal(w.t, []mach.Prot{0, 0}, []mach.Prot{r.Prot, r.MaxProt})
		require.Equal(w.t, []any{w.at(1), uint64(page)}, []any{r.Start, r.Size})
		require.Equal(w.t, spc, w.allocateFlags(w.at(1), page, 0))
		require.Equal(w.t, prt, w.m.ReadBytes(w.at(1), make([]byte, 1)))
	}
	for name, do := range map[string]func(w *world) mach.KernReturn{
		"deallocate":       func(w *world) mach.KernReturn { return w.Deallocate(w.m, w.at(0), 3*page) },
		"allocate over it": func(w *world) mach.KernReturn { return w.allocateFlags(w.at(0), 3*page, mach.VMFlagsOverwrite) },
		"protect: copy": func(w *world) mach.KernReturn {
			return w.Protect(w.m, w.at(1), page, true, mach.ProtCopy|mach.ProtDefault)
		},
		"remap something in": func(w *world) mach.KernReturn {
			_, _, _, kr := w.MachVMRemap(w.m, Remapping{Addr: w.at(1), Size: page, Source: w.at(5), Flags: mach.VMFlagsOverwrite}, w.m)
			return kr
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, xnuObserved).permanent(1, mach.ProtDefault)
			w.write(w.at(0), "zero")
			w.write(w.at(1), "one")
			kr := do(w)
			neutered(w)
			require.Equal(t, name != "deallocate", w.m.Holds(w.at(0)), "the neighbours")
			require.Equal(t, map[bool]mach.KernReturn{true: ok, false: spc}[name == "deallocate"], kr)
		})
	}
	w := newWorld(t, xnuObserved).permanent(1, mach.ProtDefault)
	w.m.Terminate()
	require.Zero(t, w.frames.Stats().Used, "but for the end of the map")
}

// VM_PROT_COPY makes a private copy that may be written of what could be read
// only.
func TestXNUProtectCopies(t *testing.T) {
	w := newWorld(t, xnuObserved)
	w.write(w.at(0), "text")
	child, kr := w.m.Fork(nil)
	require.Equal(t, ok, kr)
	defer child.Terminate()
	w.most(0, mach.ProtRead|mach.ProtExecute)
	require.Equal(t, ok, w.Inherit(w.m, w.at(0), page, mach.InheritNone))
	require.Equal(t, prt, w.Protect(w.m, w.at(0), page, false, mach.ProtDefault))
	require.Equal(t, ok, w.Protect(w.m, w.at(0), page, false, mach.ProtDefault|mach.ProtCopy))
	r := w.region(0)
	require.Equal(t, mach.ProtDefault, r.Prot)
	require.Equal(t, mach.ProtAll, r.MaxProt)
	require.Equal(t, mach.InheritNone, r.Inherit)
	require.Equal(t, "text", w.read(w.at(0), 4))
	w.write(w.at(0), "more")
	b := make([]byte, 4)
	require.Equal(t, ok, child.ReadBytes(w.at(0), b))
	require.Equal(t, "text", string(b))
}

// GNU Mach keeps the bit, as VM_PROT_NOTIFY.
func TestGNUMachProtectKeepsTheBit(t *testing.T) {
	w := newWorld(t, observed)
	require.Equal(t, ok, w.Protect(w.m, w.at(0), page, false, mach.ProtRead|mach.ProtNotify))
	require.Equal(t, mach.ProtRead|mach.ProtNotify, w.region(0).Prot)
}

func TestXNUMapTakesFromTheCurrentProtection(t *testing.T) {
	for _, c := range []struct {
		set  int
		want mach.Prot
	}{{1, mach.ProtAll}, {3, mach.ProtRead}} {
		w := newWorld(t, fourSets[c.set])
		addr, kr := w.Map(w.m, Mapping{Addr: 0x900000, Size: 1, Prot: mach.ProtAll, MaxProt: mach.ProtRead})
		require.Equal(t, ok, kr)
		r, _ := w.Region(w.m, addr)
		require.Equal(t, c.want, r.Prot)
	}
}

// XNU's memory goes to the lowest place; vm_allocate takes no hint, vm_map does.
func TestXNUPlaces(t *testing.T) {
	w := newWorld(t, xnuObserved)
	addr, kr := w.MachVMAllocate(w.m, 0x500000, page, mach.VMFlagsAnywhere)
	require.Equal(t, ok, kr)
	require.Equal(t, mach.Addr(page), addr, "the lowest page of the map")
	addr, _ = w.MachVMAllocate(w.m, 0, 2*page, mach.VMFlagsAnywhere|1<<24)
	require.Equal(t, mach.Addr(2*page), addr)
	require.Equal(t, ok, w.Deallocate(w.m, page, page))
	addr, _ = w.MachVMAllocate(w.m, 0, 2*page, mach.VMFlagsAnywhere)
	require.Equal(t, mach.Addr(4*page), addr, "the gap is too small")
	addr, _ = w.MachVMAllocate(w.m, 0, page, mach.VMFlagsAnywhere)
	require.Equal(t, mach.Addr(page), addr)
	addr, kr = w.mapAt(func(r *MachMapping) { r.Addr, r.Flags = w.at(3)+5, mach.VMFlagsAnywhere })
	require.Equal(t, ok, kr)
	require.Equal(t, w.at(8), addr, "the lowest place from the hint on")
	addr, _ = w.mapAt(func(r *MachMapping) { r.Addr, r.Flags, r.Mask = w.at(3), mach.VMFlagsAnywhere, 0xfffff })
	require.Equal(t, mach.Addr(0x200000), addr)
	addr, _ = w.MachVMAllocate(w.m, 0, 1, mach.VMFlagsAnywhere|mach.VMFlagsSuperpageAny)
	require.Zero(t, addr&(superpage-1))
	r, _ := w.Region(w.m, addr)
	require.EqualValues(t, superpage, r.Size)
	require.Equal(t, mach.InheritNone, r.Inherit)
}

// vm_remap: the memory itself, or a copy; what all of it allows; which pages.
func TestXNURemaps(t *testing.T) {
	w := newWorld(t, xnuObserved)
	w.write(w.at(1), "one")
	w.allow(2, mach.ProtRead).most(3, mach.ProtRead|mach.ProtExecute)

	addr, cur, most, kr := w.MachVMRemap(w.m, Remapping{Addr: 0x900000, Size: 3 * page, Source: w.at(1), Inherit: mach.InheritShare}, w.m)
	require.Equal(t, []any{ok, mach.Addr(0x900000), mach.ProtRead, mach.ProtRead | mach.ProtExecute}, []any{kr, addr, cur, most})
	w.write(w.at(1), "two")
	require.Equal(t, "two", w.read(addr, 3), "shared")
	w.write(addr, "six")
	require.Equal(t, "six", w.read(w.at(1), 3))
	r, _ := w.Region(w.m, addr)
	require.Equal(t, []any{mach.InheritShare, true, mach.ProtDefault}, []any{r.Inherit, r.Shared, r.Prot})

	addr, _, _, kr = w.MachVMRemap(w.m, Remapping{Size: page, Source: w.at(1), Copy: true, Flags: mach.VMFlagsAnywhere, Inherit: mach.InheritCopy}, w.m)
	require.Equal(t, ok, kr)
	w.write(w.at(1), "ten")
	require.Equal(t, "six", w.read(addr, 3), "a copy")

	require.Equal(t, ok, w.Deallocate(w.m, w.at(0), 8*page))
	require.Equal(t, "ten", w.read(0x900000, 3), "shared memory outlives either")

	child := vm.NewMap(w.frames, nil)
	w.Prepare(child)
	w.other = child
	addr, _, _, kr = w.MachVMRemap(child, Remapping{Size: page, Source: 0x900000, Flags: mach.VMFlagsAnywhere}, w.m)
	require.Equal(t, ok, kr)
	w.write(0x900000, "far")
	b := make([]byte, 3)
	require.Equal(t, ok, child.ReadBytes(addr, b))
	require.Equal(t, "far", string(b), "also of two tasks")
}

// vm_remap_new asks for protections, and the source must allow them.
func TestXNURemapsNew(t *testing.T) {
	const rw, rx = mach.ProtDefault, mach.ProtRead | mach.ProtExecute
	for _, c := range []struct {
		name      string
		cur, most mach.Prot
		copied    bool
		page      int
		want      mach.KernReturn
	}{
		{"shared", rw, rw, false, 0, ok},
		{"copied", rw, rw, true, 0, ok},
		{"more than the maximum", rw, mach.ProtRead, true, 0, arg},
		{"unknown bits", 8, 8, true, 0, arg},
		{"for writing and executing", mach.ProtRead, mach.ProtAll, true, 0, prt},
		{"shared, more than the current protection", rw, rw, false, 1, prt},
		{"shared, as much", mach.ProtRead, rw, false, 1, ok},
		{"shared, more than the maximum allows", mach.ProtRead, rx, false, 2, prt},
		{"copied, more than the maximum allows", rx, rx, true, 2, ok},
		{"copied of what can never be read", mach.ProtRead, rw, true, 3, prt},
		{"of a hole", mach.ProtRead, rw, true, 4, adr},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, xnuObserved).allow(1, mach.ProtRead).most(2, mach.ProtRead).most(3, mach.ProtNone).hole(4)
			addr, kr := w.MachVMRemapNew(w.m, Remapping{
				Addr: 0x900000, Size: 8, Source: w.at(c.page) + 16, Copy: c.copied, Inherit: mach.InheritNone,
			}, w.m, c.cur, c.most)
			require.Equal(t, c.want, kr)
			if kr == ok {
				require.Equal(t, mach.Addr(0x900010), addr)
				r, _ := w.Region(w.m, addr)
				require.Equal(t, []any{c.cur, c.most, mach.InheritNone}, []any{r.Prot, r.MaxProt, r.Inherit})
			}
		})
	}
	w := newWorld(t, xnuObserved)
	_, kr := w.MachVMRemapNew(nil, Remapping{Size: 1}, w.m, 0, 0)
	require.Equal(t, arg, kr)
	_, kr = w.MachVMRemapNew(w.m, Remapping{Size: 1}, nil, 0, 0)
	require.Equal(t, arg, kr)
}

// The size is rounded without the bytes by which the address is: so the last
// page of an unaligned range may be missing, but not if the data's address is
// asked for.
func TestXNURemapRounds(t *testing.T) {
	for _, c := range []struct {
		source, size uint64
		flags        uint32
		pages        uint64
		in           uint64
	}{
		{page - 16, 32, 0, 1, 0},
		{page - 16, 32, mach.VMFlagsReturnData, 2, page - 16},
		{8, page, 0, 1, 0},
		{8, page, mach.VMFlagsReturnData, 2, 8},
		{0, page + 1, 0, 2, 0},
	} {
		w := newWorld(t, xnuObserved)
		addr, _, _, kr := w.MachVMRemap(w.m, Remapping{
			Addr: 0x900000, Size: c.size, Source: w.base + mach.Addr(c.source), Flags: c.flags,
		}, w.m)
		require.Equal(t, ok, kr)
		require.Equal(t, 0x900000+mach.Addr(c.in), addr)
		r, _ := w.Region(w.m, addr)
		require.Equal(t, c.pages*page, r.Size)
	}
}

func TestXNURegionFlavors(t *testing.T) {
	w := newWorld(t, xnuObserved)
	info := func(flavor mach.RegionFlavor) []uint32 {
		at, size, words, kr := w.MachVMRegion(w.m, 5, flavor, 100)
		require.Equal(t, ok, kr)
		require.Equal(t, []any{w.base, uint64(8 * page)}, []any{at, size})
		require.Len(t, words, flavor.Words())
		return words
	}
	require.Equal(t, []uint32{3, 7, 1, 0, 0, 0, 0, 0, 0}, info(mach.RegionBasicInfo64))
	require.Equal(t, []uint32{3, 0, 0, 0, 0, 0, 0, uint32(mach.ShareEmpty) << 24, 0}, info(mach.RegionExtendedInfo))
	w.write(w.at(0), "touched")
	w.write(w.at(7), "touched")
	require.Equal(t, []uint32{3, 0, 2, 0, 0, 2, 1, uint32(mach.SharePrivate) << 24}, info(mach.RegionExtendedLegacy))
	require.Equal(t, []uint32{1, 2, 0, uint32(mach.SharePrivate)}, info(mach.RegionTopInfo)[1:])
	c, kr := w.Read(w.m, w.base, 8*page, nil)
	require.Equal(t, ok, kr)
	require.Equal(t, uint32(mach.ShareCOW), info(mach.RegionTopInfo)[4], "while a copy is about")
	c.Discard()
	_, _, _, kr = w.MachVMRemap(w.m, Remapping{Addr: 0x900000, Size: 8 * page, Source: w.base}, w.m)
	require.Equal(t, ok, kr)
	require.Equal(t, []uint32{2, 0, 2, uint32(mach.ShareShared)}, info(mach.RegionTopInfo)[1:])
	require.EqualValues(t, 1, info(mach.RegionBasicInfo64)[3])

	addr, kr := w.MachVMAllocate(w.m, 0, page, mach.VMFlagsAnywhere|23<<24)
	require.Equal(t, ok, kr)
	_, _, words, _ := w.MachVMRegion(w.m, addr, mach.RegionExtendedInfo, 9)
	require.EqualValues(t, 23, words[1], "what it is for")
	_, _, words, kr = w.VMRegion32(w.m, w.base, mach.RegionBasicInfo, 8)
	require.Equal(t, ok, kr)
	require.Equal(t, []uint32{3, 7, 1, 1, 0, 0, 0, 0}, words)
	_, _, words, kr = w.VMRegion64(w.m, w.base, mach.RegionBasicInfo, 9)
	require.Equal(t, ok, kr)
	require.Len(t, words, 9)

	w.place(1<<32, page)
	_, _, _, kr = w.VMRegion32(w.m, 1<<32, mach.RegionBasicInfo, 8)
	require.Equal(t, adr, kr, "over 32 bits")
	_, _, _, kr = w.VMRegion64(w.m, 1<<32, mach.RegionBasicInfo64, 9)
	require.Equal(t, adr, kr)
	at, _, _, kr := w.MachVMRegion(w.m, 1<<32, mach.RegionBasicInfo64, 9)
	require.Equal(t, []any{ok, mach.Addr(1 << 32)}, []any{kr, at})
}

// A range that leaves the map: GNU Mach cuts it, XNU does nothing.
func TestDeallocatePartlyOutside(t *testing.T) {
	for set, stays := range map[int]bool{1: false, 3: true} {
		w := newWorld(t, fourSets[set])
		at := w.m.Layout().Max - page
		w.place(at, page)
		require.Equal(t, ok, w.Deallocate(w.m, at, 2*page))
		require.Equal(t, stays, w.m.Holds(at))
	}
}
