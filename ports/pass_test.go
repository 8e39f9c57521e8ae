package ports

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Pass takes a message only where a send and a receive would give it to the same
// thread at once; where it does not, nothing has changed.
func TestPass(t *testing.T) {
	const big = ^uint32(0)
	for _, c := range []struct {
		what   string
		before func(w *world, s *Space, port mach.Name, m *note) (from mach.Name, maxSize uint32)
		want   bool
	}{
		{"an empty queue", func(_ *world, _ *Space, port mach.Name, _ *note) (mach.Name, uint32) { return port, big }, true},
		{"just large enough", func(_ *world, _ *Space, port mach.Name, _ *note) (mach.Name, uint32) { return port, 32 }, true},
		{"an empty set's queue", func(w *world, s *Space, port mach.Name, _ *note) (mach.Name, uint32) {
			set := w.allocate(s, mach.RightPortSet)
			require.Equal(w, mach.KernSuccess, s.MoveMember(port, set))
			return set, big
		}, true},
		{"too large", func(_ *world, _ *Space, port mach.Name, _ *note) (mach.Name, uint32) { return port, 31 }, false},
		{"another message first", func(w *world, s *Space, port mach.Name, _ *note) (mach.Name, uint32) {
			w.send(s, port, mach.TypeMakeSend, 1)
			return port, big
		}, false},
		{"another member's message first", func(w *world, s *Space, port mach.Name, _ *note) (mach.Name, uint32) {
			set, other := w.allocate(s, mach.RightPortSet), w.receive(s)
			require.Equal(w, mach.KernSuccess, s.MoveMember(port, set))
			require.Equal(w, mach.KernSuccess, s.MoveMember(other, set))
			w.send(s, other, mach.TypeMakeSend, 1)
			return set, big
		}, false},
		{"a member itself", func(w *world, s *Space, port mach.Name, _ *note) (mach.Name, uint32) {
			require.Equal(w, mach.KernSuccess, s.MoveMember(port, w.allocate(s, mach.RightPortSet)))
			return port, big
		}, false},
		{"another port", func(w *world, s *Space, _ mach.Name, _ *note) (mach.Name, uint32) { return w.receive(s), big }, false},
		{"no name", func(*world, *Space, mach.Name, *note) (mach.Name, uint32) { return 999, big }, false},
		{"circular", func(_ *world, _ *Space, port mach.Name, m *note) (mach.Name, uint32) {
			m.Circular = true
			return port, big
		}, false},
		{"dead port", func(w *world, s *Space, port mach.Name, _ *note) (mach.Name, uint32) {
			require.Equal(w, mach.KernSuccess, s.DestroyName(port))
			return port, big
		}, false},
		{"dead space", func(_ *world, s *Space, port mach.Name, _ *note) (mach.Name, uint32) {
			s.Destroy()
			return port, big
		}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			s := w.space()
			port := w.receive(s)
			m := &note{id: 9}
			m.Remote, m.Size = w.extract(s, port, mach.TypeMakeSendOnce), 32
			from, maxSize := c.before(w, s, port, m)
			require.Equal(t, mach.KernSuccess, orDead(s.SetSeqno(port, 4)))
			before := w.snapshot()
			require.Equal(t, c.want, s.Pass(m, from, maxSize))
			if c.want {
				require.EqualValues(t, 4, m.Seqno)
				st, _ := s.ReceiveStatus(port)
				require.EqualValues(t, 5, st.Seqno)
				require.Zero(t, st.MsgCount)
			} else {
				require.Equal(t, before, w.snapshot())
			}
			w.z.Destroy(m)
		})
	}
}

// orDead lets a port that a test has destroyed have no sequence number.
func orDead(kr mach.KernReturn) mach.KernReturn {
	if kr == mach.KernInvalidName || kr == mach.KernInvalidTask {
		return mach.KernSuccess
	}
	return kr
}

// Who waits for a message gets it first.
func TestPassWithAReceiverWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.space()
		port := w.receive(s)
		wt := w.waiter()
		done := make(chan Message)
		go func() {
			got, _, _ := s.Receive(port, wt, ^uint32(0), Limit{})
			done <- got
		}()
		synctest.Wait()
		m := &note{id: 9}
		m.Remote, m.Size = w.extract(s, port, mach.TypeMakeSendOnce), 32
		require.False(t, s.Pass(m, port, ^uint32(0)))
		require.Equal(t, SendDone, w.z.Send(m, nil, Limit{}, true))
		require.Equal(t, Message(m), <-done)
		s.CopyoutDest(m.Remote)
	})
}
