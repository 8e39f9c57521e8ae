package platform

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func TestSpinnerGivesUpAndTriesAgain(t *testing.T) {
	s := spinner{max: 100}
	for range spinMisses {
		require.Equal(t, 100, s.next())
		s.note(false)
	}
	tries := 0
	for range 10 * spinProbe {
		if s.next() > 0 {
			tries++
			s.note(false)
		}
	}
	require.Equal(t, 10, tries)
	s.note(true)
	require.Equal(t, 100, s.next())
	var none spinner
	require.Zero(t, none.next(), "one processor: never")
}

func TestUsageWaitsForTheLast(t *testing.T) {
	var u usage
	require.True(t, u.enter())
	require.True(t, u.enter())
	var left atomic.Int32
	closed := make(chan bool)
	for range 2 {
		go func() {
			first := u.close()
			if left.Load() != 2 {
				t.Error("closed before the last user left")
			}
			closed <- first
		}()
	}
	for u.enter() { // until one of them is in
		u.leave()
	}
	left.Add(1)
	u.leave()
	left.Add(1)
	u.leave()
	one, other := <-closed, <-closed
	require.NotEqual(t, one, other, "one of them was first")
	require.False(t, u.close())
	require.False(t, u.enter())
}

func TestRecordRuns(t *testing.T) {
	var r record
	const edge = mach.Addr(1) << windowShift
	set := func(a mach.Addr) { r.set(a, pageEntry{1, mach.ProtRead}) }
	for _, a := range []mach.Addr{edge - mach.PageSize, edge, edge + mach.PageSize, edge + 3*mach.PageSize, 5 * edge} {
		set(a)
	}
	require.Equal(t, []extent{
		{edge - mach.PageSize, edge + 2*mach.PageSize},
		{edge + 3*mach.PageSize, edge + 4*mach.PageSize},
		{5 * edge, 5*edge + mach.PageSize},
	}, r.runs(0, UserEnd))
	require.Equal(t, []extent{{edge, edge + mach.PageSize}}, r.runs(edge, edge+mach.PageSize))
	require.Equal(t, extent{edge - mach.PageSize, edge + 2*mach.PageSize}, r.widen(extent{edge, edge + mach.PageSize}))
	require.Len(t, r.windows, 3)
	r.clear(edge, UserEnd)
	require.Len(t, r.windows, 1)
	r.set(edge-mach.PageSize, pageEntry{})
	require.Empty(t, r.windows)
	r.set(edge, pageEntry{}) // forgetting what is not there
	require.Empty(t, r.windows)
}

func TestEventKindsHaveNames(t *testing.T) {
	for k := EventTrap; k <= EventDied; k++ {
		require.NotEqual(t, "event?", k.String())
	}
	require.Equal(t, "event?", EventKind(99).String())
}
