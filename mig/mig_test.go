package mig

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	scalars = Routine{Name: "scalars", ID: 700, Args: []Arg{
		{"address", InOut, Address},
		{"size", In, Size},
		{"anywhere", In, Boolean},
	}}
	words = Routine{Name: "words", ID: 701, Args: []Arg{
		{"flavor", In, Int},
		{"state", In, ThreadState},
	}}
	memory = Routine{Name: "memory", ID: 702, Args: []Arg{
		{"address", In, Address},
		{"data", In, Pointer},
	}}
	poly = Routine{Name: "poly", ID: 703, Args: []Arg{
		{"name", In, PortName},
		{"right", In, PolyRight},
	}}
	outs = Routine{Name: "outs", ID: 704, Args: []Arg{
		{"data", Out, Pointer},
		{"task", Out, SendRight},
	}}
)

// The bytes of a request are those of the C stub that GNU MIG makes for a
// routine with these arguments (vm_allocate has them).
func TestRequestBytes(t *testing.T) {
	b := make([]byte, headerSize)
	b = scalars.AppendArgs(b, In, Value{Word: 0x1122334455667788}, Value{Word: 4096}, Value{Word: 1})
	require.Len(t, b, 80)
	require.Equal(t, scalars.RequestSize(), len(b))
	want := []uint64{
		0x00000001_2000400b, 0x1122334455667788, // INTEGER_64, 64 bits, one, inline
		0x00000001_2000400b, 4096,
		0x00000001_20002000, 1, // BOOLEAN, 32 bits, padded
	}
	for i, w := range want {
		require.Equal(t, w, binary.LittleEndian.Uint64(b[headerSize+8*i:]), "word %d", i)
	}
	b = memory.AppendArgs(make([]byte, headerSize), In, Value{Word: 1}, Value{Word: 0x5000, Size: 100})
	require.Equal(t, uint64(100)<<32|0x40000809, binary.LittleEndian.Uint64(b[48:]), "BYTE, 8 bits, out of line, long form")
	require.EqualValues(t, 0x5000, binary.LittleEndian.Uint64(b[56:]))
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		r              *Routine
		request, reply int
	}{
		{&scalars, 80, 64},
		{&words, 56, 48},
		{&memory, 64, 48},
		{&poly, 64, 48},
		{&outs, 32, 80},
	} {
		require.Equal(t, c.request, c.r.RequestSize(), c.r.Name)
		require.Equal(t, c.reply, c.r.ReplySize(), c.r.Name)
	}
}

// world is a message system with one caller and one kernel port, served by a
// table.
type world struct {
	t     *testing.T
	zone  *ports.Zone
	sys   *ipc.System
	table *Table
	space *ports.Space
	wait  *ports.Waiter
	buf   [1 << 14]byte // all of the caller's memory
	name  mach.Name     // its name of the kernel port
	reply mach.Name
}

func (w *world) Space() *ports.Space   { return w.space }
func (w *world) Memory() ipc.Memory    { return w }
func (w *world) Waiter() *ports.Waiter { return w.wait }

func (w *world) Serve(c ipc.Caller, k *ipc.Kmsg) *ipc.Kmsg {
	return w.table.Serve(c, k.Dest().KObject(), k)
}

func (w *world) ReadBytes(a mach.Addr, p []byte) mach.KernReturn {
	if uint64(a)+uint64(len(p)) > uint64(len(w.buf)) {
		return mach.KernInvalidAddress
	}
	copy(p, w.buf[a:])
	return mach.KernSuccess
}

func (w *world) WriteBytes(a mach.Addr, p []byte) mach.KernReturn {
	if uint64(a)+uint64(len(p)) > uint64(len(w.buf)) {
		return mach.KernInvalidAddress
	}
	copy(w.buf[a:], p)
	return mach.KernSuccess
}

// bytes is out-of-line memory that counts how many are alive.
type bytes struct {
	data []byte
	live *int
}

func (b *bytes) Size() uint64 { return uint64(len(b.data)) }
func (b *bytes) Discard()     { *b.live-- }
func (b *bytes) ReadAt(p []byte, off uint64) mach.KernReturn {
	copy(p, b.data[off:])
	return mach.KernSuccess
}

var live int // regions alive, in a test's run

func (w *world) CopyinRegion(_ mach.Addr, size uint64, _ bool) (ipc.Region, mach.KernReturn) {
	live++
	return &bytes{make([]byte, size), &live}, mach.KernSuccess
}

