package kernel

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/mig/gnumach"
)

// Messages as clients see them, through traps. Every figure has its floor, what
// Go itself takes for the like, measured in the same run: the metric "x-floor".

// perOp is the time of one of the operations that f does n of, in nanoseconds.
func perOp(f func(n int)) float64 {
	f(1)
	for n := 64; ; n *= 4 {
		start := time.Now()
		f(n)
		if took := time.Since(start); took > 20*time.Millisecond {
			return float64(took.Nanoseconds()) / float64(n)
		}
	}
}

// against reports how a benchmark that has just run compares with its floor.
func against(b *testing.B, floor float64) {
	b.Helper()
	if floor == 0 {
		return // it was not asked for
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/floor, "x-floor")
}

// copyRoundTrip is the floor of an RPC: two goroutines pass size bytes there and
// back, each copied out of the sender's memory and into the receiver's.
func copyRoundTrip(size int) float64 {
	ping, pong := make(chan []byte), make(chan []byte)
	mine, theirs := make([]byte, size), make([]byte, size)
	go func() {
		for m := range ping {
			copy(theirs, m)
			pong <- append([]byte(nil), theirs...)
		}
	}()
	defer close(ping)
	return perOp(func(n int) {
		for range n {
			ping <- append([]byte(nil), mine...)
			copy(mine, <-pong)
		}
	})
}

// answer serves a port as echo does, gives memory out of line back and keeps no
// rights, until the thread must end.
func answer(g *GoThread, port mach.Name) {
	self := uint64(g.TaskSelf())
	buf := make([]byte, 2048)
	mr := g.Msg(buf, mach.RcvMsg, 0, len(buf), port, 0, 0)
	for mr == mach.MsgSuccess {
		h, _ := ipc.ParseHeader(buf)
		if h.Bits.Complex() {
			d := ipc.ParseDescriptor(buf[ipc.HeaderSize:])
			if d.Name.IsPort() {
				g.Trap(-73, self, uint64(le.Uint32(buf[ipc.HeaderSize+8:])))
			} else {
				g.Trap(-66, self, le.Uint64(buf[ipc.HeaderSize+8:]), uint64(d.Number))
			}
		}
		reply := ipc.Header{Bits: mach.Bits(h.Bits.Remote(), 0), Remote: h.Remote, ID: h.ID + mach.ReplyIDOffset}
		reply.Put(buf)
		mr = g.Msg(buf, mach.SendMsg|mach.RcvMsg, int(h.Size), len(buf), port, 0, 0)
	}
}

func BenchmarkIPC(b *testing.B) {
	rpc := func(name string, size int, item func(g *GoThread, body []byte) (complex bool)) {
		b.Run(name, func(b *testing.B) {
			floor := copyRoundTrip(ipc.HeaderSize + size)
			k := start(b, Config{})
			server, client := newTask(b, k), newTask(b, k)
			to := connect(b, k, server, client, answer)
			require.NoError(b, client.Run(func(g *GoThread) {
				h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, mach.TypeMakeSendOnce), Remote: to, Local: g.ReplyPort(), ID: 100}
				request := make([]byte, ipc.HeaderSize+size)
				if item != nil && item(g, request[ipc.HeaderSize:]) {
					h.Bits |= mach.BitsComplex
				}
				h.Put(request)
				buf := make([]byte, 2048)
				b.ReportAllocs()
				for b.Loop() {
					copy(buf, request)
					if mr := g.Msg(buf, mach.SendMsg|mach.RcvMsg, len(request), len(buf), h.Local, 0, 0); mr != mach.MsgSuccess {
						b.Fatal(mr)
					}
				}
				against(b, floor)
			}))
		})
	}
	for _, size := range []int{0, 64, 1024} {
		rpc(fmt.Sprintf("inline-%dB", size), size, nil)
	}
	rpc("1-port", 16, func(g *GoThread, body []byte) bool {
		d := ipc.Descriptor{Name: mach.TypeMakeSend, Size: 64, Number: 1, Inline: true}
		d.Put(body)
		le.PutUint64(body[8:], uint64(g.ReplyPort()))
		return true
	})
	for _, pages := range []uint64{1, 64 << 20 / mach.PageSize} {
		rpc(fmt.Sprintf("out-of-line-%dKiB", pages*mach.PageSize>>10), 16, func(g *GoThread, body []byte) bool {
			size := pages * mach.PageSize
			a := allocate(b, g, g.TaskSelf(), size)
			for off := uint64(0); off < size; off += mach.PageSize {
				require.Equal(b, mach.KernSuccess, g.Write(a+mach.Addr(off), []byte{1}))
			}
			d := ipc.Descriptor{Name: mach.TypeByte, Size: 8, Number: uint32(size)}
			d.Put(body)
			le.PutUint64(body[8:], uint64(a))
			return true
		})
	}
}

