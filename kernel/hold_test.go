package kernel

import (
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// receiver is a thread that waits for a message on a port of its own, and what
// its mach_msg answered.
type receiver struct {
	th   *Thread
	port mach.Name
	end  chan mach.MsgReturn
}

func startReceiver(t *testing.T, task *Task, option mach.MsgOption, timeout uint32) *receiver {
	t.Helper()
	r := &receiver{end: make(chan mach.MsgReturn, 1)}
	ready := make(chan mach.Name, 1)
	th, err := task.Go(func(g *GoThread) {
		p := g.ReplyPort()
		ready <- p
		r.end <- g.Msg(make([]byte, 64), mach.RcvMsg|option, 0, 64, p, timeout, 0)
	})
	require.NoError(t, err)
	r.th, r.port = th, <-ready
	synctest.Wait()
	return r
}

// ended is what the receiver got, or nothing yet.
func (r *receiver) ended() (mach.MsgReturn, bool) {
	synctest.Wait()
	select {
	case mr := <-r.end:
		return mr, true
	default:
		return 0, false
	}
}

// send sends the receiver an empty message.
func (r *receiver) send(t *testing.T, g *GoThread) {
	t.Helper()
	b := make([]byte, 32)
	h := ipc.Header{Bits: mach.Bits(mach.TypeMakeSend, 0), Remote: r.port, ID: 1}
	h.Put(b)
	require.Equal(t, mach.MsgSuccess, g.Msg(b, mach.SendMsg, 32, 0, 0, 0, 0))
}

// threadName gives g's task a send right to the thread.
func threadName(g *GoThread, th *Thread) mach.Name {
	g.th.Enter()
	defer g.th.Leave()
	return g.th.copyout(g.th.k.zone.MakeSend(th.self))
}

func TestASuspendedReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, Config{})
		inTask(t, k, func(g *GoThread) {
			r := startReceiver(t, g.th.task, 0, 0)
			th := threadName(g, r.th)
			require.Equal(t, mach.KernFailure, gnumach.ThreadResume(g, th), "it is not suspended")
			require.Equal(t, mach.KernSuccess, gnumach.ThreadSuspend(g, th))
			require.Equal(t, mach.KernSuccess, gnumach.ThreadSuspend(g, th), "counted")
			r.send(t, g)
			_, ended := r.ended()
			require.False(t, ended, "it has its message, and does not run")
			require.NoError(t, k.Audit())
			require.Equal(t, mach.KernSuccess, gnumach.ThreadResume(g, th))
			_, ended = r.ended()
			require.False(t, ended, "suspended once more")
			require.Equal(t, mach.KernSuccess, gnumach.ThreadResume(g, th))
			mr, ended := r.ended()
			require.True(t, ended)
			require.Equal(t, mach.MsgSuccess, mr)
		})
	})
}

// A task that suspends itself has its answer, beside whatever threads it has; the
// thread that asked does not come back before it is resumed.
func TestATaskThatSuspendsItself(t *testing.T) {
	for _, sibling := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := start(t, Config{})
			task := newTask(t, k)
			if sibling {
				startReceiver(t, task, 0, 0)
			}
			reply := make(chan mach.Name, 1)
			_, err := task.Go(func(g *GoThread) {
				p := g.ReplyPort()
				b := make([]byte, 32)
				h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, mach.TypeMakeSendOnce), Remote: g.TaskSelf(), Local: p, ID: 2056}
				h.Put(b)
				reply <- p
				g.Msg(b, mach.SendMsg, 32, 0, 0, 0, 0)
				g.Trap(-59)
				if !g.th.isDying() {
					t.Error("it runs though it is suspended")
				}
			})
			require.NoError(t, err)
			p := <-reply
			synctest.Wait()
			inTask(t, k, func(g *GoThread) {
				st, kr := gnumach.MachPortGetReceiveStatus(g, nameOf(g, task.self), p)
				require.Equal(t, mach.KernSuccess, kr)
				require.EqualValues(t, 1, st.MsgCount)
			})
		})
	}
}

func TestAbortEndsAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, Config{})
		inTask(t, k, func(g *GoThread) {
			for _, suspended := range []bool{false, true} {
				r := startReceiver(t, g.th.task, 0, 0)
				th := threadName(g, r.th)
				if suspended {
					require.Equal(t, mach.KernSuccess, gnumach.ThreadSuspend(g, th))
				}
				require.Equal(t, mach.KernSuccess, gnumach.ThreadAbort(g, th))
				mr, ended := r.ended()
				require.True(t, ended || suspended)
				if !suspended {
					require.Equal(t, mach.RcvInterrupted, mr)
				} else {
					state, _ := r.th.runState()
					require.EqualValues(t, runStateHalted, state)
				}
			}
			require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadAbort(g, threadName(g, g.th)), "one's own")
		})
	})
}

// A time-out that runs out while the thread is suspended is found out when it
// runs again; a message may come before that.
func TestATimeOutWhileSuspended(t *testing.T) {
	for _, message := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := start(t, Config{})
			inTask(t, k, func(g *GoThread) {
				r := startReceiver(t, g.th.task, mach.RcvTimeout, 1000)
				th := threadName(g, r.th)
				require.Equal(t, mach.KernSuccess, gnumach.ThreadSuspend(g, th))
				time.Sleep(2 * time.Second)
				_, ended := r.ended()
				require.False(t, ended)
				want := mach.RcvTimedOut
				if message {
					r.send(t, g)
					want = mach.MsgSuccess
				}
				require.Equal(t, mach.KernSuccess, gnumach.ThreadResume(g, th))
				mr, _ := r.ended()
				require.Equal(t, want, mr)
			})
		})
	}
}

// Threads that suspend, resume, abort, look at and end one another leave the
// books balanced, and none of them waits for ever.
func TestHammerHolds(t *testing.T) {
	k := start(t, Config{})
	task := newTask(t, k)
	const workers, rounds = 8, 200
	var wg sync.WaitGroup
	var all [workers]*Thread
	ready := make(chan struct{})
	for i := range all {
		wg.Add(1)
		th, err := task.Go(func(g *GoThread) {
			defer wg.Done()
			<-ready
			r := rand.New(rand.NewPCG(uint64(i), 1))
			p := g.ReplyPort()
			for range rounds {
				switch n := r.IntN(8); n {
				case 0, 1: // be somewhere to be found
					g.Msg(make([]byte, 64), mach.RcvMsg|mach.RcvTimeout, 0, 64, p, 1, 0)
				default:
					other := threadName(g, all[r.IntN(workers)])
					hammer(g, n, other)
				}
			}
		})
		require.NoError(t, err)
		all[i] = th
	}
	close(ready)
	end := make(chan struct{})
	go func() { wg.Wait(); close(end) }()
	for done := false; !done; { // somebody outside wakes those who stopped each other
		select {
		case <-end:
			done = true
		case <-time.After(time.Millisecond):
			inTask(t, k, func(g *GoThread) {
				for _, th := range all {
					_ = gnumach.ThreadResume(g, threadName(g, th))
				}
			})
		}
	}
	require.NoError(t, k.Audit())
}

func hammer(g *GoThread, n int, other mach.Name) {
	switch n {
	case 2:
		if gnumach.ThreadSuspend(g, other) == mach.KernSuccess {
			_ = gnumach.ThreadResume(g, other)
		}
	case 3:
		_ = gnumach.ThreadAbort(g, other)
	case 4:
		_, _ = gnumach.ThreadGetState(g, other, flavorThreadState, mach.ThreadStateCount)
	case 5:
		_, _ = gnumach.ThreadInfo(g, other, 1, 32)
	case 6:
		_ = gnumach.ThreadSetState(g, other, flavorDebug, make([]uint32, debugCount))
	default:
		_ = gnumach.ThreadResume(g, other)
	}
}
