package ipc

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

const (
	mvRcv  = mach.TypeMoveReceive
	mvSend = mach.TypeMoveSend
	mvOnce = mach.TypeMoveSendOnce
	cpSend = mach.TypeCopySend
	mkSend = mach.TypeMakeSend
	mkOnce = mach.TypeMakeSendOnce
)

// A request and its reply: the header is swapped, the kernel fills in size and
// sequence number, the upper halves of the name slots are ignored and zeroed,
// bits it does not know pass.
func TestRequestAndReply(t *testing.T) {
	w := newWorld(t)
	client, server := w.task(), w.task()
	n := server.receiveRight()
	dest := server.give(n, mkSend, client)
	reply := client.receiveRight()
	bits := mach.Bits(cpSend, mkOnce) | 0x00f00000 | mach.BitsCircular
	require.Equal(t, mach.MsgSuccess, client.send(message(hdr{bits: bits, remote: dest, local: reply, id: 42}, ints(1, 2, 3))))
	require.Equal(t, mach.MsgSuccess, server.receive(n))
	h, body := server.got()
	require.Equal(t, hdr{bits: mach.Bits(mvOnce, mvSend) | 0x00f00000, size: 56, remote: h.remote, local: n, id: 42}, h)
	require.Equal(t, ints(1, 2, 3), body)
	require.Equal(t, mach.MsgSuccess, server.send(message(hdr{bits: mach.Bits(mvOnce, 0), remote: h.remote, id: 142})))
	_, kr := server.space.Type(h.remote)
	require.Equal(t, mach.KernInvalidName, kr, "the send-once right is used up")
	require.Equal(t, mach.MsgSuccess, client.receive(reply))
	h, _ = client.got()
	require.Equal(t, hdr{bits: mach.Bits(0, mvOnce), size: 32, local: reply, id: 142}, h)
}

// One name as destination and reply port: every pair of dispositions, for
// names that hold receive and send rights (one or two references), a send
// right, or a send-once right. A refused header changes nothing.
func TestHeaderSameName(t *testing.T) {
	all := []mach.TypeName{mvSend, mvOnce, cpSend, mkSend, mkOnce}
	isMake := func(d mach.TypeName) bool { return d == mkSend || d == mkOnce }
	kinds := map[string]struct {
		receive, send, once bool
		refs                int
	}{
		"receive":           {receive: true},
		"receive and send":  {receive: true, send: true, refs: 1},
		"receive, 2 sends":  {receive: true, send: true, refs: 2},
		"send":              {send: true, refs: 1},
		"send 2 references": {send: true, refs: 2},
		"send-once":         {once: true},
	}
	for name, k := range kinds {
		can := func(d mach.TypeName) bool {
			switch {
			case isMake(d):
				return k.receive
			case d == mvOnce:
				return k.once
			}
			return k.send
		}
		for _, d := range all {
			for _, r := range all {
				want := mach.MsgSuccess
				switch {
				case !can(r):
					want = mach.SendInvalidReply
				case d == mvOnce || r == mvOnce || !can(d):
					want = mach.SendInvalidDest
				case d == mvSend && r == mvSend && k.refs < 2:
					want = mach.SendInvalidDest
				}
				w := newWorld(t)
				a, b := w.task(), w.task()
				port := a.receiveRight()
				owner, n := b, port
				if k.receive {
					owner = a
				}
				for range k.refs {
					n = a.give(port, mkSend, owner)
				}
				if k.once {
					n = a.give(port, mkOnce, owner)
				}
				before := w.snapshot()
				mr := owner.send(message(hdr{bits: mach.Bits(d, r), remote: n, local: n}))
				require.Equal(t, want, mr, "%s: %s, %s", name, d, r)
				if mr != mach.MsgSuccess {
					require.Equal(t, before, w.snapshot(), "%s: %s, %s", name, d, r)
					continue
				}
				require.Equal(t, mach.MsgSuccess, a.receive(port))
				h, _ := a.got()
				require.Equal(t, mach.Bits(r.Received(), d.Received()), h.bits)
				require.Equal(t, port, h.local)
				if r.Received() == mvSend {
					require.Equal(t, port, h.remote)
				}
				w.audit()
			}
		}
	}
}

