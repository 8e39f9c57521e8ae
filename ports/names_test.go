package ports

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Names that a client chooses: a bad one is told before a dead space, and a
// dead space before a space that is full or has the name already.
func TestChosenNamesOfADeadSpace(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	n := w.receive(s)
	s.Destroy()
	for _, full := range []bool{false, true} {
		if full {
			s.SetNameLimit(0)
		}
		for name, want := range map[mach.Name]mach.KernReturn{
			mach.NameNull: mach.KernInvalidValue,
			mach.NameDead: mach.KernInvalidValue,
			50:            mach.KernInvalidTask,
		} {
			require.Equal(t, want, s.AllocateName(mach.RightReceive, name), "%v", name)
			require.Equal(t, want, s.Rename(n, name), "%v", name)
		}
	}
}

// Without room for one more name a free one cannot be had; one in use is told
// as such.
func TestRenameWithoutRoom(t *testing.T) {
	w := newWorld(t)
	s := w.space()
	n, other := w.receive(s), w.receive(s)
	s.SetNameLimit(2)
	require.Equal(t, mach.KernResourceShortage, s.Rename(n, 50))
	require.Equal(t, mach.KernNameExists, s.Rename(n, other))
	require.NotZero(t, w.typeOf(s, n))
}

// Of two names that a message's header frees, the destination's is the next to
// be used again: the reply's is freed first.
func TestHeaderFreesTheDestinationLast(t *testing.T) {
	for name, dispositions := range map[string][2]mach.TypeName{
		"sends":          {mach.TypeMoveSend, mach.TypeMoveSend},
		"send-onces":     {mach.TypeMoveSendOnce, mach.TypeMoveSendOnce},
		"once, then not": {mach.TypeMoveSendOnce, mach.TypeMoveSend},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			a, b := w.space(), w.space()
			made := map[mach.TypeName]mach.TypeName{
				mach.TypeMoveSend: mach.TypeMakeSend, mach.TypeMoveSendOnce: mach.TypeMakeSendOnce,
			}
			dest := w.give(b, w.receive(b), made[dispositions[0]], a)
			reply := w.give(b, w.receive(b), made[dispositions[1]], a)
			d, r, mr := a.CopyinHeader(Header{Remote: dest, RemoteType: dispositions[0], Local: reply, LocalType: dispositions[1]}, 0)
			require.Equal(t, mach.MsgSuccess, mr)
			require.Equal(t, dest, w.allocate(a, mach.RightDeadName))
			require.Equal(t, reply, w.allocate(a, mach.RightDeadName))
			w.z.Release(d)
			w.z.Release(r)
		})
	}
}
