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
