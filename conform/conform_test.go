package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/kernel"
	"machkernel/mach"
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
		"golden/one.txt":            file("GNU Mach 1.8\n== a/b\nx\n-- done\n"),
		"skip-on-real.tsv":          file("# name\treason\tanswer\na/c\thangs\tKERN_SUCCESS | bytes 0\n"),
		"deviations.tsv":            file("a/b\tbecause\n"),
		"deviations-documented.tsv": file("a/b\tanother\n"),
		"manual.tsv":                file("a/b\tthe manual\tx | y or z\n"),
		"source-only.tsv":           file("a/c\t1.8+git20251228\ta file\tKERN_SUCCESS\n"),
	}
	s, err := Load(good, nil)
	require.NoError(t, err)
	require.Equal(t, []Client{{"one", "ELF"}}, s.Clients)
	require.Equal(t, Recording{"GNU Mach 1.8", []Case{{"a/b", []string{"x"}}}}, s.Recordings["one"])
	require.Equal(t, Skipped{"hangs", []string{"KERN_SUCCESS", "bytes 0"}}, s.Skip["a/c"])
	require.Equal(t, "because", s.Deviations["a/b"])
	require.Equal(t, "another", s.Documented["a/b"])
	require.Equal(t, Promise{"the manual", []string{"x", "y or z"}}, s.Manual["a/b"])
	require.Equal(t, Unjudged{20251228, "a file", []string{"KERN_SUCCESS"}}, s.Source["a/c"])
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
		{"a version that is none", fstest.MapFS{"bin/one": file(""), "source-only.tsv": file("a/b\tnow\tx\ty\n")}, `kernel version "now"`},
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
	for _, r := range s.compare(Target{}, "one", names, ours) {
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
	rep := &Report{Versions: s.Versions(), Results: s.compare(Target{}, "one", names, ours)}
	require.Equal(t, "8 cases: 1 agree with Mach, 1 answer as argued where the real kernel breaks, 1 deviate for a listed reason, 5 fail", rep.Summary())

	var b bytes.Buffer
	require.NoError(t, rep.WriteText(&b, false))
	require.Contains(t, b.String(), "fails        r/differs  (differs: real y, ours z)\n    real    x\n    real    y\n    ours    x\n    ours    z\n")
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

// The built-in suite, in both editions and as a newer kernel: each case answers
// as the real kernel did, as the manual promises or as the sources say, or
// deviates for a listed reason.
func TestTheSuiteAgrees(t *testing.T) {
	s, err := Load(testdata.Conformance())
	require.NoError(t, err)
	require.Len(t, s.Versions(), 1, "all recordings are of one kernel")
	for _, on := range []Target{
		{Edition: kernel.Observed, Version: mach.VersionPackaged},
		{Edition: kernel.Documented, Version: mach.VersionPackaged},
		{Edition: kernel.Observed, Version: mach.VersionNewest},
		{Edition: kernel.Documented, Version: mach.VersionNewest},
	} {
		t.Run(fmt.Sprint(on.Edition, " ", on.Version), func(t *testing.T) {
			rep, err := Judge(context.Background(), s, Options{Target: on})
			require.NoError(t, err)
			require.NotZero(t, rep.Count(Agrees))
			require.Equal(t, on.Edition == kernel.Documented, rep.Count(Promised) > 0)
			want := 0 // the packaged kernel has been recorded
			if on.Version > mach.VersionPackaged {
				want = len(s.Source)
			}
			require.Equal(t, want, rep.Count(SourceOnly))
			cases := map[string]bool{everywhere: true}
			for _, r := range rep.Results {
				cases[r.Case] = true
				require.NotEqual(t, Fails, r.Verdict, "%s: %s\nmanual %q\nreal %q\nours %q", r.Case, r.Reason, r.Manual, r.Real, r.Ours)
			}
			for _, listed := range [][]string{
				slices.Collect(maps.Keys(s.Deviations)), slices.Collect(maps.Keys(s.Documented)),
				slices.Collect(maps.Keys(s.Skip)), slices.Collect(maps.Keys(s.Manual)), slices.Collect(maps.Keys(s.Source)),
			} {
				for _, name := range listed {
					require.True(t, cases[name], "%s is listed, and no case", name)
				}
			}
		})
	}
}

// Every promise is of lines that the real kernel prints, too, if only with
// other words: else it would promise what no kernel can tell.
func TestPromisesAreOfLinesThatCasesPrint(t *testing.T) {
	s, err := Load(testdata.Conformance())
	require.NoError(t, err)
	for _, rec := range s.Recordings {
		for _, c := range rec.Cases {
			p := s.Manual[c.Name]
			for _, line := range p.Lines {
				what, _, _ := strings.Cut(line, ":")
				require.True(t, slices.ContainsFunc(c.Facts, func(l string) bool { return l == line || strings.HasPrefix(l, what+":") }), "%s: %s", c.Name, line)
			}
		}
	}
}

func TestPromises(t *testing.T) {
	answer := []string{"call: KERN_SUCCESS", "bytes: 3", "again: KERN_FAILURE"}
	for _, c := range []struct {
		name            string
		lines           []string
		promised, given string
		kept            bool
	}{
		{"one line", []string{"call: KERN_SUCCESS"}, "", "", true},
		{"lines with others between", []string{"call: KERN_SUCCESS", "again: KERN_FAILURE"}, "", "", true},
		{"the other order", []string{"again: KERN_FAILURE", "call: KERN_SUCCESS"}, "call: KERN_SUCCESS", nothingMore, false},
		{"a choice", []string{"again: KERN_NO_SPACE or KERN_FAILURE"}, "", "", true},
		{"another code", []string{"call: KERN_NO_SPACE"}, "call: KERN_NO_SPACE", "call: KERN_SUCCESS", false},
		{"a line that starts alike", []string{"bytes: 30"}, "bytes: 30", "bytes: 3", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			promise := Promise{Lines: c.lines}
			promised, given, kept := promise.kept(answer)
			require.Equal(t, c.kept, kept)
			require.Equal(t, c.promised, promised)
			require.Equal(t, c.given, given)
		})
	}
}

