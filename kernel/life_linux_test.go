package kernel

import (
	"math/rand/v2"
	"os"
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

// One kernel, many clients one after another: nothing of them stays.
func TestManyLivesLeaveNothing(t *testing.T) {
	lives := 300
	if testing.Short() {
		lives = 30
	}
	k := start(t, Config{})
	life := func() {
		task := boot(t, k, "hello")
		<-task.Done()
		require.Nil(t, task.Report())
	}
	life()
	before, portsBefore := descriptors(t), k.zone.LivePorts()
	for range lives {
		life()
	}
	require.Equal(t, before, descriptors(t), "descriptors")
	require.Equal(t, portsBefore, k.zone.LivePorts(), "ports")
	require.Zero(t, k.MemoryUsed())
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
