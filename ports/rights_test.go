package ports

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Send and receive rights share one name; send-once rights each have their own.
func TestOneNamePerPort(t *testing.T) {
	w := newWorld(t)
	a, b := w.space(), w.space()
	n := w.receive(a)
	require.Equal(t, n, w.give(a, n, mach.TypeMakeSend, a))
	require.Equal(t, mach.TypeSendReceive, w.typeOf(a, n))
	s1 := w.give(a, n, mach.TypeMakeSend, b)
	require.Equal(t, s1, w.give(a, n, mach.TypeCopySend, b))
	require.Equal(t, uint32(2), w.refs(b, s1, mach.RightSend))
	o1 := w.give(a, n, mach.TypeMakeSendOnce, b)
	o2 := w.give(a, n, mach.TypeMakeSendOnce, b)
	require.NotEqual(t, o1, o2)
	require.Equal(t, mach.TypeSendOnce, w.typeOf(b, o1))
	st, kr := a.ReceiveStatus(n)
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, uint32(2), st.MSCount, "only make-send counts")
	require.Equal(t, uint32(2), st.SORights)
	require.True(t, st.SRights)
}

// What each disposition needs, and what it leaves, for every kind of name.
func TestDispositions(t *testing.T) {
	const no = mach.KernInvalidRight
	kinds := []struct {
		name string
		make func(w *world, s, other *Space) mach.Name
		// result per disposition: receive, send, once, copy, make, make once
		want [6]mach.KernReturn
		left [6]mach.PortType // after a success
	}{
		{
			"receive", func(w *world, s, _ *Space) mach.Name { return w.receive(s) },
			[6]mach.KernReturn{0, no, no, no, 0, 0},
			[6]mach.PortType{0, 0, 0, 0, mach.TypeReceive, mach.TypeReceive},
		},
		{
			"send+receive", func(w *world, s, _ *Space) mach.Name {
				n := w.receive(s)
				return w.give(s, n, mach.TypeMakeSend, s)
			},
			[6]mach.KernReturn{0, 0, no, 0, 0, 0},
			[6]mach.PortType{mach.TypeSend, mach.TypeReceive, 0, mach.TypeSendReceive, mach.TypeSendReceive, mach.TypeSendReceive},
		},
		{
			"send", func(w *world, s, o *Space) mach.Name { return w.give(o, w.receive(o), mach.TypeMakeSend, s) },
			[6]mach.KernReturn{no, 0, no, 0, no, no},
			[6]mach.PortType{0, 0, 0, mach.TypeSend, 0, 0},
		},
		{
			"send-once", func(w *world, s, o *Space) mach.Name { return w.give(o, w.receive(o), mach.TypeMakeSendOnce, s) },
			[6]mach.KernReturn{no, no, 0, no, no, no},
			[6]mach.PortType{},
		},
		{
			"dead name", func(w *world, s, _ *Space) mach.Name { return w.allocate(s, mach.RightDeadName) },
			[6]mach.KernReturn{no, 0, 0, 0, no, no},
			[6]mach.PortType{0, 0, 0, mach.TypeDeadName, 0, 0},
		},
		{
			"send right to a dead port", func(w *world, s, o *Space) mach.Name {
				n := w.receive(o)
				got := w.give(o, n, mach.TypeMakeSend, s)
				o.DestroyName(n)
				return got
			},
			[6]mach.KernReturn{no, 0, 0, 0, no, no},
			[6]mach.PortType{0, 0, 0, mach.TypeDeadName, 0, 0},
		},
		{
			"send-once right to a dead port", func(w *world, s, o *Space) mach.Name {
				n := w.receive(o)
				got := w.give(o, n, mach.TypeMakeSendOnce, s)
				o.DestroyName(n)
				return got
			},
			[6]mach.KernReturn{no, 0, 0, 0, no, no},
			[6]mach.PortType{0, 0, 0, mach.TypeDeadName, 0, 0},
		},
		{
			"port set", func(w *world, s, _ *Space) mach.Name { return w.allocate(s, mach.RightPortSet) },
			[6]mach.KernReturn{no, no, no, no, no, no},
			[6]mach.PortType{},
		},
	}
	for _, k := range kinds {
		for i := range 6 {
			disposition := mach.TypeMoveReceive + mach.TypeName(i)
			t.Run(k.name+"/"+disposition.String(), func(t *testing.T) {
				w := newWorld(t)
				s, other := w.space(), w.space()
				n := k.make(w, s, other)
				before := w.snapshot()
				right, kr := s.ExtractRight(n, disposition)
				require.Equal(t, k.want[i], kr)
				if kr != mach.KernSuccess {
					require.Equal(t, before, w.snapshot())
					return
				}
				defer w.z.Release(right)
				if right.Port != nil {
					require.Equal(t, disposition.Received(), right.Type)
				}
				left, kr := s.Type(n)
				if k.left[i] == 0 {
					require.Equal(t, mach.KernInvalidName, kr)
				}
				require.Equal(t, k.left[i], left)
			})
		}
	}
}