func (w *world) CopyoutRegion(r ipc.Region) (mach.Addr, mach.KernReturn) {
	r.Discard()
	return 0x7000, mach.KernSuccess
}

func (w *world) NewRegion(data []byte) (ipc.Region, mach.KernReturn) {
	live++
	return &bytes{data, &live}, mach.KernSuccess
}

func (w *world) Deallocate(mach.Addr, uint64) mach.KernReturn { return mach.KernSuccess }

func (w *world) MachMsg(buf []byte, option mach.MsgOption, sendSize int, rcvName mach.Name) mach.MsgReturn {
	copy(w.buf[:], buf[:sendSize])
	mr := w.sys.MsgTrap(w, 0, option|mach.RcvTimeout, uint32(sendSize), uint32(len(buf)), rcvName, 0, mach.NameNull)
	copy(buf, w.buf[:])
	return mr
}

func (w *world) MigReplyPort() mach.Name    { return w.reply }
func (w *world) MigDropReplyPort(mach.Name) {}

// newWorld serves routines; when the test ends, nothing may be left.
func newWorld(t *testing.T, routines ...Routine) *world {
	w := &world{t: t, zone: ports.NewZone(), table: NewTable(routines)}
	live = 0
	w.sys = ipc.NewSystem(w.zone, w)
	w.space = w.zone.NewSpace()
	w.wait = ports.NewWaiter(w.zone, nil)
	port := w.zone.NewKernelPort("the object")
	var kr mach.KernReturn
	w.name, kr = w.space.Copyout(w.zone.MakeSend(port))
	require.Equal(t, mach.KernSuccess, kr)
	w.reply, kr = w.space.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernSuccess, kr)
	t.Cleanup(func() {
		require.NoError(t, w.zone.Audit(ports.Roots{
			Spaces: []*ports.Space{w.space},
			Held: func(yield func(ports.Right) bool) {
				yield(ports.Right{Port: port, Type: mach.TypePortReceive})
			},
		}))
		w.space.Destroy()
		w.zone.DestroyPort(port)
		w.wait.Close()
		require.Zero(t, w.zone.LivePorts())
		require.Zero(t, live, "out-of-line memory that nobody has")
	})
	return w
}

func with(r Routine, s Server) Routine {
	r.Serve = s
	return r
}

func TestServerGetsArgumentsAndSetsResults(t *testing.T) {
	w := newWorld(t, with(scalars, func(c *Call) mach.KernReturn {
		require.Equal(t, "the object", c.Object)
		require.EqualValues(t, 10, c.Uint64(0))
		require.EqualValues(t, 20, c.Uint64(1))
		require.True(t, c.Bool(2))
		c.SetUint64(0, c.Uint64(0)+c.Uint64(1))
		return mach.KernSuccess
	}))
	out, kr := Invoke(w, w.name, w.table.Lookup(700), Value{Word: 10}, Value{Word: 20}, Value{Word: 1})
	require.Equal(t, mach.KernSuccess, kr)
	require.Len(t, out, 1)
	require.EqualValues(t, 30, out[0].Word)
}

func TestWhatARequestCarriedIsReleasedUnlessTaken(t *testing.T) {
	for _, answer := range []mach.KernReturn{mach.KernSuccess, mach.KernFailure, mach.MigNoReply} {
		w := newWorld(t,
			with(memory, func(*Call) mach.KernReturn { return answer }),
			with(poly, func(*Call) mach.KernReturn { return answer }),
		)
		_, kr := Invoke(w, w.name, w.table.Lookup(702), Value{}, Value{Word: 0, Size: 100})
		if answer == mach.MigNoReply {
			require.Equal(t, mach.MigServerDied, kr, "the reply right died unused")
		} else {
			require.Equal(t, answer, kr)
		}
		_, _ = Invoke(w, w.name, w.table.Lookup(703), Value{}, Value{Name: w.reply, Type: mach.TypeMakeSend})
	}
}

func TestResultsOfAFailedServerAreReleased(t *testing.T) {
	w := newWorld(t)
	w.table = NewTable([]Routine{with(outs, func(c *Call) mach.KernReturn {
		r, _ := w.NewRegion([]byte("data"))
		c.SetRegion(0, r, 4)
		c.SetRight(1, w.zone.MakeSend(w.space.LookupSend(w.name)))
		return mach.KernResourceShortage
	})})
	_, kr := Invoke(w, w.name, w.table.Lookup(704))
	require.Equal(t, mach.KernResourceShortage, kr)
}

