package ipc

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
)

// rpc is a call of the kernel by a task that receives in the same trap: what the
// world is before it, and what it asks for.
type rpc struct {
	what string
	// before prepares; it may change the request's header and where the answer is
	// received.
	before func(a *task, h *hdr, from *mach.Name)
	// during happens while the kernel serves the request, which a test's server
	// answers with a word and a send right.
	during func(a *task, reply mach.Name)
	option mach.MsgOption
	size   uint32
	notify mach.Name // 1: the reply port
	want   mach.MsgReturn
}

var rpcs = []rpc{
	{what: "plain"},
	{what: "in time", option: mach.RcvTimeout},
	{what: "to a send right", before: func(_ *task, h *hdr, _ *mach.Name) { h.bits = mach.Bits(cpSend, mkSend) }},
	{what: "another message first", before: func(a *task, h *hdr, _ *mach.Name) {
		require.Equal(a.w, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: h.local, id: 3})))
	}},
	{what: "reply port full", before: func(a *task, h *hdr, _ *mach.Name) {
		a.give(h.local, mkSend, a)
		a.fill(h.local)
	}},
	{what: "queue of no length", before: func(a *task, h *hdr, _ *mach.Name) {
		require.Equal(a.w, mach.KernSuccess, a.space.SetQLimit(h.local, 0))
	}},
	{what: "from a set", before: func(a *task, h *hdr, from *mach.Name) {
		*from = a.allocate(mach.RightPortSet)
		require.Equal(a.w, mach.KernSuccess, a.space.MoveMember(h.local, *from))
	}},
	{what: "from a set with another's message", before: func(a *task, h *hdr, from *mach.Name) {
		*from = a.allocate(mach.RightPortSet)
		other := a.receiveRight()
		require.Equal(a.w, mach.KernSuccess, a.space.MoveMember(h.local, *from))
		require.Equal(a.w, mach.KernSuccess, a.space.MoveMember(other, *from))
		require.Equal(a.w, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: other, id: 3})))
	}},
	{what: "of a member, directly", before: func(a *task, h *hdr, _ *mach.Name) {
		require.Equal(a.w, mach.KernSuccess, a.space.MoveMember(h.local, a.allocate(mach.RightPortSet)))
	}, want: mach.RcvInSet},
	{what: "from another port", before: func(a *task, _ *hdr, from *mach.Name) { *from = a.receiveRight() }, option: mach.RcvTimeout, want: mach.RcvTimedOut},
	{what: "from another port with a message", before: func(a *task, _ *hdr, from *mach.Name) {
		*from = a.receiveRight()
		require.Equal(a.w, mach.MsgSuccess, a.send(message(hdr{bits: mach.Bits(mkSend, 0), remote: *from, id: 3})))
	}},
	{what: "from no name", before: func(_ *task, _ *hdr, from *mach.Name) { *from = 999 }, want: mach.RcvInvalidName},
	{what: "no reply port", before: func(a *task, h *hdr, _ *mach.Name) {
		*h = hdr{bits: mach.Bits(cpSend, 0), remote: h.remote}
	}, option: mach.RcvTimeout, want: mach.RcvTimedOut},
	{what: "dead reply port", before: func(a *task, h *hdr, _ *mach.Name) {
		h.bits, h.local = mach.Bits(cpSend, cpSend), a.allocate(mach.RightDeadName)
	}, option: mach.RcvTimeout, want: mach.RcvTimedOut},
	{what: "the kernel itself as reply port", before: func(_ *task, h *hdr, _ *mach.Name) {
		h.bits, h.local = mach.Bits(cpSend, cpSend), h.remote
	}, option: mach.RcvTimeout, want: mach.RcvTimedOut},
	{what: "too large", size: HeaderSize, want: mach.RcvTooLarge},
	{what: "too large, and stays", size: HeaderSize, option: mach.RcvLarge, want: mach.RcvTooLarge},
	{what: "with a notify port", option: mach.RcvNotify, notify: 1},
	{what: "with a bad notify port", option: mach.RcvNotify, notify: 999, want: mach.RcvInvalidNotify},
	{what: "with no notify port", option: mach.RcvNotify, want: mach.RcvInvalidNotify},
	{what: "no room for a name", before: func(a *task, _ *hdr, _ *mach.Name) { a.space.SetNameLimit(a.space.Len()) }, want: mach.RcvBodyError | mach.MsgIPCSpace},
	{what: "reply port destroyed meanwhile", during: func(a *task, reply mach.Name) {
		require.Equal(a.w, mach.KernSuccess, a.space.DestroyName(reply))
	}, want: mach.RcvInvalidName},
	{what: "reply port moved into a set meanwhile", during: func(a *task, reply mach.Name) {
		require.Equal(a.w, mach.KernSuccess, a.space.MoveMember(reply, a.allocate(mach.RightPortSet)))
	}, want: mach.RcvInSet},
	{what: "a message comes meanwhile", during: func(a *task, reply mach.Name) {
		k := a.w.sys.NewKmsg(a.w.right(a, reply, mkSend), 3)
		a.w.sys.Send(k)
	}},
	{what: "payload set meanwhile", during: func(a *task, reply mach.Name) {
		require.Equal(a.w, mach.KernSuccess, a.space.SetProtectedPayload(reply, 1<<40))
	}},
	{what: "the task dies meanwhile", during: func(a *task, _ mach.Name) { a.space.Destroy() }, want: mach.RcvInvalidName},
	{what: "the thread is to come out meanwhile", during: func(a *task, _ mach.Name) { a.waiter.Interrupt() }},
}