// A send right counts to 65534 references: a message's more are dropped, a
// call's are refused.
func TestSendReferencesLimit(t *testing.T) {
	w := newWorld(t)
	a, b := w.space(), w.space()
	n := w.receive(a)
	s := w.give(a, n, mach.TypeMakeSend, b)
	require.Equal(t, mach.KernUrefsOverflow, b.ModRefs(s, mach.RightSend, 65534))
	require.Equal(t, mach.KernSuccess, b.ModRefs(s, mach.RightSend, 65533))
	require.Equal(t, uint32(65534), w.refs(b, s, mach.RightSend))
	require.Equal(t, s, w.give(a, n, mach.TypeMakeSend, b))
	require.Equal(t, uint32(65534), w.refs(b, s, mach.RightSend))
	right := w.extract(a, n, mach.TypeMakeSend)
	before := w.snapshot()
	require.Equal(t, mach.KernUrefsOverflow, b.InsertRight(s, right))
	require.Equal(t, before, w.snapshot())
	w.z.Release(right)
}

// A dead name counts to 65535 references.
func TestDeadNameReferences(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	n := w.allocate(s, mach.RightDeadName)
	require.Equal(t, uint32(1), w.refs(s, n, mach.RightDeadName))
	require.Equal(t, mach.KernUrefsOverflow, s.ModRefs(n, mach.RightDeadName, 65535))
	require.Equal(t, mach.KernUrefsOverflow, s.ModRefs(n, mach.RightDeadName, 0x7fffffff))
	require.Equal(t, mach.KernSuccess, s.ModRefs(n, mach.RightDeadName, 65534))
	require.Equal(t, mach.KernInvalidValue, s.ModRefs(n, mach.RightDeadName, -65536))
	require.Equal(t, mach.KernInvalidValue, s.ModRefs(n, mach.RightDeadName, -0x80000000))
	require.Equal(t, mach.KernSuccess, s.Deallocate(n))
	require.Equal(t, mach.KernSuccess, s.ModRefs(n, mach.RightDeadName, -65534))
	require.Equal(t, mach.KernInvalidName, s.Deallocate(n))
}

