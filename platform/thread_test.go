//go:build linux && amd64

package platform

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestManyThreadsInOneProcess(t *testing.T) {
	for _, n := range []int{2, 60} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			k := newTask(openTest(t))
			var wg sync.WaitGroup
			for range n {
				th, r := k.thread(), k.regs("trap_count")
				const traps = 200
				r.RBX = traps
				wg.Go(func() {
					seen := 0
					for ev := k.next(th, r); ev.Trap == -25; ev = k.next(th, r) {
						seen++
					}
					if seen != traps {
						t.Errorf("%d traps, not %d", seen, traps)
					}
				})
			}
			within(t, "all threads", wg.Wait)
		})
	}
}

func TestTwoProcessesRunAtOnce(t *testing.T) {
	_, m, f := openTest(t)
	var wg sync.WaitGroup
	for range 2 {
		k := newTask(t, m, f)
		for range 2 {
			th, r := k.thread(), k.regs("trap_count")
			r.RBX = 1000
			wg.Go(func() {
				for k.next(th, r).Trap == -25 {
				}
			})
		}
	}
	within(t, "all threads", wg.Wait)
}

// hostThreads is how many host threads a process has, its control thread
// included.
func hostThreads(pid int) int {
	d, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return len(d)
}

func TestThreadsComeAndGo(t *testing.T) {
	k := newTask(openTest(t))
	r := k.regs("trap_once")
	start := *r
	for range 100 {
		*r = start
		th := k.thread()
		k.next(th, r)
		require.LessOrEqual(t, th.index, 50, "slots are used again")
		th.Exit()
	}
	require.Eventually(t, func() bool { return hostThreads(k.p.PID()) == 1 }, patience, time.Millisecond)
}

// A process can have slotCount-1 threads, at least a thousand, and says so when
// there are no more. Threads that left make room.
func TestThreadLimit(t *testing.T) {
	k := newTask(openTest(t))
	var all []*Thread
	for range slotCount - 1 {
		th, err := k.p.NewThread()
		if err != nil {
			require.ErrorIs(t, err, ErrNoSlot)
			t.Skipf("this host allows %d threads only: %v", len(all), err)
		}
		all = append(all, th)
	}
	require.GreaterOrEqual(t, len(all), 1000)
	_, err := k.p.NewThread()
	require.ErrorIs(t, err, ErrNoSlot)
	for _, i := range []int{0, 511, len(all) - 1} {
		all[i].Exit()
		th, err := k.p.NewThread()
		require.NoError(t, err)
		all[i] = th
		r := k.regs("trap_once")
		r.RAX = uint64(i)
		k.trap(th, r, int32(i))
	}
}

// On a process that dies, a thread that never ran can still be used.
func TestThreadsOfADeadProcess(t *testing.T) {
	k := newTask(openTest(t))
	th := k.thread()
	k.p.Destroy()
	require.Equal(t, EventDied, th.Run(&Regs{}).Kind)
	th.Interrupt()
	th.Exit()
	_, err := k.p.NewThread()
	require.ErrorIs(t, err, ErrDead)
	k.p.Destroy()
}

func TestInterruptOfASpinningThread(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("spin")
	at := r.RIP
	var total time.Duration
	const rounds = 200
	for range rounds {
		before := r.RAX
		asked := make(chan time.Time, 1)
		go func() {
			for !th.armed.Load() {
				runtime.Gosched()
			}
			asked <- time.Now()
			th.Interrupt()
		}()
		ev := k.next(th, r)
		total += time.Since(<-asked)
		require.Equal(t, Event{Kind: EventInterrupted}, ev)
		require.InDelta(t, at, r.RIP, 8, "interrupted in client code")
		require.GreaterOrEqual(t, r.RAX, before)
	}
	t.Logf("mean time from Interrupt to Run's return: %v", total/rounds)
}

// Interrupts of a thread that traps all the time: each is delivered exactly
// once, always between two client instructions, and no trap is lost.
func TestInterruptOfATrappingThread(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_loop")
	k.trap(th, r, -25)
	low, high := k.at("trap_loop"), k.at("trap_loop")+16
	const rounds = 2000
	delivered := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for range rounds {
			th.Interrupt()
			<-delivered
		}
	}()
	got := 0
	for got < rounds {
		ev := k.next(th, r)
		require.True(t, r.RIP >= low && r.RIP < high, "stopped at %#x", r.RIP)
		switch ev.Kind {
		case EventInterrupted:
			got++
			delivered <- struct{}{}
		case EventTrap:
			require.EqualValues(t, -25, ev.Trap)
		default:
			require.Fail(t, "unexpected", "%+v", ev)
		}
	}
	<-finished
	for range 100 {
		k.trap(th, r, -25) // none is left over
	}
}

func TestInterruptBeforeRunIsKept(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_loop")
	want := *r
	th.Interrupt()
	th.Interrupt()
	require.Equal(t, Event{Kind: EventInterrupted}, th.Run(r))
	require.Equal(t, want, *r)
	k.trap(th, r, -25)
	th.Interrupt()
	require.Equal(t, EventInterrupted, th.Run(r).Kind)
	k.trap(th, r, -25)
}

// Signals that somebody else sends are not events.
func TestForeignSignalsAreIgnored(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_count")
	r.RBX = 300
	for i := range 300 {
		if i%3 == 0 {
			for _, sig := range []unix.Signal{unix.SIGUSR1, unix.SIGSEGV, unix.SIGSYS, unix.SIGTERM, unix.SIGHUP} {
				require.NoError(t, unix.Tgkill(k.p.PID(), th.tid, sig))
			}
		}
		k.trap(th, r, -25)
	}
	k.trap(th, r, -101)
}

// Many threads, interrupted at random, all events counted.
func TestInterruptsAmongManyThreads(t *testing.T) {
	k := newTask(openTest(t))
	var wg sync.WaitGroup
	for range 8 {
		th, r := k.thread(), k.regs("spin")
		wg.Go(func() {
			for range 30 {
				time.AfterFunc(100*time.Microsecond, th.Interrupt)
				if ev := k.next(th, r); ev.Kind != EventInterrupted {
					t.Errorf("unexpected %+v", ev)
					return
				}
			}
		})
	}
	within(t, "all threads", wg.Wait)
}
