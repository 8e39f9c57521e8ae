package kernel

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
)

// A thread changes its task's message all the time while another sends it: now it
// has a right in it, now eight bytes, now it goes here, now there. What arrives
// is one of these, whole: never a right that is a number, nor a number that became
// a right. (ipc.TestAMessageIsReadOnce shows it byte by byte.)
func TestASenderThatChangesItsMessage(t *testing.T) {
	n := 20_000
	if testing.Short() {
		n = 2_000
	}
	k := start(t, Config{})
	sender, receiver := newTask(t, k), newTask(t, k)
	var from [2]mach.Name
	var to [2]mach.Name
	for i := range from {
		name, kr := receiver.space.Allocate(mach.RightReceive)
		require.Equal(t, mach.KernSuccess, kr)
		from[i] = name
		to[i], _ = receiver.Share(name, sender)
	}
	mine, kr := sender.space.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernSuccess, kr)
	const number = 0xbad // of no right
	page, kr := k.memory.Allocate(sender.VMMap(), 0, mach.PageSize, true)
	require.Equal(t, mach.KernSuccess, kr)

	right := ipc.Descriptor{Name: mach.TypeMakeSend, Size: 64, Number: 1, Inline: true}
	bytes := ipc.Descriptor{Name: mach.TypeByte, Size: 8, Number: 8, Inline: true}
	var stop atomic.Bool
	_, err := sender.Go(func(g *GoThread) {
		var d [2][8]byte
		right.Put(d[0][:])
		bytes.Put(d[1][:])
		for i := 0; !stop.Load(); i++ {
			g.Write(page+ipc.HeaderSize, d[i%2][:])
			g.Write(page+ipc.HeaderSize+8, le.AppendUint64(nil, []uint64{uint64(mine), number}[i/2%2]))
			g.Write(page+8, le.AppendUint64(nil, uint64(to[i/4%2])))
		}
	})
	require.NoError(t, err)
	defer stop.Store(true)
	require.NoError(t, sender.Run(func(g *GoThread) {
		h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, 0) | mach.BitsComplex, Remote: to[0], ID: 5}
		msg := make([]byte, ipc.HeaderSize+16)
		h.Put(msg)
		bytes.Put(msg[ipc.HeaderSize:])
		le.PutUint64(msg[ipc.HeaderSize+8:], number)
		g.Write(page, msg)
		var got [2]int
		buf := make([]byte, len(msg))
		check := func(r *GoThread) {
			for _, name := range from {
				for r.Msg(buf, mach.RcvMsg|mach.RcvTimeout, 0, len(buf), name, 0, 0) == mach.MsgSuccess {
					h, _ := ipc.ParseHeader(buf)
					d, word := ipc.ParseDescriptor(buf[ipc.HeaderSize:]), le.Uint64(buf[ipc.HeaderSize+8:])
					require.Equal(t, name, h.Local)
					if !h.Bits.Complex() {
						require.Equal(t, bytes, d)
						require.Contains(t, []uint64{uint64(mine), number}, word)
						got[0]++
						continue
					}
					require.Equal(t, ipc.Descriptor{Name: mach.TypePortSend, Size: 64, Number: 1, Inline: true}, d)
					type_, kr := receiver.space.Type(mach.Name(word))
					require.Equal(t, mach.KernSuccess, kr)
					require.Equal(t, mach.TypeSend, type_)
					got[1]++
				}
			}
		}
		for range n {
			mr := mach.MsgReturn(g.Trap(-25, uint64(page), uint64(mach.SendMsg), uint64(len(msg)), 0, 0, 0, 0))
			if mr != mach.MsgSuccess {
				require.Equal(t, mach.SendInvalidRight, mr, "a right named by the number")
				continue
			}
			require.NoError(t, receiver.Run(check))
		}
		require.NotZero(t, got[0])
		require.NotZero(t, got[1])
	}))
	require.NoError(t, k.Audit())
}