// When a port dies, names for it become dead names with their references, and
// destroying one of several references leaves the rest.
func TestPortDeathMakesDeadNames(t *testing.T) {
	w := newWorld(t)
	a, b := w.space(), w.space()
	n := w.receive(a)
	s := w.give(a, n, mach.TypeMakeSend, b)
	require.Equal(t, mach.KernSuccess, b.ModRefs(s, mach.RightSend, 2))
	o := w.give(a, n, mach.TypeMakeSendOnce, b)
	require.Equal(t, n, w.give(a, n, mach.TypeMakeSend, a))
	require.Equal(t, mach.KernSuccess, a.ModRefs(n, mach.RightReceive, -1))
	require.Equal(t, mach.TypeDeadName, w.typeOf(a, n), "a send right beside the receive right dies with it")
	list, _ := b.Names()
	require.Equal(t, []NameInfo{{s, mach.TypeDeadName}, {o, mach.TypeDeadName}}, list)
	require.Equal(t, uint32(0), w.refs(b, s, mach.RightSend))
	require.Equal(t, uint32(3), w.refs(b, s, mach.RightDeadName))
	require.Equal(t, mach.KernInvalidRight, b.ModRefs(s, mach.RightSend, -1))
	require.Equal(t, mach.KernSuccess, b.Deallocate(s))
	require.Equal(t, uint32(2), w.refs(b, s, mach.RightDeadName))
	require.Equal(t, uint32(1), w.refs(b, o, mach.RightDeadName))
}

// A send-once right destroyed unused tells its port, however it ends.
func TestSendOnceNotification(t *testing.T) {
	ends := map[string]func(w *world, b *Space, o mach.Name){
		"deallocate": func(w *world, b *Space, o mach.Name) { require.Equal(w, mach.KernSuccess, b.Deallocate(o)) },
		"destroy":    func(w *world, b *Space, o mach.Name) { require.Equal(w, mach.KernSuccess, b.DestroyName(o)) },
		"mod_refs": func(w *world, b *Space, o mach.Name) {
			require.Equal(w, mach.KernSuccess, b.ModRefs(o, mach.RightSendOnce, -1))
		},
		"space dies": func(_ *world, b *Space, _ mach.Name) { b.Destroy() },
		"released":   func(w *world, b *Space, o mach.Name) { w.z.Release(w.extract(b, o, mach.TypeMoveSendOnce)) },
		"in a destroyed message": func(w *world, b *Space, o mach.Name) {
			q := w.receive(b)
			w.send(b, q, mach.TypeMakeSend, 7, w.extract(b, o, mach.TypeMoveSendOnce))
			require.Equal(w, mach.KernSuccess, b.DestroyName(q))
		},
		"in a message in a message": func(w *world, b *Space, o mach.Name) {
			outer, inner := w.receive(b), w.receive(b)
			w.send(b, inner, mach.TypeMakeSend, 7, w.extract(b, o, mach.TypeMoveSendOnce))
			w.send(b, outer, mach.TypeMakeSend, 8, w.extract(b, inner, mach.TypeMoveReceive))
			b.Destroy()
		},
		"sent to a dead port": func(w *world, b *Space, o mach.Name) {
			q := w.receive(b)
			dest := w.extract(b, q, mach.TypeMakeSend)
			b.DestroyName(q)
			m := &note{rights: []Right{w.extract(b, o, mach.TypeMoveSendOnce)}}
			m.Remote = dest
			require.Equal(w, SendDone, w.z.Send(m, nil, Limit{Timed: true}, false))
		},
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.space(), w.space()
			n := w.receive(a)
			end(w, b, w.give(a, n, mach.TypeMakeSendOnce, b))
			require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, w.ids(a, n))
			st, _ := a.ReceiveStatus(n)
			require.Equal(t, uint32(0), st.SORights)
		})
	}
}

