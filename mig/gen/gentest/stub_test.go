package gentest

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// kernelServer answers with answer, remembers what it was called with, and
// keeps what it took.
type kernelServer struct {
	answer mach.KernReturn
	calls  []any
	result []uint64 // of pages
	right  ports.Right
	region ipc.Region
}

func (s *kernelServer) Scalars(_ *mig.Call, o *Object, address mach.Addr, size uint64, anywhere bool) (mach.Addr, mach.KernReturn) {
	s.calls = append(s.calls, o != nil, address, size, anywhere)
	return address + mach.Addr(size), s.answer
}

func (s *kernelServer) Words(_ *mig.Call, _ *Object, flavor int32, state []uint32) mach.KernReturn {
	s.calls = append(s.calls, flavor, state)
	return s.answer
}

func (s *kernelServer) Memory(_ *mig.Call, _ *Object, _ mach.Addr, data ipc.Region, n uint32) mach.KernReturn {
	s.calls = append(s.calls, n)
	if s.answer == mach.KernSuccess {
		s.region = data
	}
	return s.answer
}

func (s *kernelServer) Poly(_ *mig.Call, _ *Object, _ mach.Name, r ports.Right, typ mach.TypeName) mach.KernReturn {
	s.calls = append(s.calls, r.Valid(), typ)
	if s.answer == mach.KernSuccess {
		s.right = r
	}
	return s.answer
}

func (s *kernelServer) Outs(c *mig.Call, o *Object) (ipc.Region, uint32, *Object, mach.KernReturn) {
	if s.answer != mach.KernSuccess {
		return nil, 0, nil, s.answer
	}
	r, kr := c.Caller.Memory().NewRegion([]byte("data"))
	return r, 4, o, kr
}

func (s *kernelServer) Info(_ *mig.Call, _ *Object, flavor int32, room uint32) ([]uint32, mach.KernReturn) {
	s.calls = append(s.calls, room)
	return make([]uint32, flavor), s.answer
}

func (s *kernelServer) Pages(*mig.Call, *Object, uint32) ([]uint64, mach.KernReturn) {
	return s.result, s.answer
}

func (s *kernelServer) Tell(_ *mig.Call, _ *Object, what uint32) mach.KernReturn {
	s.calls = append(s.calls, what)
	return s.answer
}

func (s *kernelServer) Name(_ *mig.Call, _ *Object, name string) mach.KernReturn {
	s.calls = append(s.calls, name)
	return s.answer
}

func (s *kernelServer) Five(*mig.Call, *Object, uint64, uint32, bool, uint64, mach.Name) mach.KernReturn {
	return s.answer
}

func (s *kernelServer) release() {
	if s.right.Valid() {
		s.right.Port.Zone().Release(s.right)
	}
	if s.region != nil {
		s.region.Discard()
	}
}

func TestServerGetsArgumentsAndGivesResults(t *testing.T) {
	s := &kernelServer{}
	w := newWorld(t, s)
	sum, kr := Scalars(w, w.name, 10, 20, true)
	require.Equal(t, mach.KernSuccess, kr)
	require.EqualValues(t, 30, sum)
	require.Equal(t, []any{true, mach.Addr(10), uint64(20), true}, s.calls)
}

// A right or memory in a request is the server's when it succeeds, and
// destroyed with the request when it does not; the audit at the end of the
// world would find what is lost.
func TestWhatARequestCarriesHasOneOwner(t *testing.T) {
	for _, answer := range []mach.KernReturn{mach.KernSuccess, mach.KernFailure, mach.MigNoReply} {
		s := &kernelServer{answer: answer}
		w := newWorld(t, s)
		kr := Memory(w, w.name, 0, 0, 100)
		if answer == mach.MigNoReply {
			require.Equal(t, mach.MigServerDied, kr, "the reply right died unused")
		} else {
			require.Equal(t, answer, kr)
		}
		require.Equal(t, answer == mach.KernSuccess, s.region != nil)
		_ = Poly(w, w.name, 0, w.reply, mach.TypeMakeSend)
		require.Equal(t, answer == mach.KernSuccess, s.right.Valid())
		require.Equal(t, []any{uint32(100), true, mach.TypeMoveSend}, s.calls)
		s.release()
	}
}

