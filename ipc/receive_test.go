package ipc

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
)

// queued is a world with a message waiting: a request with a reply right, a
// right and memory in its body.
func queued(t *testing.T) (w *world, a, b *task, n, reply, other mach.Name, size uint32) {
	w = newWorld(t)
	a, b = w.task(), w.task()
	n = b.receiveRight()
	to := b.give(n, mkSend, a)
	reply, other = a.receiveRight(), a.receiveRight()
	addr, data := a.pattern(100, 0)
	msg := message(hdr{bits: mach.Bits(mvSend, mkOnce) | mach.BitsComplex, remote: to, local: reply, id: 3},
		rights(mkOnce, other), ool(addr, len(data), false))
	require.Equal(t, mach.MsgSuccess, a.send(msg))
	return w, a, b, n, reply, other, uint32(len(msg))
}

// RCV_LARGE leaves a message that is too large where it is, and writes its size
// and nothing else.
func TestReceiveLarge(t *testing.T) {
	w, _, b, n, _, _, size := queued(t)
	b.mem.WriteBytes(bufAddr, make([]byte, 64))
	before := w.snapshot()
	for _, room := range []uint32{0, 32, size - 1} {
		require.Equal(t, mach.RcvTooLarge, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg|mach.RcvLarge, 0, room, n, 0, 0))
		h, _ := b.got()
		require.Equal(t, hdr{size: size}, h)
		require.Equal(t, before, w.snapshot())
	}
	require.Equal(t, mach.RcvTooLarge, w.sys.MsgTrap(b, 0x666000, mach.RcvMsg|mach.RcvLarge, 0, 0, n, 0, 0), "an unwritable buffer is not noticed")
	require.Equal(t, mach.MsgSuccess, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg|mach.RcvLarge, 0, size, n, 0, 0))
	h, _ := b.got()
	require.Zero(t, h.seqno)
}

// Without RCV_LARGE the message is gone: the header is delivered with the full
// size, everything else is destroyed, the reply right too.
func TestReceiveTooLarge(t *testing.T) {
	for _, room := range []uint32{0, 32, 63} {
		w, a, b, n, reply, other, size := queued(t)
		require.Equal(t, mach.RcvTooLarge, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg, 0, room, n, 0, 0))
		h, _ := b.got()
		require.Equal(t, hdr{bits: mach.Bits(mvOnce, mvSend) | mach.BitsComplex, size: size, local: n, id: 3}, h)
		require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
		require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(other))
		st, _ := b.space.ReceiveStatus(n)
		require.Equal(t, uint32(1), st.Seqno, "the sequence number is used")
		w.audit()
	}
}

// RCV_NOTIFY with a null name or one that is no receive right: header only. A
// good one arms a dead-name request on the reply right.
func TestReceiveNotify(t *testing.T) {
	for _, bad := range []mach.Name{0, 99} {
		w, a, b, n, reply, _, size := queued(t)
		require.Equal(t, mach.RcvInvalidNotify, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg|mach.RcvNotify, 0, size, n, 0, bad))
		h, _ := b.got()
		require.Equal(t, mach.NameNull, h.remote)
		require.Equal(t, n, h.local)
		require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
		w.audit()
	}
	w, a, b, n, reply, _, size := queued(t)
	to := b.receiveRight()
	require.Equal(t, mach.MsgSuccess, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg|mach.RcvNotify, 0, size, n, 0, to))
	h, _ := b.got()
	typ, _ := b.space.Type(h.remote)
	require.Equal(t, mach.TypeSendOnce|mach.TypeDNRequest, typ)
	require.Equal(t, mach.KernSuccess, a.space.DestroyName(reply))
	require.Equal(t, mach.MsgSuccess, b.receive(to))
	note, body := b.got()
	require.Equal(t, hdr{bits: mach.Bits(0, mvOnce), size: 48, local: to, id: mach.NotifyDeadName}, note)
	require.Equal(t, item(Descriptor{Name: mach.TypePortName, Size: 32, Number: 1, Inline: true}, words(uint32(h.remote))), body)
}

// No room for the reply right's name: the header alone, all else destroyed.
func TestReceiveHeaderError(t *testing.T) {
	w, a, b, n, reply, other, size := queued(t)
	b.space.SetNameLimit(b.space.Len())
	require.Equal(t, mach.RcvHeaderError|mach.MsgIPCSpace, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg, 0, size, n, 0, 0))
	h, _ := b.got()
	require.Equal(t, hdr{bits: mach.Bits(mvOnce, mvSend) | mach.BitsComplex, size: size, local: n, id: 3}, h)
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(other))
}

// Items that cannot be given are missing, the rest is delivered.
func TestReceiveBodyError(t *testing.T) {
	for kr, bit := range map[mach.KernReturn]mach.MsgReturn{
		mach.KernNoSpace: mach.MsgVMSpace, mach.KernResourceShortage: mach.MsgVMKernel,
	} {
		w, a, b, n, _, other, size := queued(t)
		b.space.SetNameLimit(b.space.Len() + 1)
		b.mem.copyoutFails = kr
		require.Equal(t, mach.RcvBodyError|mach.MsgIPCSpace|bit, w.sys.MsgTrap(b, bufAddr, mach.RcvMsg, 0, size, n, 0, 0))
		h, body := b.got()
		require.True(t, h.remote.Valid())
		require.Equal(t, append(rights(mvOnce), 0, 0, 0, 0, 0, 0, 0, 0)[8:], body[8:16])
		require.Equal(t, item(Descriptor{Name: mach.TypeByte, Number: 100, Dealloc: true}, longs(0)), body[16:])
		require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(other))
		w.audit()
	}
}

