package ipc

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
)

// The kernel serves in the sender's thread; the reply goes to the request's
// reply right, past a full queue.
func TestKernelServer(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	p := w.kernelPort("host")
	to, _ := a.space.Copyout(w.z.MakeSend(p))
	w.serve = func(c Caller, k *Kmsg) *Kmsg {
		require.Same(t, a, c)
		require.Equal(t, "host", k.Dest().KObject())
		require.True(t, k.Parse())
		require.Len(t, k.Items, 2)
		require.Equal(t, words(1, 2), k.Items[0].Data)
		require.Equal(t, uint32(3), le.Uint32(k.Items[1].Data))
		w.waitingKernelAudit()
		reply := k.NewReply()
		reply.AddData(mach.TypeInteger32, 32, 1, words(0))
		b := reply.AddData(mach.TypeByte, 8, 100, nil)
		copy(b, "hello")
		reply.AddRights(mach.TypePortSend, w.z.MakeSend(p))
		reply.AddRegion(mach.TypeByte, 8, 5, w.newRegion([]byte("world"), 0))
		reply.AddRegion(mach.TypeByte, 8, 0, nil)
		reply.AddOOLRights(mach.TypePortSendOnce, []ports.Right{w.z.MakeSendOnce(p), {}, ports.DeadRight()})
		k.Destroy()
		return reply
	}
	n := a.receiveRight()
	a.give(n, mkSend, a)
	a.fill(n)
	mr := a.send(message(hdr{bits: mach.Bits(cpSend, mkOnce), remote: to, local: n, id: 2000}, ints(1, 2), ints(3)))
	require.Equal(t, mach.MsgSuccess, mr)
	for range mach.QLimitDefault {
		a.receive(n)
	}
	require.Equal(t, mach.MsgSuccess, a.receive(n))
	h, body := a.got()
	require.Equal(t, hdr{bits: mach.Bits(0, mvOnce) | mach.BitsComplex, size: h.size, local: n, seqno: 5, id: 2100}, h)
	require.Equal(t, ints(0), body[:16])
	require.Equal(t, "hello", string(body[24:29]))
	require.Equal(t, rights(mvSend, to)[:8], body[128:136])
	require.Equal(t, uint64(to), le.Uint64(body[136:]))
	require.Equal(t, "world", string(a.bytes(mach.Addr(le.Uint64(body[152:])), 5)))
	array := a.bytes(mach.Addr(le.Uint64(body[184:])), 12)
	typ, _ := a.space.Type(mach.Name(le.Uint32(array)))
	require.Equal(t, mach.TypeSendOnce, typ)
	require.Equal(t, words(0, 0xffffffff), array[4:])
}

func (w *world) waitingKernelAudit() {
	w.Helper()
	roots := ports.Roots{Held: func(yield func(ports.Right) bool) {
		for _, r := range w.held {
			yield(r)
		}
	}}
	for _, t := range w.tasks {
		roots.Spaces = append(roots.Spaces, t.space)
	}
	require.NoError(w, w.z.Audit(roots))
}

// A request destroyed by the kernel destroys its rights, and its reply right
// unless a reply took it; the destination right causes no notification. A
// reply without a reply right goes nowhere. A reply whose port is a kernel
// object is served.
func TestKernelServerWithoutReply(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	p := w.kernelPort("object")
	send, _ := a.space.Copyout(w.z.MakeSend(p))
	once, _ := a.space.Copyout(w.z.MakeSendOnce(p))
	n, other := a.receiveRight(), a.receiveRight()
	served := 0
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		served++
		k.Destroy()
		return nil
	}
	require.Equal(t, mach.MsgSuccess, a.send(message(
		hdr{bits: mach.Bits(mvOnce, mkOnce) | mach.BitsComplex, remote: once, local: n}, rights(mkOnce, other))))
	require.Equal(t, 1, served)
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(n))
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, a.ids(other))

	var ids []mach.MsgID
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		ids = append(ids, k.ID)
		defer k.Destroy()
		return k.NewReply()
	}
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, 0), remote: send, id: 1})))
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, cpSend), remote: send, local: send, id: 1000})))
	require.Equal(t, []mach.MsgID{1, 1000, 1100}, ids)
	dead := a.allocate(mach.RightDeadName)
	require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(cpSend, mvSend), remote: send, local: dead})))
}

