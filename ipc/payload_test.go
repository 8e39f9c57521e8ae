package ipc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// A message from a port with a protected payload carries all its 64 bits, and the
// type that says so; what only tells the port's name does not, nor does a message
// once the receive right has moved.
func TestProtectedPayload(t *testing.T) {
	const payload = 0x123456789abcdef0
	for _, c := range []struct {
		what   string
		with   func(a *task, n mach.Name) mach.Name // what happens before the message is taken, and from where
		option mach.MsgOption
		mr     mach.MsgReturn
		local  mach.TypeName // of the header's local place
	}{
		{"received", func(_ *task, n mach.Name) mach.Name { return n }, 0, mach.MsgSuccess, mach.TypeProtectedPayload},
		{"from a set", func(a *task, n mach.Name) mach.Name {
			set, kr := a.space.Allocate(mach.RightPortSet)
			require.Equal(a.w, mach.KernSuccess, kr)
			require.Equal(a.w, mach.KernSuccess, a.space.MoveMember(n, set))
			return set
		}, 0, mach.MsgSuccess, mach.TypeProtectedPayload},
		{"the header only", func(_ *task, n mach.Name) mach.Name { return n }, mach.RcvNotify, mach.RcvInvalidNotify, mach.TypePortSend},
		{"cleared", func(a *task, n mach.Name) mach.Name {
			require.Equal(a.w, mach.KernSuccess, a.space.ClearProtectedPayload(n))
			return n
		}, 0, mach.MsgSuccess, mach.TypePortSend},
		{"moved and back", func(a *task, n mach.Name) mach.Name {
			r, kr := a.space.ExtractRight(n, mach.TypeMoveReceive)
			require.Equal(a.w, mach.KernSuccess, kr)
			n, kr = a.space.Copyout(r)
			require.Equal(a.w, mach.KernSuccess, kr)
			return n
		}, 0, mach.MsgSuccess, mach.TypePortSend},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			a := w.task()
			n := a.receiveRight()
			require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: n})))
			require.Equal(t, mach.KernSuccess, a.space.SetProtectedPayload(n, payload))
			from := c.with(a, n)
			require.Equal(t, c.mr, w.sys.MsgTrap(a, bufAddr, mach.RcvMsg|mach.RcvTimeout|c.option, 0, bufSize, from, 0, 0))
			h, ok := ParseHeader(a.bytes(bufAddr, HeaderSize))
			require.True(t, ok)
			require.Equal(t, c.local, h.Bits.Local())
			if c.local == mach.TypeProtectedPayload {
				require.Equal(t, Header{Bits: h.Bits, Size: HeaderSize, Payload: payload}, h)
			} else {
				require.True(t, h.Local.Valid())
				require.Zero(t, h.Payload)
			}
		})
	}
}

// A header with a payload reads as it was written.
func TestHeaderWithPayload(t *testing.T) {
	h := Header{Bits: mach.Bits(0, mach.TypeProtectedPayload), Size: 32, Payload: 1<<63 | 5, ID: 7}
	var b [HeaderSize]byte
	h.Put(b[:])
	got, ok := ParseHeader(b[:])
	require.True(t, ok)
	require.Equal(t, h, got)
}
