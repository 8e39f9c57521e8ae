package kernel

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// Whatever code a client executes, it costs its own task only: the kernel's
// books balance, and a task beside it works on.
func TestRandomCode(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 12
	}
	k := start(t, Config{})
	server, client := newTask(t, k), newTask(t, k)
	name := connect(t, k, server, client, echo)
	r := rand.New(rand.NewPCG(3, 5))
	for range n {
		code := make([]byte, 2048)
		for i := range code {
			code[i] = byte(r.Uint32())
		}
		task := bootRaw(t, k, code...)
		select {
		case <-task.Done():
		case <-time.After(20 * time.Millisecond): // it loops, or waits
			task.Terminate()
			<-task.Done()
		}
		require.NoError(t, k.Audit())
	}
	require.NoError(t, client.Run(func(g *GoThread) {
		h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, mach.TypeMakeSendOnce), Remote: name, Local: g.ReplyPort(), ID: 7}
		buf := make([]byte, 128)
		h.Put(buf)
		require.Equal(t, mach.MsgSuccess, g.Msg(buf, mach.SendMsg|mach.RcvMsg, 32, len(buf), h.Local, 0, 0))
	}))
}

// sleeper is machine code that sleeps, and sleeps again.
var sleeper = []byte{
	0xb8, 0xc3, 0xff, 0xff, 0xff, // mov $-61,%eax: thread_switch
	0xbe, 2, 0, 0, 0, // mov $SWITCH_OPTION_WAIT,%esi
	0xba, 0, 0, 0, 0x10, // mov $0x10000000,%edx
	0x0f, 0x05, 0xeb, 0xed, // syscall; again
}

// Many clients of machine code are alive at once, each in a process of its own,
// and many threads in one.
func TestManyAtOnce(t *testing.T) {
	tasks, threads := 200, 1000
	if testing.Short() {
		tasks, threads = 20, 100
	}
	k := start(t, Config{Memory: 512 << 20})
	for range tasks {
		bootRaw(t, k, sleeper...)
	}
	inTask(t, k, func(g *GoThread) {
		require.Len(t, k.Tasks(), tasks+1)
		task := bootRaw(t, k, sleeper...)
		self := nameOf(g, task.self)
		first := task.threadList()[0]
		state, kr := gnumach.ThreadGetState(g, threadName(g, first), flavorThreadState, mach.ThreadStateCount)
		require.Equal(t, mach.KernSuccess, kr)
		state[32] = rawEntry // rip
		for range threads - 1 {
			th, kr := gnumach.ThreadCreate(g, self)
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, mach.KernSuccess, gnumach.ThreadSetState(g, th, flavorThreadState, state))
			require.Equal(t, mach.KernSuccess, gnumach.ThreadResume(g, th))
		}
		_, n, kr := gnumach.TaskThreads(g, self)
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, threads, n)
		require.Equal(t, mach.KernSuccess, gnumach.TaskTerminate(g, self))
	})
	require.NoError(t, k.Audit())
}