// spoken is a suite of cases of which a manual or the sources speak.
func spoken() *Suite {
	const since = mach.VersionSizeLimit
	return &Suite{
		Recordings: map[string]Recording{"one": {Version: "Mach", Cases: []Case{
			{"r/both", []string{"x: 1", "y"}},
			{"r/disagree", []string{"x: 1"}},
			{"r/silent", []string{"p"}},
			{"r/newer", []string{"x: 1"}},
			{"r/listed", []string{"x: 1"}},
		}}},
		Manual: map[string]Promise{
			"r/both":     {"the manual", []string{"x: 1"}},
			"r/disagree": {"the manual", []string{"x: 2"}},
			"r/listed":   {"the manual", []string{"x: 2"}},
			everywhere:   {"the manual", []string{"p => q"}},
		},
		Documented: map[string]string{"r/listed": "why"},
		Source:     map[string]Unjudged{"r/newer": {since, "a file", []string{"x: 3"}}},
	}
}

func TestVerdictsByEditionAndVersion(t *testing.T) {
	s := spoken()
	names := []string{"r/both", "r/disagree", "r/silent", "r/newer", "r/listed"}
	kernels, manuals := []Case{
		{"r/both", []string{"x: 1", "y"}},
		{"r/disagree", []string{"x: 1"}},
		{"r/silent", []string{"p"}},
		{"r/newer", []string{"x: 1"}},
		{"r/listed", []string{"x: 1"}},
	}, []Case{
		{"r/both", []string{"x: 1", "z"}},
		{"r/disagree", []string{"x: 2"}},
		{"r/silent", []string{"q"}},
		{"r/newer", []string{"x: 3"}},
		{"r/listed", []string{"x: 1"}},
	}
	const newer = mach.VersionSizeLimit
	for _, c := range []struct {
		name string
		on   Target
		ours []Case
		want []Verdict
	}{
		{"observed", Target{}, kernels, []Verdict{Agrees, Agrees, Agrees, Agrees, Agrees}},
		{"observed, as the manual says", Target{}, manuals, []Verdict{Fails, Fails, Fails, Fails, Agrees}},
		{"documented", Target{Edition: kernel.Documented, Version: newer}, manuals, []Verdict{Promised, Promised, Agrees, SourceOnly, Deviates}},
		{"documented, as the kernel does", Target{Edition: kernel.Documented}, kernels, []Verdict{Promised, Fails, Fails, Agrees, Deviates}},
		{"newer, not as the sources say", Target{Version: newer}, kernels, []Verdict{Agrees, Agrees, Agrees, Fails, Agrees}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []Verdict
			for _, r := range s.compare(c.on, "one", names, c.ours) {
				got = append(got, r.Verdict)
			}
			require.Equal(t, c.want, got)
		})
	}

	on := Target{Edition: kernel.Documented, Version: newer}
	rep := &Report{Versions: s.Versions(), Edition: on.Edition.String(), Results: s.compare(on, "one", names, manuals)}
	require.Equal(t, "4 cases: 2 answer as the manual promises, 1 agree with Mach, 0 answer as argued where the real kernel breaks, "+
		"1 deviate for a listed reason, 0 fail; 1 more answer by the sources only and are not judged", rep.Summary())
	require.Equal(t, []Disagreement{{"the manual", "x: 2", "x: 1", []string{"r/disagree", "r/listed"}}}, rep.Disagreements())

	var b bytes.Buffer
	require.NoError(t, rep.WriteMarkdown(&b))
	require.Contains(t, b.String(), "| routine | cases | agree | promised | deviate | source only | fail |\n")
	require.Contains(t, b.String(), "| the manual | x: 2 | x: 1 | `r/disagree` and 1 more |\n")
	b.Reset()
	require.NoError(t, rep.WriteText(&b, true))
	require.Contains(t, b.String(), "promised     r/disagree  (the manual)\n    manual  x: 2\n    real    x: 1\n    ours    x: 2\n")
	b.Reset()
	require.NoError(t, rep.WriteJUnit(&b))
	require.Contains(t, b.String(), "<system-out>the manual:")
}

