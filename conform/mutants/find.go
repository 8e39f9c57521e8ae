package main

import (
	"fmt"
	"go/ast"
	"go/token"
)

// Kind is what a mutant changes.
type Kind string

// Kinds of mutants.
const (
	Code  Kind = "code"  // a return code is another one
	Order Kind = "order" // of two checks that follow each other the second is made first
	Rule  Kind = "rule"  // a rule has another kernel's value where it is asked
	Check Kind = "check" // a check never fails
)

var kinds = []Kind{Code, Order, Rule, Check}

// Point is a place where the kernel can be changed.
type Point struct {
	ID   int
	Kind Kind
	Name string // "vm/space.go:(*Map).Protect:check KERN_PROTECTION_FAILURE", stable when lines move
	Pos  token.Position
	Live bool // the function is one that the suite's runner can come to

	wraps []wrap
}

// wrap puts text around [start, end) of the file: offsets. start == end inserts
// open.
type wrap struct {
	start, end  int
	open, close string
}

// finder finds the points of one function after the other, of one file.
type finder struct {
	fset  *token.FileSet
	src   []byte
	file  string // as in names
	codes codes

	live func(*ast.FuncDecl) bool
	last *int // id given

	decl     *ast.FuncDecl
	function string            // its name
	skip     map[ast.Expr]bool // codes that are compared with, not answered
	seen     map[string]int    // names given, to number equal ones
	points   []*Point
}

// find finds the points of a file.
func (f *finder) find(file *ast.File) {
	f.skip = map[ast.Expr]bool{}
	f.seen = map[string]int{}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		f.decl, f.function = fn, functionName(fn)
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			f.visit(n)
			return true
		})
	}
}

// functionName is a function's name with its receiver: (*Map).Protect.
func functionName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	switch t := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if x, ok := t.X.(*ast.Ident); ok {
			return "(*" + x.Name + ")." + fn.Name.Name
		}
	case *ast.Ident:
		return t.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func (f *finder) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			f.skip[n.X], f.skip[n.Y] = true, true
		}
	case *ast.SwitchStmt:
		if n.Tag == nil {
			f.cases(n)
		}
	case *ast.CaseClause:
		for _, x := range n.List {
			f.skip[x] = true
		}
		f.checks(n.Body)
	case *ast.BlockStmt:
		f.checks(n.List)
	case *ast.CallExpr:
		f.rule(n)
	case *ast.SelectorExpr:
		if c, ok := f.codes.use(n); ok && !c.success && !f.skip[n] {
			f.add(Code, c.c, n.Pos(), func(id int) []wrap {
				return []wrap{f.around(n, fmt.Sprintf("point.Code(%d, ", id), ", mach."+c.other+")")}
			})
		}
	}
}

// add makes a point. Equal names in a file are numbered from the second on.
func (f *finder) add(k Kind, what string, at token.Pos, wraps func(id int) []wrap) {
	*f.last++
	name := fmt.Sprintf("%s:%s:%s %s", f.file, f.function, k, what)
	if f.seen[name]++; f.seen[name] > 1 {
		name = fmt.Sprintf("%s:%s:%s#%d %s", f.file, f.function, k, f.seen[name], what)
	}
	f.points = append(f.points, &Point{
		ID: *f.last, Kind: k, Name: name, Pos: f.fset.Position(at), Live: f.live(f.decl), wraps: wraps(*f.last),
	})
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }

