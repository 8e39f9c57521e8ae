package ports

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// async runs f in a thread of its own and returns its answer's channel.
func async[T any](f func() T) <-chan T {
	c := make(chan T, 1)
	go func() { c <- f() }()
	return c
}

// sendWait sends through a copied send right and waits within the limit.
func (w *world) sendWait(s *Space, n mach.Name, id mach.MsgID, wt *Waiter, limit Limit) SendResult {
	m := &note{id: id}
	right, _ := s.ExtractRight(n, mach.TypeCopySend)
	m.Remote, m.Size = right, 32
	res := w.z.Send(m, wt, limit, false)
	if res != SendDone {
		w.z.Destroy(m)
	}
	return res
}

// receiver is a space with a receive right, and another with a send right to it.
func (w *world) receiver() (a *Space, n mach.Name, b *Space, s mach.Name) {
	a, b = w.space(), w.space()
	n = w.receive(a)
	return a, n, b, w.give(a, n, mach.TypeMakeSend, b)
}

// Messages come in the order sent, numbered from 0.
func TestOrderAndSequenceNumbers(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	for i := range 5 {
		w.send(b, s, mach.TypeCopySend, mach.MsgID(i))
	}
	for i := range 5 {
		m := w.poll(a, n)
		require.Equal(t, mach.MsgID(i), m.id)
		require.Equal(t, uint32(i), m.Seqno)
	}
	require.Nil(t, w.poll(a, n))
}

// A queue takes five messages; the sixth sender waits, but not for a send-once
// right, and a time-out of zero does not wait at all.
func TestQueueLimit(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	for i := range mach.QLimitDefault {
		require.Equal(t, SendDone, w.sendWait(b, s, mach.MsgID(i), nil, Limit{Timed: true}))
	}
	require.Equal(t, SendTimedOut, w.sendWait(b, s, 9, nil, Limit{Timed: true}))
	m := &note{id: 77}
	m.Remote = w.extract(a, n, mach.TypeMakeSendOnce)
	require.Equal(t, SendDone, w.z.Send(m, nil, Limit{Timed: true}, false))
	st, _ := a.ReceiveStatus(n)
	require.Equal(t, uint32(6), st.MsgCount)
	w.poll(a, n)
	require.Equal(t, SendTimedOut, w.sendWait(b, s, 9, nil, Limit{Timed: true}), "still full: five are queued")
	w.poll(a, n)
	require.Equal(t, SendDone, w.sendWait(b, s, 9, nil, Limit{Timed: true}))
	require.Equal(t, []mach.MsgID{2, 3, 4, 77, 9}, w.ids(a, n))
}

// Who blocked last gets in first, as on the real kernel (recorded case
// mach_msg/senders-wait-in-order); also when the limit rises.
func TestBlockedSendersInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, n, b, s := w.receiver()
		require.Equal(t, mach.KernSuccess, a.SetQLimit(n, 1))
		require.Equal(t, SendDone, w.sendWait(b, s, 0, nil, Limit{}))
		var done [6]<-chan SendResult
		for i := 1; i < 6; i++ {
			wt := w.waiter()
			done[i] = async(func() SendResult { return w.sendWait(b, s, mach.MsgID(i), wt, Limit{}) })
			synctest.Wait()
			waiting, sending := wt.Waiting()
			require.True(t, waiting && sending)
		}
		w.audit()
		require.Equal(t, mach.MsgID(0), w.poll(a, n).id)
		require.Equal(t, SendDone, <-done[5])
		require.Equal(t, mach.KernSuccess, a.SetQLimit(n, 3))
		require.Equal(t, SendDone, <-done[4])
		require.Equal(t, SendDone, <-done[3])
		synctest.Wait()
		require.Empty(t, done[2])
		require.Equal(t, []mach.MsgID{5, 4, 3, 2, 1}, w.ids(a, n))
		require.Equal(t, SendDone, <-done[1])
	})
}

