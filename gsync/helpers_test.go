package gsync

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	base = mach.Addr(0x100000)
	page = mach.PageSize
	ok   = mach.KernSuccess
)

// world is a table, and a map with four pages at base: two shared by
// inheritance, one that is only read, one without access; then a hole.
type world struct {
	testing.TB
	zone *ports.Zone
	fr   *vm.Frames
	*Table
	m *vm.Map
}

func newWorld(t testing.TB) *world {
	fr, err := vm.NewFrames(64)
	require.NoError(t, err)
	w := &world{TB: t, zone: ports.NewZone(), fr: fr, m: vm.NewMap(fr, vm.NewSoftPmap(fr))}
	w.Table = New(w.zone)
	t.Cleanup(func() {
		for i := range w.buckets {
			require.Empty(t, w.buckets[i].queues)
		}
		w.m.Terminate()
		require.NoError(t, w.zone.Audit(ports.Roots{}))
		require.NoError(t, fr.Close())
	})
	_, kr := w.m.Allocate(base, 4*page, false)
	require.Equal(t, ok, kr)
	require.Equal(t, ok, w.m.Inherit(base, 2*page, mach.InheritShare))
	require.Equal(t, ok, w.m.Protect(base+2*page, page, false, mach.ProtRead))
	require.Equal(t, ok, w.m.Protect(base+3*page, page, false, mach.ProtNone))
	return w
}

// child is a map that shares the first two pages, and has a copy of the rest.
func (w *world) child() *vm.Map {
	m, kr := w.m.Fork(vm.NewSoftPmap(w.fr))
	require.Equal(w, ok, kr)
	w.Cleanup(m.Terminate)
	return m
}

func (w *world) set(m *vm.Map, addr mach.Addr, v uint32) {
	require.Equal(w, ok, store(m, addr, v))
}

func (w *world) get(m *vm.Map, addr mach.Addr) uint32 {
	var b [wordSize]byte
	require.Equal(w, ok, m.ReadBytes(addr, b[:]))
	return le.Uint32(b[:])
}

func (w *world) waiter() *ports.Waiter {
	wt := ports.NewWaiter(w.zone, nil)
	w.Cleanup(wt.Close)
	return wt
}

// sleeper is a thread in Wait; end holds its code when it is back.
type sleeper struct {
	*ports.Waiter
	end chan mach.KernReturn
}

// sleep starts a thread that waits while the word is 0, and returns when it
// does.
func (w *world) sleep(m *vm.Map, addr mach.Addr, msec uint32, flags Flags) sleeper {
	s := sleeper{w.waiter(), make(chan mach.KernReturn, 1)}
	go func() { s.end <- w.Wait(s.Waiter, m, addr, 0, 0, msec, flags) }()
	synctest.Wait()
	waiting, _ := s.Waiting()
	require.True(w, waiting)
	return s
}

// woken are the indices of sleepers that have come back since, woken.
func woken(t *testing.T, all []sleeper) (list []int) {
	synctest.Wait()
	for i, s := range all {
		select {
		case kr := <-s.end:
			require.Equal(t, ok, kr)
			list = append(list, i)
		default:
		}
	}
	return list
}