func (f *finder) text(n ast.Node) string {
	return string(f.src[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) around(n ast.Node, open, close string) wrap {
	return wrap{f.offset(n.Pos()), f.offset(n.End()), open, close}
}

// check is a statement "if cond { ...; return code }".
type check struct {
	stmt   *ast.IfStmt
	answer string // the codes; "" if they are no constants
	errs   bool
	single bool // the return is all it does
}

func (f *finder) check(s ast.Stmt) (check, bool) {
	i, ok := s.(*ast.IfStmt)
	if !ok || i.Else != nil || len(i.Body.List) == 0 {
		return check{}, false
	}
	last, ok := i.Body.List[len(i.Body.List)-1].(*ast.ReturnStmt)
	if !ok || len(last.Results) == 0 {
		return check{}, false
	}
	c := check{stmt: i, single: len(i.Body.List) == 1}
	c.answer, c.errs = f.codes.answer(last)
	return c, true
}

// checks finds the checks of a list of statements: each is left out once, and
// each is made once after the one that follows it.
func (f *finder) checks(list []ast.Stmt) {
	for i, s := range list {
		a, ok := f.check(s)
		if !ok || a.answer == "" {
			continue
		}
		if a.errs {
			cond := a.stmt.Cond
			f.add(Check, a.answer, cond.Pos(), func(id int) []wrap {
				return []wrap{f.around(cond, fmt.Sprintf("point.Check(%d, ", id), ")")}
			})
		}
		if b, ok := f.following(a, list[i+1:]); ok {
			f.swap(a, b)
		}
	}
}

// between is how many plain statements may stand between two checks that
// follow each other.
const between = 4

// following finds the check behind a: an answer of its own, at most a few plain
// statements away.
func (f *finder) following(a check, rest []ast.Stmt) (check, bool) {
	if a.stmt.Init != nil || !a.single {
		return check{}, false
	}
	for i := range min(len(rest), between+1) {
		switch rest[i].(type) {
		case *ast.IfStmt:
			b, ok := f.check(rest[i])
			return b, ok && b.answer != a.answer && (b.answer != "" || passesOn(b.stmt))
		case *ast.AssignStmt, *ast.IncDecStmt, *ast.DeclStmt, *ast.ExprStmt, *ast.DeferStmt:
		default:
			return check{}, false
		}
	}
	return check{}, false
}

// passesOn reports that a check answers what another function answered.
func passesOn(s *ast.IfStmt) bool {
	ret := s.Body.List[len(s.Body.List)-1].(*ast.ReturnStmt)
	x, ok := ret.Results[len(ret.Results)-1].(*ast.Ident)
	return ok && (x.Name == "kr" || x.Name == "mr")
}

// swap makes the check a after b: a's condition is only noted where it stands.
func (f *finder) swap(a, b check) {
	what := b.answer
	if what == "" {
		what = "passed on"
	}
	f.add(Order, a.answer+" before "+what, a.stmt.Pos(), func(id int) []wrap {
		later := fmt.Sprintf("later%d", id)
		at, end := f.offset(a.stmt.Pos()), f.offset(b.stmt.End())
		return []wrap{
			{at, at, "var " + later + " bool; ", ""},
			f.around(a.stmt.Cond, fmt.Sprintf("point.Later(%d, &%s, ", id, later), ")"),
			{end, end, fmt.Sprintf("; if %s { %s }", later, f.text(a.stmt.Body.List[0])), ""},
		}
	})
}

// cases finds the checks that are cases of a switch without a tag.
func (f *finder) cases(s *ast.SwitchStmt) {
	var before *ast.CaseClause
	var was string
	for _, stmt := range s.Body.List {
		c := stmt.(*ast.CaseClause)
		if len(c.List) != 1 || len(c.Body) == 0 {
			before = nil
			continue
		}
		answer, errs := f.codes.answer(c.Body[len(c.Body)-1])
		if errs {
			f.add(Check, answer, c.Pos(), func(id int) []wrap {
				return []wrap{f.around(c.List[0], fmt.Sprintf("point.Check(%d, ", id), ")")}
			})
		}
		if before != nil && answer != "" && answer != was {
			first, next := before.List[0], f.text(c.List[0])
			f.add(Order, was+" before "+answer, before.Pos(), func(id int) []wrap {
				return []wrap{f.around(first, fmt.Sprintf("point.Swapped(%d, ", id), ", func() bool { return "+next+" })")}
			})
		}
		before, was = nil, answer
		if answer != "" {
			before = c
		}
	}
}

// rule finds where a rule of package rules is asked for its value: the mutant
// has the value of another kernel's.
func (f *finder) rule(call *ast.CallExpr) {
	ask, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || ask.Sel.Name != "In" || len(call.Args) != 1 {
		return
	}
	rule, ok := ask.X.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if x, ok := rule.X.(*ast.Ident); !ok || x.Name != "rules" {
		return
	}
	f.add(Rule, rule.Sel.Name, call.Pos(), func(id int) []wrap {
		return []wrap{f.around(call, fmt.Sprintf("point.Turn(%d, ", id), fmt.Sprintf(", %s.Other, %s)", f.text(rule), f.text(call.Args[0])))}
	})
}
