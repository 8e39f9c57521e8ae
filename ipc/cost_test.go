package ipc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
)

// Messages are counted from copyin to their end, whichever it is, and what there is
// no memory for is refused with the code of its kind.
func TestMessageMemory(t *testing.T) {
	const rightsCost = rightCost * 16384 // above smallCost
	for _, c := range []struct {
		what string
		end  func(a *task, n mach.Name)
	}{
		{"received", func(a *task, n mach.Name) { require.Equal(a.w, mach.MsgSuccess, a.receive(n)) }},
		{"its header received", func(a *task, n mach.Name) {
			require.Equal(a.w, mach.RcvTooLarge, a.w.sys.MsgTrap(a, bufAddr, mach.RcvMsg, 0, HeaderSize, n, 0, 0))
		}},
		{"destroyed with its port", func(a *task, n mach.Name) {
			require.Equal(a.w, mach.KernSuccess, a.space.DestroyName(n))
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			a := w.task()
			n := a.receiveRight()
			w.sys.LimitMemory(2*rightsCost + 1)
			names, _ := a.pattern(4*16384, 0)
			clearBytes := make([]byte, 4*16384)
			require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(names, clearBytes))
			send := func() mach.MsgReturn {
				return a.send(message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, oolRights(cpSend, names, 16384, false)))
			}
			require.Equal(t, mach.MsgSuccess, send())
			require.Equal(t, mach.MsgSuccess, send())
			require.EqualValues(t, 2*rightsCost, w.sys.MemoryInUse())
			require.Equal(t, mach.SendInvalidMemory, send())
			require.EqualValues(t, 2*rightsCost, w.sys.MemoryInUse(), "a refused message costs nothing")
			require.Equal(t, mach.SendNoBuffer, w.sys.MsgTrap(a, names, mach.SendMsg, 4*16384+8, 0, 0, 0, 0))
			c.end(a, n)
			require.LessOrEqual(t, w.sys.MemoryInUse(), int64(rightsCost))
		})
	}
}

// A message that comes back to its sender, or that cannot be read or copied in, is
// not counted any more.
func TestMessageMemoryOfRefused(t *testing.T) {
	const size = smallCost + 8
	w := newWorld(t)
	a := w.task()
	n := a.receiveRight()
	a.give(n, mkSend, a)
	a.fill(n)
	at, _ := a.pattern(size, 0)
	header := message(hdr{bits: mach.Bits(cpSend, 0), remote: n})
	require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(at, header))
	trap := func(at mach.Addr, option mach.MsgOption) mach.MsgReturn {
		return w.sys.MsgTrap(a, at, mach.SendMsg|mach.SendTimeout|option, size, 0, 0, 0, 0)
	}
	require.Equal(t, mach.SendTimedOut, trap(at, 0))
	require.Equal(t, mach.SendInvalidNotify, trap(at, mach.SendCancel))
	require.Equal(t, mach.SendInvalidData, trap(0x666000, 0))
	header = message(hdr{bits: mach.Bits(cpSend, 0), remote: 999})
	require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(at, header))
	require.Equal(t, mach.SendInvalidDest, trap(at, 0))
	require.Zero(t, w.sys.MemoryInUse())
}

// What the kernel serves, or takes itself, is counted until then.
func TestMessageMemoryInTheKernel(t *testing.T) {
	const size = smallCost + 8
	w := newWorld(t)
	a := w.task()
	var served int64
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		served = w.sys.MemoryInUse()
		k.Destroy()
		return nil
	}
	to := w.kernelPort("object")
	name, kr := a.space.Copyout(w.z.MakeSend(to))
	require.Equal(t, mach.KernSuccess, kr)
	at, _ := a.pattern(size, 0)
	require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(at, message(hdr{bits: mach.Bits(cpSend, 0), remote: name})))
	require.Equal(t, mach.MsgSuccess, w.sys.MsgTrap(a, at, mach.SendMsg, size, 0, 0, 0, 0))
	require.EqualValues(t, size, served)
	require.Zero(t, w.sys.MemoryInUse())

	held := w.z.NewHeldPort()
	w.held = append(w.held, ports.Right{Port: held, Type: mach.TypePortReceive})
	name, kr = a.space.Copyout(w.z.MakeSend(held))
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(at, message(hdr{bits: mach.Bits(cpSend, 0), remote: name})))
	require.Equal(t, mach.MsgSuccess, w.sys.MsgTrap(a, at, mach.SendMsg, size, 0, 0, 0, 0))
	require.EqualValues(t, size, w.sys.MemoryInUse())
	k, mr := w.sys.ReceiveHeld(held, a.waiter, ports.Limit{Timed: true})
	require.Equal(t, mach.MsgSuccess, mr)
	require.Zero(t, w.sys.MemoryInUse())
	k.Destroy()
}

// One queue holds any number of messages sent through send-once rights.
func TestSendOnceMessagesAreCounted(t *testing.T) {
	const size = smallCost
	w := newWorld(t)
	w.sys.LimitMemory(1 << 20)
	a := w.task()
	n := a.receiveRight()
	at, _ := a.pattern(size, 0)
	require.Equal(t, mach.KernSuccess, a.mem.WriteBytes(at, message(hdr{bits: mach.Bits(mkOnce, 0), remote: n})))
	sent := 0
	for range 1000 {
		if w.sys.MsgTrap(a, at, mach.SendMsg|mach.SendTimeout, size, 0, 0, 0, 0) != mach.MsgSuccess {
			break
		}
		sent++
	}
	require.Less(t, sent*size, 2<<20, "%d messages of %d bytes, limit 1 MiB, in use %d", sent, size, w.sys.MemoryInUse())
}

// Many small arrays of rights in one message are as much memory as a large one.
func TestSmallArraysOfRightsAreCounted(t *testing.T) {
	const each, items = 8192, 500
	w := newWorld(t)
	w.sys.LimitMemory(1 << 20)
	a := w.task()
	n := a.receiveRight()
	names := a.mem.allocate(4 * each)
	var body [][]byte
	for range items {
		body = append(body, oolRights(cpSend, names, each, false))
	}
	mr := a.send(message(hdr{bits: mach.Bits(mkSend, 0) | mach.BitsComplex, remote: n}, body...))
	require.Equal(t, mach.SendInvalidMemory, mr, "%d rights in one message, limit 1 MiB, in use %d", items*each, w.sys.MemoryInUse())
}
