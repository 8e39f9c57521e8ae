package ports

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// full is a space with a port whose queue is full and a send right to it.
func (w *world) full(s *Space) mach.Name {
	port := w.receive(s)
	for range mach.QLimitDefault {
		w.send(s, port, mach.TypeMakeSend, 1)
	}
	require.Equal(w, mach.KernSuccess, s.InsertRight(port, w.extract(s, port, mach.TypeMakeSend)))
	return port
}

func (w *world) force(s *Space, port, notify mach.Name, rights ...Right) mach.MsgReturn {
	w.Helper()
	m := &note{id: 2, rights: rights}
	m.Remote, m.Size = w.extract(s, port, mach.TypeCopySend), 32
	mr := s.Force(m, notify)
	if mr != mach.SendWillNotify {
		w.z.Destroy(m)
	}
	return mr
}

// What the name of the port becomes while the forced message waits, and what the
// notification says of it then. The facts are conformance cases, too.
func TestForcedNames(t *testing.T) {
	const other = mach.Name(5000)
	for _, c := range []struct {
		what  string
		with  func(w *world, s *Space, port mach.Name) // until it returns the message waits
		from  mach.Name                                // where it is taken, null: it is not
		about mach.Name                                // null: no name; 1: the port's first
	}{
		{"taken", func(*world, *Space, mach.Name) {}, 1, 1},
		{"renamed", func(w *world, s *Space, port mach.Name) {
			require.Equal(w, mach.KernSuccess, s.Rename(port, other))
		}, other, other},
		{"send right given up, receive right stays", func(w *world, s *Space, port mach.Name) {
			require.Equal(w, mach.KernSuccess, s.Deallocate(port))
		}, 1, 1},
		{"destroyed", func(w *world, s *Space, port mach.Name) {
			require.Equal(w, mach.KernSuccess, s.DestroyName(port))
		}, 0, 0},
		{"receive right destroyed", func(w *world, s *Space, port mach.Name) {
			require.Equal(w, mach.KernSuccess, s.ModRefs(port, mach.RightReceive, -1))
			require.Equal(w, mach.TypeDeadName, w.typeOf(s, port))
		}, 0, 0},
		{"dies elsewhere", func(w *world, s *Space, port mach.Name) {
			w.z.Release(w.extract(s, port, mach.TypeMoveReceive))
			require.Equal(w, mach.TypeDeadName, w.typeOf(s, port))
		}, 0, 1},
		{"receive right away and back", func(w *world, s *Space, port mach.Name) {
			r := w.extract(s, port, mach.TypeMoveReceive)
			require.Equal(w, mach.TypeSend|mach.TypeMARequest, w.typeOf(s, port))
			_, kr := s.Copyout(r)
			require.Equal(w, mach.KernSuccess, kr)
		}, 1, 1},
		{"both rights away and back", func(w *world, s *Space, port mach.Name) {
			r := w.extract(s, port, mach.TypeMoveReceive)
			require.Equal(w, mach.KernSuccess, s.Deallocate(port))
			require.Equal(w, mach.KernSuccess, s.InsertRight(port, r))
		}, 1, 0},
		{"the last send right moved", func(w *world, s *Space, port mach.Name) {
			r := w.extract(s, port, mach.TypeMoveReceive)
			w.z.Release(w.extract(s, port, mach.TypeMoveSend))
			require.Equal(w, mach.KernSuccess, s.InsertRight(other, r))
		}, other, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t)
			s := w.space()
			port, notify := w.full(s), w.receive(s)
			require.Equal(t, mach.SendWillNotify, w.force(s, port, notify))
			require.Equal(t, mach.TypeSendReceive|mach.TypeMARequest, w.typeOf(s, port))
			c.with(w, s, port)
			w.audit()
			from, about := c.from, c.about
			if from == 1 {
				from = port
			}
			if about == 1 {
				about = port
			}
			if from != 0 {
				require.Nil(t, w.poll(s, notify))
				require.Len(t, w.ids(s, from), mach.QLimitDefault+1)
				require.Zero(t, w.typeOf(s, from)&mach.TypeMARequest)
			}
			n := w.poll(s, notify)
			require.NotNil(t, n)
			require.Equal(t, []any{mach.NotifyMsgAccepted, about}, []any{n.id, n.name})
			require.Nil(t, w.poll(s, notify))
		})
	}
}