// A reply through a send right passes a full queue as well; what the kernel
// sees of a message's body has no names and addresses left in it.
func TestKernelReplyPastFullQueue(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	to, _ := a.space.Copyout(w.z.MakeSend(w.kernelPort("k")))
	n := a.receiveRight()
	a.give(n, mkSend, a)
	a.fill(n)
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		require.Equal(t, append(rights(mvSend, 0)[:8], make([]byte, 8)...), k.Body()[:16])
		require.Equal(t, ool(0, 8, false), k.Body()[16:])
		regions := 0
		k.Regions(func(Region) { regions++ })
		require.Equal(t, 1, regions)
		defer k.Destroy()
		return k.NewReply()
	}
	addr, _ := a.pattern(8, 0)
	done := make(chan mach.MsgReturn, 1)
	go func() {
		done <- a.trap(message(hdr{bits: mach.Bits(cpSend, mkSend) | mach.BitsComplex, remote: to, local: n, id: 6},
			rights(cpSend, n), ool(addr, 8, false)), mach.SendMsg, 0, 0, 0, 0)
	}()
	require.Equal(t, mach.MsgSuccess, <-done)
	require.Equal(t, []mach.MsgID{1, 1, 1, 1, 1, 106}, a.ids(n))
}

// A message larger than a chunk is read and written whole.
func TestLargeMessage(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	const size = 3 * readChunk / 2
	a.mem.next = 0x4000000
	at := a.mem.allocate(size)
	msg := message(hdr{bits: mach.Bits(mkSend, 0), remote: n}, make([]byte, size-HeaderSize))
	for i := HeaderSize; i < size; i++ {
		msg[i] = byte(i * 31)
	}
	a.mem.WriteBytes(at, msg)
	require.Equal(t, mach.MsgSuccess, w.sys.MsgTrap(a, at, mach.SendMsg|mach.RcvMsg, size, size, n, 0, 0))
	require.Equal(t, msg[HeaderSize:], a.bytes(at, size)[HeaderSize:])
}

// A simple message's body is items only if it says so byte by byte.
func TestParse(t *testing.T) {
	w := newWorld(t)
	unused := ints(1)
	unused[3] |= 1
	for _, c := range []struct {
		body []byte
		ok   bool
	}{
		{nil, true},
		{ints(1), true},
		{append(ints(1, 2, 3), item(Descriptor{Name: mach.TypeChar, Size: 8, Number: 3, Inline: true}, []byte("abc"))...), true},
		{ints(1, 2)[:8], false},
		{[]byte{1, 2, 3, 4}, false},
		{rights(cpSend, 0), false},
		{ool(0, 0, false), false},
		{unused, false},
	} {
		k := w.sys.NewKmsg(ports.Right{}, 1)
		k.buf = append(k.buf, c.body...)
		k.parsed = false
		require.Equal(t, c.ok, k.Parse(), "%x", c.body)
		require.Equal(t, c.ok, k.Parse())
	}
}

// The kernel's own RPC: answered, or the reply right dies, or the thread is
// aborted while it waits. A full queue does not matter.
func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a := w.task()
		n := a.receiveRight()
		wt := ports.NewWaiter(w.z, nil)
		defer wt.Close()
		type answer struct {
			id mach.MsgID
			mr mach.MsgReturn
		}
		no := func(*ports.Port) bool { return false }
		call := func() <-chan answer {
			c := make(chan answer, 1)
			right, _ := a.space.ExtractRight(n, mkSend)
			k := w.sys.NewKmsg(right, 2400)
			k.AddData(mach.TypeInteger32, 32, 1, words(6))
			go func() {
				got, mr := w.sys.Call(k, wt, no)
				if mr != mach.MsgSuccess {
					c <- answer{0, mr}
					return
				}
				c <- answer{got.ID, mr}
				got.Destroy()
			}()
			synctest.Wait()
			return c
		}
		c := call()
		w.waitingAudit()
		require.Equal(t, mach.MsgSuccess, a.receive(n))
		h, _ := a.got()
		require.Equal(t, mach.MsgID(2400), h.id)
		require.Equal(t, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mvOnce, 0), remote: h.remote, id: 2500})))
		require.Equal(t, answer{2500, 0}, <-c)

		c = call()
		require.Equal(t, mach.MsgSuccess, a.receive(n))
		h, _ = a.got()
		a.space.Deallocate(h.remote)
		require.Equal(t, answer{mach.NotifySendOnce, 0}, <-c)

		c = call()
		wt.Abort()
		require.Equal(t, answer{0, mach.RcvInterrupted}, <-c)
		a.give(n, mkSend, a)
		for len(a.ids(n)) > 0 {
		}
		a.fill(n)
		c = call()
		w.waitingAudit()
		wt.Abort()
		require.Equal(t, answer{0, mach.RcvInterrupted}, <-c)
		a.space.DestroyName(n)
		got, mr := w.sys.Call(w.sys.NewKmsg(ports.DeadRight(), 1), wt, no)
		require.Equal(t, mach.MsgSuccess, mr)
		require.Equal(t, mach.NotifySendOnce, got.ID)
		got.Destroy()
	})
}

// recorder is an observer that writes down what it sees.
type recorder struct{ seen []string }