func TestResultsOutOfLine(t *testing.T) {
	w := newWorld(t, &kernelServer{})
	data, n, task, kr := Outs(w, w.name)
	require.Equal(t, mach.KernSuccess, kr)
	require.EqualValues(t, 4, n)
	require.EqualValues(t, 0x7000, data)
	require.Equal(t, w.name, task, "a right we have comes under the name it has")
}

// An array without a bound is inline up to 2048 bytes and out of line above.
func TestArraysWithoutABound(t *testing.T) {
	for _, c := range []struct {
		n      int
		inline bool
	}{{0, true}, {256, true}, {257, false}} {
		s := &kernelServer{result: make([]uint64, c.n)}
		w := newWorld(t, s)
		list, kr := Pages(w, w.name, 0)
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, c.n, list.Number)
		require.Equal(t, c.inline, !list.OutLine(), "%d", c.n)
	}
}

// The room that the caller states is bounded by the array; a longer answer than
// its room is cut.
func TestRoomForAnArray(t *testing.T) {
	s := &kernelServer{}
	w := newWorld(t, s)
	state, kr := Info(w, w.name, 7, 2000)
	require.Equal(t, mach.KernSuccess, kr)
	require.Len(t, state, 7)
	require.Equal(t, []any{uint32(1024)}, s.calls)
	state, kr = Info(w, w.name, 7, 3)
	require.Equal(t, mach.MigArrayTooLarge, kr)
	require.Len(t, state, 3)
	require.Equal(t, mach.MigArrayTooLarge, Words(w, w.name, 0, make([]uint32, 1025)), "the client's stub refuses")
}

// A string in a place of fixed size ends there at the latest: its last byte is
// taken for the zero, whatever it is.
func TestStringsOfFixedSize(t *testing.T) {
	long := strings.Repeat("x", 127)
	for _, c := range []struct{ sent, received string }{
		{"", ""}, {"hd0", "hd0"}, {long, long}, {long + "y", long}, {"hd\x00rest", "hd"},
	} {
		s := &kernelServer{}
		w := newWorld(t, s)
		require.Equal(t, mach.KernSuccess, Name(w, w.name, c.sent))
		require.Equal(t, []any{c.received}, s.calls)
	}
	s := &kernelServer{}
	w := newWorld(t, s)
	w.tamper = func(b []byte, n int) ([]byte, int) {
		copy(b[40:168], long+"y")
		return b, n
	}
	require.Equal(t, mach.KernSuccess, Name(w, w.name, ""))
	require.Equal(t, []any{long}, s.calls)
}

