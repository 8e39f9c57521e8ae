package ports

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// A port's table of dead-name requests grows as the real kernel's does
// (ipc/ipc_table.c): 32 bytes and their doubles up to 2048, at 16 a slot and one
// slot for the table itself; then pages: by ones, twos, fours and eights, fifteen
// times each.
func TestRequestTableGrows(t *testing.T) {
	require.Equal(t, []int{1, 3, 7, 15, 31, 63, 127, 255, 511, 767}, requestSizes[:10])
	require.Equal(t, 15*256-1, requestSizes[7+14])
	require.Equal(t, []int{16*256 - 1, 18*256 - 1}, requestSizes[7+15:7+17])
	require.Equal(t, []int{46*256 - 1, 50*256 - 1}, requestSizes[7+30:7+32])
	require.Equal(t, []int{106*256 - 1, 114*256 - 1}, requestSizes[7+45:7+47])
	require.Equal(t, 186*256-1, requestSizes[62])

	var table requestTable
	to := new(Port)
	for i := range requestSizes[62] {
		require.NotZero(t, table.add(mach.Name(i+1), to))
	}
	require.Zero(t, table.add(99, to), "full")
	require.Equal(t, mach.Name(40), table.at(slotOf(&table, 40)))
	require.Same(t, to, table.remove(slotOf(&table, 40)))
	require.NotZero(t, table.add(40, to))
}

func slotOf(t *requestTable, name mach.Name) uint32 {
	for i := range t.slots {
		if t.slots[i].name == name {
			return uint32(i + 1)
		}
	}
	return 0
}

// Dead names are told in the order of the table: of the slots that came together
// the last is used first (recorded: notification/dead-names-6…).
func TestDeadNamesInTheOrderOfTheTable(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	to, p := w.receive(s), w.receive(s)
	var names []mach.Name
	for range 6 {
		n, kr := s.Copyout(w.extract(s, p, mach.TypeMakeSendOnce))
		require.Equal(t, mach.KernSuccess, kr)
		_, kr = s.RequestNotification(n, mach.NotifyDeadName, 0, w.extract(s, to, mach.TypeMakeSendOnce))
		require.Equal(t, mach.KernSuccess, kr)
		names = append(names, n)
	}
	s.DestroyName(p)
	var told []int
	for m := w.poll(s, to); m != nil; m = w.poll(s, to) {
		for i, n := range names {
			if n == m.name {
				told = append(told, i)
			}
		}
	}
	require.Equal(t, []int{0, 2, 1, 5, 4, 3}, told)
}

// A receive right that goes to its backup leaves the send right under its name
// a dead name, which the port goes on counting: there are senders for ever
// (recorded: notification/port-destroyed-comes-back-send-right-stays).
func TestStraySendRight(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	to, n := w.receive(s), w.receive(s)
	require.Equal(t, mach.KernSuccess, s.InsertRight(n, w.extract(s, n, mach.TypeMakeSend)))
	_, kr := s.RequestNotification(n, mach.NotifyPortDestroyed, 0, w.extract(s, to, mach.TypeMakeSendOnce))
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, mach.KernSuccess, s.ModRefs(n, mach.RightReceive, -1))
	require.Equal(t, mach.TypeDeadName, w.typeOf(s, n))
	m := w.poll(s, to)
	back, kr := s.Copyout(m.rights[0])
	require.Equal(t, mach.KernSuccess, kr)
	st, kr := s.ReceiveStatus(back)
	require.Equal(t, mach.KernSuccess, kr)
	require.True(t, st.SRights)
	w.audit()
	_, kr = s.RequestNotification(back, mach.NotifyNoSenders, 0, w.extract(s, to, mach.TypeMakeSendOnce))
	require.Equal(t, mach.KernSuccess, kr)
	require.Empty(t, w.ids(s, to))
	s.DestroyName(back)
	require.Equal(t, []mach.MsgID{mach.NotifySendOnce}, w.ids(s, to))
}