// A queue limit of zero blocks senders even while somebody waits to receive.
func TestQueueLimitZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, n, b, s := w.receiver()
		a.SetQLimit(n, 0)
		wr := w.waiter()
		got := async(func() *note {
			m, _, _ := a.Receive(n, wr, 99, Limit{})
			return m.(*note)
		})
		synctest.Wait()
		require.Equal(t, SendTimedOut, w.sendWait(b, s, 1, nil, Limit{Timed: true}))
		a.SetQLimit(n, 1)
		require.Equal(t, SendDone, w.sendWait(b, s, 2, nil, Limit{Timed: true}))
		m := <-got
		require.Equal(t, mach.MsgID(2), m.id)
		w.z.Destroy(m)
	})
}

// A blocked sender's wait ends by time-out, abort, termination or the port's
// death; in the first three it still has its message.
func TestBlockedSenderEnds(t *testing.T) {
	ends := []struct {
		what string
		want SendResult
		end  func(w *world, a *Space, n mach.Name, wt *Waiter)
	}{
		{"time-out", SendTimedOut, func(*world, *Space, mach.Name, *Waiter) { time.Sleep(time.Minute) }},
		{"abort", SendInterrupted, func(w *world, _ *Space, _ mach.Name, wt *Waiter) {
			require.True(w, wt.Abort())
			require.False(w, wt.Abort(), "a wait ends once")
		}},
		{"terminate", SendInterrupted, func(_ *world, _ *Space, _ mach.Name, wt *Waiter) { wt.Terminate() }},
		{"port death", SendDone, func(_ *world, a *Space, n mach.Name, _ *Waiter) { a.DestroyName(n) }},
		{"space death", SendDone, func(_ *world, a *Space, _ mach.Name, _ *Waiter) { a.Destroy() }},
		{"receive", SendDone, func(w *world, a *Space, n mach.Name, _ *Waiter) { w.poll(a, n) }},
	}
	for _, e := range ends {
		t.Run(e.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a, n, b, s := w.receiver()
				for range mach.QLimitDefault {
					w.sendWait(b, s, 1, nil, Limit{})
				}
				wt := w.waiter()
				done := async(func() SendResult { return w.sendWait(b, s, 2, wt, Limit{Timed: true, After: time.Second}) })
				synctest.Wait()
				e.end(w, a, n, wt)
				require.Equal(t, e.want, <-done)
				w.audit()
			})
		})
	}
}

// A receiver's wait ends by message, time-out, abort, the port's death or its
// move.
func TestBlockedReceiverEnds(t *testing.T) {
	ends := []struct {
		what string
		want mach.MsgReturn
		end  func(w *world, a *Space, n mach.Name, wt *Waiter)
	}{
		{"time-out", mach.RcvTimedOut, func(*world, *Space, mach.Name, *Waiter) { time.Sleep(time.Minute) }},
		{"abort", mach.RcvInterrupted, func(w *world, _ *Space, _ mach.Name, wt *Waiter) { require.True(w, wt.Abort()) }},
		{"terminate", mach.RcvInterrupted, func(_ *world, _ *Space, _ mach.Name, wt *Waiter) { wt.Terminate() }},
		{"port death", mach.RcvPortDied, func(_ *world, a *Space, n mach.Name, _ *Waiter) { a.DestroyName(n) }},
		{"space death", mach.RcvPortDied, func(_ *world, a *Space, _ mach.Name, _ *Waiter) { a.Destroy() }},
		{"moved away", mach.RcvPortDied, func(w *world, a *Space, n mach.Name, _ *Waiter) {
			w.held = append(w.held, w.extract(a, n, mach.TypeMoveReceive))
		}},
		{"into a set", mach.RcvPortChanged, func(w *world, a *Space, n mach.Name, _ *Waiter) {
			a.MoveMember(n, w.allocate(a, mach.RightPortSet))
		}},
		{"message", mach.MsgSuccess, func(w *world, a *Space, n mach.Name, _ *Waiter) { w.send(a, n, mach.TypeMakeSend, 1) }},
		{"large message", mach.RcvTooLarge, func(w *world, a *Space, n mach.Name, _ *Waiter) {
			m := &note{}
			m.Remote, m.Size = w.extract(a, n, mach.TypeMakeSend), 101
			w.z.Send(m, nil, Limit{}, false)
		}},
	}
	for _, e := range ends {
		t.Run(e.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				a, n, _, _ := w.receiver()
				wt := w.waiter()
				done := async(func() mach.MsgReturn {
					m, size, mr := a.Receive(n, wt, 100, Limit{Timed: true, After: time.Second})
					if m != nil {
						w.z.Destroy(m)
					}
					if mr == mach.RcvTooLarge && size != 101 {
						return 0
					}
					return mr
				})
				synctest.Wait()
				e.end(w, a, n, wt)
				require.Equal(t, e.want, <-done)
				w.audit()
			})
		})
	}
}

