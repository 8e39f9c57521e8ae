package main

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const machSource = `package mach

type KernReturn int32

const (
	KernSuccess KernReturn = 0 // C: KERN_SUCCESS
	KernFailure KernReturn = 5 // C: KERN_FAILURE, of any kind
	KernNoSpace KernReturn = 3 // C: KERN_NO_SPACE

	KernInvalidArgument KernReturn = 4 // C: KERN_INVALID_ARGUMENT
)
`

const rulesSource = `package rules

type Set struct{}

type Rule[T any] struct{ v, w T }

func (r *Rule[T]) In(*Set) T    { return r.v }
func (r *Rule[T]) Other(*Set) T { return r.w }

var (
	Strict = &Rule[bool]{false, true}
	Most   = &Rule[int]{3, 4}
)
`

const kernelSource = `package room

import (
	"mach"
	"rules"
)

type T struct {
	n   int
	set *rules.Set
}

func (t *T) Served(a, b int) (int, mach.KernReturn) {
	if a > rules.Most.In(t.set) || rules.Strict.In(t.set) {
		return 0, mach.KernNoSpace
	}
	t.n++
	if b > 3 {
		return 0, mach.KernFailure
	}
	switch {
	case a == b:
		return 1, mach.KernNoSpace
	case a < b:
		return 2, mach.KernSuccess
	}
	if _, kr := t.Served(b, a); kr == mach.KernNoSpace {
		return 3, kr
	}
	return 0, mach.KernSuccess
}

func (t *T) unserved() mach.KernReturn { return mach.KernFailure }
`

// small is the two packages above, with their points and types.
type small struct {
	fset     *token.FileSet
	mach     *types.Package
	rules    *types.Package
	exported types.Importer // package point
	file     *ast.File
	points   []*Point
	reach    *reach
}

func findSmall(t *testing.T) *small {
	s := &small{fset: token.NewFileSet()}
	var err error
	s.exported, err = importsOf(t.Context(), s.fset, ".", pointPackage)
	require.NoError(t, err)
	machFile, err := parser.ParseFile(s.fset, "mach.go", machSource, parser.ParseComments)
	require.NoError(t, err)
	s.mach, err = new(types.Config).Check("mach", s.fset, []*ast.File{machFile}, nil)
	require.NoError(t, err)
	rulesFile, err := parser.ParseFile(s.fset, "rules.go", rulesSource, 0)
	require.NoError(t, err)
	s.rules, err = new(types.Config).Check("rules", s.fset, []*ast.File{rulesFile}, nil)
	require.NoError(t, err)
	s.file, err = parser.ParseFile(s.fset, "room.go", kernelSource, parser.ParseComments)
	require.NoError(t, err)

	root, err := parser.ParseFile(s.fset, "root.go", "package root; import \"room\"; func Run() { new(room.T).Served(1, 2) }", 0)
	require.NoError(t, err)
	room := &pkg{path: "room", files: []*ast.File{s.file}}
	require.NoError(t, room.check(s.fset, s))
	runner := &pkg{path: "root", files: []*ast.File{root}}
	require.NoError(t, runner.check(s.fset, s))
	s.reach = newReach([]*pkg{room, runner}, "root")

	last := 0
	f := finder{
		fset: s.fset, src: []byte(kernelSource), file: "room/room.go",
		codes: codesOf([]*ast.File{machFile}), last: &last,
		live: func(fn *ast.FuncDecl) bool { return s.reach.live[room.info.Defs[fn.Name].(*types.Func).FullName()] },
	}
	f.find(s.file)
	s.points = f.points
	return s
}

// Import implements types.Importer with the packages of the test.
func (s *small) Import(path string) (*types.Package, error) {
	switch path {
	case "mach":
		return s.mach, nil
	case "rules":
		return s.rules, nil
	case "room":
		return (&types.Config{Importer: s}).Check("room", s.fset, []*ast.File{s.file}, nil)
	}
	return s.exported.Import(path)
}