func (w *world) right(a *task, n mach.Name, disposition mach.TypeName) ports.Right {
	w.Helper()
	r, kr := a.space.ExtractRight(n, disposition)
	require.Equal(w, mach.KernSuccess, kr)
	return r
}

// run performs the call and writes down all that somebody could tell of it.
func (c *rpc) run(t *testing.T, long bool) string {
	w := newWorld(t)
	w.sys.longWay = long
	a, b := w.task(), w.task()
	port := w.kernelPort("object")
	to, kr := a.space.Copyout(w.z.MakeSend(port))
	require.Equal(t, mach.KernSuccess, kr)
	reply := a.receiveRight()
	carried := b.receiveRight()
	h, from := hdr{bits: mach.Bits(cpSend, mkOnce), remote: to, local: reply, id: 7}, reply
	if c.before != nil {
		c.before(a, &h, &from)
	}
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		defer k.Destroy()
		if k.ID != 7 {
			return nil
		}
		if c.during != nil {
			c.during(a, reply)
		}
		r := k.NewReply()
		r.AddData(mach.TypeInteger32, 32, 1, []byte{1, 2, 3, 4})
		if a.space.Active() {
			r.AddRights(mach.TypePortSend, w.right(b, carried, mkSend))
		}
		return r
	}
	size := c.size
	if size == 0 {
		size = bufSize
	}
	notify := c.notify
	if notify == 1 {
		notify = reply
	}
	var r recorder
	stop := w.sys.Observe(&r)
	defer stop()
	mr := a.trap(message(h), mach.SendMsg|mach.RcvMsg|c.option, size, from, 0, notify)
	a.waiter.Resume()
	require.Equal(t, c.want, mr)
	return fmt.Sprintf("%v\n%x\n%v\n%s", mr, a.bytes(bufAddr, 160), r.take(), w.snapshot())
}

// The kernel's reply reaches the caller through the queue or past it: the answer,
// the buffer, what observers see and all that the space holds are the same.
func TestFastWayIsTheLongWay(t *testing.T) {
	for _, c := range rpcs {
		t.Run(c.what, func(t *testing.T) {
			require.Equal(t, c.run(t, true), c.run(t, false))
		})
	}
}
