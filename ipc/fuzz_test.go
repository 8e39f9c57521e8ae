package ipc

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
)

// script turns bytes into choices; without bytes all choices are zero.
type script struct{ b []byte }

func (s *script) next() byte {
	if len(s.b) == 0 {
		return 0
	}
	v := s.b[0]
	s.b = s.b[1:]
	return v
}

func (s *script) pick(n int) int { return int(s.next()) % n }

// disposition is mostly a legal one.
func (s *script) disposition() mach.TypeName {
	if v := s.next(); v < 240 {
		return mvRcv + mach.TypeName(v%6)
	} else {
		return mach.TypeName(v - 240)
	}
}

// name is mostly a small one, which are in use.
func (s *script) name() mach.Name {
	switch v := s.next(); {
	case v < 200:
		return mach.Name(v % 24)
	case v < 210:
		return mach.NameDead
	default:
		return mach.Name(v)
	}
}

// item is one item of a body, sound or not.
func (s *script) item(t *task) []byte {
	switch s.pick(9) {
	case 0:
		return ints(1, 2, 3)
	case 1, 2:
		names := make([]mach.Name, s.pick(4))
		for i := range names {
			names[i] = s.name()
		}
		return rights(s.disposition(), names...)
	case 3:
		return ool(mach.Addr(s.pick(3))*bufAddr/2+mach.Addr(s.next()), int(s.next())*40, s.pick(64) == 0)
	case 4, 5:
		n := s.pick(5)
		at := t.mem.allocate(uint64(4*n + 1))
		for i := range n {
			t.mem.WriteBytes(at+mach.Addr(4*i), words(uint32(s.name())))
		}
		return oolRights(s.disposition(), at, n, s.pick(2) == 0)
	case 6:
		return item(Descriptor{Name: mach.TypeName(s.next()), Size: uint16(s.next()), Number: uint32(s.next()), Inline: s.pick(2) == 0}, make([]byte, 8*s.pick(4)))
	case 7:
		b := ints(uint32(s.next()))
		b[s.pick(8)] ^= s.next()
		return b
	}
	return make([]byte, 8)
}

// message is a whole message, sometimes damaged.
func (s *script) message(t *task) []byte {
	h := hdr{remote: s.name(), local: s.name(), id: mach.MsgID(s.next())}
	remote, local := s.disposition(), s.disposition()
	if s.pick(4) == 0 {
		local, h.local = 0, 0
	}
	h.bits = mach.Bits(remote, local) | mach.MsgBits(s.next()&0xe0)<<24
	var items [][]byte
	for range s.pick(5) {
		items = append(items, s.item(t))
	}
	msg := message(h, items...)
	if s.pick(8) == 0 {
		msg[s.pick(len(msg))] ^= s.next()
	}
	return msg
}

// step has one task do one thing.
func (s *script) step(w *world, t *task) {
	switch s.pick(12) {
	case 0:
		t.space.Allocate(mach.Right(s.pick(6)))
	case 1:
		t.space.ModRefs(s.name(), mach.Right(s.pick(6)), int32(int8(s.next())))
	case 2:
		t.space.DestroyName(s.name())
	case 3:
		t.space.MoveMember(s.name(), s.name())
	case 4:
		t.space.Rename(s.name(), s.name())
	case 5:
		t.space.SetQLimit(s.name(), uint32(s.pick(17)))
	case 6:
		if r, kr := t.space.ExtractRight(s.name(), mkOnce); kr == mach.KernSuccess {
			id := []mach.MsgID{mach.NotifyDeadName, mach.NotifyNoSenders, mach.NotifyPortDestroyed}[s.pick(3)]
			prev, kr := t.space.RequestNotification(s.name(), id, uint32(s.pick(2)), r)
			w.z.Release(prev)
			if kr != mach.KernSuccess {
				w.z.Release(r)
			}
		}
	case 7, 8:
		option := mach.RcvMsg | mach.RcvTimeout | mach.MsgOption(s.next())<<8
		w.sys.MsgTrap(t, bufAddr, option, 0, uint32(s.next())*2, s.name(), 0, s.name())
	default:
		msg := s.message(t)
		option := mach.SendMsg | mach.SendTimeout | mach.MsgOption(s.next()&0xe2)
		t.mem.WriteBytes(bufAddr, msg)
		w.sys.MsgTrap(t, bufAddr, option|mach.RcvTimeout, uint32(len(msg)), bufSize, s.name(), 0, s.name())
	}
}