// What is found in a destroyed message goes with it, before the queue's next
// message (recorded: notification/all-that-a-port-owes-…).
func TestMessagesDieWithAllTheyHold(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	to, outer, inner := w.receive(s), w.receive(s), w.receive(s)
	once := func() Right { return w.extract(s, to, mach.TypeMakeSendOnce) }
	mark := func(n mach.Name, id uint32) {
		p := w.receive(s)
		_, kr := s.RequestNotification(p, mach.NotifyDeadName, 0, once())
		require.Equal(t, mach.KernSuccess, kr)
		right := w.extract(s, p, mach.TypeMakeSend)
		require.Equal(t, mach.KernSuccess, s.InsertRight(p, right))
		w.send(s, n, mach.TypeMakeSendOnce, mach.MsgID(id), w.extract(s, p, mach.TypeMoveReceive))
		require.Equal(t, mach.KernSuccess, s.Rename(p, mach.Name(1000+id)))
	}
	mark(inner, 1)
	mark(inner, 2)
	w.send(s, outer, mach.TypeMakeSendOnce, 7, w.extract(s, inner, mach.TypeMoveReceive))
	mark(outer, 3)
	s.DestroyName(outer)
	var told []mach.Name
	for m := w.poll(s, to); m != nil; m = w.poll(s, to) {
		told = append(told, m.name)
	}
	require.Equal(t, []mach.Name{1001, 1002, 1003}, told)
}

// Senders that waited at a port that dies destroy what they were to send when
// they run again: after all that the port owes, and in the order in which they
// are woken (recorded: blocking/senders-laden-port-dies).
func TestMessagesOfBlockedSendersDieLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.space()
		to, full := w.receive(s), w.receive(s)
		once := func() Right { return w.extract(s, to, mach.TypeMakeSendOnce) }
		require.Equal(t, mach.KernSuccess, s.SetQLimit(full, 0))
		var sent []<-chan SendResult
		for range 2 {
			p := w.receive(s)
			require.Equal(t, mach.KernSuccess, s.InsertRight(p, w.extract(s, p, mach.TypeMakeSend)))
			_, kr := s.RequestNotification(p, mach.NotifyDeadName, 0, once())
			require.Equal(t, mach.KernSuccess, kr)
			m := &note{rights: []Right{w.extract(s, p, mach.TypeMoveReceive)}}
			m.Remote, m.Size = w.extract(s, full, mach.TypeMakeSend), 32
			wt := w.waiter()
			sent = append(sent, async(func() SendResult { return w.z.Send(m, wt, Limit{}, false) }))
			synctest.Wait()
		}
		_, kr := s.RequestNotification(full, mach.NotifyNoSenders, 0, once())
		require.Equal(t, mach.KernSuccess, kr)
		_, kr = s.RequestNotification(full, mach.NotifyDeadName, 0, once())
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, mach.KernSuccess, s.DestroyName(full))
		for _, c := range sent {
			require.Equal(t, SendDone, <-c)
		}
		require.Equal(t, []mach.MsgID{
			mach.NotifySendOnce, mach.NotifyPortDeleted, mach.NotifyDeadName, mach.NotifyDeadName,
		}, w.ids(s, to))
	})
}

// A port whose table is full takes no more requests, by a call or with a message
// received. Tried on the real kernel with a client that is too slow for the
// suite: the 47616th was refused with this code, its right destroyed; the
// message's header came with neither reply right nor name.
func TestRequestsMoreThanAPortCanHold(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	to, p := w.receive(s), w.receive(s)
	once := w.extract(s, to, mach.TypeMakeSendOnce)
	w.held = []Right{once}
	w.z.mu.Lock()
	port := s.names.lookup(p).port
	port.requests.slots = make([]request, requestSizes[len(requestSizes)-1])
	w.z.mu.Unlock()

	before := w.snapshot()
	_, kr := s.RequestNotification(p, mach.NotifyDeadName, 0, once)
	require.Equal(t, mach.KernResourceShortage, kr)
	require.Equal(t, before, w.snapshot())

	dest, reply := w.extract(s, to, mach.TypeMakeSendOnce), w.extract(s, p, mach.TypeMakeSendOnce)
	w.held = append(w.held, dest, reply)
	_, _, mr := s.CopyoutHeader(dest, reply, to)
	require.Equal(t, mach.RcvHeaderError|mach.MsgIPCKernel, mr)
	w.audit()
	_, _, mr = s.CopyoutHeader(dest, reply, mach.NameNull)
	require.Equal(t, mach.MsgSuccess, mr, "without a request there is room")
	w.held = []Right{once}
}