func TestResultsOutOfLine(t *testing.T) {
	w := newWorld(t)
	w.table = NewTable([]Routine{with(outs, func(c *Call) mach.KernReturn {
		r, _ := w.NewRegion([]byte("data"))
		c.SetRegion(0, r, 4)
		c.SetRight(1, w.zone.MakeSend(w.space.LookupSend(w.name)))
		return mach.KernSuccess
	})})
	out, kr := Invoke(w, w.name, w.table.Lookup(704))
	require.Equal(t, mach.KernSuccess, kr)
	require.EqualValues(t, 4, out[0].Size)
	require.EqualValues(t, 0x7000, out[0].Word)
	require.Equal(t, w.name, out[1].Name, "a right we have comes under the name it has")
}

// A request that is not as declared is refused with MIG_BAD_ARGUMENTS, an id
// of no routine with MIG_BAD_ID, as the C server stubs do.
func TestServerRefuses(t *testing.T) {
	served := 0
	serve := func(*Call) mach.KernReturn { served++; return mach.KernSuccess }
	change := func(r Routine, i int, edit func(*Type)) Routine {
		r.Args = append([]Arg(nil), r.Args...)
		edit(&r.Args[i].Type)
		return r
	}
	number := Value{Word: 1}
	for _, c := range []struct {
		name string
		r    Routine
		in   []Value
		want mach.KernReturn
	}{
		{"as declared", scalars, []Value{number, number, number}, mach.KernSuccess},
		{"an argument missing", Routine{ID: 700, Args: scalars.Args[:2]}, []Value{number, number}, mach.MigBadArguments},
		{"an argument too many", Routine{ID: 700, Args: append(scalars.Args[:3:3], Arg{"more", In, Int})}, []Value{number, number, number, number}, mach.MigBadArguments},
		{"another type", change(scalars, 1, func(t *Type) { t.Name = mach.TypeInteger32 }), []Value{number, number, number}, mach.MigBadArguments},
		{"another size of elements", change(scalars, 2, func(t *Type) { t.Bits = 64 }), []Value{number, number, number}, mach.MigBadArguments},
		{"two elements of half the size", change(scalars, 1, func(t *Type) { t.Bits, t.Number = 32, 2 }), []Value{number, {Data: make([]byte, 8)}, number}, mach.MigBadArguments},
		{"inline for out of line", change(memory, 1, func(t *Type) { *t = Address }), []Value{number, number}, mach.MigBadArguments},
		{"out of line for inline", change(scalars, 1, func(t *Type) { *t = Pointer }), []Value{number, {Size: 8}, number}, mach.MigBadArguments},
		{"more elements than the array has", change(words, 1, func(t *Type) { t.Number = 2000 }), []Value{number, {Data: make([]byte, 4*1025)}}, mach.KernSuccess},
		{"no elements", words, []Value{number, {}}, mach.KernSuccess},
		{"all elements", words, []Value{number, {Data: make([]byte, 4*800)}}, mach.KernSuccess},
		{"data for a polymorphic right", change(poly, 1, func(t *Type) { *t = Address }), []Value{number, number}, mach.KernSuccess},
		{"an unknown id", Routine{ID: 799}, nil, mach.MigBadID},
		{"an id that is known, not served", Routine{ID: 704}, nil, mach.MigBadID},
	} {
		t.Run(c.name, func(t *testing.T) {
			served = 0
			w := newWorld(t, with(scalars, serve), with(words, serve), with(memory, serve), with(poly, serve), outs)
			c.r.Args = append([]Arg(nil), c.r.Args...)
			for i := range c.r.Args {
				c.r.Args[i].Dir &^= Out // what the reply holds is another matter
			}
			_, kr := Invoke(w, w.name, &c.r, c.in...)
			if c.want == mach.KernSuccess {
				require.Equal(t, 1, served)
				return
			}
			require.Equal(t, c.want, kr)
			require.Zero(t, served)
		})
	}
}