// Messages that wait in a queue; an operation is one of them. The floor is a
// buffered channel.
func BenchmarkQueue(b *testing.B) {
	for _, depth := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			c := make(chan []byte, depth)
			mine := make([]byte, 64)
			floor := perOp(func(n int) {
				for range (n + depth - 1) / depth {
					for range depth {
						c <- append([]byte(nil), mine...)
					}
					for range depth {
						copy(mine, <-c)
					}
				}
			})
			k := start(b, Config{})
			inTask(b, k, func(g *GoThread) {
				n := port(b, g)
				require.Equal(b, mach.KernSuccess, gnumach.MachPortSetQlimit(g, g.TaskSelf(), n, mach.QLimitMax))
				h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, 0), Remote: n, ID: 100}
				buf := make([]byte, 64)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%depth != 0 {
						continue
					}
					for range depth {
						h.Put(buf)
						if mr := g.Msg(buf, mach.SendMsg, len(buf), 0, 0, 0, 0); mr != mach.MsgSuccess {
							b.Fatal(mr)
						}
					}
					for range depth {
						if mr := g.Msg(buf, mach.RcvMsg, 0, len(buf), n, 0, 0); mr != mach.MsgSuccess {
							b.Fatal(mr)
						}
					}
				}
				against(b, floor)
			})
		})
	}
}

// A name is looked up, and a port made and destroyed, in a space with few and
// with many names. The floor is the same in a space of ten.
func BenchmarkNameSpace(b *testing.B) {
	lookup := func(g *GoThread, size int) func() {
		r := &g.th.k.Table().ByName("mach_port_get_refs").Routine
		self, i := g.TaskSelf(), 0
		return func() {
			i += 7919
			out, kr := mig.Invoke(g, self, r, word(uint64(i%size+8)), word(uint64(mach.RightDeadName)))
			if kr != mach.KernSuccess || out[0].Word != 1 {
				b.Fatal(kr)
			}
		}
	}
	churn := func(g *GoThread, _ int) func() {
		self := g.TaskSelf()
		return func() {
			n, kr := gnumach.MachPortAllocate(g, self, mach.RightReceive)
			if kr == mach.KernSuccess {
				kr = gnumach.MachPortDestroy(g, self, n)
			}
			if kr != mach.KernSuccess {
				b.Fatal(kr)
			}
		}
	}
	send := func(g *GoThread, size int) func() {
		i, buf := 0, make([]byte, ipc.HeaderSize)
		return func() {
			i += 7919
			h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, 0), Remote: mach.Name(i%size + 8)}
			h.Put(buf)
			if mr := g.Msg(buf, mach.SendMsg, len(buf), 0, 0, 0, 0); mr != mach.SendInvalidDest {
				b.Fatal(mr)
			}
		}
	}
	for _, what := range []struct {
		name string
		of   func(g *GoThread, size int) func()
	}{{"lookup", lookup}, {"send-to-dead-name", send}, {"allocate-destroy", churn}} {
		floor := 0.0
		for _, size := range []int{10, 10_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", what.name, size), func(b *testing.B) {
				inTask(b, start(b, Config{}), func(g *GoThread) {
					g.TaskSelf()
					g.MigReplyPort()
					for range size + 16 {
						_, kr := g.th.task.space.Allocate(mach.RightDeadName)
						require.Equal(b, mach.KernSuccess, kr)
					}
					f := what.of(g, size)
					runtime.GC()
					b.ReportAllocs()
					for b.Loop() {
						f()
					}
					if size == 10 {
						floor = float64(b.Elapsed().Nanoseconds()) / float64(b.N)
					}
					against(b, floor)
				})
			})
		}
	}
}

// A token goes round a ring of 1000 tasks; an operation is one hop. The floor is
// a ring of goroutines with channels.
func BenchmarkRing(b *testing.B) {
	const size = 1000
	ring := make([]chan []byte, size)
	for i := range ring {
		ring[i] = make(chan []byte)
	}
	for i := 1; i < size; i++ {
		go func() {
			mine := make([]byte, 64)
			for m := range ring[i] {
				copy(mine, m)
				ring[(i+1)%size] <- append([]byte(nil), mine...)
			}
			close(ring[(i+1)%size])
		}()
	}
	floor := perOp(func(n int) {
		for range (n + size - 1) / size {
			ring[1] <- make([]byte, 64)
			<-ring[0]
		}
	})
	close(ring[1])
	<-ring[0]

	k := start(b, Config{})
	tasks := make([]*Task, size)
	names, next := make([]mach.Name, size), make([]mach.Name, size)
	for i := range tasks {
		tasks[i] = newTask(b, k)
		name, kr := tasks[i].space.Allocate(mach.RightReceive)
		require.Equal(b, mach.KernSuccess, kr)
		names[i] = name
	}
	for i := range tasks {
		name, err := tasks[(i+1)%size].Share(names[(i+1)%size], tasks[i])
		require.NoError(b, err)
		next[i] = name
	}
	pass := func(g *GoThread, i int, buf []byte, option mach.MsgOption) bool {
		h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, 0), Remote: next[i], ID: 100}
		h.Put(buf)
		return g.Msg(buf, mach.SendMsg|option, len(buf), len(buf), names[i], 0, 0) == mach.MsgSuccess
	}
	for i := 1; i < size; i++ {
		_, err := tasks[i].Go(func(g *GoThread) {
			buf := make([]byte, 64)
			ok := g.Msg(buf, mach.RcvMsg, 0, len(buf), names[i], 0, 0) == mach.MsgSuccess
			for ok {
				ok = pass(g, i, buf, mach.RcvMsg)
			}
		})
		require.NoError(b, err)
	}
	require.NoError(b, tasks[0].Run(func(g *GoThread) {
		buf := make([]byte, 64)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if i%size == 0 && !pass(g, 0, buf, mach.RcvMsg) {
				b.Fatal("the token is lost")
			}
		}
		against(b, floor)
	}))
}
