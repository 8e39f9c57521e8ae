package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/testdata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, console string
		cases         []Case
		done          bool
		err           string
	}{
		{"nothing", "", nil, false, ""},
		{"two cases", "== a/b\nx\ny\n== a/c\n-- done\n", []Case{{"a/b", []string{"x", "y"}}, {Name: "a/c"}}, true, ""},
		{"cut off", "== a/b\nx", []Case{{"a/b", []string{"x"}}}, false, ""},
		{"a case twice", "== a/b\n== a/b\n", []Case{{Name: "a/b"}}, false, "twice"},
		{"before the first", "x\n== a/b\n", nil, false, "before the first case"},
		{"after the end", "== a/b\n-- done\nx\n", []Case{{Name: "a/b"}}, true, "after the end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cases, done, err := Parse(c.console)
			require.Equal(t, c.cases, cases)
			require.Equal(t, c.done, done)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	good := fstest.MapFS{
		"bin/one": file("ELF"), "bin/TOOLCHAIN": file("gcc"), "bin/notes.txt": file(""),
		"golden/one.txt":   file("GNU Mach 1.8\n== a/b\nx\n-- done\n"),
		"skip-on-real.tsv": file("# name\treason\tanswer\na/c\thangs\tKERN_SUCCESS | bytes 0\n"),
		"deviations.tsv":   file("a/b\tbecause\n"),
	}
	s, err := Load(good, nil)
	require.NoError(t, err)
	require.Equal(t, []Client{{"one", "ELF"}}, s.Clients)
	require.Equal(t, Recording{"GNU Mach 1.8", []Case{{"a/b", []string{"x"}}}}, s.Recordings["one"])
	require.Equal(t, Skipped{"hangs", []string{"KERN_SUCCESS", "bytes 0"}}, s.Skip["a/c"])
	require.Equal(t, "because", s.Deviations["a/b"])
	require.Equal(t, []string{"GNU Mach 1.8"}, s.Versions())

	for _, c := range []struct {
		name string
		fs   fstest.MapFS
		want string
	}{
		{"no clients", fstest.MapFS{}, "bin/"},
		{"an empty bin", fstest.MapFS{"bin/README.md": file("")}, "no client"},
		{"a recording without a version", fstest.MapFS{"bin/one": file(""), "golden/one.txt": file("GNU Mach")}, "one.txt"},
		{"a recording cut off", fstest.MapFS{"bin/one": file(""), "golden/one.txt": file("v\n== a/b\nx\n")}, "cut off"},
		{"a corrupt recording", fstest.MapFS{"bin/one": file(""), "golden/one.txt": file("v\nx\n")}, "before the first case"},
		{"a table with a column too few", fstest.MapFS{"bin/one": file(""), "skip-on-real.tsv": file("a/b\tx\n")}, "skip-on-real.tsv:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(c.fs, nil)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// judged is a suite with one client, and what each verdict needs.
func judged() (*Suite, []string, []Case) {
	s := &Suite{
		Recordings: map[string]Recording{"one": {Version: "Mach", Cases: []Case{
			{"r/agrees", []string{"x"}},
			{"r/differs", []string{"x", "y"}},
			{"r/deviates", []string{"x"}},
			{"r/no-longer", []string{"x"}},
			{"r/gone", []string{"x"}},
		}}},
		Skip:       map[string]Skipped{"r/manual": {"hangs", []string{"m"}}, "r/manual-no": {"hangs", []string{"m"}}},
		Deviations: map[string]string{"r/deviates": "why", "r/no-longer": "why"},
	}
	names := []string{"r/agrees", "r/differs", "r/deviates", "r/no-longer", "r/manual", "r/manual-no", "r/new"}
	ours := []Case{
		{"r/agrees", []string{"x"}},
		{"r/differs", []string{"x", "z"}},
		{"r/deviates", []string{"z"}},
		{"r/no-longer", []string{"x"}},
		{"r/manual", []string{"m"}},
		{"r/manual-no", []string{"x"}},
		{"r/new", []string{"x"}},
	}
	return s, names, ours
}

func TestVerdicts(t *testing.T) {
	s, names, ours := judged()
	got := map[string]Verdict{}
	for _, r := range s.compare("one", names, ours) {
		got[r.Case] = r.Verdict
		if r.Case == "r/differs" {
			require.Equal(t, "differs: real y, ours z", r.Reason)
		}
	}
	require.Equal(t, map[string]Verdict{
		"r/agrees": Agrees, "r/differs": Fails, "r/deviates": Deviates, "r/no-longer": Fails,
		"r/manual": Expected, "r/manual-no": Fails, "r/new": Fails, "r/gone": Fails,
	}, got)
}

func TestWriters(t *testing.T) {
	s, names, ours := judged()
	rep := &Report{Versions: s.Versions(), Results: s.compare("one", names, ours)}
	require.Equal(t, "8 cases: 1 agree with Mach, 1 answer as argued where the real kernel breaks, 1 deviate for a listed reason, 5 fail", rep.Summary())

	var b bytes.Buffer
	require.NoError(t, rep.WriteText(&b, false))
	require.Contains(t, b.String(), "fails     r/differs  (differs: real y, ours z)\n    real  x\n    real  y\n    ours  x\n    ours  z\n")
	require.NotContains(t, b.String(), "r/agrees")

	b.Reset()
	require.NoError(t, rep.WriteJSON(&b))
	var back Report
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	require.Equal(t, *rep, back)

	b.Reset()
	require.NoError(t, rep.WriteJUnit(&b))
	var x junitSuites
	require.NoError(t, xml.Unmarshal(b.Bytes(), &x))
	require.Equal(t, 8, x.Tests)
	require.Equal(t, 5, x.Failures)
	require.Equal(t, 1, x.Suites[0].Skipped)

	b.Reset()
	require.NoError(t, rep.WriteMarkdown(&b))
	require.Contains(t, b.String(), "| r | 8 | 1 | 1 | 1 | 5 |\n")
}

func TestARunGoesOnBehindTheCaseThatBrokeIt(t *testing.T) {
	names := []string{"a/1", "a/2", "a/3"}
	require.Nil(t, selection(names, names))
	require.Equal(t, []string{"from=a/2"}, selection(names, names[1:]))
	require.Equal(t, []string{"a/3"}, after(names, "a/2"))
	require.Empty(t, after(names, "a/3"))
	require.Empty(t, after(names, "other"))
}

// The built-in suite: each case answers as the real kernel did, or deviates for
// a listed reason.
func TestTheSuiteAgreesWithTheRealKernel(t *testing.T) {
	s, err := Load(testdata.Conformance())
	require.NoError(t, err)
	require.Len(t, s.Versions(), 1, "all recordings are of one kernel")
	rep, err := Judge(context.Background(), s, func(string) bool { return true }, nil)
	require.NoError(t, err)
	require.NotZero(t, rep.Count(Agrees))
	for _, r := range rep.Results {
		require.NotEqual(t, Fails, r.Verdict, "%s: %s\nreal %q\nours %q", r.Case, r.Reason, r.Real, r.Ours)
	}
	for name := range s.Deviations {
		require.True(t, slices.ContainsFunc(rep.Results, func(r Result) bool { return r.Case == name }), "%s is listed, and no case", name)
	}
	for name := range s.Skip {
		require.True(t, slices.ContainsFunc(rep.Results, func(r Result) bool { return r.Case == name }), "%s is listed, and no case", name)
	}
}

// A client that dies or hangs costs the case it was in.
func TestAClientThatBreaks(t *testing.T) {
	image, err := testdata.Client("fault")
	require.NoError(t, err)
	cases, err := Run(context.Background(), Client{Name: "fault", Image: image}, []string{"a/1", "a/2"})
	require.NoError(t, err)
	require.Len(t, cases, 2)
	require.Equal(t, "a/1", cases[0].Name)
	require.Contains(t, cases[0].Facts[0], "! EXC_BAD_ACCESS")
}