// mach_port calls test in a fixed order, and a refused one changes nothing.
func TestCallErrors(t *testing.T) {
	w := newWorld(t)
	s, other, dead := w.space(), w.space(), w.space()
	dead.Destroy()
	rcv := w.receive(s)
	set := w.allocate(s, mach.RightPortSet)
	dn := w.allocate(s, mach.RightDeadName)
	remote := w.receive(other)
	snd := w.give(other, remote, mach.TypeMakeSend, s)
	once := w.give(other, remote, mach.TypeMakeSendOnce, s)
	right := w.extract(other, remote, mach.TypeMakeSend)
	w.held = append(w.held, right)
	own := w.extract(s, rcv, mach.TypeMakeSend)
	w.held = append(w.held, own)
	gone := w.receive(other)
	deadRight := w.extract(other, gone, mach.TypeMakeSend)
	other.DestroyName(gone)

	value := func(_ any, kr mach.KernReturn) mach.KernReturn { return kr }
	cases := []struct {
		what string
		want mach.KernReturn
		call func() mach.KernReturn
	}{
		{"allocate in a dead space", mach.KernInvalidTask, func() mach.KernReturn { return value(dead.Allocate(mach.RightReceive)) }},
		{"allocate a bad right in a dead space", mach.KernInvalidValue, func() mach.KernReturn { return value(dead.Allocate(mach.RightSend)) }},
		{"allocate a send right", mach.KernInvalidValue, func() mach.KernReturn { return value(s.Allocate(mach.RightSend)) }},
		{"allocate right 5", mach.KernInvalidValue, func() mach.KernReturn { return value(s.Allocate(mach.RightNumber)) }},
		{"allocate a name in use", mach.KernNameExists, func() mach.KernReturn { return s.AllocateName(mach.RightReceive, rcv) }},
		{"allocate a name in use, bad right", mach.KernInvalidValue, func() mach.KernReturn { return s.AllocateName(mach.RightSend, rcv) }},
		{"destroy nothing", mach.KernInvalidName, func() mach.KernReturn { return s.DestroyName(99) }},
		{"destroy null", mach.KernInvalidName, func() mach.KernReturn { return s.DestroyName(mach.NameNull) }},
		{"destroy dead", mach.KernInvalidName, func() mach.KernReturn { return s.DestroyName(mach.NameDead) }},
		{"destroy in a dead space", mach.KernInvalidTask, func() mach.KernReturn { return dead.DestroyName(rcv) }},
		{"deallocate nothing", mach.KernInvalidName, func() mach.KernReturn { return s.Deallocate(99) }},
		{"deallocate a receive right", mach.KernInvalidRight, func() mach.KernReturn { return s.Deallocate(rcv) }},
		{"deallocate a set", mach.KernInvalidRight, func() mach.KernReturn { return s.Deallocate(set) }},
		{"deallocate in a dead space", mach.KernInvalidTask, func() mach.KernReturn { return dead.Deallocate(rcv) }},
		{"refs of right 5 of nothing", mach.KernInvalidValue, func() mach.KernReturn { return value(s.GetRefs(99, mach.RightNumber)) }},
		{"refs of nothing", mach.KernInvalidName, func() mach.KernReturn { return value(s.GetRefs(99, mach.RightSend)) }},
		{"mod right 5 of nothing", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(99, mach.RightNumber, 1) }},
		{"mod nothing", mach.KernInvalidName, func() mach.KernReturn { return s.ModRefs(99, mach.RightSend, 1) }},
		{"mod send of a receive right", mach.KernInvalidRight, func() mach.KernReturn { return s.ModRefs(rcv, mach.RightSend, 1) }},
		{"mod receive +1", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(rcv, mach.RightReceive, 1) }},
		{"mod receive -2", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(rcv, mach.RightReceive, -2) }},
		{"mod receive 0", mach.KernSuccess, func() mach.KernReturn { return s.ModRefs(rcv, mach.RightReceive, 0) }},
		{"mod set +1", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(set, mach.RightPortSet, 1) }},
		{"mod set of a send right", mach.KernInvalidRight, func() mach.KernReturn { return s.ModRefs(snd, mach.RightPortSet, -1) }},
		{"mod send-once +1", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(once, mach.RightSendOnce, 1) }},
		{"mod send-once 0", mach.KernSuccess, func() mach.KernReturn { return s.ModRefs(once, mach.RightSendOnce, 0) }},
		{"mod send-once of a send right", mach.KernInvalidRight, func() mach.KernReturn { return s.ModRefs(snd, mach.RightSendOnce, -1) }},
		{"mod dead name of a send right", mach.KernInvalidRight, func() mach.KernReturn { return s.ModRefs(snd, mach.RightDeadName, -1) }},
		{"mod dead name of a receive right", mach.KernInvalidRight, func() mach.KernReturn { return s.ModRefs(rcv, mach.RightDeadName, -1) }},
		{"mod send below zero", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(snd, mach.RightSend, -2) }},
		{"mod send smallest", mach.KernInvalidValue, func() mach.KernReturn { return s.ModRefs(snd, mach.RightSend, -0x80000000) }},
		{"mod send largest", mach.KernUrefsOverflow, func() mach.KernReturn { return s.ModRefs(snd, mach.RightSend, 0x7fffffff) }},
		{"type of nothing", mach.KernInvalidName, func() mach.KernReturn { return value(s.Type(99)) }},
		{"names of a dead space", mach.KernInvalidTask, func() mach.KernReturn { return value(dead.Names()) }},
		{"insert at null", mach.KernInvalidValue, func() mach.KernReturn { return s.InsertRight(0, right) }},
		{"insert at dead", mach.KernInvalidValue, func() mach.KernReturn { return s.InsertRight(mach.NameDead, right) }},
		{"insert a null right", mach.KernInvalidCapability, func() mach.KernReturn { return s.InsertRight(50, Right{}) }},
		{"insert a dead right at null", mach.KernInvalidValue, func() mach.KernReturn { return s.InsertRight(0, DeadRight()) }},
		{"insert a right to a dead port", mach.KernInvalidCapability, func() mach.KernReturn { return s.InsertRight(50, deadRight) }},
		{"insert a right to a dead port at a name in use", mach.KernNameExists, func() mach.KernReturn { return s.InsertRight(rcv, deadRight) }},
		{"insert under a second name", mach.KernRightExists, func() mach.KernReturn { return s.InsertRight(50, right) }},
		{"insert under another's name", mach.KernRightExists, func() mach.KernReturn { return s.InsertRight(rcv, right) }},
		{"insert at a name in use", mach.KernNameExists, func() mach.KernReturn { return other.InsertRight(remote, own) }},
		{"insert in a dead space", mach.KernInvalidTask, func() mach.KernReturn { return dead.InsertRight(50, right) }},
		{"insert a null right in a dead space", mach.KernInvalidCapability, func() mach.KernReturn { return dead.InsertRight(50, Right{}) }},
		{"extract with a bad disposition", mach.KernInvalidValue, func() mach.KernReturn { return value(s.ExtractRight(99, 15)) }},
		{"extract nothing", mach.KernInvalidName, func() mach.KernReturn { return value(s.ExtractRight(99, mach.TypeMakeSend)) }},
		{"status of nothing", mach.KernInvalidName, func() mach.KernReturn { return value(s.ReceiveStatus(99)) }},
		{"status of a send right", mach.KernInvalidRight, func() mach.KernReturn { return value(s.ReceiveStatus(snd)) }},
		{"queue limit 17 of nothing", mach.KernInvalidValue, func() mach.KernReturn { return s.SetQLimit(99, 17) }},
		{"queue limit of nothing", mach.KernInvalidName, func() mach.KernReturn { return s.SetQLimit(99, 16) }},
		{"queue limit of a send right", mach.KernInvalidRight, func() mach.KernReturn { return s.SetQLimit(snd, 1) }},
		{"rename to null", mach.KernInvalidValue, func() mach.KernReturn { return s.Rename(99, 0) }},
		{"rename to itself", mach.KernNameExists, func() mach.KernReturn { return s.Rename(rcv, rcv) }},
		{"rename nothing", mach.KernInvalidName, func() mach.KernReturn { return s.Rename(99, 77) }},
		{"move nothing", mach.KernInvalidName, func() mach.KernReturn { return s.MoveMember(99, set) }},
		{"move a send right", mach.KernInvalidRight, func() mach.KernReturn { return s.MoveMember(snd, set) }},
		{"move into nothing", mach.KernInvalidName, func() mach.KernReturn { return s.MoveMember(rcv, 99) }},
		{"move into a port", mach.KernInvalidRight, func() mach.KernReturn { return s.MoveMember(rcv, snd) }},
		{"move out of no set", mach.KernNotInSet, func() mach.KernReturn { return s.MoveMember(rcv, 0) }},
		{"dead name stays", mach.KernSuccess, func() mach.KernReturn { return value(s.Type(dn)) }},
	}
	// Names taken and given back settle on the free list once.
	for _, n := range []mach.Name{50, 77} {
		require.Equal(t, mach.KernSuccess, s.AllocateName(mach.RightDeadName, n))
	}
	s.DestroyName(77)
	s.DestroyName(50)
	for _, c := range cases {
		before := w.snapshot()
		require.Equal(t, c.want, c.call(), c.what)
		after := w.snapshot()
		s.zone.mu.Lock()
		s.names.free = append(s.names.free[:0], 77, 50)
		s.zone.mu.Unlock()
		if c.what != "rename nothing" { // its name is on top of the free list now, as in Mach
			require.Equal(t, before, after, c.what)
		}
	}
	w.z.Release(deadRight)
}

