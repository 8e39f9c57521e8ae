package ports

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// perItem is what the heap holds more for each of n items that f makes, in
// bytes.
func perItem(n int, f func(n int)) float64 {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	f(n)
	return (float64(heap()) - float64(before)) / float64(n)
}

// A port that nobody uses costs less than 256 bytes, a name less than 64,
// whatever it denotes.
func TestMemoryOfPortsAndNames(t *testing.T) {
	const n = 1 << 17
	z := NewZone()
	s, other, dead := z.NewSpace(), z.NewSpace(), z.NewSpace()
	name := perItem(n, func(n int) {
		for range n {
			_, kr := dead.Allocate(mach.RightDeadName)
			require.Equal(t, mach.KernSuccess, kr)
		}
	})
	port := perItem(n, func(n int) {
		for range n {
			_, kr := s.Allocate(mach.RightReceive)
			require.Equal(t, mach.KernSuccess, kr)
		}
	}) - name
	send := perItem(n, func(n int) {
		for i := range n {
			r, kr := s.ExtractRight(mach.Name(i+1), mach.TypeMakeSend)
			require.Equal(t, mach.KernSuccess, kr)
			_, kr = other.Copyout(r)
			require.Equal(t, mach.KernSuccess, kr)
		}
	})
	t.Logf("port %.1f, name %.1f, name of a send right %.1f bytes", port, name, send)
	require.Less(t, port, 256.0)
	require.Less(t, name, 64.0)
	require.Less(t, send, 64.0)
	for _, space := range []*Space{dead, other, s} {
		space.Destroy()
	}
	require.Zero(t, z.LivePorts())
}
