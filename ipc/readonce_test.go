package ipc

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// shifting is memory whose owner writes over everything that was just read, as a
// second thread of a sender may: the message, and the arrays that it points to.
type shifting struct{ *fakeMemory }

func (m shifting) ReadBytes(a mach.Addr, p []byte) mach.KernReturn {
	kr := m.fakeMemory.ReadBytes(a, p)
	if kr == mach.KernSuccess {
		junk := make([]byte, len(p))
		for i := range junk {
			junk[i] = 0xa5
		}
		m.WriteBytes(a, junk)
	}
	return kr
}

// shiftingTask is a task with such memory.
type shiftingTask struct{ *task }

func (t shiftingTask) Memory() Memory { return shifting{t.mem} }

// What was checked is what is sent: the kernel reads each byte once, so a sender
// that changes its message meanwhile changes nothing.
func TestAMessageIsReadOnce(t *testing.T) {
	w := newWorld(t)
	sender, receiver := w.task(), w.task()
	n, mine := receiver.receiveRight(), sender.receiveRight()
	to := receiver.give(n, mkSend, sender)
	array := sender.mem.allocate(8)
	sender.mem.WriteBytes(array, words(uint32(mine), uint32(mine)))
	data, bytes := sender.pattern(100, 3)
	msg := message(hdr{bits: mach.Bits(cpSend, mkOnce) | mach.BitsComplex, remote: to, local: mine, id: 77},
		ints(1, 2, 3), rights(mkSend, mine), oolRights(mkOnce, array, 2, false), ool(data, len(bytes), false))
	require.Equal(t, mach.KernSuccess, sender.mem.WriteBytes(bufAddr, msg))
	mr := w.sys.MsgTrap(shiftingTask{sender}, bufAddr, mach.SendMsg|mach.SendTimeout, uint32(len(msg)), 0, 0, 0, 0)
	require.Equal(t, mach.MsgSuccess, mr)
	require.NotEqual(t, msg, sender.bytes(bufAddr, len(msg)), "the sender has changed it")

	require.Equal(t, mach.MsgSuccess, receiver.receive(n))
	h, body := receiver.got()
	require.Equal(t, mach.MsgID(77), h.id)
	require.Equal(t, mach.Bits(mach.TypePortSendOnce, mach.TypePortSend)|mach.BitsComplex, h.bits)
	require.Equal(t, ints(1, 2, 3), body[:24])
	body = body[24:]
	typeOf := func(name uint32) mach.PortType {
		got, kr := receiver.space.Type(mach.Name(name))
		require.Equal(t, mach.KernSuccess, kr)
		return got
	}
	require.Equal(t, mach.TypePortSend, ParseDescriptor(body).Name)
	require.Equal(t, mach.TypeSend, typeOf(le.Uint32(body[8:])))
	d := ParseDescriptor(body[16:])
	require.Equal(t, Descriptor{Name: mach.TypePortSendOnce, Size: 32, Number: 2, Dealloc: true}, d)
	names := receiver.bytes(mach.Addr(le.Uint64(body[24:])), 8)
	require.Equal(t, mach.TypeSendOnce, typeOf(le.Uint32(names)))
	require.Equal(t, mach.TypeSendOnce, typeOf(le.Uint32(names[4:])))
	require.Equal(t, uint32(len(bytes)), ParseDescriptor(body[32:]).Number)
	require.Equal(t, bytes, receiver.bytes(mach.Addr(le.Uint64(body[40:])), len(bytes)))
}