// Every disposition of the header's two rights with names of their own.
func TestHeaderDispositions(t *testing.T) {
	for _, d := range []mach.TypeName{mvSend, mvOnce, cpSend, mkSend, mkOnce} {
		for _, r := range []mach.TypeName{0, mvSend, mvOnce, cpSend, mkSend, mkOnce} {
			w := newWorld(t)
			a, b := w.task(), w.task()
			make1 := func(disposition mach.TypeName) (name, port mach.Name, at *task) {
				switch disposition {
				case mkSend, mkOnce:
					n := b.receiveRight()
					return n, n, b
				case mvOnce:
					n := a.receiveRight()
					return a.give(n, mkOnce, b), n, a
				}
				n := a.receiveRight()
				return a.give(n, mkSend, b), n, a
			}
			dest, port, at := make1(d)
			var reply mach.Name
			if r != 0 {
				reply, _, _ = make1(r)
			}
			require.Equal(t, mach.MsgSuccess, b.send(message(hdr{bits: mach.Bits(d, r), remote: dest, local: reply, id: 5})))
			require.Equal(t, mach.MsgSuccess, at.receive(port))
			h, _ := at.got()
			require.Equal(t, mach.Bits(r.Received(), d.Received()), h.bits, "%s, %s", d, r)
			require.Equal(t, port, h.local)
			require.Equal(t, r != 0, h.remote.Valid())
			_, kr := b.space.Type(dest)
			require.Equal(t, d == mvSend || d == mvOnce, kr == mach.KernInvalidName, "%s: moved away", d)
			w.audit()
		}
	}
}

// What a refused header answers, in Mach's order; nothing has changed then.
func TestHeaderErrors(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	port := b.receiveRight()
	dest := b.give(port, mkSend, a)
	once := b.give(port, mkOnce, a)
	rcv := a.receiveRight()
	set := a.allocate(mach.RightPortSet)
	dead := a.allocate(mach.RightDeadName)
	gone := b.receiveRight()
	deadPort := b.give(gone, mkSend, a)
	b.space.DestroyName(gone)
	bits := mach.Bits
	cases := []struct {
		what          string
		bits          mach.MsgBits
		remote, local mach.Name
		option        mach.MsgOption
		notify        mach.Name
		want          mach.MsgReturn
	}{
		{"no disposition", 0, dest, 0, 0, 0, mach.SendInvalidHeader},
		{"move receive as destination", bits(mvRcv, 0), rcv, 0, 0, 0, mach.SendInvalidHeader},
		{"disposition 22", bits(22, 0), dest, 0, 0, 0, mach.SendInvalidHeader},
		{"reply name without disposition", bits(cpSend, 0), dest, rcv, 0, 0, mach.SendInvalidHeader},
		{"dead reply name without disposition", bits(cpSend, 0), dest, mach.NameDead, 0, 0, mach.SendInvalidHeader},
		{"move receive as reply", bits(cpSend, mvRcv), dest, rcv, 0, 0, mach.SendInvalidHeader},
		{"reply disposition 99", bits(cpSend, 99), dest, rcv, 0, 0, mach.SendInvalidHeader},
		{"bad disposition and bad notify", bits(1, 0), dest, 0, mach.SendCancel, 99, mach.SendInvalidHeader},
		{"cancel with null notify, bad disposition", bits(1, 0), dest, 0, mach.SendCancel, 0, mach.SendInvalidNotify},
		{"cancel with an unknown notify, bad names", bits(cpSend, 0), 99, 0, mach.SendCancel, 98, mach.SendInvalidNotify},
		{"cancel with a send right", bits(cpSend, 0), dest, 0, mach.SendCancel, dest, mach.SendInvalidNotify},
		{"null destination", bits(cpSend, 0), 0, 0, 0, 0, mach.SendInvalidDest},
		{"dead destination name", bits(cpSend, 0), mach.NameDead, 0, 0, 0, mach.SendInvalidDest},
		{"unknown destination", bits(cpSend, mkOnce), 99, rcv, 0, 0, mach.SendInvalidDest},
		{"unknown destination and reply", bits(cpSend, mkOnce), 99, 98, 0, 0, mach.SendInvalidDest},
		{"wrong destination right, unknown reply", bits(mkSend, mkOnce), dest, 98, 0, 0, mach.SendInvalidReply},
		{"dead name", bits(cpSend, 0), dead, 0, 0, 0, mach.SendInvalidDest},
		{"dead name moved", bits(mvSend, 0), dead, 0, 0, 0, mach.SendInvalidDest},
		{"dead port", bits(cpSend, 0), deadPort, 0, 0, 0, mach.SendInvalidDest},
		{"port set", bits(mkSend, 0), set, 0, 0, 0, mach.SendInvalidDest},
		{"copy of a send-once right", bits(cpSend, 0), once, 0, 0, 0, mach.SendInvalidDest},
		{"send-once of a send right", bits(mvOnce, 0), dest, 0, 0, 0, mach.SendInvalidDest},
		{"make send of a send right", bits(mkSend, 0), dest, 0, 0, 0, mach.SendInvalidDest},
		{"copy of a receive right", bits(cpSend, 0), rcv, 0, 0, 0, mach.SendInvalidDest},
		{"unknown reply", bits(cpSend, mkOnce), dest, 98, 0, 0, mach.SendInvalidReply},
		{"reply of a send right made", bits(cpSend, mkOnce), dest, dest, 0, 0, mach.SendInvalidReply},
		{"reply set", bits(cpSend, mkSend), dest, set, 0, 0, mach.SendInvalidReply},
		{"reply copied from a receive right", bits(cpSend, cpSend), dest, rcv, 0, 0, mach.SendInvalidReply},
		{"dead destination with the same reply", bits(cpSend, cpSend), dead, dead, 0, 0, mach.SendInvalidDest},
	}
	for _, c := range cases {
		before := w.snapshot()
		msg := message(hdr{bits: c.bits, remote: c.remote, local: c.local}, ints(7))
		mr := a.trap(msg, mach.SendMsg|mach.SendTimeout|c.option, 0, 0, 0, c.notify)
		require.Equal(t, c.want, mr, c.what)
		after := w.snapshot()
		require.Equal(t, before, after, c.what)
		require.Equal(t, msg, a.bytes(bufAddr, len(msg)), "%s: the buffer is untouched", c.what)
	}
}