// What the routine's types cannot say wrongly: bits of the header and of a
// descriptor.
func TestServerRefusesBits(t *testing.T) {
	serve := func(*Call) mach.KernReturn { return mach.KernSuccess }
	for _, c := range []struct {
		name string
		edit func(b []byte)
		want mach.KernReturn
	}{
		{"as it should be", func([]byte) {}, mach.KernSuccess},
		{"not long form", func(b []byte) { b[headerSize+16+3] &^= 0x40 }, mach.MigBadArguments},
		{"simple, with memory out of line", func(b []byte) { b[3] &^= 0x80 }, mach.MigBadArguments},
	} {
		t.Run("memory "+c.name, func(t *testing.T) {
			w := newWorld(t, with(memory, serve))
			_, kr := Invoke(tamper{w, c.edit}, w.name, w.table.Lookup(702), Value{}, Value{Size: 8})
			require.Equal(t, c.want, kr)
		})
	}
	t.Run("complex, with a right where there is to be a number", func(t *testing.T) {
		w := newWorld(t, with(scalars, serve))
		r := scalars
		r.Args = []Arg{{"right", In, PolyRight}, {"size", In, Size}, {"anywhere", In, Boolean}}
		_, kr := Invoke(w, w.name, &r, Value{Name: w.reply, Type: mach.TypeMakeSend}, Value{}, Value{})
		require.Equal(t, mach.MigBadArguments, kr)
	})
}

// tamper changes what is sent.
type tamper struct {
	*world
	edit func([]byte)
}

func (w tamper) MachMsg(buf []byte, option mach.MsgOption, sendSize int, rcvName mach.Name) mach.MsgReturn {
	w.edit(buf)
	return w.world.MachMsg(buf, option, sendSize, rcvName)
}

// A client stub's checks of a reply, in their order.
func TestClientChecksTheReply(t *testing.T) {
	reply := func(edit func(h *ipc.Header, b []byte) []byte) []byte {
		b := make([]byte, headerSize)
		b = appendArg(b, &Int, Value{})
		b = scalars.AppendArgs(b, Out, Value{Word: 9})
		h := ipc.Header{ID: 800, Size: uint32(len(b))}
		b = edit(&h, b)
		h.Put(b)
		return b
	}
	le := binary.LittleEndian
	for _, c := range []struct {
		name string
		edit func(h *ipc.Header, b []byte) []byte
		want mach.KernReturn
	}{
		{"as it should be", func(_ *ipc.Header, b []byte) []byte { return b }, mach.KernSuccess},
		{"a send-once notification", func(h *ipc.Header, b []byte) []byte { h.ID = mach.NotifySendOnce; return b }, mach.MigServerDied},
		{"another id", func(h *ipc.Header, b []byte) []byte { h.ID++; return b }, mach.MigReplyMismatch},
		{"complex", func(h *ipc.Header, b []byte) []byte { h.Bits |= mach.BitsComplex; return b }, mach.MigTypeError},
		{"too long", func(h *ipc.Header, b []byte) []byte { h.Size += 8; return append(b, make([]byte, 8)...) }, mach.MigTypeError},
		{"error reply", func(h *ipc.Header, b []byte) []byte {
			h.Size = errorReplySize
			le.PutUint32(b[40:], uint32(mach.KernNoSpace))
			return b[:errorReplySize]
		}, mach.KernNoSpace},
		{"error reply without an error", func(h *ipc.Header, b []byte) []byte { h.Size = errorReplySize; return b[:errorReplySize] }, mach.MigTypeError},
		{"error in a full reply", func(_ *ipc.Header, b []byte) []byte { le.PutUint32(b[40:], uint32(mach.KernNoSpace)); return b }, mach.KernNoSpace},
		{"RetCode of another type", func(_ *ipc.Header, b []byte) []byte { b[32] = 1; return b }, mach.MigTypeError},
		{"argument of another type", func(_ *ipc.Header, b []byte) []byte { b[48] = 1; return b }, mach.MigTypeError},
		{"a header alone", func(h *ipc.Header, b []byte) []byte { h.Size = headerSize; return b[:headerSize] }, mach.MigTypeError},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, kr := scalars.ParseReply(reply(c.edit))
			require.Equal(t, c.want, kr)
		})
	}
}

// Whatever bytes come as a reply or request, parsing ends with a code.
func FuzzParse(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Add(scalars.AppendArgs(make([]byte, 48), Out, Value{Word: 1}))
	f.Fuzz(func(_ *testing.T, b []byte) {
		for _, r := range []*Routine{&scalars, &words, &memory, &poly, &outs} {
			r.ParseReply(b)
			if vs, ok := r.ParseRequest(b); ok {
				r.FormatArgs(In, vs)
			}
		}
	})
}
