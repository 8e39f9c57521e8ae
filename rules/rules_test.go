package rules

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rule has a name of its own, says what it is about and who says so, and is
// needed: some two of its values differ.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	name := regexp.MustCompile(`^[a-z_]+/[a-z0-9-]+$`)
	for _, e := range All() {
		r := e.Row()
		require.Regexp(t, name, r.Name)
		require.False(t, seen[r.Name], r.Name)
		seen[r.Name] = true
		require.NotEmpty(t, r.About, r.Name)
		require.NotEmpty(t, r.Sources, r.Name)
		require.NotContains(t, r.About+r.Sources, "|", r.Name)
		values := map[string]bool{}
		for _, c := range r.Cells() {
			values[c.Text] = true
		}
		require.Greater(t, len(values), 1, r.Name)
		for _, f := range Families() {
			for _, ed := range []Edition{Observed, Documented} {
				require.NotPanics(t, func() { e.Turn(Of(f, ed)) }, r.Name)
			}
		}
	}
}

// Where a manual is silent its edition has the kernel's value.
func TestSilence(t *testing.T) {
	for _, e := range All() {
		for _, f := range Families() {
			if r := e.Row(); r.Of(f, Documented).Silent {
				require.Equal(t, r.Of(f, Observed).Text, r.Of(f, Documented).Text, r.Name)
			}
		}
	}
}

func TestSets(t *testing.T) {
	manual, kernel := Of(GNUMach, Documented), Of(GNUMach, Observed)
	require.Equal(t, mach.KernInvalidArgument, ReadUnaligned.In(manual))
	require.Equal(t, mach.KernSuccess, ReadUnaligned.In(kernel))
	require.Equal(t, uint64(16384), BufferLimit.In(Of(XNU, Observed)))
	require.Equal(t, "xnu, documented", Of(XNU, Documented).String())
	turned := ReadUnaligned.Turn(kernel)
	require.Equal(t, mach.KernInvalidArgument, ReadUnaligned.In(turned))
	require.Equal(t, mach.KernSuccess, ReadUnaligned.In(kernel), "a set does not change")
	changed := BufferLimit.With(turned, 7)
	require.Equal(t, uint64(7), BufferLimit.In(changed))
	require.Equal(t, mach.KernInvalidArgument, ReadUnaligned.In(changed))
	require.Zero(t, BufferLimit.In(turned))
	require.Equal(t, []any{GNUMach, Observed}, []any{changed.Family(), changed.Edition()})
}