// One message at a time, as long as the name lasts; the order in which a second
// one is refused; a refusal changes nothing.
func TestForcedTwice(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	port, notify := w.full(s), w.receive(s)
	before := w.snapshot()
	require.Equal(t, mach.SendInvalidNotify, w.force(s, port, 9999))
	require.Equal(t, before, w.snapshot())
	require.Equal(t, mach.SendWillNotify, w.force(s, port, notify))
	before = w.snapshot()
	require.Equal(t, mach.SendNotifyInProgress, w.force(s, port, 9999))
	require.Equal(t, mach.SendNotifyInProgress, w.force(s, port, notify))
	require.Equal(t, before, w.snapshot())
	require.Equal(t, mach.KernSuccess, s.Rename(port, 5000))
	require.Equal(t, mach.SendNotifyInProgress, w.force(s, 5000, notify))
}

// A task that ends leaves its forced message in the queue; the notification goes
// to whoever has the port now, without a name.
func TestForcedByDeadSpace(t *testing.T) {
	w := newWorld(t)
	s, u := w.space(), w.space()
	port, notify := w.full(u), w.receive(s)
	dest := w.give(u, port, mach.TypeMakeSend, s)
	require.Equal(t, mach.SendWillNotify, w.force(s, dest, notify))
	notify = w.give(s, notify, mach.TypeMoveReceive, u)
	s.Destroy()
	w.audit()
	require.Len(t, w.ids(u, port), mach.QLimitDefault+1)
	n := w.poll(u, notify)
	require.Equal(t, []any{mach.NotifyMsgAccepted, mach.NameNull}, []any{n.id, n.name})
	m := &note{}
	m.Remote = w.extract(u, port, mach.TypeMakeSend)
	require.Equal(t, mach.SendInvalidNotify, s.Force(m, 1))
	w.z.Destroy(m)
}

// A message that is destroyed instead of queued is notified of at once.
func TestForcedDestroyed(t *testing.T) {
	for _, circular := range []bool{false, true} {
		w := newWorld(t)
		s := w.space()
		port, notify := w.full(s), w.receive(s)
		m := &note{id: 2}
		m.Remote, m.Size, m.Circular = w.extract(s, port, mach.TypeCopySend), 32, circular
		about := port
		if !circular {
			require.Equal(t, mach.KernSuccess, s.DestroyName(port))
			about = mach.NameNull
		}
		require.Equal(t, mach.SendWillNotify, s.Force(m, notify))
		require.True(t, m.gone)
		n := w.poll(s, notify)
		require.Equal(t, []any{mach.NotifyMsgAccepted, about}, []any{n.id, n.name})
	}
}

// The audit finds a request that the name does not know of, and the reverse.
func TestAuditForced(t *testing.T) {
	for _, spoil := range []func(s *Space, e *entry, name mach.Name){
		func(_ *Space, e *entry, _ mach.Name) { e.forced = false },
		func(s *Space, e *entry, name mach.Name) { e.forced = false; delete(s.forced, name) },
		func(s *Space, _ *entry, name mach.Name) { s.forced[name].name = mach.NameNull },
		func(s *Space, _ *entry, name mach.Name) { s.forced[name].to = nil },
	} {
		w := &world{T: t, z: NewZone()}
		w.z.SetHooks(w)
		s := w.space()
		port, notify := w.full(s), w.receive(s)
		require.Equal(t, mach.SendWillNotify, w.force(s, port, notify))
		require.NoError(t, w.z.Audit(w.roots()))
		spoil(s, s.names.lookup(port), port)
		require.Error(t, w.z.Audit(w.roots()))
	}
}
