package vmsvc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/rules"
)

// Recorded of the real kernel: vm_map, vm_wire in testdata/golden/vmmap.txt; the
// documented codes are the GNU Mach Reference Manual's.
func TestMapRefusals(t *testing.T) {
	zone := ports.NewZone()
	right := ports.Right{Port: zone.NewKernelPort(t), Type: mach.TypePortSend}
	good := Mapping{Addr: 0x900000, Size: 1, Prot: mach.ProtRead, MaxProt: mach.ProtNone, Inherit: mach.InheritNone}
	for _, c := range []struct {
		name                 string
		change               func(r *Mapping)
		observed, documented mach.KernReturn
	}{
		{"nothing", func(*Mapping) {}, mach.KernSuccess, mach.KernSuccess},
		{"a dead object", func(r *Mapping) { r.Object = ports.DeadRight() }, mach.KernSuccess, mach.KernSuccess},
		{"protection", func(r *Mapping) { r.Prot = 8 }, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"maximum", func(r *Mapping) { r.MaxProt = 16 }, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"inheritance", func(r *Mapping) { r.Inherit = 3 }, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"no bytes", func(r *Mapping) { r.Size = 0 }, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"a size that rounds to zero", func(r *Mapping) { r.Size = ^uint64(0) }, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"a port", func(r *Mapping) { r.Object = right }, mach.KernInvalidArgument, mach.KernInvalidArgument},
		{"a mask", func(r *Mapping) { r.Mask = 0x1fffff }, mach.KernNoSpace, mach.KernNoSpace},
		{"outside", func(r *Mapping) { r.Addr = mach.VMMaxAddress }, mach.KernInvalidAddress, mach.KernNoSpace},
	} {
		t.Run(c.name, func(t *testing.T) {
			for set, want := range map[*rules.Set]mach.KernReturn{observed: c.observed, documented: c.documented} {
				w := newWorld(t, set)
				r := good
				c.change(&r)
				_, kr := w.Map(w.m, r)
				require.Equal(t, want, kr)
			}
		})
	}
}

func TestWireRefusals(t *testing.T) {
	for set, bad := range map[*rules.Set]mach.KernReturn{observed: mach.KernInvalidArgument, documented: mach.KernInvalidValue} {
		w := newWorld(t, set)
		require.Equal(t, mach.KernInvalidTask, w.Wire(nil, 0, page, 8, true))
		require.Equal(t, bad, w.Wire(w.m, w.base, 9<<20, 8, false), "before too much")
		require.Equal(t, mach.KernNoAccess, w.Wire(w.m, w.base, 9<<20, mach.ProtRead, false), "before a hole")
		require.Equal(t, mach.KernNoSpace, w.Wire(w.m, w.base, 9<<20, mach.ProtRead, true))
		require.Equal(t, mach.KernSuccess, w.Wire(w.m, w.base, page, mach.ProtRead, false))
		require.Equal(t, mach.KernInvalidTask, w.WireAll(nil, 8))
		require.Equal(t, bad, w.WireAll(w.m, 4))
		require.Equal(t, mach.KernSuccess, w.WireAll(w.m, 0))
	}
}
