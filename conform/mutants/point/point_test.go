package point

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// with makes id the active place for a test.
func with(t *testing.T, id int) {
	was := state
	t.Cleanup(func() { state = was })
	state = &process{active: id}
}

func TestOnlyTheActivePlaceChanges(t *testing.T) {
	for _, active := range []bool{false, true} {
		id := 7
		with(t, 0)
		if active {
			state.active = id
		}
		require.Equal(t, map[bool]int32{false: 1, true: 2}[active], Code(id, int32(1), int32(2)))
		require.Equal(t, !active, Check(id, true))
		require.False(t, Check(id, false))
		var later bool
		require.Equal(t, !active, Later(id, &later, true))
		require.Equal(t, active, later)
		require.Equal(t, !active, Swapped(id, true, func() bool { return true }))
		require.True(t, Swapped(id, true, func() bool { return false }), "the second does not hold: the first decides")
		require.False(t, Swapped(id, false, func() bool { return true }))
		twice := func(set int) int { return 2 * set }
		require.Equal(t, map[bool]int{false: 3, true: 14}[active], Turn(id, 3, twice, 7))
		require.Equal(t, 3, Turn(id+1, 3, twice, 7))
	}
}

// A check is reached only where it finds something: elsewhere its mutant is
// the kernel.
func TestReached(t *testing.T) {
	name := filepath.Join(t.TempDir(), "reached")
	t.Setenv(ActiveVar, "")
	t.Setenv(ReachedVar, name)
	was := state
	defer func() { state = was }()
	state = load()
	defer state.reached.Close()
	Check(1, false)
	Check(2, true)
	Check(2, true)
	Code(3, int32(0), int32(1))
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "2\n3\n", string(b))
}

func TestTheEnvironmentNamesThePlace(t *testing.T) {
	t.Setenv(ActiveVar, "12")
	t.Setenv(ReachedVar, "")
	require.Equal(t, 12, load().active)
	t.Setenv(ActiveVar, "x")
	require.Panics(t, func() { load() })
}
