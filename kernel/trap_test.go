package kernel

import (
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// The trap table as GNU Mach has it: inside it, unassigned entries answer
// KERN_INVALID_ARGUMENT, six old ones MACH_PORT_NULL.
func TestUnassignedTraps(t *testing.T) {
	null := map[int32]bool{-10: true, -11: true, -12: true, -13: true, -55: true, -56: true}
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		for n := int32(0); n >= -maxTrap; n-- {
			if _, served := traps[n]; served {
				continue
			}
			want := uint64(mach.KernInvalidArgument)
			if null[n] {
				want = 0
			}
			require.Equal(t, want, g.Trap(n), "trap %d", n)
		}
	})
}

// The short forms of RPCs answer MACH_SEND_INTERRUPTED, "use the RPC", for a
// task that is not to be had; a bad address for the result goes unnoticed.
func TestTrapsThatStandForRPCs(t *testing.T) {
	const nowhere = 0x7f0000000000
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self := uint64(g.TaskSelf())
		thread := g.Trap(-27)
		for _, n := range []int32{-65, -66, -72, -73} {
			for _, name := range []uint64{0, 0xffffffff, 99, thread} {
				require.EqualValues(t, mach.SendInterrupted, g.Trap(n, name, 0, 0, 0), "trap %d, name %d", n, name)
			}
		}
		require.EqualValues(t, mach.KernSuccess, g.Trap(-65, self, nowhere, mach.PageSize, 1))
		require.EqualValues(t, mach.KernSuccess, g.Trap(-72, self, uint64(mach.RightReceive), nowhere))
		require.EqualValues(t, mach.KernInvalidValue, g.Trap(-72, self, uint64(mach.RightNumber), nowhere))
		require.EqualValues(t, mach.KernInvalidName, g.Trap(-73, self, 99))
		require.EqualValues(t, mach.KernSuccess, g.Trap(-66, self, nowhere, mach.PageSize), "nothing is there: success")
	})
}

// Each self trap adds a user reference to one name.
func TestSelfTrapsAddReferences(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		for _, n := range []int32{-27, -28, -29} {
			name := g.Trap(n)
			require.NotZero(t, name)
			require.Equal(t, name, g.Trap(n))
			out, kr := g.Call("mach_port_get_refs", g.TaskSelf(), word(name), word(uint64(mach.RightSend)))
			require.Equal(t, mach.KernSuccess, kr)
			want := uint64(2)
			if n == -28 {
				want = 3 // the handle's own
			}
			require.Equal(t, want, out[0].Word)
		}
	})
}

func TestPrint(t *testing.T) {
	var out safeBuffer
	k := start(t, Config{Console: &out})
	inTask(t, k, func(g *GoThread) {
		a := allocate(t, g, g.TaskSelf(), 2*mach.PageSize)
		require.Equal(t, mach.KernSuccess, g.Write(a+mach.PageSize-3, []byte("across\x00not this")))
		require.Zero(t, g.Trap(-30, uint64(a+mach.PageSize-3)))
		require.Equal(t, "across", out.String())

		end := a + 2*mach.PageSize - 4
		require.Equal(t, mach.KernSuccess, g.Write(end, []byte("edge")))
		require.EqualValues(t, mach.KernInvalidAddress, g.Trap(-30, uint64(end)), "the string runs into a hole")
		require.EqualValues(t, mach.KernInvalidAddress, g.Trap(-30, ^uint64(0)))
		require.Equal(t, "across", out.String())
	})
}

// A thread that waits for a console nobody reads is outside the gate.
func TestABlockedConsoleStopsNobodyElse(t *testing.T) {
	r, w := io.Pipe()
	k := start(t, Config{Console: w})
	printing := make(chan struct{})
	task := newTask(t, k)
	_, err := task.Go(func(g *GoThread) {
		a := allocate(t, g, g.TaskSelf(), mach.PageSize)
		g.Write(a, []byte("x\x00"))
		close(printing)
		g.Trap(-30, uint64(a))
	})
	require.NoError(t, err)
	<-printing
	require.NoError(t, k.Audit())
	inTask(t, k, func(g *GoThread) { allocate(t, g, g.TaskSelf(), mach.PageSize) })
	require.NoError(t, r.Close())
	task.Terminate()
	<-task.Done()
}

// A process that dies while its threads wait in the kernel ends its task.
func TestProcessKilledWhileItsThreadsWait(t *testing.T) {
	k := start(t, Config{})
	server := newTask(t, k)
	port, asked := make(chan mach.Name), make(chan struct{})
	_, err := server.Go(func(g *GoThread) {
		name := g.ReplyPort()
		port <- name
		g.Msg(make([]byte, 512), mach.RcvMsg, 0, 512, name, 0, 0)
		close(asked)
		<-g.Dying() // and never answer
	})
	require.NoError(t, err)
	require.NoError(t, k.Define("silent", server, <-port))
	image := client(t, "ask")
	task, err := k.Boot("ask", strings.NewReader(image), int64(len(image)), append(DefaultArgs(), "${silent}"))
	require.NoError(t, err)
	<-asked
	require.NoError(t, syscall.Kill(task.pmap.current().PID(), syscall.SIGKILL))
	<-task.Done()
	require.Contains(t, task.Report().Reason, "SIGKILL")
}

// Threads and tasks have limits, and past them is KERN_RESOURCE_SHORTAGE.
func TestThreadLimit(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		out, kr := g.Call("task_create", g.TaskSelf(), word(0))
		require.Equal(t, mach.KernSuccess, kr)
		child := out[0].Name
		for range maxThreads {
			_, kr = g.Call("thread_create", child)
			require.Equal(t, mach.KernSuccess, kr)
		}
		_, kr = g.Call("thread_create", child)
		require.Equal(t, mach.KernResourceShortage, kr)
		_, kr = g.Call("task_terminate", child)
		require.Equal(t, mach.KernSuccess, kr)
	})
}
