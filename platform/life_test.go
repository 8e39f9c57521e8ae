//go:build linux && amd64

package platform

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"machkernel/mach"
	"machkernel/vm"
)

func TestOpenNamesWhatIsWrong(t *testing.T) {
	_, err := Open(Config{FramesFD: -1})
	require.ErrorContains(t, err, "frame memory descriptor")
	require.NotContains(t, err.Error(), "\n")
}

func TestClosedMachineStartsNothing(t *testing.T) {
	_, m, _ := openTest(t)
	m.Close()
	_, err := m.NewProcess()
	require.ErrorIs(t, err, ErrClosed)
	m.Close()
}

func TestCloseEndsEverything(t *testing.T) {
	f := newFrames(t, 4096)
	m, err := Open(Config{FramesFD: f.fd})
	require.NoError(t, err)
	var pids []int
	events := make(chan Event)
	for range 3 {
		k := newTask(t, m, f)
		pids = append(pids, k.p.PID())
		th, r := k.thread(), k.regs("spin")
		go func() { events <- k.next(th, r) }()
	}
	within(t, "Close", m.Close)
	for _, pid := range pids {
		require.ErrorIs(t, unix.Kill(pid, 0), unix.ESRCH, "reaped")
		require.Equal(t, EventDied, (<-events).Kind)
	}
}

// The stub keeps nothing that it does not need: only its own mappings, three
// descriptors, no dumps, a process group of its own.
func TestStubStartsClean(t *testing.T) {
	for name, flags := range map[string]uint32{"at once": 0, "piece by piece": flagKeep} {
		t.Run(name, func(t *testing.T) {
			_, m, f := openTest(t)
			m.flags |= flags
			k := newTask(t, m, f)
			group, err := unix.Getpgid(k.p.PID())
			require.NoError(t, err)
			require.Equal(t, k.p.PID(), group)
			require.Empty(t, k.p.pmap.kept)
			th, r := k.thread(), k.regs("trap_once")
			k.next(th, r)
			if os.Getuid() != 0 {
				_, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", k.p.PID()))
				require.Error(t, err, "the process is dumpable")
				return // the rest is root's to see
			}
			var links []string
			fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", k.p.PID()))
			require.NoError(t, err)
			for _, fd := range fds {
				links = append(links, fd.Name())
			}
			require.ElementsMatch(t, []string{"3", "6", "7"}, links)
			for _, x := range hostMappings(t, k.p.PID()) {
				known := x.meets(extent{HoleStart, HoleEnd}) || x.end > UserEnd
				if !known {
					require.NotZero(t, k.p.pmap.record.at(x.start).prot, "mapping %v to %v", x.start, x.end)
				}
			}
		})
	}
}

// hostMappings are what the host says a process has mapped.
func hostMappings(t testing.TB, pid int) []extent {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	require.NoError(t, err)
	var all []extent
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		var low, high uint64
		_, err := fmt.Sscanf(line, "%x-%x", &low, &high)
		require.NoError(t, err)
		all = append(all, extent{mach.Addr(low), mach.Addr(high)})
	}
	return all
}

func TestStubStartsFromAFile(t *testing.T) {
	_, m, f := openTest(t)
	image, err := stubInFile()
	require.NoError(t, err)
	m.image.close()
	m.image = image
	healthy(t, m, f)
	m.Close()
	require.NoFileExists(t, image.path)
}

// A host without syscall user dispatch still runs programs.
func TestWithoutDispatch(t *testing.T) {
	_, m, f := openTest(t)
	m.flags &^= flagDispatch
	healthy(t, m, f)
}

// A stub that cannot start says why.
func TestFailedStartIsReported(t *testing.T) {
	_, m, f := openTest(t)
	good := m.loose
	m.loose = good[:len(good)-8] // jumps beyond its end: the host refuses it
	_, err := m.NewProcess()
	require.ErrorContains(t, err, "no seccomp filters")
	m.loose = good
	healthy(t, m, f)
}

