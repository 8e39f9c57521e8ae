package vmsvc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// A size that grows to a large page does not lead out of a memory object.
func TestSuperpageOfAProxy(t *testing.T) {
	w := newWorld(t, xnuObserved)
	other := vm.NewMap(w.frames, nil)
	w.Prepare(other)
	defer other.Terminate()
	_, kr := w.Allocate(other, 0x400000, 64*page, false)
	require.Equal(t, ok, kr)
	r, kr := other.Offer(0x400000, page)
	require.Equal(t, ok, kr)
	w.object = func(ports.Right) (Part, bool) {
		return Part{Object: r.Object, Start: r.Offset, Len: page, Prot: mach.ProtRead}, true
	}
	right := ports.Right{Port: ports.NewZone().NewKernelPort(w.t), Type: mach.TypePortSend}
	_, kr = w.mapAt(func(r *MachMapping) {
		r.Object, r.Addr, r.Flags = right, 0, mach.VMFlagsAnywhere|mach.VMFlagsSuperpageAny
	})
	require.Equal(t, mach.KernInvalidArgument, kr)
}