// A dead reply right, a null reply name with a disposition, a dead one: all
// are fine, and arrive as what they are.
func TestReplyNullAndDead(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	dead := a.allocate(mach.RightDeadName)
	for _, c := range []struct{ name, want mach.Name }{
		{0, 0}, {mach.NameDead, mach.NameDead}, {dead, mach.NameDead},
	} {
		require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, cpSend), remote: n, local: c.name})))
		require.Equal(t, mach.MsgSuccess, a.receive(n))
		h, _ := a.got()
		require.Equal(t, c.want, h.remote)
		require.Equal(t, mach.Bits(mvSend, mvSend), h.bits)
	}
}

// Sizes and addresses of the message itself.
func TestMessageSizes(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: n}))
	msg := message(hdr{bits: mach.Bits(mkSend, 0), remote: n})
	require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(bufAddr, msg))
	before := w.snapshot()
	for _, c := range []struct {
		addr mach.Addr
		size uint32
		want mach.MsgReturn
	}{
		{bufAddr, 0, mach.SendMsgTooSmall},
		{bufAddr, 24, mach.SendMsgTooSmall},
		{bufAddr, 36, mach.SendMsgTooSmall},
		{0, 31, mach.SendMsgTooSmall},
		{0, 32, mach.SendInvalidData},
		{bufAddr + bufSize - 16, 32, mach.SendInvalidData},
		{^mach.Addr(7), 32, mach.SendInvalidData},
		{bufAddr, bufSize + 8, mach.SendInvalidData},
		{bufAddr, 0xfffffff8, mach.SendNoBuffer},
		{bufAddr, maxMessage, mach.SendInvalidData},
	} {
		require.Equal(t, c.want, w.sys.MsgTrap(a, c.addr, mach.SendMsg, c.size, 0, 0, 0, 0), c)
		require.Equal(t, before, w.snapshot())
	}
	require.Equal(t, mach.MsgSuccess, w.sys.MsgTrap(a, 0, 0, 0, 0, 0, 0, 0), "no option, nothing to do")
}

