package main

import (
	"go/ast"
	"go/token"
	"strings"
)

// code is a return code: a constant of package mach.
type code struct {
	c       string // its name in C
	success bool
	other   string // the constant that stands for it in a mutant
}

// codes is the return codes by their names in Go.
type codes map[string]code

// codesOf collects the constants of type KernReturn and MsgReturn of package
// mach, given as its files.
func codesOf(files []*ast.File) codes {
	table := codes{}
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				table.add(s.(*ast.ValueSpec), g.Doc.Text())
			}
		}
	}
	for name, c := range table {
		c.other = table.otherThan(name)
		table[name] = c
	}
	return table
}

// add enters a constant. Its name in C stands behind it, or, where it has a
// declaration of its own, in the comment before that.
func (t codes) add(s *ast.ValueSpec, doc string) {
	typ, ok := s.Type.(*ast.Ident)
	if !ok || typ.Name != "KernReturn" && typ.Name != "MsgReturn" || s.Names[0].Name == "MsgMask" {
		return
	}
	name := s.Names[0].Name
	c := code{c: name}
	comment := s.Comment.Text()
	if comment == "" {
		comment = doc
	}
	if _, after, ok := strings.Cut(comment, "C: "); ok {
		c.c = strings.FieldsFunc(after, func(r rune) bool { return strings.ContainsRune(",.) \n", r) })[0]
	}
	if v, ok := s.Values[0].(*ast.BasicLit); ok && v.Value == "0" {
		c.success = true
	}
	t[name] = c
}

// otherThan picks a code of the same kind: one that is as plausible there, and
// that no client takes for a reason to try again.
func (t codes) otherThan(name string) string {
	kinds := []struct {
		prefix string
		others [2]string
	}{
		{"Kern", [2]string{"KernFailure", "KernInvalidArgument"}},
		{"Eml", [2]string{"KernFailure", "KernInvalidTask"}},
		{"Mig", [2]string{"MigBadArguments", "MigBadID"}},
		{"Send", [2]string{"SendInvalidDest", "SendInvalidRight"}},
		{"Rcv", [2]string{"RcvInvalidName", "RcvPortDied"}},
		{"Msg", [2]string{"MsgIPCSpace", "MsgVMSpace"}},
	}
	for _, k := range kinds {
		if !strings.HasPrefix(name, k.prefix) {
			continue
		}
		if name == k.others[0] {
			return k.others[1]
		}
		return k.others[0]
	}
	return ""
}

// answer is the codes that a return statement answers, joined by "|"; errs
// reports that it is no success. It is empty for a return without a code.
func (t codes) answer(s ast.Stmt) (names string, errs bool) {
	ret, ok := s.(*ast.ReturnStmt)
	if !ok {
		return "", false
	}
	var list []string
	for _, r := range ret.Results {
		ast.Inspect(r, func(n ast.Node) bool {
			if c, ok := t.use(n); ok {
				list = append(list, c.c)
				errs = errs || !c.success
			}
			return true
		})
	}
	return strings.Join(list, "|"), errs
}

// use tells whether n is mach.X for a code X.
func (t codes) use(n ast.Node) (code, bool) {
	s, ok := n.(*ast.SelectorExpr)
	if !ok {
		return code{}, false
	}
	if x, ok := s.X.(*ast.Ident); !ok || x.Name != "mach" {
		return code{}, false
	}
	c, ok := t[s.Sel.Name]
	return c, ok
}