// A terminated thread waits for nothing any more.
func TestTerminatedWaiter(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	wt := w.waiter()
	wt.Terminate()
	_, _, mr := a.Receive(n, wt, 0, Limit{})
	require.Equal(t, mach.RcvInterrupted, mr)
	for range mach.QLimitDefault {
		w.sendWait(b, s, 1, wt, Limit{})
	}
	require.Equal(t, SendInterrupted, w.sendWait(b, s, 1, wt, Limit{}))
	require.Equal(t, WaitInterrupted, w.z.NewEvent().Wait(wt, Limit{}))
}

// The receiver that came last is served first (recorded case
// mach_msg/receivers-wait-in-order); a too small one is told the size and the
// next gets the message.
func TestReceiversInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, n, b, s := w.receiver()
		type answer struct {
			m    Message
			size uint32
			mr   mach.MsgReturn
		}
		var got [3]<-chan answer
		for i, room := range []uint32{100, 16, 100} {
			wt := w.waiter()
			got[i] = async(func() answer {
				m, size, mr := a.Receive(n, wt, room, Limit{})
				return answer{m, size, mr}
			})
			synctest.Wait()
		}
		w.send(b, s, mach.TypeCopySend, 1)
		w.send(b, s, mach.TypeCopySend, 2)
		first, second, third := <-got[2], <-got[1], <-got[0]
		require.Equal(t, mach.MsgID(1), first.m.(*note).id)
		require.Equal(t, mach.RcvTooLarge, second.mr)
		require.Equal(t, uint32(32), second.size)
		require.Equal(t, mach.MsgID(2), third.m.(*note).id)
		require.Equal(t, uint32(1), third.m.base().Seqno)
		w.z.Destroy(first.m)
		w.z.Destroy(third.m)
	})
}

// Receiving names that are not there, not receive rights, or in a set.
func TestReceiveErrors(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	set := w.allocate(a, mach.RightPortSet)
	other := w.receive(a)
	require.Equal(t, mach.KernSuccess, a.MoveMember(other, set))
	for _, c := range []struct {
		space *Space
		name  mach.Name
		want  mach.MsgReturn
	}{
		{a, mach.NameNull, mach.RcvInvalidName},
		{a, mach.NameDead, mach.RcvInvalidName},
		{a, 99, mach.RcvInvalidName},
		{b, s, mach.RcvInvalidName},
		{a, other, mach.RcvInSet},
		{a, n, mach.RcvTimedOut},
		{a, set, mach.RcvTimedOut},
	} {
		before := w.snapshot()
		_, _, mr := c.space.Receive(c.name, nil, 100, Limit{Timed: true})
		require.Equal(t, c.want, mr)
		require.Equal(t, before, w.snapshot())
	}
	w.send(b, s, mach.TypeCopySend, 1)
	_, size, mr := a.Receive(n, nil, 31, Limit{})
	require.Equal(t, mach.RcvTooLarge, mr)
	require.Equal(t, uint32(32), size)
	require.Equal(t, []mach.MsgID{1}, w.ids(a, n), "it stayed in the queue")
}