// A send that fails does not go on to receive.
func TestFailedSendDoesNotReceive(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: n, id: 1})))
	mr := a.trap(message(hdr{bits: mach.Bits(cpSend, 0), remote: 99}), mach.SendMsg|mach.RcvMsg, bufSize, n, 0, 0)
	require.Equal(t, mach.SendInvalidDest, mr)
	require.Equal(t, []mach.MsgID{1}, a.ids(n))
	mr = a.trap(message(hdr{bits: mach.Bits(mkSend, 0), remote: n, id: 2}), mach.SendMsg|mach.RcvMsg, bufSize, n, 0, 0)
	require.Equal(t, mach.MsgSuccess, mr)
	h, _ := a.got()
	require.Equal(t, mach.MsgID(2), h.id)
}

// fill puts messages into a queue until it is full.
func (t *task) fill(n mach.Name) {
	for range mach.QLimitDefault {
		require.Equal(t.w, mach.MsgSuccess, t.send(message(hdr{bits: mach.Bits(cpSend, 0), remote: n, id: 1})))
	}
}

// A message that finds no room comes back: every right moves back into the
// space, memory is mapped again, and the buffer says so with dispositions as
// received. Remote and local are not swapped.
func TestPseudoReceive(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	port := b.receiveRight()
	dest := b.give(port, mkSend, a)
	a.fill(dest)
	reply, moved, made := a.receiveRight(), a.receiveRight(), a.receiveRight()
	other := b.receiveRight()
	once := b.give(other, mkOnce, a)
	addr, data := a.pattern(5000, 24)
	names := a.mem.allocate(8)
	a.mem.WriteBytes(names, words(uint32(made), uint32(mach.NameDead)))
	msg := message(
		hdr{bits: mach.Bits(cpSend, mkOnce) | mach.BitsComplex, remote: dest, local: reply, id: 9},
		ints(5), rights(mvRcv, moved), rights(mvOnce, once, 0), ool(addr, len(data), true),
		oolRights(mkSend, names, 2, true), ool(1, 0, true))
	require.Equal(t, mach.SendTimedOut, a.trap(msg, mach.SendMsg|mach.SendTimeout, 0, 0, 0, 0))
	h, body := a.got()
	require.Equal(t, mach.Bits(mvSend, mvOnce)|mach.BitsComplex, h.bits)
	require.Equal(t, mach.MsgID(9), h.id)
	require.Equal(t, uint32(len(msg)), h.size)
	require.Equal(t, dest, h.remote)
	require.NotEqual(t, reply, h.local, "a send-once right gets a name of its own")
	typ, _ := a.space.Type(h.local)
	require.Equal(t, mach.TypeSendOnce, typ)
	refs, _ := a.space.GetRefs(dest, mach.RightSend)
	require.Equal(t, uint32(2), refs, "the copied send right came back as a reference")

	require.Equal(t, ints(5), body[:16])
	newMoved := mach.Name(le.Uint64(body[24:]))
	typ, _ = a.space.Type(newMoved)
	require.Equal(t, mach.TypeReceive, typ)
	require.Equal(t, rights(mvRcv, newMoved)[:8], body[16:24])
	newOnce := mach.Name(le.Uint64(body[40:]))
	typ, _ = a.space.Type(newOnce)
	require.Equal(t, mach.TypeSendOnce, typ)
	require.Zero(t, le.Uint64(body[48:]))
	back := mach.Addr(le.Uint64(body[64:]))
	require.Equal(t, data, a.bytes(back, len(data)))
	require.Equal(t, ool(back, len(data), true), body[56:72])
	require.NotEqual(t, addr, back)
	array := mach.Addr(le.Uint64(body[80:]))
	require.Equal(t, words(uint32(made), uint32(mach.NameDead)), a.bytes(array, 8))
	require.Equal(t, oolRights(mvSend, array, 2, true), body[72:88])
	typ, _ = a.space.Type(made)
	require.Equal(t, mach.TypeSendReceive, typ)
	require.Equal(t, ool(0, 0, true), body[88:])
}

