package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
)

// reach is which functions a program can come to: those that a function or a
// package's variable that it can come to uses. A call through an interface
// comes to every method of that name whose type is used somewhere. So it errs
// towards too many, and what it leaves out nothing serves.
//
// Objects are known by their full names: the same one is another object where
// a package sees it through export data.
type reach struct {
	uses    map[string]*used    // by full name
	dynamic map[string][]string // full names of methods by name
	types   map[string]string   // a method's type
	called  map[string]bool     // names of methods called through interfaces
	live    map[string]bool
	open    []string
}

// used is what a declaration uses: full names, and names called through an
// interface.
type used struct{ static, dynamic []string }

// outside is the methods that the standard library calls by itself.
var outside = []string{"String", "Error", "Write", "Read", "ReadAt", "Unwrap"}

// newReach starts from all of the package with the path root.
func newReach(packages []*pkg, root string) *reach {
	r := &reach{
		uses: map[string]*used{}, dynamic: map[string][]string{}, types: map[string]string{},
		called: map[string]bool{}, live: map[string]bool{},
	}
	for _, p := range packages {
		for _, f := range p.files {
			for _, d := range f.Decls {
				r.declare(p, d, p.path == root)
			}
		}
	}
	for _, name := range outside {
		r.call(name)
	}
	for len(r.open) > 0 {
		name := r.open[len(r.open)-1]
		r.open = r.open[:len(r.open)-1]
		for _, n := range r.uses[name].static {
			r.come(n)
		}
		for _, n := range r.uses[name].dynamic {
			r.call(n)
		}
	}
	return r
}

// declare enters what a declaration declares; a root is come to at once, and
// so is a variable, whose value is made when the program starts.
func (r *reach) declare(p *pkg, d ast.Decl, root bool) {
	var names []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		fn := p.info.Defs[d.Name].(*types.Func)
		names = append(names, fn.FullName())
		if recv := fn.Signature().Recv(); recv != nil {
			r.types[fn.FullName()] = typeName(recv.Type())
			r.dynamic[fn.Name()] = append(r.dynamic[fn.Name()], fn.FullName())
		}
		r.uses[fn.FullName()] = p.used(d)
		root = root || d.Name.Name == "init"
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				name := p.path + "." + s.Name.Name
				r.uses[name] = p.used(s)
				names = append(names, name)
			case *ast.ValueSpec:
				if s.Names[0].Name != "_" {
					name := p.path + "." + s.Names[0].Name
					r.uses[name] = p.used(s)
					names = append(names, name)
					root = root || d.Tok == token.VAR
				}
			}
		}
	}
	if root {
		for _, n := range names {
			r.come(n)
		}
	}
}

func (r *reach) come(name string) {
	if r.live[name] || r.uses[name] == nil {
		return
	}
	r.live[name] = true
	r.open = append(r.open, name)
	for method, typ := range r.types {
		if typ == name {
			r.tryMethod(method)
		}
	}
}

// call notes a call through an interface.
func (r *reach) call(name string) {
	if !r.called[name] {
		r.called[name] = true
		for _, method := range r.dynamic[name] {
			r.tryMethod(method)
		}
	}
}

// tryMethod comes to a method that was called through an interface, of a type
// that is used.
func (r *reach) tryMethod(full string) {
	name := full[1+bytes.LastIndexByte([]byte(full), '.'):]
	if r.called[name] && r.live[r.types[full]] {
		r.come(full)
	}
}

// typeName is a receiver's type without pointer and parameters.
func typeName(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj().Pkg().Path() + "." + n.Obj().Name()
	}
	return ""
}

// pkg is a package with its types.
type pkg struct {
	path  string
	files []*ast.File
	info  types.Info
}

// used lists what a declaration uses.
func (p *pkg) used(n ast.Node) *used {
	u := &used{}
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		switch o := p.info.Uses[id].(type) {
		case *types.Func:
			o = o.Origin()
			if recv := o.Signature().Recv(); recv != nil && types.IsInterface(recv.Type()) {
				u.dynamic = append(u.dynamic, o.Name())
			} else {
				u.static = append(u.static, o.FullName())
			}
		case *types.TypeName:
			if o.Pkg() != nil {
				u.static = append(u.static, o.Pkg().Path()+"."+o.Name())
			}
		}
		return true
	})
	if fn, ok := n.(*ast.FuncDecl); ok && fn.Recv != nil {
		// The receiver is no use of its type.
		return p.withoutReceiver(fn, u)
	}
	return u
}

// withoutReceiver drops a method's own type from what it uses: whoever comes
// to the method has the type already.
func (p *pkg) withoutReceiver(fn *ast.FuncDecl, u *used) *used {
	own := typeName(p.info.Defs[fn.Name].(*types.Func).Signature().Recv().Type())
	kept := u.static[:0]
	for _, n := range u.static {
		if n != own {
			kept = append(kept, n)
		}
	}
	u.static = kept
	return u
}

// check finds the types of a package, its imports from the go command's cache.
func (p *pkg) check(fset *token.FileSet, imports types.Importer) error {
	p.info = types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	_, err := (&types.Config{Importer: imports}).Check(p.path, fset, p.files, &p.info)
	return err
}

// importsOf reads what the package path and all it imports export.
func importsOf(ctx context.Context, fset *token.FileSet, module, path string) (types.Importer, error) {
	c := exec.CommandContext(ctx, "go", "list", "-export", "-deps", "-json=ImportPath,Export", path)
	c.Dir = module
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	files := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		files[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	}), nil
}
