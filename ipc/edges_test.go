package ipc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
)

// A dead task has no destination and no name to receive from. Of a message that
// was under way to it the header alone reaches its memory; the rest dies.
func TestDeadSpace(t *testing.T) {
	_, a, b, n, reply, other, _ := queued(t)
	m, _, mr := b.space.Receive(n, b.waiter, bufSize, ports.Limit{})
	require.Equal(t, mach.MsgSuccess, mr)
	b.space.Destroy()
	msg := message(hdr{bits: mach.Bits(mkSend, 0), remote: n})
	require.Equal(t, mach.SendInvalidDest, b.send(msg))
	require.Equal(t, mach.SendInvalidDest, b.trap(msg, mach.SendMsg|mach.SendCancel, 0, 0, 0, n), "before the notify name")
	require.Equal(t, mach.RcvInvalidName, b.receive(n))

	require.Equal(t, mach.RcvHeaderError|mach.MsgIPCSpace, m.(*Kmsg).copyout(b, bufAddr, n), "before the notify name")
	h, _ := b.got()
	require.Equal(t, mach.NameNull, h.remote)
	require.Equal(t, mach.NameDead, h.local)
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(other))
}

// Where the receiver's memory ends, so does what is written of a message, of a
// header that comes alone, and of the size of one that is left queued.
func TestWrittenUpToTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		option  mach.MsgOption
		size    uint32
		room    int
		want    mach.MsgReturn
		written int
	}{
		"all":            {0, bufSize, 48, mach.MsgSuccess, 48},
		"a byte less":    {0, bufSize, 47, mach.RcvInvalidData, 47},
		"the header":     {0, bufSize, 32, mach.RcvInvalidData, 32},
		"half of it":     {0, bufSize, 16, mach.RcvInvalidData, 16},
		"cut":            {0, 32, 20, mach.RcvTooLarge, 20},
		"size":           {mach.RcvLarge, 32, 8, mach.RcvTooLarge, 4},
		"half its size":  {mach.RcvLarge, 32, 6, mach.RcvTooLarge, 2},
		"none of it":     {mach.RcvLarge, 32, 4, mach.RcvTooLarge, 0},
		"no page at all": {0, bufSize, 0, mach.RcvInvalidData, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a := w.task()
			n := a.receiveRight()
			require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: n, id: -1}, ints(0xffffffff, 0xffffffff))))
			page := a.mem.allocate(mach.PageSize)
			a.mem.next += mach.PageSize // a hole
			mr := w.sys.MsgTrap(a, page+mach.PageSize-mach.Addr(c.room), mach.RcvMsg|c.option, 0, c.size, n, 0, 0)
			require.Equal(t, c.want, mr)
			got := a.bytes(page, mach.PageSize)
			tail := got[mach.PageSize-c.room:]
			require.Equal(t, make([]byte, mach.PageSize-c.room), got[:mach.PageSize-c.room])
			if c.option&mach.RcvLarge != 0 {
				want := make([]byte, c.room)
				copy(want[min(offSize, c.room):], words(48)[:c.written])
				require.Equal(t, want, tail)
				return
			}
			want := make([]byte, 48)
			copy(want, message(hdr{bits: mach.Bits(0, mvSend), id: -1}, ints(0xffffffff, 0xffffffff)))
			copy(want[offSize:], words(48))
			copy(want[offRemote:], longs(0, uint64(n)))
			require.Equal(t, want[:c.written], tail)
		})
	}
}

// A small message that is sent and received in one with no other option may be
// any multiple of 4, as the recorded kernel has it.
func TestCallSizes(t *testing.T) {
	call := mach.SendMsg | mach.RcvMsg
	for _, c := range []struct {
		option mach.MsgOption
		size   int
		want   mach.MsgReturn
	}{
		{call, 28, mach.SendMsgTooSmall},
		{call, 34, mach.SendMsgTooSmall},
		{call, 36, mach.MsgSuccess},
		{call, 2028, mach.MsgSuccess},
		{call, 2036, mach.SendMsgTooSmall},
		{call, 2040, mach.MsgSuccess},
		{call | mach.SendTimeout, 36, mach.SendMsgTooSmall},
		{call | mach.RcvTimeout, 36, mach.SendMsgTooSmall},
		{mach.SendMsg, 36, mach.SendMsgTooSmall},
	} {
		w := newWorld(t)
		a := w.task()
		n := a.receiveRight()
		msg := append(message(hdr{bits: mach.Bits(mkSend, 0), remote: n, id: 7}), make([]byte, 2040)...)[:c.size]
		require.Equal(t, c.want, a.trap(msg, c.option, bufSize, n, 0, 0), c)
		if c.want == mach.MsgSuccess {
			h, _ := a.got()
			require.Equal(t, hdr{bits: mach.Bits(0, mvSend), size: uint32(c.size), local: n, id: 7}, h)
		}
	}
}

// A complex body may end in half a word there, if its last data does.
func TestCallEndsInHalfAWord(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n, other := a.receiveRight(), a.receiveRight()
	msg := message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, rights(mkSend, other), ints(5))
	require.Equal(t, mach.MsgSuccess, a.trap(msg[:len(msg)-4], mach.SendMsg|mach.RcvMsg, bufSize, n, 0, 0))
	h, body := a.got()
	require.EqualValues(t, len(msg)-4, h.size)
	require.Equal(t, append(rights(mvSend, other)[:8], longs(uint64(other))...), body[:16])
	require.Equal(t, ints(5)[:12], body[16:])
	msg = message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, ool(bufAddr, 5, false))
	require.Equal(t, mach.SendMsgTooSmall, a.trap(msg[:len(msg)-4], mach.SendMsg|mach.RcvMsg, bufSize, n, 0, 0))
}

// What a sender wrote into the field for the sequence number is there again in a
// message that comes back.
func TestPseudoReceiveSeqno(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	to := b.give(b.receiveRight(), mkSend, a)
	a.fill(to)
	msg := message(hdr{bits: mach.Bits(cpSend, 0), remote: to})
	copy(msg[offSeqno:], words(99))
	require.Equal(t, mach.SendTimedOut, a.send(msg))
	h, _ := a.got()
	require.Equal(t, hdr{bits: mach.Bits(mvSend, 0), size: HeaderSize, remote: to, seqno: 99}, h)
}