// A request that is not as declared is refused with MIG_BAD_ARGUMENTS, an id of
// no routine with MIG_BAD_ID, and the server is not called.
func TestServerRefuses(t *testing.T) {
	le := binary.LittleEndian
	type edit = func(b []byte, n int) ([]byte, int)
	word := func(at int, f func(uint32) uint32) edit {
		return func(b []byte, n int) ([]byte, int) {
			le.PutUint32(b[at:], f(le.Uint32(b[at:])))
			return b, n
		}
	}
	set := func(v uint32) func(uint32) uint32 { return func(uint32) uint32 { return v } }
	scalars := func(w *world) mach.KernReturn { _, kr := Scalars(w, w.name, 1, 2, true); return kr }
	words := func(w *world) mach.KernReturn { return Words(w, w.name, 1, make([]uint32, 4)) }
	memory := func(w *world) mach.KernReturn { return Memory(w, w.name, 0, 0, 8) }
	poly := func(w *world) mach.KernReturn { return Poly(w, w.name, 0, w.reply, mach.TypeMakeSend) }
	name := func(w *world) mach.KernReturn { return Name(w, w.name, "hd0") }
	for _, c := range []struct {
		name string
		call func(*world) mach.KernReturn
		edit edit
		want mach.KernReturn
	}{
		{"as declared", scalars, nil, mach.KernSuccess},
		{"an argument missing", scalars, func(b []byte, n int) ([]byte, int) { return b, n - 16 }, mach.MigBadArguments},
		{"an argument too many", scalars, func(b []byte, n int) ([]byte, int) {
			copy(b[n:n+16], b[n-16:n])
			return b[:len(b)+16], n + 16
		}, mach.MigBadArguments},
		{"another type", scalars, word(48, func(d uint32) uint32 { return d&^0xff | uint32(mach.TypeInteger32) }), mach.MigBadArguments},
		{"another size of elements", scalars, word(64, func(d uint32) uint32 { return d&^0xffff00 | 64<<8 }), mach.MigBadArguments},
		{"two elements", scalars, word(52, set(2)), mach.MigBadArguments},
		{"long form", scalars, word(32, func(d uint32) uint32 { return d | 0x40000000 }), mach.MigBadArguments},
		{"an unused bit, which nobody else sees in a simple message", scalars, word(32, func(d uint32) uint32 { return d | 1<<24 }), mach.MigBadArguments},
		{"out of line in a simple message", scalars, word(32, func(d uint32) uint32 { return d &^ 0x20000000 }), mach.MigBadArguments},
		{"a word less is counted, which padding makes up for", words, word(52, set(3)), mach.KernSuccess},
		{"fewer words than counted", words, word(52, set(7)), mach.MigBadArguments},
		{"a count whose size wraps to the right one", words, word(52, set(0x40000004)), mach.MigBadArguments},
		{"an array's type", words, word(48, func(d uint32) uint32 { return d ^ 1 }), mach.MigBadArguments},
		{"an array's unused bits, which no stub looks at", words, word(48, func(d uint32) uint32 { return d | 0x1f<<24 }), mach.KernSuccess},
		{"memory not in long form", memory, word(48, func(d uint32) uint32 { return d &^ 0x40000000 }), mach.MigBadArguments},
		{"memory in a simple message", memory, word(0, func(d uint32) uint32 { return d &^ 0x80000000 }), mach.MigBadArguments},
		{"data for a polymorphic right", poly, func(b []byte, n int) ([]byte, int) {
			b[3] &^= 0x80
			b[48] = byte(mach.TypeInteger64)
			return b, n
		}, mach.KernSuccess},
		{"a polymorphic right in a simple message", poly, word(0, func(d uint32) uint32 { return d &^ 0x80000000 }), mach.MigBadArguments},
		{"a long item's unused bits, which no stub looks at", name, word(32, func(d uint32) uint32 { return d | 0x1f<<24 }), mach.KernSuccess},
		{"a long item's number", name, word(36, set(2)), mach.MigBadArguments},
		{"a long item in the short form", name, word(32, func(d uint32) uint32 { return d &^ 0x40000000 }), mach.MigBadArguments},
		{"an unknown id", scalars, word(28, set(99)), mach.MigBadID},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &kernelServer{}
			w := newWorld(t, s)
			w.tamper = c.edit
			kr := c.call(w)
			s.release()
			if c.want == mach.MigBadID {
				require.Equal(t, mach.MigReplyMismatch, kr, "the reply's id is the request's plus 100")
				require.Empty(t, s.calls)
				return
			}
			require.Equal(t, c.want, kr)
			require.Equal(t, c.want == mach.KernSuccess, len(s.calls) > 0)
		})
	}
}

// A request with five scalars, unpacked.
func BenchmarkUnpackFiveScalars(b *testing.B) {
	zone := ports.NewZone()
	sys := ipc.NewSystem(zone, nil)
	k := sys.NewKmsg(ports.Right{}, 708)
	for _, bits := range []uint16{64, 32, 0, 64, 32} {
		switch bits {
		case 64:
			k.AddData(mach.TypeInteger64, 64, 1, make([]byte, 8))
		case 32:
			name := mach.TypeInteger32
			if len(k.Items) == 4 {
				name = mach.TypePortName
			}
			k.AddData(name, 32, 1, make([]byte, 4))
		default:
			k.AddData(mach.TypeBoolean, 32, 1, make([]byte, 4))
		}
	}
	served := 0
	m := ktestStubs{countFive{&kernelServer{}, &served}}
	c := mig.NewCall(nil, nil, k)
	b.ReportAllocs()
	for b.Loop() {
		m.five(c)
	}
	require.Equal(b, b.N, served)
}

type countFive struct {
	*kernelServer
	n *int
}

func (s countFive) Five(*mig.Call, *Object, uint64, uint32, bool, uint64, mach.Name) mach.KernReturn {
	*s.n++
	return mach.KernSuccess
}