// An array of rights for which there is no memory is destroyed, not named.
func TestReceiveOOLRightsWithoutMemory(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	n := b.receiveRight()
	to := b.give(n, mkSend, a)
	other := a.receiveRight()
	at := a.mem.allocate(8)
	a.mem.WriteBytes(at, words(uint32(other), uint32(other)))
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to}, oolRights(mkOnce, at, 2, false))))
	b.mem.copyoutFails = mach.KernNoSpace
	names := b.space.Len()
	require.Equal(t, mach.RcvBodyError|mach.MsgVMSpace, b.receive(n))
	require.Equal(t, names, b.space.Len())
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce, mach.NotifySendOnce}, a.ids(other))
}

// An unwritable buffer loses the message; the rights it brought stay.
func TestReceiveInvalidData(t *testing.T) {
	w, a, b, n, reply, _, size := queued(t)
	names := b.space.Len()
	require.Equal(t, mach.RcvInvalidData, w.sys.MsgTrap(b, 0x666000, mach.RcvMsg, 0, size, n, 0, 0))
	require.Equal(t, names+2, b.space.Len())
	require.Empty(t, a.ids(reply))
	require.Equal(t, mach.RcvTimedOut, b.receive(n))
}

// Names that cannot be received from.
func TestReceiveInvalidName(t *testing.T) {
	w, a, b, n, reply, _, _ := queued(t)
	send := b.give(n, mkSend, a)
	set := b.allocate(mach.RightPortSet)
	require.Equal(t, mach.RcvInvalidName, a.receive(send))
	require.Equal(t, mach.RcvInvalidName, a.receive(0))
	require.Equal(t, mach.RcvInvalidName, a.receive(mach.NameDead))
	require.Equal(t, mach.RcvTimedOut, a.receive(reply))
	require.Equal(t, mach.KernSuccess, b.space.MoveMember(n, set))
	require.Equal(t, mach.RcvInSet, b.receive(n))
	require.Equal(t, mach.MsgSuccess, b.receive(set))
	h, _ := b.got()
	require.Equal(t, n, h.local, "the member's name")
	_ = w
}

// Time-outs are milliseconds; an abort interrupts; what interrupts a
// combined call in its receive part leaves its send done.
func TestReceiveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.task()
		n := a.receiveRight()
		start := time.Now()
		require.Equal(t, mach.RcvTimedOut, w.sys.MsgTrap(a, bufAddr, mach.RcvMsg|mach.RcvTimeout, 0, bufSize, n, 1500, 0))
		require.Equal(t, 1500*time.Millisecond, time.Since(start))
		b := w.task()
		bn := b.receiveRight()
		to := b.give(bn, mkSend, a)
		done := make(chan mach.MsgReturn)
		go func() {
			done <- a.trap(message(hdr{bits: mach.Bits(cpSend, mkOnce), remote: to, local: n, id: 8}), mach.SendMsg|mach.RcvMsg, bufSize, n, 0, 0)
		}()
		synctest.Wait()
		w.waitingAudit()
		require.True(t, a.waiter.Abort())
		require.Equal(t, mach.RcvInterrupted, <-done)
		require.Equal(t, []mach.MsgID{8}, b.ids(bn))
	})
}

// waitingAudit is an audit in the middle of a test.
func (w *world) waitingAudit() {
	w.Helper()
	var roots ports.Roots
	for _, t := range w.tasks {
		roots.Spaces = append(roots.Spaces, t.space)
	}
	require.NoError(w, w.z.Audit(roots))
}

// A port whose receive right went elsewhere, or died, between dequeue and
// copyout: null, or dead.
func TestDestinationNameAfterwards(t *testing.T) {
	for _, dies := range []bool{false, true} {
		w := newWorld(t)
		a := w.task()
		n := a.receiveRight()
		require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkOnce, 0), remote: n})))
		m, _, mr := a.space.Receive(n, a.waiter, 100, ports.Limit{})
		require.Equal(t, mach.MsgSuccess, mr)
		want := mach.NameDead
		if dies {
			a.space.DestroyName(n)
		} else {
			want = mach.NameNull
			b := w.task()
			n = a.give(n, mvRcv, b)
			defer func() { require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, b.ids(n)) }()
		}
		require.Equal(t, mach.MsgSuccess, m.(*Kmsg).copyout(a, bufAddr, 0))
		h, _ := a.got()
		require.Equal(t, want, h.local)
	}
}

// Received send rights saturate at 65534 references, silently.
func TestReceivedReferencesSaturate(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	n := b.receiveRight()
	to := b.give(n, mkSend, a)
	other := a.receiveRight()
	got := a.give(other, mkSend, b)
	require.Equal(t, mach.KernSuccess, b.space.ModRefs(got, mach.RightSend, 65533))
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: to}, rights(mkSend, other, other))))
	require.Equal(t, mach.MsgSuccess, b.receive(n))
	_, body := b.got()
	require.Equal(t, uint64(got), le.Uint64(body[8:]))
	refs, _ := b.space.GetRefs(got, mach.RightSend)
	require.Equal(t, uint32(65534), refs)
}
