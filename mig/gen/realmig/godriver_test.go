package realmig

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"strings"

	"machkernel/mig/defs"
)

// goMethods writes an implementation of the server's interface in a generated
// file, which hands every call to the driver; and the list of the file's
// functions, which are client stubs.
func goMethods(s *defs.Subsystem, server, user []byte) (string, error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "server.go", server, 0)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\n", goPackage(s))
	body := &strings.Builder{}
	fmt.Fprintf(body, "// Called is told of every call.\ntype Called func(name string, args, results []any) mach.KernReturn\n\ntype implementation struct{ called Called }\n\n")
	var iface *ast.InterfaceType
	ast.Inspect(file, func(n ast.Node) bool {
		if i, ok := n.(*ast.InterfaceType); ok {
			iface = i
		}
		return iface == nil
	})
	if n := iface.Methods.NumFields(); n != len(s.Routines) {
		return "", fmt.Errorf("%d methods for %d routines", n, len(s.Routines))
	}
	for i, m := range iface.Methods.List {
		goMethod(body, set, s.Routines[i].Name, m)
	}
	demux := ""
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
			demux = f.Name.Name
		}
	}
	fmt.Fprintf(body, "// NewServer is the server of the implementation.\nfunc NewServer(f Called) *mig.TaskDemux {\n\td := %s(%s, implementation{f})\n\treturn &d\n}\n\n", demux, strings.TrimSuffix(demux, "Demux"))
	if err := goStubs(body, s, user); err != nil {
		return "", err
	}
	for _, path := range []string{"ipc", "mach", "mig", "ports", "vm"} {
		if strings.Contains(body.String(), path+".") {
			fmt.Fprintf(&b, "import %q\n", "machkernel/"+path)
		}
	}
	return b.String() + body.String(), nil
}

func goMethod(b *strings.Builder, set *token.FileSet, routine string, m *ast.Field) {
	t := m.Type.(*ast.FuncType)
	if len(t.Results.List) == 1 && t.Results.List[0].Names == nil {
		t.Results.List[0].Names = []*ast.Ident{ast.NewIdent("kr")}
	}
	var args, results []string
	for _, f := range t.Params.List {
		for _, n := range f.Names {
			args = append(args, n.Name)
		}
	}
	for _, f := range t.Results.List {
		for _, n := range f.Names {
			results = append(results, "&"+n.Name)
		}
	}
	var sig bytes.Buffer
	_ = printer.Fprint(&sig, set, t)
	fmt.Fprintf(b, "func (impl implementation) %s%s {\n", m.Names[0].Name, strings.TrimPrefix(sig.String(), "func"))
	fmt.Fprintf(b, "\tkr = impl.called(%q, []any{%s}, []any{%s})\n\treturn\n}\n\n", routine,
		strings.Join(args[1:], ", "), strings.Join(results[:len(results)-1], ", "))
}

// goStubs lists the client stubs by the routines' names.
func goStubs(b *strings.Builder, s *defs.Subsystem, user []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), "user.go", user, 0)
	if err != nil {
		return err
	}
	var names []string
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			names = append(names, f.Name.Name)
		}
	}
	if len(names) != len(s.Routines) {
		return fmt.Errorf("%d functions for %d routines", len(names), len(s.Routines))
	}
	b.WriteString("// Stubs are the client stubs.\nvar Stubs = map[string]any{\n")
	for i, r := range s.Routines {
		fmt.Fprintf(b, "\t%q: %s,\n", s.Name+"."+r.Name, names[i])
	}
	b.WriteString("}\n")
	return nil
}

func goPackage(s *defs.Subsystem) string { return strings.ReplaceAll(s.Name, "_", "") }

// goTables lists all drivers.
func goTables(subsystems []*subject) string {
	var b, users, servers strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"maps\"\n\n\t\"machkernel/mig\"\n")
	for _, s := range subsystems {
		p := goPackage(s.Subsystem)
		fmt.Fprintf(&b, "\t%s %q\n", p, overlayPath+"/"+p)
		fmt.Fprintf(&users, "\tmaps.Copy(users, %s.Stubs)\n", p)
		fmt.Fprintf(&servers, "\t\t%q: %s.NewServer(d.Called),\n", s.Name, p)
	}
	fmt.Fprintf(&b, ")\n\nvar users = map[string]any{}\n\nfunc init() {\n%s}\n\n", users.String())
	fmt.Fprintf(&b, "func servers(d *driver) map[string]*mig.TaskDemux {\n\treturn map[string]*mig.TaskDemux{\n%s\t}\n}\n", servers.String())
	return b.String()
}