// What cannot be given back is reported in special bits and destroyed.
func TestPseudoReceiveShortage(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	port := b.receiveRight()
	dest := b.give(port, mkSend, a)
	a.fill(dest)
	reply := a.receiveRight()
	addr, data := a.pattern(100, 0)
	a.mem.copyoutFails = mach.KernResourceShortage
	a.space.SetNameLimit(a.space.Len())
	msg := message(hdr{bits: mach.Bits(cpSend, mkOnce) | mach.BitsComplex, remote: dest, local: reply}, ool(addr, len(data), false))
	mr := a.send(msg)
	require.Equal(t, mach.SendTimedOut|mach.MsgIPCSpace|mach.MsgVMKernel, mr)
	h, body := a.got()
	require.Equal(t, mach.NameNull, h.local)
	require.Equal(t, dest, h.remote)
	require.Equal(t, item(Descriptor{Name: mach.TypeByte, Number: 100, Dealloc: true}, longs(0)), body)
	a.space.SetNameLimit(100)
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
}

// SEND_NOTIFY does not wait; with no room the message is sent all the same, once
// until it is taken. A null notify name, or one of no receive right, is refused,
// with everything given back.
func TestSendNotifyFullQueue(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	a.give(n, mkSend, a)
	send := func(notify mach.Name) mach.MsgReturn {
		return a.trap(message(hdr{bits: mach.Bits(mvSend, 0), remote: n}), mach.SendMsg|mach.SendNotify, 0, 0, 0, notify)
	}
	require.Equal(t, mach.MsgSuccess, send(0), "there was room")
	a.give(n, mkSend, a)
	for range mach.QLimitDefault - 1 {
		a.send(message(hdr{bits: mach.Bits(cpSend, 0), remote: n}))
	}
	notify := a.receiveRight()
	before := w.snapshot()
	require.Equal(t, mach.SendInvalidNotify, send(0))
	require.Equal(t, mach.SendInvalidNotify, send(1000))
	require.Equal(t, before, w.snapshot())
	require.Equal(t, mach.SendWillNotify, send(notify))
	a.give(n, mkSend, a)
	before = w.snapshot()
	require.Equal(t, mach.SendInvalidNotify, send(0), "found before the request in progress")
	require.Equal(t, mach.SendNotifyInProgress, send(1000), "found before the bad name")
	require.Equal(t, mach.SendNotifyInProgress, send(notify))
	require.Equal(t, before, w.snapshot())
	require.Len(t, a.ids(n), mach.QLimitDefault+1)
	require.Equal(t, []mach.MsgID{mach.NotifyMsgAccepted}, a.ids(notify))
}

// Aborted while blocked: SEND_INTERRUPTED and a pseudo-receive. A port that
// dies under a blocked sender: success, and the message is destroyed.
func TestBlockedSend(t *testing.T) {
	for _, dies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.task(), w.task()
			port := b.receiveRight()
			dest := b.give(port, mkSend, a)
			a.fill(dest)
			reply := a.receiveRight()
			done := make(chan mach.MsgReturn)
			go func() {
				done <- a.trap(message(hdr{bits: mach.Bits(cpSend, mkOnce), remote: dest, local: reply}), mach.SendMsg, 0, 0, 0, 0)
			}()
			synctest.Wait()
			if dies {
				b.space.DestroyName(port)
				require.Equal(t, mach.MsgSuccess, <-done)
				require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
				return
			}
			require.True(t, a.waiter.Abort())
			require.Equal(t, mach.SendInterrupted, <-done)
			h, _ := a.got()
			require.Equal(t, mach.Bits(mvSend, mvOnce), h.bits)
			require.Equal(t, dest, h.remote)
		})
	}
}

// A message to a port that died on the way counts as sent; what it carries is
// destroyed.
func TestSendToDyingPort(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n, reply := a.receiveRight(), a.receiveRight()
	require.Equal(t, mach.MsgSuccess, a.send(message(
		hdr{bits: mach.Bits(mkSend, mkOnce) | mach.BitsComplex, remote: n, local: reply}, rights(mvRcv, n))))
	_, kr := a.space.Type(n)
	require.Equal(t, mach.KernInvalidName, kr, "a receive right sent to itself vanishes")
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(reply))
}
