package ports

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// note is the message of tests: a body of rights.
type note struct {
	MsgBase
	id     mach.MsgID
	name   mach.Name
	count  uint32
	rights []Right
	gone   bool
}

func (n *note) ReleaseTo(r *Reaper) {
	if n.gone {
		panic("message destroyed twice")
	}
	n.gone = true
	for _, right := range n.rights {
		r.Discard(right)
	}
}

func (n *note) Rights(yield func(Right) bool) {
	for _, r := range n.rights {
		if !yield(r) {
			return
		}
	}
}

// world is a zone with spaces, and the audit at its end.
type world struct {
	*testing.T
	z      *Zone
	spaces []*Space
	held   []Right

	mu       sync.Mutex
	toKernel []*note
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, z: NewZone()}
	w.z.SetHooks(w)
	t.Cleanup(w.audit)
	return w
}

func (w *world) NewNotification(n Notification) Message {
	m := &note{id: n.ID, name: n.Name, count: n.Count}
	m.Remote, m.Size = n.To, 32
	if n.Port.Port != nil {
		m.rights = []Right{n.Port}
	}
	return m
}

func (w *world) KernelNotification(m Message) {
	w.mu.Lock()
	w.toKernel = append(w.toKernel, m.(*note))
	w.mu.Unlock()
	w.z.ConsumeDest(m.base().Remote)
}

func (w *world) audit() {
	w.Helper()
	require.NoError(w, w.z.Audit(w.roots()))
}

func (w *world) roots() Roots {
	return Roots{Spaces: w.spaces, Held: func(yield func(Right) bool) {
		for _, r := range w.held {
			yield(r)
		}
	}}
}

func (w *world) space() *Space {
	s := w.z.NewSpace()
	w.spaces = append(w.spaces, s)
	return s
}

func (w *world) waiter() *Waiter {
	wt := NewWaiter(w.z, nil)
	w.Cleanup(wt.Close)
	return wt
}

func (w *world) allocate(s *Space, right mach.Right) mach.Name {
	w.Helper()
	n, kr := s.Allocate(right)
	require.Equal(w, mach.KernSuccess, kr)
	return n
}

func (w *world) receive(s *Space) mach.Name { return w.allocate(s, mach.RightReceive) }

func (w *world) extract(s *Space, n mach.Name, disposition mach.TypeName) Right {
	w.Helper()
	r, kr := s.ExtractRight(n, disposition)
	require.Equal(w, mach.KernSuccess, kr)
	return r
}

// give moves a right made from n with disposition into another space.
func (w *world) give(from *Space, n mach.Name, disposition mach.TypeName, to *Space) mach.Name {
	w.Helper()
	got, kr := to.Copyout(w.extract(from, n, disposition))
	require.Equal(w, mach.KernSuccess, kr)
	return got
}

// send queues a message through a right made from name.
func (w *world) send(s *Space, n mach.Name, disposition mach.TypeName, id mach.MsgID, rights ...Right) {
	w.Helper()
	m := &note{id: id, rights: rights}
	m.Remote, m.Size = w.extract(s, n, disposition), 32
	require.Equal(w, SendDone, w.z.Send(m, nil, Limit{Timed: true}, true))
}

// poll takes the next message without waiting, nil if there is none.
func (w *world) poll(s *Space, n mach.Name) *note {
	w.Helper()
	m, _, mr := s.Receive(n, nil, ^uint32(0), Limit{Timed: true})
	if mr == mach.RcvTimedOut {
		return nil
	}
	require.Equal(w, mach.MsgSuccess, mr)
	got := m.(*note)
	s.CopyoutDest(got.Remote)
	got.Remote = Right{}
	return got
}

// ids drains a port and lists the ids it got.
func (w *world) ids(s *Space, n mach.Name) []mach.MsgID {
	w.Helper()
	var ids []mach.MsgID
	for m := w.poll(s, n); m != nil; m = w.poll(s, n) {
		ids = append(ids, m.id)
		w.z.Destroy(m)
	}
	return ids
}

func (w *world) typeOf(s *Space, n mach.Name) mach.PortType {
	w.Helper()
	t, kr := s.Type(n)
	require.Equal(w, mach.KernSuccess, kr)
	return t
}

func (w *world) refs(s *Space, n mach.Name, right mach.Right) uint32 {
	w.Helper()
	u, kr := s.GetRefs(n, right)
	require.Equal(w, mach.KernSuccess, kr)
	return u
}

// snapshot is all that a client could tell about a zone's spaces.
func (w *world) snapshot() string {
	w.z.mu.Lock()
	defer w.z.mu.Unlock()
	out := ""
	for _, s := range w.spaces {
		out += fmt.Sprintf("space %d active %v free %v\n", s.id, s.active, s.names.free)
		s.names.each(func(n mach.Name, e *entry) bool {
			out += fmt.Sprintf(" %d: %s urefs %d request %d forced %v", n, e.typ(), e.urefs, e.request, e.forced)
			if p := e.port; p != nil {
				out += fmt.Sprintf(" port %d state %d ms %d s %d so %d seq %d count %d", p.id, p.state, p.mscount, p.srights, p.sorights, p.seqno, p.msgcount)
			}
			out += "\n"
			return true
		})
	}
	return out
}
