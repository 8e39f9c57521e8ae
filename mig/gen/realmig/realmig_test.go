// Package realmig judges mig/gen by the real GNU MIG: for every interface of the
// kernel, and one of our own that has what those have not, both write stubs.
// Two programs, one in C and one in Go, read the same cases and print what the
// stubs sent, answered and understood:
//
//	values     arguments, results, messages and damaged messages, drawn from a .defs file
//	layout     how a message is laid out, and which of its bytes are defined
//	trial      the cases of a routine
//	cdriver, godriver, build   the two programs
//	compare    their answers; intended lists the differences that are right
package realmig

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mig/defs"
	"machkernel/mig/gen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Our stubs and those of the real MIG send the same bytes for the same
// arguments, read the same from the same messages, and refuse the same ones.
func TestStubs(t *testing.T) {
	tc := findToolchain(t)
	subjects, types := tc.interfaces(t)
	files := len(subjects) + len(types)
	require.Len(t, subjects, 17, "interfaces in gnumach-dev")
	require.Len(t, types, 6, "files of types")
	every, err := tc.parse(t.Context(), "testdata/every.defs")
	require.NoError(t, err)
	subjects = append(subjects, every)
	d := build(t, tc, subjects)
	n := tally{intended: map[string]int{}}
	routines := 0
	for _, s := range subjects {
		routines += len(s.Routines)
		t.Run(s.Name, func(t *testing.T) {
			var trials []trial
			for _, r := range s.Routines {
				trials = append(trials, userTrials(s.Subsystem, r, newDice(uint64(r.ID)))...)
				trials = append(trials, serverTrials(s.Subsystem, r, newDice(uint64(r.ID)))...)
			}
			n.compare(t, trials, play(t, d.c, trials), play(t, d.goo, trials))
		})
	}
	t.Logf("%d .defs of gnumach-dev, %d of types alone, and one of our own; %d routines (%d ours), %d cases compared",
		files, len(types), routines, len(every.Routines), n.cases)
	for reason, cases := range n.intended {
		t.Logf("%d differ as intended: %s", cases, reason)
	}
	t.Logf("%d of %d bytes that nothing defines had the filler's value in C", n.filled, n.undefined)
	require.Greater(t, n.filled*100, n.undefined*99, "what is taken for undefined, C does define")
}

// The list of ids is the real MIG's, line for line.
func TestListOfIDs(t *testing.T) {
	tc := findToolchain(t)
	subjects, _ := tc.interfaces(t)
	for _, s := range subjects {
		dir := t.TempDir()
		command(t, dir, string(withoutMarkers(s.text)), tc.migcom,
			"-user", os.DevNull, "-server", os.DevNull, "-header", os.DevNull, "-list", "list")
		want, err := os.ReadFile(filepath.Join(dir, "list"))
		require.NoError(t, err)
		got, err := gen.List(s.Subsystem, gen.Options{})
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), s.Name)
	}
}

// beyond are the routines of our own that Debian's files do not show.
var beyond = map[int]string{
	2648: "newer than Debian's files", 3223: "newer than Debian's files", 4215: "newer than Debian's files", 4216: "newer than Debian's files",
	4000: "for kernels built with pc sampling, as the packaged one is", 4001: "the same", 4002: "the same",
	4003: "the same", 4004: "the same", 4005: "the same",
}

// What our own .defs files say of the kernel's interfaces is what Debian's do.
func TestOurInterfacesAreTheKernels(t *testing.T) {
	tc := findToolchain(t)
	subjects, _ := tc.interfaces(t)
	theirs := map[string]*subject{}
	for _, s := range subjects {
		theirs[s.Name] = s
	}
	files, err := filepath.Glob("../../gnumach/*.defs")
	require.NoError(t, err)
	compared := 0
	for _, file := range files {
		if filepath.Base(file) == "types.defs" {
			continue
		}
		ours, err := tc.parse(t.Context(), file)
		require.NoError(t, err)
		their := theirs[ours.Name]
		require.NotNil(t, their, "%s is no interface of the kernel's", file)
		o := gen.Options{Package: "gnumach", Source: filepath.Base(file)}
		got, err := gen.Table(ours.Subsystem, o)
		require.NoError(t, err)
		committed, err := os.ReadFile(strings.TrimSuffix(file, ".defs") + "_table.go")
		require.NoError(t, err)
		require.Equal(t, string(got), string(committed), "run scripts/generate.sh")

		ours.Routines = slices.DeleteFunc(ours.Routines, func(r *defs.Routine) bool { return beyond[r.ID] != "" })
		ours.End = their.End
		want, err := gen.Table(their.Subsystem, o)
		require.NoError(t, err)
		got, err = gen.Table(ours.Subsystem, o)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), file)
		compared += len(ours.Routines)
	}
	t.Logf("%d routines of %d interfaces compared", compared, len(files)-1)
}
