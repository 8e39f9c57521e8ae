//go:build linux && amd64

package platform

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Some tests run this binary again, in another state: childMode says which.
const (
	childMode     = "PLATFORM_TEST_CHILD"
	childHang     = "hang"     // start processes, print their ids, wait to be killed
	childFiltered = "filtered" // run tests under an outer seccomp filter
	childPlain    = "plain"    // run tests as started
	childPong     = "pong"     // the other side of futexFloor
	childSignal   = "signal"   // the other side of signalFloor
)

// inChild are the tests that such a run repeats.
const inChild = "^(TestTrap|TestVector|TestRedZone|TestSegment|TestEveryNumber|TestFaults|TestPageFaults|" +
	"TestExceptions|TestInterruptBefore|TestThreadsCome|TestManyThreads|TestRemove|TestProtect|TestJumps|TestStubStarts|" +
	"TestHostsExtended|TestExtendedStateArrives|TestInitialExtended|TestRestart|TestStorms)"

// again prepares a run of this binary.
func again(mode string, args ...string) (*exec.Cmd, error) {
	// By descriptor: another user may not reach the binary by its path.
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/fd/3", args...)
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	return cmd, nil
}

// repeatTests runs the tests of inChild in another process.
func repeatTests(t *testing.T, mode string, prepare func(*exec.Cmd)) {
	t.Helper()
	cmd, err := again(mode, "-test.run="+inChild, "-test.short", "-test.v")
	require.NoError(t, err)
	defer cmd.ExtraFiles[0].Close()
	prepare(cmd)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Greater(t, strings.Count(string(out), "--- PASS"), 10, "%s", out)
}

func TestRunsAsAnUnprivilegedUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("this run is unprivileged already")
	}
	repeatTests(t, childPlain, func(cmd *exec.Cmd) {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	})
}

// Container run-times filter calls that they do not know with an error, which
// outranks our own filters.
func TestRunsUnderAnOuterFilter(t *testing.T) {
	repeatTests(t, childFiltered, func(*exec.Cmd) {})
}

// A kernel that is killed leaves no stub behind, whatever its threads do.
func TestKilledKernelLeavesNoStub(t *testing.T) {
	cmd, err := again(childHang)
	require.NoError(t, err)
	defer cmd.ExtraFiles[0].Close()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pids []int
	for s := bufio.NewScanner(out); s.Scan() && s.Text() != "ready"; {
		var pid int
		_, err := fmt.Sscan(s.Text(), &pid)
		require.NoError(t, err, s.Text())
		require.NoError(t, unix.Kill(pid, 0))
		pids = append(pids, pid)
	}
	require.Len(t, pids, 3)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	for _, pid := range pids {
		require.Eventually(t, func() bool { return processEnded(pid) }, patience, time.Millisecond)
	}
}

// processEnded reports whether a process is gone or a zombie.
func processEnded(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return true
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(after, "Z") || strings.HasPrefix(after, "X")
}

// hang starts three tasks with busy threads, prints their process ids, and
// waits for the end.
func hang() {
	tb := &quietTB{}
	f := newFrames(tb, 4096)
	m, err := Open(Config{FramesFD: f.fd})
	if err != nil {
		panic(err)
	}
	for range 3 {
		k := newTask(tb, m, f)
		for _, piece := range []string{"spin", "trap_loop"} {
			th, r := k.thread(), k.regs(piece)
			go func() {
				for {
					k.next(th, r)
				}
			}()
		}
		fmt.Println(k.p.PID())
	}
	fmt.Println("ready")
	select {}
}

// quietTB is a testing.TB outside a test.
type quietTB struct{ testing.TB }

func (*quietTB) Helper()                        {}
func (*quietTB) Cleanup(func())                 {}
func (*quietTB) Errorf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
func (*quietTB) FailNow()                       { panic("test failed") }