// hostileWorld is three tasks that have rights to each other's ports and to a
// kernel port.
func hostileWorld(t testing.TB) *world {
	w := newWorld(t)
	p := w.kernelPort("k")
	w.serve = func(_ Caller, k *Kmsg) *Kmsg {
		defer k.Destroy()
		k.Parse()
		if k.ID%3 == 0 {
			return nil
		}
		reply := k.NewReply()
		for i := range k.Items {
			if it := &k.Items[i]; it.IsPort() && len(it.Rights) > 0 {
				reply.AddRights(it.Name, it.TakeRight(0))
			} else if it.Region != nil {
				reply.AddRegion(it.Name, it.SizeBits, it.Number, it.TakeRegion())
			}
		}
		return reply
	}
	for range 3 {
		w.task()
	}
	for _, a := range w.tasks {
		a.space.Copyout(w.z.MakeSend(p))
		for range 3 {
			n := a.receiveRight()
			for _, b := range w.tasks {
				a.give(n, mkSend, b)
				a.give(n, mkOnce, b)
			}
		}
	}
	return w
}

func runScript(t testing.TB, data []byte) {
	w := hostileWorld(t)
	s := &script{data}
	for len(s.b) > 0 {
		s.step(w, w.tasks[s.pick(len(w.tasks))])
	}
}

// FuzzMsgTrap runs scripts of hostile tasks: no panic, and the audit holds.
func FuzzMsgTrap(f *testing.F) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		b := make([]byte, 400+rnd.IntN(2000))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) { runScript(t, data) })
}

// FuzzRawMessage sends arbitrary bytes, so that no layout is presumed.
func FuzzRawMessage(f *testing.F) {
	f.Add(message(hdr{bits: mach.Bits(cpSend, mkOnce) | mach.BitsComplex, remote: 1, local: 2}, ints(1), rights(mkSend, 2), ool(bufAddr, 100, false)))
	f.Add(make([]byte, 32))
	f.Add(message(hdr{bits: mach.Bits(cpSend, 0) | mach.BitsComplex, remote: 1}, rights(mkSend, 2), ints(1))[:60])
	f.Fuzz(func(t *testing.T, msg []byte) {
		w := hostileWorld(t)
		a := w.tasks[0]
		if len(msg) > bufSize {
			return
		}
		before := w.snapshot()
		a.mem.WriteBytes(bufAddr, msg)
		option := mach.SendMsg | mach.SendTimeout
		if len(msg)%Alignment != 0 { // only so may it end in half a word; there is nothing to receive from
			option = mach.SendMsg | mach.RcvMsg
		}
		mr := w.sys.MsgTrap(a, bufAddr, option, uint32(len(msg)), 0, 0, 0, 0)
		switch mr {
		case mach.SendInvalidHeader, mach.SendInvalidDest, mach.SendInvalidReply, mach.SendInvalidData, mach.SendNoBuffer:
			require.Equal(t, before, w.snapshot(), "a refused header changes nothing")
		}
	})
}

