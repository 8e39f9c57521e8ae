//go:build linux && amd64

package platform

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// crowd are threads that do the same all at once.
type crowd struct {
	t       *testing.T
	tasks   []*task
	threads []*Thread
	regs    []*Regs
}

func (c *crowd) add(k *task) error {
	th, err := k.p.NewThread()
	if err != nil {
		return err
	}
	c.tasks, c.threads, c.regs = append(c.tasks, k), append(c.threads, th), append(c.regs, k.regs("trap_count"))
	return nil
}

// each runs f for every thread, all at once, and returns when all have.
func (c *crowd) each(started func(), f func(k *task, th *Thread, r *Regs)) {
	var wg sync.WaitGroup
	for i := range c.threads {
		wg.Go(func() { f(c.tasks[i], c.threads[i], c.regs[i]) })
	}
	started()
	within(c.t, "all threads", wg.Wait)
}

// work lets all threads trap, all at once.
func (c *crowd) work() {
	const traps = 20
	began := time.Now()
	c.each(func() {}, func(k *task, th *Thread, r *Regs) {
		r.RBX = traps
		for range traps {
			if ev := k.next(th, r); ev.Trap != -25 {
				c.t.Errorf("unexpected %+v", ev)
			}
		}
		if ev := k.next(th, r); ev.Trap != -101 {
			c.t.Errorf("unexpected %+v", ev)
		}
	})
	c.t.Logf("%d threads: %v for a trap", len(c.threads), time.Since(began)/time.Duration(traps*len(c.threads)))
}

// few are the first of the threads, as many as may spin at once: more are as
// quick to stop, but slow to start, for they take the processors away from this
// program.
func (c *crowd) few() *crowd {
	n := min(60, len(c.threads))
	return &crowd{t: c.t, tasks: c.tasks[:n], threads: c.threads[:n], regs: c.regs[:n]}
}

// stop interrupts all threads while all of them want a processor.
func (c *crowd) stop() {
	var began time.Time
	c.each(func() {
		for _, th := range c.threads {
			for !th.armed.Load() {
				runtime.Gosched()
			}
		}
		began = time.Now()
		for _, th := range c.threads {
			th.Interrupt()
		}
	}, func(k *task, th *Thread, r *Regs) {
		r.RIP = k.at("stay")
		if ev := th.Run(r); ev.Kind != EventInterrupted {
			c.t.Errorf("unexpected %+v", ev)
		}
	})
	c.t.Logf("%d threads stopped within %v", len(c.threads), time.Since(began))
}

// scaled is n, or what a short run takes for it.
func scaled(n, short int) int {
	if testing.Short() || raceEnabled {
		return short
	}
	return n
}

// Many processes with a thread each are alive at once: all trap, all are
// interrupted, and nothing of them is left.
func TestManyProcessesAtOnce(t *testing.T) {
	n := scaled(200, 40)
	m, f := openMachine(t, 1<<14)
	before := held(t)
	began := time.Now()
	c := crowd{t: t}
	for range n {
		require.NoError(t, c.add(newTask(t, m, f)))
	}
	t.Logf("%d processes started in %v", n, time.Since(began))
	require.Len(t, m.all(), n)
	c.work()
	c.few().stop()
	began = time.Now()
	c.each(func() {}, func(k *task, _ *Thread, _ *Regs) { k.p.Destroy() })
	t.Logf("%d processes ended in %v", n, time.Since(began))
	leavesNothing(t, before)
}

// A thousand threads of one process are in client code at once, and come when
// they are interrupted.
func TestManyThreadsAtOnce(t *testing.T) {
	n := scaled(1000, 100)
	m, f := openMachine(t, 1<<14)
	k := newTask(t, m, f)
	c := crowd{t: t}
	for i := range n {
		err := c.add(k)
		if errors.Is(err, ErrNoSlot) {
			t.Skipf("this host allows %d threads only: %v", i, err)
		}
		require.NoError(t, err)
	}
	c.work()
	c.few().stop()
	for _, th := range c.threads {
		th.Exit()
	}
	require.Eventually(t, func() bool { return hostThreads(k.p.PID()) == 1 }, patience, time.Millisecond)
}
