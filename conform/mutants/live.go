package main

import (
	"go/ast"
)

// reach is which functions a program can come to, judged by names: whoever is
// mentioned by a function that can be come to, or by a package's variables,
// can be come to. Two methods of one name count as one. So it errs towards
// too many, and what it leaves out nothing serves.
type reach struct {
	funcs map[mention][]*ast.FuncDecl
	of    map[*ast.FuncDecl]string // its package
	live  map[*ast.FuncDecl]bool
}

// mention is a function of a package, or a method of any type (package "").
type mention struct{ pkg, name string }

// outside is what the standard library and the runtime call by themselves.
var outside = []mention{
	{"", "String"}, {"", "Error"}, {"", "Write"}, {"", "Read"}, {"", "ReadAt"}, {"", "Unwrap"},
}

// newReach starts from all functions of the package roots.
func newReach(packages map[string][]*ast.File, roots string) *reach {
	r := &reach{
		funcs: map[mention][]*ast.FuncDecl{}, of: map[*ast.FuncDecl]string{}, live: map[*ast.FuncDecl]bool{},
	}
	var open []mention
	for pkg, files := range packages {
		for _, f := range files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok {
					open = append(open, mentions(d, pkg)...)
					continue
				}
				m := mention{pkg, fn.Name.Name}
				if fn.Recv != nil {
					m.pkg = ""
				}
				r.funcs[m] = append(r.funcs[m], fn)
				r.of[fn] = pkg
				if pkg == roots || fn.Name.Name == "init" {
					open = append(open, m)
				}
			}
		}
	}
	open = append(open, outside...)
	for len(open) > 0 {
		m := open[len(open)-1]
		open = open[:len(open)-1]
		for _, fn := range r.funcs[m] {
			if !r.live[fn] {
				r.live[fn] = true
				open = append(open, mentions(fn, r.of[fn])...)
			}
		}
	}
	return r
}

// mentions lists what a declaration of package pkg may call.
func mentions(d ast.Decl, pkg string) []mention {
	var list []mention
	qualified := map[*ast.Ident]bool{}
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			list = append(list, mention{"", n.Sel.Name})
			qualified[n.Sel] = true
			if x, ok := n.X.(*ast.Ident); ok {
				list = append(list, mention{x.Name, n.Sel.Name})
			}
		case *ast.Ident:
			if !qualified[n] {
				list = append(list, mention{pkg, n.Name})
			}
		}
		return true
	})
	return list
}
