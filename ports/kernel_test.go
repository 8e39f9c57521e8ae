package ports

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// A kernel port's messages are for its caller to serve; its death makes dead
// names like any other's.
func TestKernelPort(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	obj := "object"
	p := w.z.NewKernelPort(obj)
	w.held = []Right{{Port: p, Type: mach.TypePortReceive}}
	require.Equal(t, obj, p.KObject())
	n, kr := s.Copyout(w.z.MakeSend(p))
	require.Equal(t, mach.KernSuccess, kr)
	require.Same(t, p, s.LookupSend(n))
	m := &note{}
	m.Remote = w.extract(s, n, mach.TypeCopySend)
	require.Equal(t, SendKernel, w.z.Send(m, nil, Limit{}, false))
	w.z.ConsumeDest(m.Remote)
	p.SetKObject(nil)
	require.Nil(t, p.KObject())
	require.True(t, p.Alive())
	w.audit()
	w.z.DestroyPort(p)
	w.z.DestroyPort(p)
	w.held = nil
	require.False(t, p.Alive())
	require.Nil(t, s.LookupSend(n))
	require.Equal(t, mach.TypeDeadName, w.typeOf(s, n))
	require.Equal(t, DeadRight(), w.z.MakeSend(p))
	require.Equal(t, DeadRight(), w.z.MakeSendOnce(p))
}

// A port held by kernel code queues for it; a notification to a kernel object
// goes to the hook.
func TestHeldPortAndKernelNotification(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	p := w.z.NewHeldPort()
	w.held = []Right{{Port: p, Type: mach.TypePortReceive}}
	n, _ := s.Copyout(w.z.MakeSendOnce(p))
	require.Equal(t, mach.KernSuccess, s.Deallocate(n))
	wt := w.waiter()
	m, mr := p.ReceiveHeld(wt, Limit{})
	require.Equal(t, mach.MsgSuccess, mr)
	require.Equal(t, mach.NotifySendOnce, m.(*note).id)
	w.z.ConsumeDest(m.base().Remote)
	_, mr = p.ReceiveHeld(wt, Limit{Timed: true, After: time.Millisecond})
	require.Equal(t, mach.RcvTimedOut, mr)
	w.z.DestroyPort(p)
	_, mr = p.ReceiveHeld(wt, Limit{})
	require.Equal(t, mach.RcvInvalidName, mr)

	k := w.z.NewKernelPort("k")
	w.held = []Right{{Port: k, Type: mach.TypePortReceive}}
	n, _ = s.Copyout(w.z.MakeSendOnce(k))
	require.Equal(t, mach.KernSuccess, s.Deallocate(n))
	require.Len(t, w.toKernel, 1)
}

// Rights copied by the kernel.
func TestCopySend(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	n := w.receive(s)
	right := w.extract(s, n, mach.TypeMakeSend)
	again := w.z.CopySend(right)
	w.held = []Right{right, again}
	w.audit()
	s.DestroyName(n)
	require.Equal(t, DeadRight(), w.z.CopySend(right))
	require.Equal(t, Right{}, w.z.CopySend(Right{}))
	w.z.Release(right)
	w.z.Release(again)
}

