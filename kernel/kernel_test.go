package kernel

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
	"machkernel/mig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// safeBuffer is a console that a test reads while clients write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start makes a kernel whose books are audited and whose memory is all back
// when the test ends.
func start(t testing.TB, cfg Config) *Kernel {
	t.Helper()
	k, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, k.Audit())
		for _, task := range k.Tasks() {
			task.Terminate()
			<-task.Done()
		}
		require.NoError(t, k.Audit())
		require.Zero(t, k.MemoryUsed(), "memory that no task has")
		require.NoError(t, k.Close())
	})
	return k
}

func newTask(t testing.TB, k *Kernel) *Task {
	t.Helper()
	task, err := k.NewTask(t.Name())
	require.NoError(t, err)
	return task
}

// inTask runs f as a thread of a task of its own, to its end.
func inTask(t testing.TB, k *Kernel, f func(g *GoThread)) {
	t.Helper()
	require.NoError(t, newTask(t, k).Run(f))
}

func word(v uint64) mig.Value { return mig.Value{Word: v} }

func addr(v mach.Addr) mig.Value { return mig.Value{Word: uint64(v)} }

// allocate is vm_allocate anywhere, which must succeed.
func allocate(t testing.TB, g *GoThread, task mach.Name, size uint64) mach.Addr {
	t.Helper()
	out, kr := g.Call("vm_allocate", task, word(0), word(size), word(1))
	require.Equal(t, mach.KernSuccess, kr)
	return mach.Addr(out[0].Word)
}

func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7) + byte(i>>8) + seed
	}
	return b
}

func read(t testing.TB, g *GoThread, a mach.Addr, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	require.Equal(t, mach.KernSuccess, g.Read(a, b))
	return b
}

func TestVMReadGivesAPrivateSnapshot(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self := g.TaskSelf()
		const size = 4 * mach.PageSize
		a := allocate(t, g, self, size)
		first := pattern(size, 1)
		require.Equal(t, mach.KernSuccess, g.Write(a, first))
		out, kr := g.Call("vm_read", self, addr(a), word(size))
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, size, out[0].Size)
		data := mach.Addr(out[0].Word)
		require.NotEqual(t, a, data)

		require.Equal(t, mach.KernSuccess, g.Write(a+mach.PageSize, pattern(mach.PageSize, 9)))
		require.Equal(t, first, read(t, g, data, size), "a write to the source is not seen in the copy")
		require.Equal(t, mach.KernSuccess, g.Write(data, []byte("copy")))
		require.Equal(t, first[:4], read(t, g, a, 4), "a write to the copy is not seen in the source")

		_, kr = g.Call("vm_deallocate", self, addr(data), word(size))
		require.Equal(t, mach.KernSuccess, kr)
	})
}

func TestVMReadOfAnotherTask(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self := g.TaskSelf()
		out, kr := g.Call("task_create", self, word(0))
		require.Equal(t, mach.KernSuccess, kr)
		child := out[0].Name
		theirs := allocate(t, g, child, mach.PageSize)
		mine := allocate(t, g, self, mach.PageSize)
		text := pattern(mach.PageSize, 3)
		require.Equal(t, mach.KernSuccess, g.Write(mine, text))
		_, kr = g.Call("vm_write", child, addr(theirs), mig.Value{Word: uint64(mine), Size: mach.PageSize})
		require.Equal(t, mach.KernSuccess, kr)
		out, kr = g.Call("vm_read", child, addr(theirs), word(mach.PageSize))
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, text, read(t, g, mach.Addr(out[0].Word), mach.PageSize))
		_, kr = g.Call("task_terminate", child)
		require.Equal(t, mach.KernSuccess, kr)
		_, kr = g.Call("vm_read", child, addr(theirs), word(mach.PageSize))
		require.EqualValues(t, mach.SendInvalidDest, kr, "a dead task's name is a dead name")
	})
}

func TestInheritedMemoryIsTheParentsByInheritance(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self := g.TaskSelf()
		regions := map[mach.Inherit]mach.Addr{}
		for _, in := range []mach.Inherit{mach.InheritShare, mach.InheritCopy, mach.InheritNone} {
			a := allocate(t, g, self, mach.PageSize)
			require.Equal(t, mach.KernSuccess, g.Write(a, []byte("before")))
			_, kr := g.Call("vm_inherit", self, addr(a), word(mach.PageSize), word(uint64(in)))
			require.Equal(t, mach.KernSuccess, kr)
			regions[in] = a
		}
		out, kr := g.Call("task_create", self, word(1))
		require.Equal(t, mach.KernSuccess, kr)
		child := out[0].Name
		for _, a := range regions {
			require.Equal(t, mach.KernSuccess, g.Write(a, []byte("after!")))
		}
		childSees := func(a mach.Addr) (string, mach.KernReturn) {
			out, kr := g.Call("vm_read", child, addr(a), word(6))
			if kr != mach.KernSuccess {
				return "", kr
			}
			return string(read(t, g, mach.Addr(out[0].Word), 6)), kr
		}
		text, _ := childSees(regions[mach.InheritShare])
		require.Equal(t, "after!", text)
		text, _ = childSees(regions[mach.InheritCopy])
		require.Equal(t, "before", text)
		_, kr = childSees(regions[mach.InheritNone])
		require.Equal(t, mach.KernInvalidAddress, kr)
	})
}