// A moved receive right takes its queue along; sequence number and make-send
// count start anew, names for sending stay.
func TestMoveReceive(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	w.send(b, s, mach.TypeCopySend, 1)
	w.poll(a, n)
	w.send(b, s, mach.TypeCopySend, 2)
	right := w.extract(a, n, mach.TypeMoveReceive)
	_, kr := a.Type(n)
	require.Equal(t, mach.KernInvalidName, kr)
	w.held = append(w.held, right)
	w.send(b, s, mach.TypeCopySend, 3)
	w.audit()
	w.held = nil
	got, kr := b.Copyout(right)
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, s, got, "it joins the send right")
	st, _ := b.ReceiveStatus(s)
	require.Zero(t, st.MSCount)
	m := w.poll(b, s)
	require.Equal(t, mach.MsgID(2), m.id)
	require.Zero(t, m.Seqno)
	require.Equal(t, []mach.MsgID{3}, w.ids(b, s))
}

// A receive right in a message to itself, or in a circle of messages, goes
// with the message: the send succeeds and everything is destroyed.
func TestCircularMessages(t *testing.T) {
	for _, length := range []int{1, 2, 3, 10} {
		w := newWorld(t)
		s := w.space()
		var names []mach.Name
		var dests []Right
		for range length {
			n := w.receive(s)
			names = append(names, n)
			dests = append(dests, w.extract(s, n, mach.TypeMakeSend))
		}
		for i, n := range names {
			m := &note{rights: make([]Right, 1)}
			m.Remote = dests[(i+1)%length]
			done, circular, kr := s.CopyinRights([]mach.Name{n}, mach.TypeMoveReceive, m.Remote.Port, m.rights)
			require.Equal(t, 1, done)
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, i == length-1, circular)
			m.Circular = circular
			require.Equal(t, SendDone, w.z.Send(m, nil, Limit{}, false))
		}
		require.Zero(t, w.z.LivePorts())
		w.audit()
	}
}

// A set receives for its members: messages move in and out with a port, in
// order; a set's death leaves its members alone.
func TestPortSet(t *testing.T) {
	w := newWorld(t)
	a, b := w.space(), w.space()
	set, other := w.allocate(a, mach.RightPortSet), w.allocate(a, mach.RightPortSet)
	var n, s [2]mach.Name
	for i := range n {
		n[i] = w.receive(a)
		s[i] = w.give(a, n[i], mach.TypeMakeSend, b)
	}
	w.send(b, s[0], mach.TypeCopySend, 1)
	w.send(b, s[1], mach.TypeCopySend, 2)
	require.Equal(t, mach.KernSuccess, a.MoveMember(n[1], set))
	require.Equal(t, mach.KernSuccess, a.MoveMember(n[0], set))
	require.Equal(t, mach.KernSuccess, a.MoveMember(n[0], set), "into its own set: nothing")
	w.send(b, s[0], mach.TypeCopySend, 3)
	w.send(b, s[1], mach.TypeCopySend, 4)
	w.audit()
	m := w.poll(a, set)
	require.Equal(t, mach.MsgID(2), m.id)
	st, _ := a.ReceiveStatus(n[0])
	require.Equal(t, set, st.PSet)
	require.Equal(t, uint32(2), st.MsgCount)
	require.Equal(t, mach.KernSuccess, a.MoveMember(n[0], other))
	require.Equal(t, []mach.MsgID{4}, w.ids(a, set))
	require.Equal(t, mach.KernSuccess, a.DestroyName(other))
	require.Equal(t, []mach.MsgID{1, 3}, w.ids(a, n[0]))
	require.Equal(t, mach.KernNotInSet, a.MoveMember(n[0], 0))
	require.Equal(t, mach.KernSuccess, a.MoveMember(n[1], 0))
	require.Equal(t, mach.KernSuccess, a.ModRefs(set, mach.RightPortSet, -1))
}

