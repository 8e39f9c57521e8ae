package ports

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// gateOf is a thread's gate that does not let it come back while it is closed.
type gateOf struct{ open chan struct{} }

func (g *gateOf) Leave() {}
func (g *gateOf) Enter() { <-g.open }

// blocked is a sender that waits at a full port.
type blocked struct {
	*Waiter
	gate *gateOf
	done chan SendResult
}

func (w *world) blockedSender(s *Space, port mach.Name, id mach.MsgID, limit Limit) *blocked {
	b := &blocked{gate: &gateOf{make(chan struct{})}, done: make(chan SendResult, 1)}
	b.Waiter = NewWaiter(w.z, b.gate)
	w.Cleanup(b.Close)
	m := &note{id: id}
	m.Remote, m.Size = w.extract(s, port, mach.TypeCopySend), 32
	go func() {
		r := w.z.Send(m, b.Waiter, limit, false)
		if r != SendDone {
			w.z.Destroy(m)
		}
		b.done <- r
	}()
	synctest.Wait()
	return b
}

func (b *blocked) resume() SendResult {
	b.SetSuspended(false)
	close(b.gate.open)
	return <-b.done
}

func (w *world) pollID(s *Space, port mach.Name) mach.MsgID {
	m := w.poll(s, port)
	require.NotNil(w, m)
	return m.id
}

// The room that a suspended sender was woken for is everybody's: it goes to the
// next sender that waits, to one who comes later, and to the suspended one itself
// if it is still there when it runs.
func TestSuspendedSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.space()
		port := w.full(s)
		first := w.blockedSender(s, port, 10, Limit{})
		last := w.blockedSender(s, port, 11, Limit{})
		last.SetSuspended(true)
		waiting, sending := last.Waiting()
		require.True(t, waiting && sending)
		w.pollID(s, port)
		w.audit()
		waiting, sending = last.Waiting()
		require.True(t, !waiting && sending, "it looks again when it runs")
		close(first.gate.open)
		require.Equal(t, SendDone, <-first.done, "the room is the next one's")

		m := &note{id: 12}
		w.pollID(s, port)
		m.Remote, m.Size = w.extract(s, port, mach.TypeCopySend), 32
		require.Equal(t, SendDone, w.z.Send(m, nil, Limit{Timed: true}, false), "the room is anybody's")

		last.SetSuspended(false)
		close(last.gate.open)
		synctest.Wait()
		waiting, _ = last.Waiting()
		require.True(t, waiting, "it found none and waits anew")
		require.Equal(t, []mach.MsgID{1, 1, 1, 10, 12, 11}, w.ids(s, port))
		require.Equal(t, SendDone, <-last.done)
	})
}

// A suspended sender whose port dies, that is aborted or whose time is up meanwhile.
func TestSuspendedSenderEnds(t *testing.T) {
	for _, c := range []struct {
		what string
		with func(w *world, s *Space, port mach.Name, b *blocked)
		want SendResult
	}{
		{"the port dies", func(w *world, s *Space, port mach.Name, _ *blocked) {
			require.Equal(w, mach.KernSuccess, s.DestroyName(port))
		}, SendDone},
		{"aborted, and the room is taken", func(w *world, s *Space, port mach.Name, b *blocked) {
			w.send(s, port, mach.TypeMakeSend, 1)
			b.Interrupt()
		}, SendInterrupted},
		{"aborted, and there is room", func(_ *world, _ *Space, _ mach.Name, b *blocked) { b.Interrupt() }, SendDone},
		{"time is up, and the room is taken", func(w *world, s *Space, port mach.Name, _ *blocked) {
			w.send(s, port, mach.TypeMakeSend, 1)
		}, SendTimedOut},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				s := w.space()
				port := w.full(s)
				b := w.blockedSender(s, port, 10, Limit{Timed: true, After: time.Second})
				b.SetSuspended(true)
				w.pollID(s, port)
				c.with(w, s, port, b)
				w.audit()
				require.Equal(t, c.want, b.resume())
			})
		})
	}
}