func TestFind(t *testing.T) {
	s := findSmall(t)
	var names, live []string
	for i, p := range s.points {
		require.Equal(t, i+1, p.ID)
		names = append(names, p.Name)
		if p.Live {
			live = append(live, p.Name)
		}
	}
	served := []string{
		"room/room.go:(*T).Served:check KERN_NO_SPACE",
		"room/room.go:(*T).Served:rule Most",
		"room/room.go:(*T).Served:rule Strict",
		"room/room.go:(*T).Served:order KERN_NO_SPACE before KERN_FAILURE",
		"room/room.go:(*T).Served:check KERN_FAILURE",
		"room/room.go:(*T).Served:check#2 KERN_NO_SPACE",
		"room/room.go:(*T).Served:order KERN_NO_SPACE before KERN_SUCCESS",
		"room/room.go:(*T).Served:code KERN_NO_SPACE",
		"room/room.go:(*T).Served:code KERN_FAILURE",
		"room/room.go:(*T).Served:code#2 KERN_NO_SPACE",
	}
	require.ElementsMatch(t, append(served, "room/room.go:(*T).unserved:code KERN_FAILURE"), names)
	require.ElementsMatch(t, served, live)
}

// All points of a file together are still a program, on the same lines.
func TestRewrite(t *testing.T) {
	s := findSmall(t)
	text := rewrite([]byte(kernelSource), s.file, func(n ast.Node) int { return s.fset.Position(n.Pos()).Offset }, s.points)
	require.Equal(t, bytes.Count([]byte(kernelSource), []byte("\n")), bytes.Count([]byte(text), []byte("\n")))
	f, err := parser.ParseFile(s.fset, "rewritten.go", text, 0)
	require.NoError(t, err, text)
	_, err = (&types.Config{Importer: s}).Check("room", s.fset, []*ast.File{f}, nil)
	require.NoError(t, err, text)
	for _, call := range []string{
		"var later2 bool; if point.Check(1, point.Later(2, &later2, a > point.Turn(",
		", rules.Most.In(t.set), rules.Most.Other, t.set) || point.Turn(",
		", rules.Strict.In(t.set), rules.Strict.Other, t.set))) {",
		"}; if later2 { return 0, mach.KernNoSpace }",
		", func() bool { return a < b })):",
		"kr == mach.KernNoSpace {",
	} {
		require.Contains(t, text, call)
	}
}

// Each code of package mach, also one with a declaration of its own, has a
// name in C and another code of its type that a mutant answers.
func TestEachCodeHasAnother(t *testing.T) {
	m := &Mutated{fset: token.NewFileSet()}
	list, err := m.parse(filepath.Join("..", "..", "mach"))
	require.NoError(t, err)
	p := &pkg{path: "machkernel/mach"}
	for _, s := range list {
		p.files = append(p.files, s.syntax)
	}
	imports, err := importsOf(t.Context(), m.fset, ".", p.path)
	require.NoError(t, err)
	require.NoError(t, p.check(m.fset, imports))
	constants := map[string]types.Type{}
	for id, o := range p.info.Defs {
		if c, ok := o.(*types.Const); ok {
			constants[id.Name] = c.Type()
		}
	}
	table := codesOf(p.files)
	require.Contains(t, table, "EmlBadTask")
	for name, c := range table {
		require.Regexp(t, "^(KERN|EML|MIG|MACH)_[A-Z_]+$", c.c, name)
		require.NotEqual(t, name, c.other)
		require.Contains(t, constants, c.other, name)
		require.Equal(t, constants[name], constants[c.other], name)
	}
}

func TestReadReasons(t *testing.T) {
	name := filepath.Join(t.TempDir(), "list.tsv")
	read := func(text string) (map[string]reason, error) {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return readReasons(name)
	}
	list, err := read("# comment\na b\tlater\tsome day\n\n")
	require.NoError(t, err)
	require.Equal(t, map[string]reason{"a b": {later, "some day"}}, list)
	for text, want := range map[string]string{
		"a\tlater\n":                 ":1: 2 columns",
		"a\tnever\tx\n":              `class "never"`,
		"a\tlater\tx\na\tlater\ty\n": "twice",
	} {
		_, err := read(text)
		require.ErrorContains(t, err, want)
	}
}

