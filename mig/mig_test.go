package mig

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/ipc"
	"machkernel/mach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Wire types as .defs files declare them.
var (
	tInt     = Type{C: "int", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	tBoolean = Type{C: "boolean_t", Name: mach.TypeBoolean, Bits: 32, Number: 1}
	tAddress = Type{C: "vm_address_t", Name: mach.TypeInteger64, Bits: 64, Number: 1}
	tName    = Type{C: "mach_port_name_t", Name: mach.TypePortName, Bits: 32, Number: 1}
	tWords   = Type{C: "thread_state_t", Form: Variable, Name: mach.TypeInteger32, Bits: 32, Number: 1024}
	tPointer = Type{C: "pointer_t", Form: OutLine, Name: mach.TypeByte, Bits: 8, Long: true}
	tRight   = Type{C: "mach_port_t", Form: PortArg, Name: mach.TypeMoveSend, Bits: 64, Number: 1}
	tPoly    = Type{C: "mach_port_poly_t", Form: PortArg, Bits: 64, Number: 1, Poly: true}
)

var (
	scalars = Routine{Name: "scalars", ID: 700, Args: []Arg{
		{"address", InOut, tAddress},
		{"size", In, tAddress},
		{"anywhere", In, tBoolean},
	}}
	words = Routine{Name: "words", ID: 701, Args: []Arg{
		{"flavor", In, tInt},
		{"state", In, tWords},
	}}
	memory = Routine{Name: "memory", ID: 702, Args: []Arg{
		{"address", In, tAddress},
		{"data", In, tPointer},
	}}
	poly = Routine{Name: "poly", ID: 703, Args: []Arg{
		{"name", In, tName},
		{"right", In, tPoly},
	}}
	outs = Routine{Name: "outs", ID: 704, Args: []Arg{
		{"data", Out, tPointer},
		{"task", Out, tRight},
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

// A client stub's checks of a reply, in their order.
func TestClientChecksTheReply(t *testing.T) {
	reply := func(edit func(h *ipc.Header, b []byte) []byte) []byte {
		b := make([]byte, headerSize)
		b = appendArg(b, &tInt, Value{})
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

// A request that lies in its sender's memory says of a right how to get it, and not
// what the server gets.
func TestParseRequestOfASender(t *testing.T) {
	r := Routine{Args: []Arg{{Name: "right", Dir: In, Type: Type{Form: PortArg, Name: mach.TypeMoveSend, Bits: 64, Number: 1}}}}
	for disposition, ok := range map[mach.TypeName]bool{
		mach.TypeMoveSend: true, mach.TypeCopySend: true, mach.TypeMakeSend: true,
		mach.TypeMakeSendOnce: false, mach.TypeMoveReceive: false, mach.TypeInteger64: false,
	} {
		msg := make([]byte, headerSize, headerSize+16)
		msg = binary.LittleEndian.AppendUint64(msg, Inline(disposition, 64, 1))
		msg = binary.LittleEndian.AppendUint64(msg, 7)
		vs, got := r.ParseRequest(msg)
		require.Equal(t, ok, got, disposition)
		if ok {
			require.Equal(t, mach.Name(7), vs[0].Name)
		}
	}
}
