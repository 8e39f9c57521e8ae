package kernel

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig/gnumach"
)

func abortIt(g *GoThread, o mach.Name)   { _ = gnumach.ThreadAbort(g, o) }
func suspendIt(g *GoThread, o mach.Name) { _ = gnumach.ThreadSuspend(g, o) }
func resumeIt(g *GoThread, o mach.Name)  { _ = gnumach.ThreadResume(g, o) }
func getState(g *GoThread, o mach.Name) {
	_, _ = gnumach.ThreadGetState(g, o, flavorThreadState, mach.ThreadStateCount)
}

// ends waits until the threads have ended: they wait for one another, and must
// not wait for ever.
func ends(t *testing.T, threads ...*Thread) {
	t.Helper()
	for _, th := range threads {
		select {
		case <-th.Done():
		case <-time.After(time.Minute):
			t.Fatalf("%v waits for ever", th)
		}
	}
}

// Two threads that stop, abort or look at one another both go on.
func TestTwoThreadsAtOneAnother(t *testing.T) {
	type act = func(*GoThread, mach.Name)
	rounds := 2000
	if testing.Short() {
		rounds = 300
	}
	for name, acts := range map[string][2]act{
		"abort and abort": {abortIt, abortIt},
		"look and look":   {getState, getState},
		"look and abort":  {getState, abortIt},
	} {
		t.Run(name, func(t *testing.T) {
			k := start(t, Config{})
			task := newTask(t, k)
			var pair [2]*Thread
			ready := make(chan struct{})
			for i, do := range acts {
				th, err := task.Go(func(g *GoThread) {
					<-ready
					other := threadName(g, pair[1-i])
					for range rounds {
						do(g, other)
					}
				})
				require.NoError(t, err)
				pair[i] = th
			}
			close(ready)
			ends(t, pair[:]...)
		})
	}
}

// A thread that is aborted while it ends another ends it, and its aborter goes on.
func TestAbortAgainstTerminate(t *testing.T) {
	k := start(t, Config{})
	for range 200 {
		task := newTask(t, k)
		var a, b *Thread
		ready := make(chan struct{})
		var err error
		a, err = task.Go(func(g *GoThread) { <-ready; _ = gnumach.ThreadTerminate(g, threadName(g, b)) })
		require.NoError(t, err)
		b, err = task.Go(func(g *GoThread) {
			<-ready
			for range 20 {
				abortIt(g, threadName(g, a))
			}
		})
		require.NoError(t, err)
		close(ready)
		ends(t, a, b)
		task.Terminate()
		<-task.Done()
	}
}

// A thread in machine code that is let go before it stood still holds nobody up.
func TestSuspendAgainstResume(t *testing.T) {
	k := start(t, Config{})
	victim := bootRaw(t, k, spin...).threadList()[0]
	task := newTask(t, k)
	var over atomic.Bool
	a, err := task.Go(func(g *GoThread) {
		defer over.Store(true)
		o := threadName(g, victim)
		for range 300 {
			suspendIt(g, o)
		}
	})
	require.NoError(t, err)
	b, err := task.Go(func(g *GoThread) {
		o := threadName(g, victim)
		for !over.Load() {
			resumeIt(g, o)
		}
	})
	require.NoError(t, err)
	ends(t, a, b)
}

// Looking at a thread of machine code whose waits are aborted meanwhile.
func TestLookAgainstAbort(t *testing.T) {
	k := start(t, Config{})
	victim := bootRaw(t, k, sleeper...).threadList()[0]
	task := newTask(t, k)
	var over atomic.Bool
	a, err := task.Go(func(g *GoThread) {
		defer over.Store(true)
		o := threadName(g, victim)
		for range 500 {
			getState(g, o)
		}
	})
	require.NoError(t, err)
	b, err := task.Go(func(g *GoThread) {
		o := threadName(g, victim)
		for !over.Load() {
			abortIt(g, o)
		}
	})
	require.NoError(t, err)
	ends(t, a, b)
}

// An abort ends one wait and not those after it, also where it meets the end of
// the trap.
func TestAbortLeavesNoTrace(t *testing.T) {
	k := start(t, Config{})
	task := newTask(t, k)
	var over atomic.Bool
	var turns atomic.Int64 // the aborter stops at odd ones, and lets the victim receive
	victim, err := task.Go(func(g *GoThread) {
		p := g.ReplyPort()
		for !over.Load() {
			g.Trap(-61, 0, 99) // a trap without a wait
			if n := turns.Load(); n%2 == 1 {
				mr := g.Msg(make([]byte, 64), mach.RcvMsg|mach.RcvTimeout, 0, 64, p, 1, 0)
				if mr == mach.RcvInterrupted { // the last abort may have come so late
					mr = g.Msg(make([]byte, 64), mach.RcvMsg|mach.RcvTimeout, 0, 64, p, 1, 0)
				}
				if mr != mach.RcvTimedOut {
					t.Errorf("nobody aborts, and a receive answers %v", mr)
					over.Store(true)
				}
				turns.Store(n + 1)
			}
		}
	})
	require.NoError(t, err)
	inTask(t, k, func(g *GoThread) {
		o := threadName(g, victim)
		for range 100 {
			for range 20 {
				abortIt(g, o)
			}
			turns.Add(1)
			for turns.Load()%2 == 1 && !over.Load() {
				time.Sleep(10 * time.Microsecond)
			}
		}
	})
	over.Store(true)
	ends(t, victim)
}