// The stub is killed after each event of a run in turn, also while its client
// runs; the kernel side always sees a dead process, never a hang.
func TestKilledAtEveryEvent(t *testing.T) {
	_, m, f := openTest(t)
	const events = 12
	for n := range events {
		k := newTask(t, m, f)
		k.around = 1
		k.add(dataAt, events, mach.ProtDefault)
		th, r := k.thread(), k.regs("touch")
		r.RDI, r.RSI = uint64(dataAt), events
		for range n {
			ev := th.Run(r)
			require.NotEqual(t, EventDied, ev.Kind)
			if ev.Kind == EventPageFault {
				require.True(t, k.fault(ev))
			}
		}
		if n%2 == 0 {
			require.NoError(t, unix.Kill(k.p.PID(), unix.SIGKILL))
		} else {
			time.AfterFunc(time.Duration(n)*20*time.Microsecond, func() { unix.Kill(k.p.PID(), unix.SIGKILL) })
		}
		var last Event
		within(t, "the run", func() {
			for last.Kind != EventDied {
				if last = th.Run(r); last.Kind == EventPageFault {
					k.fault(last)
				}
			}
		})
		require.Contains(t, last.Reason, "SIGKILL")
		<-k.p.Done()
		require.NoError(t, k.p.Enter([]vm.Mapping{{VA: dataAt, Pages: 1, Prot: mach.ProtRead}}))
		k.p.Protect(0, UserEnd, mach.ProtRead)
		k.p.Remove(0, UserEnd)
		k.p.Destroy()
	}
	healthy(t, m, f)
}

// A control thread that does not answer costs its process, not the kernel.
func TestStoppedProcessIsKilled(t *testing.T) {
	_, m, f := openTest(t)
	m.limit = 100 * time.Millisecond
	k := newTask(t, m, f)
	frame := k.add(dataAt, 1, mach.ProtDefault)
	require.NoError(t, unix.Kill(k.p.PID(), unix.SIGSTOP))
	within(t, "Enter", func() {
		require.NoError(t, k.p.Enter([]vm.Mapping{{VA: dataAt, Frame: frame, Pages: 1, Prot: mach.ProtRead}}))
	})
	within(t, "death", func() { <-k.p.Done() })
	require.Contains(t, k.p.died().Reason, "did not answer")
}

// resources are what this program holds of the host.
type resources struct{ fds, goroutines, children int }

func held(t testing.TB) resources {
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	children := 0
	tasks, err := os.ReadDir("/proc/self/task")
	require.NoError(t, err)
	for _, task := range tasks {
		b, _ := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		children += len(strings.Fields(string(b)))
	}
	return resources{len(fds), runtime.NumGoroutine(), children}
}

func TestManyLivesLeaveNothing(t *testing.T) {
	lives := 1000
	if testing.Short() || raceEnabled {
		lives = 100
	}
	_, m, f := openTest(t)
	k := newTask(t, m, f) // its memory is used by all, one after another
	once := func() {
		p, err := m.NewProcess()
		require.NoError(t, err)
		k.p = p
		th, err := p.NewThread()
		require.NoError(t, err)
		r := &Regs{RIP: k.at("trap_once"), RAX: 3}
		k.trap(th, r, 3)
		p.Destroy()
	}
	once()
	before := held(t)
	began := time.Now()
	for range lives {
		once()
	}
	t.Logf("%v for a life with one thread, a fault and a trap", time.Since(began)/time.Duration(lives))
	leavesNothing(t, before)
}

// leavesNothing waits until the program holds no more than before.
func leavesNothing(t testing.TB, before resources) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		now := held(t)
		if now.fds <= before.fds && now.goroutines <= before.goroutines && now.children <= before.children {
			return
		}
		require.True(t, time.Now().Before(end), "before %+v, after %+v", before, now)
	}
}