// A right can be renamed, with all that hangs on it.
func TestRename(t *testing.T) {
	w := newWorld(t)
	a, b := w.space(), w.space()
	n := w.receive(a)
	s := w.give(a, n, mach.TypeMakeSend, b)
	set := w.allocate(a, mach.RightPortSet)
	require.Equal(t, mach.KernSuccess, a.MoveMember(n, set))
	require.Equal(t, mach.KernSuccess, a.Rename(n, 500))
	require.Equal(t, mach.KernSuccess, a.Rename(set, 501))
	require.Equal(t, mach.KernSuccess, b.Rename(s, 0xfffffffe))
	w.send(b, 0xfffffffe, mach.TypeCopySend, 9)
	require.Equal(t, []mach.MsgID{9}, w.ids(a, 501))
	require.Equal(t, mach.Name(0xfffffffe), w.give(a, 500, mach.TypeMakeSend, b))
	members, kr := a.SetMembers(501)
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, []mach.Name{500}, members)
}

// A dying space takes its receive rights along; rights to its ports held
// elsewhere die, and it answers nothing any more.
func TestSpaceDeath(t *testing.T) {
	w := newWorld(t)
	a, b := w.space(), w.space()
	n := w.receive(a)
	set := w.allocate(a, mach.RightPortSet)
	m := w.receive(a)
	require.Equal(t, mach.KernSuccess, a.MoveMember(m, set))
	s := w.give(a, n, mach.TypeMakeSend, b)
	w.send(b, s, mach.TypeCopySend, 1)
	w.allocate(a, mach.RightDeadName)
	a.Destroy()
	a.Destroy()
	require.Equal(t, mach.TypeDeadName, w.typeOf(b, s))
	require.Zero(t, w.z.LivePorts())
	_, kr := a.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernInvalidTask, kr)
	_, _, mr := a.Receive(n, nil, 0, Limit{})
	require.Equal(t, mach.RcvInvalidName, mr)
}

func TestLookupRight(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	receive, set, dead := w.receive(s), w.allocate(s, mach.RightPortSet), w.allocate(s, mach.RightDeadName)
	for _, c := range []struct {
		fact  string
		name  mach.Name
		right mach.Right
		want  mach.KernReturn
	}{
		{"the right it denotes", receive, mach.RightReceive, mach.KernSuccess},
		{"another right", receive, mach.RightSend, mach.KernInvalidRight},
		{"no name", 77777, mach.RightReceive, mach.KernInvalidName},
		{"a set is no port", set, mach.RightPortSet, mach.KernInvalidRight},
		{"a dead name is no port", dead, mach.RightDeadName, mach.KernInvalidRight},
		{"no right of that kind", receive, 77, mach.KernInvalidRight},
	} {
		p, kr := s.LookupRight(c.name, c.right)
		require.Equal(t, c.want, kr, c.fact)
		require.Equal(t, kr == mach.KernSuccess, p != nil, c.fact)
	}
}
