package kernel

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}

// children are this program's processes, those that are dead and not waited for
// included.
func children(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	require.NoError(t, err)
	require.NotEmpty(t, lists, "the host does not tell")
	var all []string
	for _, path := range lists {
		b, err := os.ReadFile(path)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH) { // a host thread that ended meanwhile
			require.NoError(t, err)
		}
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}

// heap is what the program holds, in bytes.
func heap() int64 {
	runtime.GC()
	runtime.GC() // what finalizers and pools let go the first time
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// One kernel, a thousand clients one after another, which end by themselves, by
// an exception, terminated, or killed from outside: nothing of them stays. No
// process, dead or alive, no descriptor, port, memory; and of the program's own
// memory less than what the smallest thing for each would be.
func TestAThousandLivesLeaveNothing(t *testing.T) {
	lives := 1000
	if testing.Short() {
		lives = 60
	}
	k := start(t, Config{})
	ends := []func() *Task{
		func() *Task { return boot(t, k, "hello") },
		func() *Task { return bootRaw(t, k, 0xcc) }, // int3
		func() *Task {
			task := bootRaw(t, k, spin...)
			task.Terminate()
			return task
		},
		func() *Task {
			task := bootRaw(t, k, spin...)
			require.NoError(t, syscall.Kill(task.pmap.current().PID(), syscall.SIGKILL))
			return task
		},
	}
	live := func(n int) {
		for i := range n {
			<-ends[i%len(ends)]().Done()
		}
	}
	before := children(t)
	live(4 * len(ends))
	fds, portsBefore, held := descriptors(t), k.zone.LivePorts(), heap()
	live(lives)
	require.Equal(t, before, children(t), "processes")
	require.Equal(t, fds, descriptors(t), "descriptors")
	require.Equal(t, portsBefore, k.zone.LivePorts(), "ports")
	require.Zero(t, k.MemoryUsed())
	require.Less(t, heap()-held, max(int64(lives)*64, 64<<10), "bytes of this program's")
	require.NoError(t, k.Audit())
}

// A client's process is killed at a moment of chance: the task is gone, with a
// reason, and everything it had is given back.
func TestProcessKilledAtAnyMoment(t *testing.T) {
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	k := start(t, Config{})
	for _, name := range []string{"hello", "ool", "vmread", "cow"} {
		for range rounds / 4 {
			task := boot(t, k, name)
			proc := task.pmap.current()
			require.NotNil(t, proc)
			// Not a wait for anything: the moment of the kill is the test.
			time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
			if err := syscall.Kill(proc.PID(), syscall.SIGKILL); err != nil {
				require.ErrorIs(t, err, syscall.ESRCH)
			}
			<-task.Done()
			if r := task.Report(); r != nil {
				require.True(t, strings.Contains(r.Reason, "SIGKILL"), r.Reason)
			}
			require.NoError(t, k.Audit())
			require.Zero(t, k.MemoryUsed())
		}
	}
}

// Threads and tasks end each other in every way at once.
func TestTerminationFromAllSides(t *testing.T) {
	for range 50 {
		k := start(t, Config{})
		a, b := newTask(t, k), newTask(t, k)
		for _, pair := range [][2]*Task{{a, b}, {b, a}, {a, a}, {b, b}} {
			port := make(chan struct{})
			_, err := pair[0].Go(func(g *GoThread) {
				close(port)
				name, err := shareTask(k, pair[1], pair[0])
				if err != nil {
					return // it is gone already
				}
				g.Call("task_terminate", name)
			})
			if err != nil {
				continue
			}
			<-port
		}
		<-a.Done()
		<-b.Done()
		require.NoError(t, k.Audit())
	}
}