// Hostile tasks at the same time, with threads that block, are aborted and
// whose tasks die; in the end nothing is missing.
func TestHostileTasksAtOnce(t *testing.T) {
	w := hostileWorld(t)
	var wg sync.WaitGroup
	for i := range 6 {
		th := w.tasks[i%3].thread()
		wg.Go(func() {
			defer th.waiter.Close()
			rnd := rand.New(rand.NewPCG(uint64(i), 9))
			for range 60 {
				b := make([]byte, 500)
				for j := range b {
					b[j] = byte(rnd.Uint32())
				}
				for s := (&script{b}); len(s.b) > 0; {
					s.step(w, th)
					switch rnd.IntN(60) {
					case 0: // block for a moment, somewhere
						w.sys.MsgTrap(th, bufAddr, mach.RcvMsg|mach.RcvTimeout, 0, 512, s.name(), 1, 0)
					case 1:
						msg := message(hdr{bits: mach.Bits(cpSend, 0), remote: s.name()})
						th.mem.WriteBytes(bufAddr, msg)
						w.sys.MsgTrap(th, bufAddr, mach.SendMsg|mach.SendTimeout, 32, 0, 0, 1, 0)
					case 2:
						w.tasks[rnd.IntN(3)].waiter.Abort()
					}
				}
			}
			if i == 5 {
				th.space.Destroy()
			}
		})
	}
	wg.Wait()
}

// BenchmarkRPC is a request and reply between two tasks, beside two channels
// and the kernel's answer to one.
func BenchmarkRPC(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for v := range ping {
				pong <- v
			}
		}()
		for b.Loop() {
			ping <- 1
			<-pong
		}
		close(ping)
	})
	for _, size := range []int{0, 64, 1024} {
		b.Run(fmt.Sprintf("tasks/%dB", size), func(b *testing.B) { benchTasks(b, size) })
	}
	b.Run("kernel", func(b *testing.B) {
		w := newWorld(b)
		w.serve = func(_ Caller, k *Kmsg) *Kmsg {
			k.Parse()
			reply := k.NewReply()
			reply.AddData(mach.TypeInteger32, 32, 1, nil)
			k.Destroy()
			return reply
		}
		a := w.task()
		to, _ := a.space.Copyout(w.z.MakeSend(w.kernelPort("k")))
		n := a.receiveRight()
		msg := message(hdr{bits: mach.Bits(cpSend, mkOnce), remote: to, local: n, id: 1}, ints(1))
		for b.Loop() {
			a.mem.WriteBytes(bufAddr, msg)
			w.sys.MsgTrap(a, bufAddr, mach.SendMsg|mach.RcvMsg, uint32(len(msg)), bufSize, n, 0, 0)
		}
	})
}

func benchTasks(b *testing.B, size int) {
	w := newWorld(b)
	client, server := w.task(), w.task()
	n := server.receiveRight()
	to := server.give(n, mkSend, client)
	reply := client.receiveRight()
	msg := message(hdr{bits: mach.Bits(cpSend, mkOnce), remote: to, local: reply, id: 1}, make([]byte, size))
	done := make(chan bool)
	go func() {
		defer close(done)
		out := message(hdr{}, make([]byte, size))
		mr := w.sys.MsgTrap(server, bufAddr, mach.RcvMsg, 0, bufSize, n, 0, 0)
		for mr == mach.MsgSuccess {
			var in [HeaderSize]byte
			server.mem.ReadBytes(bufAddr, in[:])
			le.PutUint32(out, uint32(mach.Bits(mvOnce, 0)))
			le.PutUint64(out[offRemote:], le.Uint64(in[offRemote:]))
			server.mem.WriteBytes(bufAddr, out)
			mr = w.sys.MsgTrap(server, bufAddr, mach.SendMsg|mach.RcvMsg, uint32(len(out)), bufSize, n, 0, 0)
		}
	}()
	for b.Loop() {
		client.mem.WriteBytes(bufAddr, msg)
		w.sys.MsgTrap(client, bufAddr, mach.SendMsg|mach.RcvMsg, uint32(len(msg)), bufSize, reply, 0, 0)
	}
	server.waiter.Terminate()
	<-done
}

var _ ports.Message = (*Kmsg)(nil)
