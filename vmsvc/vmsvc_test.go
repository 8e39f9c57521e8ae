package vmsvc

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
	"machkernel/rules"
	"machkernel/vm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a server and one address map: 8 pages from base on, each of its own
// kind, with a hole.
type world struct {
	*Server
	t      *testing.T
	frames *vm.Frames
	m      *vm.Map
	other  *vm.Map // see sender; nil until it is asked for
	base   mach.Addr
}

const page = mach.PageSize

// The kernels there are.
var (
	observed      = rules.Of(rules.GNUMach, rules.Observed)
	documented    = rules.Of(rules.GNUMach, rules.Documented)
	xnuObserved   = rules.Of(rules.XNU, rules.Observed)
	xnuDocumented = rules.Of(rules.XNU, rules.Documented)
)

func newWorld(t *testing.T, set *rules.Set) *world {
	frames, err := vm.NewFrames(1024)
	require.NoError(t, err)
	w := &world{t: t, frames: frames, m: vm.NewMap(frames, nil), Server: New(Config{Rules: set, Frames: frames})}
	w.Prepare(w.m)
	var kr mach.KernReturn
	w.base, kr = w.Allocate(w.m, 0x100000, 8*page, false)
	require.Equal(t, mach.KernSuccess, kr)
	t.Cleanup(func() {
		maps := []*vm.Map{w.m}
		if w.other != nil {
			maps = append(maps, w.other)
		}
		require.NoError(t, vm.Audit(frames, maps, nil))
		for _, m := range maps {
			m.Terminate()
		}
		require.Zero(t, frames.Stats().Used)
		require.NoError(t, frames.Close())
	})
	return w
}

func (w *world) write(at mach.Addr, text string) {
	require.Equal(w.t, mach.KernSuccess, w.m.WriteBytes(at, []byte(text)))
}

func (w *world) read(at mach.Addr, n int) string {
	b := make([]byte, n)
	require.Equal(w.t, mach.KernSuccess, w.m.ReadBytes(at, b))
	return string(b)
}

func (w *world) data(size int) *vm.Copy {
	c, kr := vm.NewCopy(w.frames, make([]byte, size))
	require.Equal(w.t, mach.KernSuccess, kr)
	return c
}

func TestNoMapIsInvalidArgument(t *testing.T) {
	w := newWorld(t, observed)
	const want = mach.KernInvalidArgument
	_, kr := w.Allocate(nil, 0, page, true)
	require.Equal(t, want, kr)
	require.Equal(t, want, w.Deallocate(nil, 0, page))
	require.Equal(t, want, w.Protect(nil, 0, page, false, mach.ProtRead))
	require.Equal(t, want, w.Inherit(nil, 0, page, mach.InheritCopy))
	_, kr = w.Read(nil, 0, page, nil)
	require.Equal(t, want, kr)
	c := w.data(page)
	require.Equal(t, want, w.Write(nil, 0, c))
	c.Discard()
	require.Equal(t, want, w.Copy(nil, 0, page, page))
	_, kr = w.Region(nil, 0)
	require.Equal(t, want, kr)
}

// GNU Mach manual, Data Transfer, against what the kernel does
// (vm_family_semantics, sections 3 and 6).
func TestAlignment(t *testing.T) {
	free := rules.CopyUnaligned.With(observed, mach.KernSuccess)
	const bad = mach.KernInvalidArgument
	for _, c := range []struct {
		name                       string
		addr, size                 uint64 // relative to the base
		observed, documented, free mach.KernReturn
	}{
		{"aligned", 0, page, ok, ok, ok},
		{"address", 1, page, ok, bad, ok},
		{"size", 0, page - 1, ok, bad, ok},
		{"both", 100, 200, ok, bad, ok},
	} {
		t.Run("vm_read "+c.name, func(t *testing.T) {
			for set, want := range map[*rules.Set]mach.KernReturn{observed: c.observed, documented: c.documented, free: c.free} {
				w := newWorld(t, set)
				got, kr := w.Read(w.m, w.base+mach.Addr(c.addr), c.size, nil)
				require.Equal(t, want, kr)
				if kr == mach.KernSuccess {
					require.Equal(t, c.size, got.Size())
					got.Discard()
				}
			}
		})
	}
	for _, c := range []struct {
		name           string
		src, size, dst uint64
		aligned, free  mach.KernReturn
	}{
		{"aligned", 0, page, 2 * page, ok, ok},
		{"source", 1, page, 2 * page, bad, ok},
		{"size", 0, page - 1, 2 * page, bad, ok},
		{"destination", 0, page, 2*page + 8, bad, ok},
		{"nothing to copy, nothing aligned", 3, 0, 5, ok, ok},
		{"a bad source comes first", 100 * page, page, 2*page + 8, mach.KernInvalidAddress, mach.KernInvalidAddress},
	} {
		t.Run("vm_copy "+c.name, func(t *testing.T) {
			for set, want := range map[*rules.Set]mach.KernReturn{observed: c.aligned, free: c.free} {
				w := newWorld(t, set)
				at := func(off uint64) mach.Addr { return w.base + mach.Addr(off) }
				require.Equal(t, want, w.Copy(w.m, at(c.src), c.size, at(c.dst)))
			}
		})
	}
}

// A refused write leaves the destination as it was, and the data its owner's.
func TestRefusedWriteHasNoEffect(t *testing.T) {
	w := newWorld(t, observed)
	w.write(w.base, "first")
	require.Equal(t, mach.KernSuccess, w.Protect(w.m, w.base+page, page, false, mach.ProtRead))
	c := w.data(2 * page)
	require.Equal(t, mach.KernProtectionFailure, w.Write(w.m, w.base, c))
	require.Equal(t, "first", w.read(w.base, 5))
	require.EqualValues(t, 2*page, c.Size())
	require.Equal(t, mach.KernSuccess, w.Deallocate(w.m, w.base+page, page))
	require.Equal(t, mach.KernInvalidAddress, w.Write(w.m, w.base, c))
	require.Equal(t, mach.KernInvalidArgument, w.Write(w.m, w.base+8, c))
	require.Equal(t, "first", w.read(w.base, 5))
	c.Discard()
}

