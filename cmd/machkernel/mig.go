package main

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"machkernel/mig/defs"
	"machkernel/mig/gen"
)

const migUsage = `mig reads an interface definition and writes stubs for it in Go, with the
options of GNU MIG. Output files that are not named get the subsystem's name;
/dev/null means none. What cannot be translated is a line FILE:LINE:COL: WHAT,
exit code 1, and no file is written.

  -user FILE        client stubs (NAMEUser.go)
  -server FILE      the server's interface, stubs and demultiplexer (NAMEServer.go)
  -header FILE      what is on the wire, as data (NAME.go)
  -list FILE        message ids, as text (none)
  -package NAME     of the Go files (the subsystem's name)
  -types FILE       Go types for types of the .defs file: lines "c_type Go-type"
  -lang go          the only language so far
  -prefix, -subrprefix PREFIX   before the names of user stubs (C only; ignored)
  -i BASE           accepted and ignored, as are -q -Q -v -V -s -S -n -t -T -r -R
  -MD               write NAME-mig.d, what the output depends on, for make
  -I, -D, -U, ...   any other option goes to the C preprocessor (CPP, or CC -E)`

func newMigCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "mig [OPTIONS] FILE.defs",
		Short:              "Write Go stubs and servers from an interface definition",
		Long:               migUsage,
		Example:            "  machkernel mig -package vm -user user.go -server /dev/null -header table.go vm.defs",
		DisableFlagParsing: true, // MIG's options have one dash
		RunE: func(c *cobra.Command, args []string) error {
			var m migOptions
			help, err := m.parse(args)
			if help {
				return c.Help()
			}
			if err != nil {
				return err
			}
			return m.run(c.Context(), c.ErrOrStderr())
		},
	}
}

type migOptions struct {
	user, server, header, list *string // nil: the default
	pkg, types, file           string
	cpp                        []string
	depend                     bool
}

// parse reads the command line; help reports that it asks for help.
func (m *migOptions) parse(args []string) (help bool, err error) {
	named := map[string]**string{"-user": &m.user, "-server": &m.server, "-header": &m.header, "-list": &m.list}
	plain := map[string]*string{"-package": &m.pkg, "-types": &m.types}
	for i := 0; i < len(args); i++ {
		a := args[i]
		value := func() (string, error) {
			if i++; i == len(args) {
				return "", fmt.Errorf("mig: %s needs a value", a)
			}
			return args[i], nil
		}
		switch {
		case a == "-help" || a == "--help" || a == "-h":
			return true, nil
		case named[a] != nil:
			v, err := value()
			if err != nil {
				return false, err
			}
			*named[a] = &v
		case plain[a] != nil:
			if *plain[a], err = value(); err != nil {
				return false, err
			}
		case a == "-lang":
			v, err := value()
			if err != nil {
				return false, err
			}
			if v != "go" {
				return false, fmt.Errorf("mig: -lang %s: only go is written so far", v)
			}
		case a == "-prefix" || a == "-subrprefix" || a == "-i":
			if _, err := value(); err != nil {
				return false, err
			}
		case a == "-MD":
			m.depend = true
		case len(a) == 2 && strings.Contains("qQvVsSntTrR", a[1:]) && a[0] == '-':
		case strings.HasPrefix(a, "-") && a != "-":
			m.cpp = append(m.cpp, a)
			if a == "-I" || a == "-D" || a == "-U" || a == "-include" {
				v, err := value()
				if err != nil {
					return false, err
				}
				m.cpp = append(m.cpp, v)
			}
		case m.file != "":
			return false, fmt.Errorf("mig: one file at a time: %s and %s", m.file, a)
		default:
			m.file = a
		}
	}
	if m.file == "" {
		return false, errors.New("mig: no FILE.defs; see machkernel mig -help")
	}
	if m.pkg != "" && !token.IsIdentifier(m.pkg) {
		return false, fmt.Errorf("mig: -package %s: not a name that a Go package can have", m.pkg)
	}
	return false, nil
}

// run writes all files or none.
func (m *migOptions) run(ctx context.Context, stderr io.Writer) error {
	text, err := defs.Preprocess(ctx, m.file, m.cpp)
	if err != nil {
		return err
	}
	s, err := defs.Parse(m.file, text, defs.GNU64)
	if err != nil {
		return refused(err)
	}
	for _, w := range s.Warnings {
		fmt.Fprintln(stderr, oneLine(w.Error()))
	}
	o := gen.Options{Package: m.pkg, Source: filepath.Base(m.file)}
	if o.Package == "" {
		o.Package = strings.ToLower(strings.ReplaceAll(s.Name, "_", ""))
	}
	if o.Types, err = readTypes(m.types); err != nil {
		return err
	}
	outputs := []struct {
		name  *string
		usual string
		write func(*defs.Subsystem, gen.Options) ([]byte, error)
	}{
		{m.header, s.Name + ".go", gen.Table},
		{m.user, s.Name + "User.go", gen.User},
		{m.server, s.Name + "Server.go", gen.Server},
		{m.list, os.DevNull, gen.List},
	}
	files := map[string][]byte{}
	var order []string
	for _, out := range outputs {
		name := out.usual
		if out.name != nil {
			name = *out.name
		}
		if name == os.DevNull {
			continue
		}
		if _, twice := files[name]; twice {
			return fmt.Errorf("mig: %s would be written twice", name)
		}
		if sameFile(name, m.file) {
			return fmt.Errorf("mig: %s would be written over itself", m.file)
		}
		if files[name], err = out.write(s, o); err != nil {
			return refused(err)
		}
		order = append(order, name)
	}
	if m.depend {
		name := s.Name + "-mig.d"
		files[name] = dependencies(order, m.file, text)
		order = append(order, name)
	}
	for _, name := range order {
		if err := os.WriteFile(name, files[name], 0o666); err != nil {
			return err
		}
	}
	return nil
}

// sameFile reports whether two names are one file that is there.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// refused is an error of the .defs file; any other stays as it is.
func refused(err error) error {
	var list defs.ErrorList
	var one *defs.Error
	switch {
	case errors.As(err, &list):
	case errors.As(err, &one):
		list = defs.ErrorList{one}
	default:
		return err
	}
	r := &refusal{}
	for _, e := range list {
		r.lines = append(r.lines, e.Error())
	}
	return r
}

func readTypes(name string) (gen.Types, error) {
	if name == "" {
		return gen.Types{}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return gen.ReadTypes(name, f)
}

// dependencies is a rule for make: the outputs depend on every file that the
// preprocessor read.
func dependencies(outputs []string, file string, text []byte) []byte {
	list := []string{file}
	seen := map[string]bool{file: true}
	for line := range strings.Lines(string(text)) {
		_, rest, ok := strings.Cut(line, "\"")
		if !ok || !strings.HasPrefix(line, "# ") {
			continue
		}
		name, _, _ := strings.Cut(rest, "\"")
		if !seen[name] && !strings.HasPrefix(name, "<") {
			seen[name] = true
			list = append(list, name)
		}
	}
	return []byte(strings.Join(outputs, " ") + ": " + strings.Join(list, " \\\n ") + "\n")
}