// Notifications requested: no-senders when the last send right goes,
// dead-name when the port dies (the dead name gets a reference for it),
// port-deleted when the name goes first, port-destroyed instead of death.
func TestRequestedNotifications(t *testing.T) {
	w := newWorld(t)
	a, n, b, s := w.receiver()
	to := w.receive(b)
	soright := func() Right { return w.extract(b, to, mach.TypeMakeSendOnce) }
	request := func(space *Space, n mach.Name, id mach.MsgID, sync uint32) {
		t.Helper()
		prev, kr := space.RequestNotification(n, id, sync, soright())
		require.Equal(t, mach.KernSuccess, kr)
		require.True(t, prev.IsNull())
	}
	request(a, n, mach.NotifyNoSenders, 1)
	request(b, s, mach.NotifyDeadName, 0)
	require.Equal(t, mach.TypeSend|mach.TypeDNRequest, w.typeOf(b, s))
	require.Equal(t, mach.KernSuccess, b.Deallocate(s))
	require.Equal(t, []mach.MsgID{mach.NotifyNoSenders, mach.NotifyPortDeleted}, w.ids(b, to))

	s = w.give(a, n, mach.TypeMakeSend, b)
	request(b, s, mach.NotifyDeadName, 0)
	request(a, n, mach.NotifyPortDestroyed, 0)
	require.Equal(t, mach.KernSuccess, a.DestroyName(n))
	m := w.poll(b, to)
	require.Equal(t, mach.NotifyPortDestroyed, m.id)
	require.True(t, m.rights[0].Port.Alive())
	w.z.Destroy(m)
	m = w.poll(b, to)
	require.Equal(t, mach.NotifyDeadName, m.id)
	require.Equal(t, s, m.name)
	require.Equal(t, uint32(2), w.refs(b, s, mach.RightDeadName))

	request(b, s, mach.NotifyDeadName, 1)
	require.Equal(t, uint32(3), w.refs(b, s, mach.RightDeadName))
	require.Equal(t, []mach.MsgID{mach.NotifyDeadName}, w.ids(b, to))

	right := soright()
	w.held = []Right{right}
	for _, c := range []struct {
		name mach.Name
		id   mach.MsgID
		sync uint32
		r    Right
		want mach.KernReturn
	}{
		{99, 12, 0, DeadRight(), mach.KernInvalidCapability},
		{99, 12, 0, right, mach.KernInvalidValue},
		{99, mach.NotifyPortDestroyed, 1, right, mach.KernInvalidValue},
		{99, mach.NotifyPortDestroyed, 0, right, mach.KernInvalidName},
		{s, mach.NotifyNoSenders, 0, right, mach.KernInvalidRight},
		{s, mach.NotifyDeadName, 0, right, mach.KernInvalidArgument},
		{s, mach.NotifyDeadName, 1, Right{}, mach.KernInvalidArgument},
	} {
		before := w.snapshot()
		_, kr := b.RequestNotification(c.name, c.id, c.sync, c.r)
		require.Equal(t, c.want, kr)
		require.Equal(t, before, w.snapshot())
	}
}

// The audit finds what does not add up.
func TestAuditFindsFaults(t *testing.T) {
	faults := map[string]func(w *world, s *Space, p *Port){
		"a send right not counted":     func(_ *world, _ *Space, p *Port) { p.srights = 0 },
		"a send right too many":        func(_ *world, _ *Space, p *Port) { p.srights++ },
		"a send-once right too many":   func(_ *world, _ *Space, p *Port) { p.sorights++ },
		"a message too many":           func(_ *world, _ *Space, p *Port) { p.msgcount++ },
		"a port out of reach":          func(w *world, _ *Space, _ *Port) { w.z.NewKernelPort(nil) },
		"a space out of reach":         func(w *world, _ *Space, _ *Port) { w.spaces = nil },
		"a right nobody counted":       func(w *world, _ *Space, p *Port) { w.held = []Right{{Port: p, Type: mach.TypePortSend}} },
		"two receive rights":           func(w *world, _ *Space, p *Port) { w.held = []Right{{Port: p, Type: mach.TypePortReceive}} },
		"a wrong receiver":             func(_ *world, _ *Space, p *Port) { p.name++ },
		"a name not counted":           func(_ *world, s *Space, _ *Port) { s.names.size++ },
		"references without a right":   func(_ *world, s *Space, _ *Port) { s.names.lookup(1).urefs = 0 },
		"a send right not found again": func(_ *world, s *Space, p *Port) { s.reverse[p] = 1 },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			w := &world{T: t, z: NewZone()}
			w.z.SetHooks(w)
			s := w.space()
			n := w.receive(s)
			w.give(s, n, mach.TypeMakeSend, s)
			w.send(s, n, mach.TypeMakeSendOnce, 1)
			require.NoError(t, w.z.Audit(w.roots()))
			fault(w, s, s.names.lookup(n).port)
			require.Error(t, w.z.Audit(w.roots()))
		})
	}
}

// A deep nest of receive rights in messages dies without recursion.
func TestDeepNestDies(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	inner := w.extract(s, w.receive(s), mach.TypeMoveReceive)
	for range 20000 {
		n := w.receive(s)
		m := &note{rights: []Right{inner}}
		m.Remote = w.extract(s, n, mach.TypeMakeSend)
		w.z.Send(m, nil, Limit{}, false)
		inner = w.extract(s, n, mach.TypeMoveReceive)
	}
	require.Equal(t, 20001, w.z.LivePorts())
	w.z.Release(inner)
	require.Zero(t, w.z.LivePorts())
}