func TestUnknownIdIsMigBadID(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		_, kr := mig.Invoke(g, g.TaskSelf(), &mig.Routine{Name: "nothing", ID: 2999})
		require.Equal(t, mach.MigBadID, kr)
	})
}

func TestRoutinesOfAnotherObject(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		thread, hostName := mach.Name(g.Trap(-27)), mach.Name(g.Trap(-29))
		_, kr := g.Call("vm_deallocate", thread, addr(0), word(1))
		require.Equal(t, mach.KernInvalidArgument, kr, "a thread has no map")
		_, kr = g.Call("mach_port_allocate", thread, word(uint64(mach.RightReceive)))
		require.Equal(t, mach.KernInvalidTask, kr, "a thread has no name space")
		_, kr = g.Call("host_reboot", hostName, word(0))
		require.Equal(t, mach.KernInvalidHost, kr, "the unprivileged host port reboots nothing")
	})
}

func TestClosingEndsEveryWait(t *testing.T) {
	k, err := New(Config{})
	require.NoError(t, err)
	task, err := k.NewTask("waiting")
	require.NoError(t, err)
	blocked := make(chan mach.MsgReturn, 8)
	for range cap(blocked) {
		_, err := task.Go(func(g *GoThread) {
			port := g.ReplyPort()
			blocked <- g.Msg(make([]byte, 64), mach.RcvMsg, 0, 64, port, 0, 0)
		})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		for _, th := range task.threadList() {
			if waiting, _ := th.waiter.Waiting(); !waiting {
				return false
			}
		}
		return true
	}, time.Minute, time.Millisecond)
	require.NoError(t, k.Audit())
	require.NoError(t, k.Close())
	for range cap(blocked) {
		require.Equal(t, mach.RcvInterrupted, <-blocked)
	}
}

// connect starts serve as a thread of the server's task, on a port of its own,
// and gives the client's task a send right to that port. It answers the name
// of the right there.
func connect(t testing.TB, k *Kernel, server, client *Task, serve func(g *GoThread, port mach.Name)) mach.Name {
	t.Helper()
	port := make(chan mach.Name)
	_, err := server.Go(func(g *GoThread) {
		name := g.ReplyPort()
		port <- name
		serve(g, name)
	})
	require.NoError(t, err)
	name, err := server.Share(<-port, client)
	require.NoError(t, err)
	return name
}

// shareTask gives to a send right to the port of task, as its creator would
// have had it.
func shareTask(k *Kernel, task, to *Task) (mach.Name, error) {
	k.gate.Enter()
	defer k.gate.Leave()
	name, kr := to.space.Copyout(k.zone.MakeSend(task.self))
	if kr != mach.KernSuccess {
		return mach.NameNull, errors.New(kr.String())
	}
	return name, nil
}

// Every call of Close returns only when the kernel is gone.
func TestClosingTwiceAtOnce(t *testing.T) {
	k, err := New(Config{})
	require.NoError(t, err)
	task, err := k.NewTask("slow to leave")
	require.NoError(t, err)
	leave := make(chan struct{})
	_, err = task.Go(func(g *GoThread) {
		<-g.Dying()
		<-leave
	})
	require.NoError(t, err)
	closed := make(chan error, 2)
	for range cap(closed) {
		go func() { closed <- k.Close() }()
	}
	require.Eventually(t, func() bool { return task.VMMap() == nil }, time.Minute, time.Millisecond)
	select {
	case <-closed:
		t.Fatal("Close returned while a thread was there")
	default:
	}
	close(leave)
	for range cap(closed) {
		require.NoError(t, <-closed)
	}
	<-task.Done()
}

// A boot that races with the end of its task loses no right.
func TestBootAgainstTerminate(t *testing.T) {
	k := start(t, Config{})
	image := client(t, "hello")
	for range 40 {
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for _, task := range k.Tasks() {
				task.Terminate()
			}
		}()
		task, err := k.Boot("hello", strings.NewReader(image), int64(len(image)), DefaultArgs())
		<-stop
		if err == nil {
			task.Terminate()
			<-task.Done()
		}
		for _, left := range k.Tasks() {
			<-left.Done()
		}
		require.NoError(t, k.Audit())
	}
}