func (r *recorder) MessageSent(_ Caller, k *Kmsg)   { r.add("sent %d", k.ID) }
func (r *recorder) KernelRequest(_ Caller, k *Kmsg) { r.add("request %d", k.ID) }
func (r *recorder) KernelReply(_ Caller, id mach.MsgID, reply *Kmsg) {
	r.add("reply to %d: %v", id, reply != nil)
}
func (r *recorder) MessageReceived(_ Caller, k *Kmsg) { r.add("received %d", k.ID) }
func (r *recorder) MessageDestroyed(k *Kmsg)          { r.add("destroyed %d", k.ID) }
func (r *recorder) Notification(n ports.Notification) { r.add("notification %d", n.ID) }
func (r *recorder) add(format string, args ...any) {
	r.seen = append(r.seen, fmt.Sprintf(format, args...))
}
func (r *recorder) take() (seen []string) { seen, r.seen = r.seen, nil; return seen }

// Observers see each event once.
func TestObserver(t *testing.T) {
	w := newWorld(t)
	a := w.task()
	to, _ := a.space.Copyout(w.z.MakeSend(w.kernelPort("k")))
	n := a.receiveRight()
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		defer k.Destroy()
		return k.NewReply()
	}
	var r recorder
	stop := w.sys.Observe(&r)
	a.trap(message(hdr{bits: mach.Bits(cpSend, mkOnce), remote: to, local: n, id: 7}), mach.SendMsg|mach.RcvMsg, bufSize, n, 0, 0)
	require.Equal(t, []string{"sent 7", "request 7", "destroyed 7", "reply to 7: true", "sent 107", "received 107"}, r.take())
	once := a.give(n, mkOnce, a)
	a.space.Deallocate(once)
	require.Equal(t, []string{"notification 71"}, r.take())
	a.ids(n)
	require.Equal(t, []string{"received 71"}, r.take())
	stop()
	a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: n}))
	require.Empty(t, r.take())
}

// Notifications as they arrive.
func TestNotificationFormats(t *testing.T) {
	w := newWorld(t)
	a, b := w.task(), w.task()
	to := b.receiveRight()
	port := a.receiveRight()
	request := func(at *task, n mach.Name, id mach.MsgID) {
		r, _ := b.space.ExtractRight(to, mkOnce)
		_, kr := at.space.RequestNotification(n, id, 0, r)
		require.Equal(t, mach.KernSuccess, kr)
	}
	next := func() (hdr, []byte) {
		require.Equal(t, mach.MsgSuccess, b.receive(to))
		h, body := b.got()
		require.Equal(t, mach.Bits(0, mvOnce), h.bits&^mach.BitsComplex)
		require.Equal(t, mach.NameNull, h.remote)
		return h, body
	}
	send := a.give(port, mkSend, b)
	request(a, port, mach.NotifyNoSenders)
	request(b, send, mach.NotifyDeadName)
	b.space.Deallocate(send)
	h, body := next()
	require.Equal(t, mach.NotifyNoSenders, h.id)
	require.Equal(t, ints(1), body)
	h, body = next()
	require.Equal(t, mach.NotifyPortDeleted, h.id)
	require.Equal(t, item(Descriptor{Name: mach.TypePortName, Size: 32, Number: 1, Inline: true}, words(uint32(send))), body)
	request(a, port, mach.NotifyPortDestroyed)
	a.space.DestroyName(port)
	h, body = next()
	require.Equal(t, mach.NotifyPortDestroyed, h.id)
	require.Equal(t, uint32(48), h.size)
	require.True(t, h.bits.Complex())
	got := mach.Name(le.Uint64(body[8:]))
	require.Equal(t, rights(mvRcv, got)[:8], body[:8])
	typ, _ := b.space.Type(got)
	require.Equal(t, mach.TypeReceive, typ)
}

// SEND_CANCEL keeps the port-deleted notification from going to the notify
// port.
func TestSendCancel(t *testing.T) {
	for _, cancel := range []bool{false, true} {
		w := newWorld(t)
		a, b := w.task(), w.task()
		port := a.receiveRight()
		send := a.give(port, mkSend, b)
		to := b.receiveRight()
		r, _ := b.space.ExtractRight(to, mkOnce)
		_, kr := b.space.RequestNotification(send, mach.NotifyDeadName, 0, r)
		require.Equal(t, mach.KernSuccess, kr)
		option, notify := mach.SendMsg, mach.NameNull
		want := []mach.MsgID{mach.NotifyPortDeleted}
		if cancel {
			option, notify, want = option|mach.SendCancel, to, nil
		}
		require.Equal(t, mach.MsgSuccess, b.trap(message(hdr{bits: mach.Bits(mvSend, 0), remote: send}), option, 0, 0, 0, notify))
		require.Equal(t, want, b.ids(to))
	}
}
