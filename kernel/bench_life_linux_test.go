package kernel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/mig/gnumach"
)

// What tasks and threads cost as kernel objects; what those of machine code do,
// beside its floor: see beside.

func BenchmarkTaskCreateTerminate(b *testing.B) {
	for _, inherit := range []bool{false, true} {
		b.Run(map[bool]string{false: "empty", true: "inherited"}[inherit], func(b *testing.B) {
			inTask(b, start(b, Config{}), func(g *GoThread) {
				self := g.TaskSelf()
				allocate(b, g, self, 16*mach.PageSize)
				b.ReportAllocs()
				for b.Loop() {
					child, kr := gnumach.TaskCreate(g, self, inherit)
					require.Equal(b, mach.KernSuccess, kr)
					require.Equal(b, mach.KernSuccess, gnumach.TaskTerminate(g, child))
					require.Equal(b, mach.KernSuccess, gnumach.MachPortDeallocate(g, self, child))
				}
			})
		})
	}
}

func BenchmarkThreadCreateTerminate(b *testing.B) {
	inTask(b, start(b, Config{}), func(g *GoThread) {
		self := g.TaskSelf()
		b.ReportAllocs()
		for b.Loop() {
			th, kr := gnumach.ThreadCreate(g, self)
			require.Equal(b, mach.KernSuccess, kr)
			require.Equal(b, mach.KernSuccess, gnumach.ThreadTerminate(g, th))
			require.Equal(b, mach.KernSuccess, gnumach.MachPortDeallocate(g, self, th))
		}
	})
}

// A thread that runs machine code is stopped and let go. Its floor is a signal's
// way there and back.
func BenchmarkSuspendResume(b *testing.B) {
	k := start(b, Config{})
	task := bootRaw(b, k, spin...)
	inTask(b, k, func(g *GoThread) {
		th := threadName(g, task.threadList()[0])
		for b.Loop() {
			require.Equal(b, mach.KernSuccess, gnumach.ThreadSuspend(g, th))
			require.Equal(b, mach.KernSuccess, gnumach.ThreadResume(g, th))
		}
		beside(b, func() time.Duration { return signalFloor(b) })
	})
}

// A breakpoint, its message to a handler in Go, the handler's answer, and on.
// Its floor is a signal handled in its own process.
func BenchmarkException(b *testing.B) {
	k := start(b, Config{})
	inTask(b, k, func(g *GoThread) {
		p := port(b, g)
		g.th.Enter()
		right, kr := g.th.task.space.ExtractRight(p, mach.TypeMakeSend)
		g.th.Leave()
		require.Equal(b, mach.KernSuccess, kr)
		task := bootRaw(b, k, 0x90, 0xeb, 0xfd) // nop; jmp to it
		g.th.Enter()
		kr = task.setSpecial(mach.TaskExceptionPort, right)
		g.th.Leave()
		require.Equal(b, mach.KernSuccess, kr)
		th := threadName(g, task.threadList()[0])
		require.Equal(b, mach.KernSuccess, gnumach.ThreadSuspend(g, th))
		state, kr := gnumach.ThreadGetState(g, th, flavorThreadState, mach.ThreadStateCount)
		require.Equal(b, mach.KernSuccess, kr)
		state[36] |= 0x100 // the trap flag: one exception for each instruction
		require.Equal(b, mach.KernSuccess, gnumach.ThreadSetState(g, th, flavorThreadState, state))
		require.Equal(b, mach.KernSuccess, gnumach.ThreadResume(g, th))
		buf := make([]byte, 256)
		for b.Loop() {
			require.Equal(b, mach.MsgSuccess, g.Msg(buf, mach.RcvMsg, 0, len(buf), p, 0, 0))
			answerException(b, g, buf)
		}
		beside(b, func() time.Duration { return signalFloor(b) })
	})
}

// answerException answers the exception in buf: the thread goes on.
func answerException(t testing.TB, g *GoThread, buf []byte) {
	t.Helper()
	h, ok := ipc.ParseHeader(buf)
	require.True(t, ok)
	require.Equal(t, idExceptionRaise, h.ID)
	reply := make([]byte, 48)
	out := ipc.Header{Bits: mach.Bits(mach.TypeMoveSendOnce, 0), Remote: h.Remote, ID: idExceptionRaise + mach.ReplyIDOffset}
	out.Put(reply)
	mig.Put64(reply, 32, mig.Inline(mach.TypeInteger32, 32, 1))
	require.Equal(t, mach.MsgSuccess, g.Msg(reply, mach.SendMsg, len(reply), 0, 0, 0, 0))
}