func TestProgressCountsCases(t *testing.T) {
	s, err := Load(testdata.Conformance())
	require.NoError(t, err)
	var seen []Progress
	rep, err := Judge(context.Background(), s, Options{
		Want:     func(name string) bool { return strings.HasPrefix(name, "task_create/") },
		Progress: func(p Progress) { seen = append(seen, p) },
	})
	require.NoError(t, err)
	require.NotEmpty(t, rep.Results)
	require.Greater(t, len(seen), 2)
	last := seen[len(seen)-1]
	require.Equal(t, last.All, last.Done)
	for i, p := range seen[1:] {
		require.GreaterOrEqual(t, p.Done, seen[i].Done)
	}
	require.NotEmpty(t, seen[0].Client)
}

// Tables name cases, so no two have one name.
func TestNamesOfCases(t *testing.T) {
	s, err := Load(testdata.Conformance())
	require.NoError(t, err)
	client := map[string]string{}
	for name, r := range s.Recordings {
		for _, c := range r.Cases {
			require.Empty(t, client[c.Name], "%s is also in %s", c.Name, name)
			client[c.Name] = name
		}
	}
}

// A client that dies or hangs costs the case it was in.
func TestAClientThatBreaks(t *testing.T) {
	image, err := testdata.Client("fault")
	require.NoError(t, err)
	cases, err := Run(context.Background(), Target{}, Client{Name: "fault", Image: image}, []string{"a/1", "a/2"}, nil)
	require.NoError(t, err)
	require.Len(t, cases, 2)
	require.Equal(t, "a/1", cases[0].Name)
	require.Contains(t, cases[0].Facts[0], "! EXC_BAD_ACCESS")
}