func TestComplaints(t *testing.T) {
	outcome := func(name string, f Fate) Outcome {
		return Outcome{Point: &Point{Name: name, Kind: Code}, Fate: f, Reached: true}
	}
	rep := &Report{
		Outcomes: []Outcome{
			outcome("caught", Caught), outcome("same", Survived), outcome("day", Survived), outcome("race", Tested),
			outcome("open", Survived), outcome("stale", Caught), outcome("nowhere", Unserved), outcome("new", Tested),
		},
		reasons: map[string]reason{
			"same": {equivalent, "x"}, "day": {later, "x"}, "race": {internal, "x"},
			"stale": {later, "x"}, "gone": {later, "x"},
		},
		complete: true, tests: true,
	}
	about := rep.complaints(95)
	want := []string{
		"survives: open", "listed, and caught: stale", "survives: new (:0), a Go test catches it",
		"listed, and no mutant: gone", "only 66.7 % are caught",
	}
	require.Len(t, about, len(want))
	for i, want := range want {
		require.Contains(t, about[i], want)
	}
	require.Equal(t, "8 mutants, 1 of them in code that nothing serves yet, 1 equivalent. "+
		"Of the other 6 the suite catches 2 (33.3 %); 2 more are caught by a Go test: 66.7 % together", rep.Summary())
	var b bytes.Buffer
	require.NoError(t, rep.WriteMarkdown(&b))
	require.Contains(t, b.String(), "| a return code is another | 8 | 1 | 1 | 2 | 2 | 2 | 33.3 % | 66.7 % |\n")
	require.Contains(t, b.String(), "1 that a client could tell if more were served (*later*), "+
		"1 that no recording can bring about (*internal*), 2 unexplained.\n")
}

// The list of survivors and the kernel belong together.
func TestTheListNamesMutants(t *testing.T) {
	m, module := findKernel(t)
	reasons, err := readReasons(filepath.Join(module, survivors))
	require.NoError(t, err)
	names := map[string]bool{}
	for _, p := range m.Points() {
		require.False(t, names[p.Name], "two points are called %s", p.Name)
		names[p.Name] = true
	}
	for name := range reasons {
		require.True(t, names[name], "%s is listed, and no mutant", name)
	}
}

func findKernel(t *testing.T) (*Mutated, string) {
	module, err := moduleDir(t.Context())
	require.NoError(t, err)
	m, err := Find(t.Context(), module)
	require.NoError(t, err)
	return m, module
}

// The kernel with all its mutants compiles, and one of them is caught: by the
// suite and by a room's tests.
func TestAMutantIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the kernel once more")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	m, module := findKernel(t)
	dir := t.TempDir()
	overlay, err := m.WriteOverlay(dir)
	require.NoError(t, err)
	binary, err := compile(ctx, overlay, module, dir)
	require.NoError(t, err)
	i := slices.IndexFunc(m.Points(), func(p *Point) bool {
		return p.Name == "vmsvc/data.go:(*Server).Write:rule WriteUnaligned" && p.Live
	})
	require.GreaterOrEqual(t, i, 0)
	p := m.Points()[i]
	r := &runner{binary: binary, dir: dir, limit: time.Minute, reached: map[int][]string{p.ID: {"vmwrite"}}}
	how, err := r.run(ctx, nil, "vmwrite")
	require.NoError(t, err)
	require.Empty(t, how, "without a mutant")
	o, err := r.judge(ctx, p)
	require.NoError(t, err)
	require.Equal(t, Caught, o.Fate)
	require.Contains(t, o.How, "vm_write/")

	j, err := compileTests(ctx, overlay, module, dir, time.Minute, "vmsvc")
	require.NoError(t, err)
	require.NoError(t, j.prepare(ctx, 2))
	let := []Outcome{{Point: p, Fate: Survived}, {Point: p, Fate: Unserved}, {Point: p, Fate: Survived}}
	require.NoError(t, j.judgeAll(ctx, let[:2], nil, 2))
	require.Equal(t, Tested, let[0].Fate)
	require.Contains(t, let[0].How, "vmsvc: Test")
	require.Equal(t, Unserved, let[1].Fate, "what nothing serves is not asked for")
	require.NoError(t, j.judgeAll(ctx, let[2:], map[string]reason{p.Name: {equivalent, "x"}}, 2))
	require.Equal(t, Survived, let[2].Fate, "nor what is equivalent")
}