// Threads waiting at a set get what its members bring, and learn of its death.
func TestPortSetReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, n, b, s := w.receiver()
		set := w.allocate(a, mach.RightPortSet)
		recv := func() <-chan mach.MsgReturn {
			wt := w.waiter()
			c := async(func() mach.MsgReturn {
				m, _, mr := a.Receive(set, wt, 100, Limit{})
				w.z.Destroy(m)
				return mr
			})
			synctest.Wait()
			return c
		}
		got := recv()
		w.send(b, s, mach.TypeCopySend, 1)
		synctest.Wait()
		require.Empty(t, got)
		a.MoveMember(n, set)
		require.Equal(t, mach.MsgSuccess, <-got)
		got = recv()
		w.send(b, s, mach.TypeCopySend, 2)
		require.Equal(t, mach.MsgSuccess, <-got)
		got = recv()
		a.DestroyName(set)
		require.Equal(t, mach.RcvPortDied, <-got)
	})
}

// Many senders and receivers on one port: nothing is lost, each sender's
// messages stay in order, nobody waits for ever.
func TestManySendersAndReceivers(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	const senders, each = 8, 2000
	var wg sync.WaitGroup
	for i := range senders {
		wt := w.waiter()
		wg.Go(func() {
			for j := range each {
				w.sendWait(b, s, mach.MsgID(i<<16|j), wt, Limit{})
			}
		})
	}
	got := make(chan mach.MsgID, senders*each)
	var seqnos sync.Map
	for range 4 {
		wt := w.waiter()
		wg.Go(func() {
			for {
				m, _, mr := a.Receive(n, wt, 100, Limit{Timed: true, After: time.Second})
				if mr != mach.MsgSuccess {
					return
				}
				if _, dup := seqnos.LoadOrStore(m.base().Seqno, true); dup {
					t.Error("a sequence number came twice")
				}
				got <- m.(*note).id
				w.z.Destroy(m)
			}
		})
	}
	wg.Wait()
	require.Len(t, got, senders*each)
}

// An event is used up by one waiter; a broadcast wakes those that wait.
func TestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.z.NewEvent()
		wt := w.waiter()
		e.Signal()
		require.Equal(t, WaitHappened, e.Wait(wt, Limit{}))
		require.Equal(t, WaitTimedOut, e.Wait(wt, Limit{Timed: true}))
		require.Equal(t, WaitTimedOut, e.Wait(wt, Limit{Timed: true, After: time.Second}))
		c := async(func() WaitResult { return e.Wait(wt, Limit{}) })
		synctest.Wait()
		e.Broadcast()
		require.Equal(t, WaitHappened, <-c)
		c = async(func() WaitResult { return e.Wait(wt, Limit{}) })
		synctest.Wait()
		wt.Abort()
		require.Equal(t, WaitInterrupted, <-c)
	})
}

// countingGate counts how often it is passed.
type countingGate struct{ left, entered int }

func (g *countingGate) Leave() { g.left++ }
func (g *countingGate) Enter() { g.entered++ }

// The gate is left only to block.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, n, b, s := w.receiver()
		var g countingGate
		wt := NewWaiter(w.z, &g)
		defer wt.Close()
		w.send(b, s, mach.TypeCopySend, 1)
		m, _, _ := a.Receive(n, wt, 100, Limit{})
		w.z.Destroy(m)
		require.Equal(t, countingGate{}, g)
		_, _, mr := a.Receive(n, wt, 100, Limit{Timed: true, After: time.Second})
		require.Equal(t, mach.RcvTimedOut, mr)
		require.Equal(t, countingGate{1, 1}, g)
	})
}
