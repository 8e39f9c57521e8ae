package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
)

// Each figure stands beside its floor, measured in the same run: an RPC beside
// the round trip of an unbuffered channel.

func BenchmarkFloorChannelRoundTrip(b *testing.B) {
	ping, pong := make(chan int), make(chan int)
	go func() {
		for v := range ping {
			pong <- v
		}
		close(pong)
	}()
	b.ReportAllocs()
	for b.Loop() {
		ping <- 1
		<-pong
	}
	close(ping)
	<-pong
}

// The reply is passed to the caller, or, the long way, queued and taken.
func BenchmarkKernelRPC(b *testing.B)        { kernelRPC(b, false) }
func BenchmarkKernelRPCLongWay(b *testing.B) { kernelRPC(b, true) }

func kernelRPC(b *testing.B, long bool) {
	k := start(b, Config{LongWay: long})
	inTask(b, k, func(g *GoThread) {
		self := g.TaskSelf()
		r := &k.Table().ByName("mach_port_get_refs").Routine
		b.ReportAllocs()
		for b.Loop() {
			_, kr := mig.Invoke(g, self, r, word(uint64(self)), word(uint64(mach.RightSend)))
			require.Equal(b, mach.KernSuccess, kr)
		}
	})
}

// echo answers each message on port with itself until the thread must end.
func echo(g *GoThread, port mach.Name) {
	buf := make([]byte, 128)
	mr := g.Msg(buf, mach.RcvMsg, 0, len(buf), port, 0, 0)
	for mr == mach.MsgSuccess {
		h, _ := ipc.ParseHeader(buf)
		reply := ipc.Header{Bits: mach.Bits(h.Bits.Remote(), 0), Remote: h.Remote, ID: h.ID + mach.ReplyIDOffset, Size: h.Size}
		reply.Put(buf)
		mr = g.Msg(buf, mach.SendMsg|mach.RcvMsg, int(h.Size), len(buf), port, 0, 0)
	}
}

func BenchmarkRPCBetweenTwoTasks(b *testing.B) {
	k := start(b, Config{})
	server, client := newTask(b, k), newTask(b, k)
	name := connect(b, k, server, client, echo)
	require.NoError(b, client.Run(func(g *GoThread) {
		buf, reply := make([]byte, 128), g.ReplyPort()
		b.ReportAllocs()
		for b.Loop() {
			h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, mach.TypeMakeSendOnce), Remote: name, Local: reply, ID: 100}
			h.Put(buf)
			require.Equal(b, mach.MsgSuccess, g.Msg(buf, mach.SendMsg|mach.RcvMsg, 64, len(buf), reply, 0, 0))
		}
	}))
}

func BenchmarkVMRead(b *testing.B) {
	for _, size := range []uint64{4 << 10, 1 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			k := start(b, Config{})
			inTask(b, k, func(g *GoThread) {
				self := g.TaskSelf()
				a := allocate(b, g, self, size)
				for off := uint64(0); off < size; off += mach.PageSize {
					require.Equal(b, mach.KernSuccess, g.Write(a+mach.Addr(off), []byte{1}))
				}
				read, deallocate := &k.Table().ByName("vm_read").Routine, &k.Table().ByName("vm_deallocate").Routine
				b.ReportAllocs()
				for b.Loop() {
					out, kr := mig.Invoke(g, self, read, addr(a), word(size))
					require.Equal(b, mach.KernSuccess, kr)
					_, kr = mig.Invoke(g, self, deallocate, word(out[0].Word), word(size))
					require.Equal(b, mach.KernSuccess, kr)
				}
			})
		})
	}
}

// BenchmarkIdleTask shows what a task costs that touches no memory: B/op.
func BenchmarkIdleTask(b *testing.B) {
	k := start(b, Config{})
	b.ReportAllocs()
	for b.Loop() {
		task, err := k.NewTask("idle")
		require.NoError(b, err)
		task.Terminate()
		<-task.Done()
	}
}

// The same through a stub process: a client of machine code that traps, calls
// and touches memory. Its floor is a futex round trip between two processes,
// which package platform's benchmarks measure.
func BenchmarkClient(b *testing.B) {
	for _, what := range []string{"trap", "rpc", "touch"} {
		b.Run(what, func(b *testing.B) {
			var out safeBuffer
			k := start(b, Config{Console: &out})
			b.ResetTimer()
			task := boot(b, k, "loop", what, fmt.Sprint(b.N))
			awaitEnd(b, k, task)
			b.StopTimer()
			require.Equal(b, "loop: done\n", out.String())
		})
	}
}

func BenchmarkTaskWithAProcess(b *testing.B) {
	k := start(b, Config{})
	for b.Loop() {
		awaitEnd(b, k, boot(b, k, "loop"))
	}
}
