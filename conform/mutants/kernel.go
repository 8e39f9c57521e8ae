package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// rooms are where Mach answers are decided: what is mutated.
var rooms = []string{"ports", "ipc", "mig", "vmsvc", "vm", "gsync", "kernel"}

// others are what else the runner is made of; roots is where it starts.
var others = []string{"mach", "platform", roots}

const (
	modulePath = "machkernel/"
	roots      = "conform"
)

// source is a file of the kernel with its points.
type source struct {
	path   string // absolute
	text   []byte
	syntax *ast.File
	points []*Point
}

// Mutated is the kernel with all its points.
type Mutated struct {
	fset    *token.FileSet
	sources []*source
}

// Find reads the module in a directory and finds its points.
func Find(ctx context.Context, module string) (*Mutated, error) {
	m := &Mutated{fset: token.NewFileSet()}
	imports, err := importsOf(ctx, m.fset, module, modulePath+roots)
	if err != nil {
		return nil, err
	}
	var packages []*pkg
	byRoom := map[string]*pkg{}
	for _, room := range slices.Concat(rooms, others) {
		list, err := m.parse(filepath.Join(module, room))
		if err != nil {
			return nil, err
		}
		p := &pkg{path: modulePath + room}
		for _, s := range list {
			p.files = append(p.files, s.syntax)
		}
		if err := p.check(m.fset, imports); err != nil {
			return nil, err
		}
		packages = append(packages, p)
		byRoom[room] = p
		if slices.Contains(rooms, room) {
			m.sources = append(m.sources, list...)
		}
	}
	table, reach, last := codesOf(byRoom["mach"].files), newReach(packages, modulePath+roots), 0
	for _, s := range m.sources {
		room := filepath.Base(filepath.Dir(s.path))
		p := byRoom[room]
		f := finder{
			fset: m.fset, src: s.text, file: path.Join(room, filepath.Base(s.path)),
			codes: table, last: &last,
			live: func(fn *ast.FuncDecl) bool { return reach.live[p.info.Defs[fn.Name].(*types.Func).FullName()] },
		}
		f.find(s.syntax)
		s.points = f.points
	}
	return m, nil
}

// parse reads the files that build a package, without its tests.
func (m *Mutated) parse(dir string) ([]*source, error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var list []*source
	for _, name := range pkg.GoFiles {
		s := &source{path: filepath.Join(dir, name)}
		if s.text, err = os.ReadFile(s.path); err != nil {
			return nil, err
		}
		if s.syntax, err = parser.ParseFile(m.fset, s.path, s.text, parser.ParseComments); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// Points lists all points by id.
func (m *Mutated) Points() []*Point {
	var list []*Point
	for _, s := range m.sources {
		list = append(list, s.points...)
	}
	return list
}

// WriteOverlay writes the rewritten files, and the file for the go command's
// -overlay that puts them in place of the kernel's, into a directory. It
// returns the latter's name.
func (m *Mutated) WriteOverlay(dir string) (string, error) {
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for i, s := range m.sources {
		if len(s.points) == 0 {
			continue
		}
		name := filepath.Join(dir, fmt.Sprintf("%d_%s", i, filepath.Base(s.path)))
		text := rewrite(s.text, s.syntax, func(n ast.Node) int { return m.fset.Position(n.Pos()).Offset }, s.points)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return "", err
		}
		overlay.Replace[s.path] = name
	}
	b, err := json.MarshalIndent(overlay, "", "\t")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, b, 0o600)
}