// A refused vm_copy gives its copy of the source back: nothing holds the pages
// once the source is gone.
func TestRefusedCopyKeepsNothing(t *testing.T) {
	w := newWorld(t, observed)
	w.write(w.base, "source")
	require.Equal(t, mach.KernInvalidArgument, w.Copy(w.m, w.base, page, w.base+page+8))
	require.Equal(t, mach.KernSuccess, w.Protect(w.m, w.base+page, page, false, mach.ProtRead))
	require.Equal(t, mach.KernProtectionFailure, w.Copy(w.m, w.base, page, w.base+page))
	require.Equal(t, mach.KernSuccess, w.Deallocate(w.m, w.base, 8*page))
	require.Zero(t, w.frames.Stats().Used)
}

func TestWriteOfNothingLooksAtNothing(t *testing.T) {
	w := newWorld(t, observed)
	require.Equal(t, mach.KernSuccess, w.Write(w.m, 0xdeadbeef, w.data(0)))
}

func TestProtectAndInheritCheckTheirValues(t *testing.T) {
	w := newWorld(t, observed)
	for prot, want := range map[mach.Prot]mach.KernReturn{
		mach.ProtAll:                   mach.KernSuccess,
		mach.ProtAll | mach.ProtNotify: mach.KernSuccess, // the real kernel accepts it, and vm_region reports it
		0x08:                           mach.KernInvalidArgument,
		-1:                             mach.KernInvalidArgument,
	} {
		require.Equal(t, want, w.Protect(w.m, w.base, page, false, prot), "%v", prot)
	}
	for in, want := range map[mach.Inherit]mach.KernReturn{
		mach.InheritShare: mach.KernSuccess,
		mach.InheritCopy:  mach.KernSuccess,
		mach.InheritNone:  mach.KernSuccess,
		3:                 mach.KernInvalidArgument,
		-1:                mach.KernInvalidArgument,
	} {
		require.Equal(t, want, w.Inherit(w.m, w.base, page, in), "%v", in)
	}
}

// What the GNU Mach Reference Manual promises, and the packaged kernel does not
// do: the two columns are the two values of each rule.
func TestRulesOfTheManual(t *testing.T) {
	const bad = mach.KernInvalidAddress
	for _, c := range []struct {
		name                 string
		observed, documented mach.KernReturn
		do                   func(w *world) mach.KernReturn
	}{
		{"vm_deallocate of a hole", ok, bad, func(w *world) mach.KernReturn { return w.Deallocate(w.m, 0x1000, page) }},
		{"vm_deallocate from memory into a hole", ok, ok, func(w *world) mach.KernReturn { return w.Deallocate(w.m, w.base+7*page, 2*page) }},
		{"vm_deallocate of no bytes of a hole", ok, ok, func(w *world) mach.KernReturn { return w.Deallocate(w.m, 0x1000, 0) }},
		{"vm_protect of a hole", ok, bad, func(w *world) mach.KernReturn { return w.Protect(w.m, 0x1000, page, false, mach.ProtRead) }},
		{"vm_protect of no bytes of a hole", ok, ok, func(w *world) mach.KernReturn { return w.Protect(w.m, 0x1000, 0, false, mach.ProtRead) }},
		{"vm_inherit of a hole", ok, bad, func(w *world) mach.KernReturn { return w.Inherit(w.m, 0x1000, page, mach.InheritNone) }},
		{"vm_inherit of no bytes of a hole", ok, ok, func(w *world) mach.KernReturn { return w.Inherit(w.m, 0x1000, 0, mach.InheritNone) }},
		{"vm_allocate of a size that rounds to zero", mach.KernInvalidArgument, mach.KernNoSpace, func(w *world) mach.KernReturn {
			_, kr := w.Allocate(w.m, 0, ^uint64(0), true)
			return kr
		}},
		{"vm_allocate of nothing", ok, ok, func(w *world) mach.KernReturn {
			_, kr := w.Allocate(w.m, 0, 0, true)
			return kr
		}},
		{"vm_read for a map without room", ok, mach.KernNoSpace, func(w *world) mach.KernReturn {
			full := vm.NewMap(w.frames, nil)
			defer full.Terminate()
			_, kr := w.Allocate(full, 0, uint64(mach.VMMaxAddress), false)
			require.Equal(w.t, ok, kr)
			c, kr := w.Read(w.m, w.base, page, full)
			c.Discard()
			return kr
		}},
		{"vm_read of nothing, unaligned", ok, ok, func(w *world) mach.KernReturn {
			_, kr := w.Read(w.m, w.base+3, 0, nil)
			return kr
		}},
		{"vm_read, unaligned, of a hole", bad, bad, func(w *world) mach.KernReturn {
			_, kr := w.Read(w.m, 0x1008, 8, nil)
			return kr
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.observed, c.do(newWorld(t, observed)), "observed")
			require.Equal(t, c.documented, c.do(newWorld(t, documented)), "documented")
		})
	}
	for set, want := range map[*rules.Set]mach.Prot{observed: mach.ProtDefault, documented: mach.ProtAll} {
		w := newWorld(t, set)
		r, kr := w.Region(w.m, w.base)
		require.Equal(t, ok, kr)
		require.Equal(t, want, r.Prot)
	}
}
