package realmig

import (
	"fmt"
	"regexp"
	"strings"

	"machkernel/mig/defs"
)

// cUser is the C driver of a subsystem's client stubs, behind their text.
func cUser(s *defs.Subsystem, stubs string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#define mig_external static\n#include %q\n#include \"driver.h\"\n", stubs)
	for _, r := range s.Routines {
		cCall(&b, r)
	}
	fmt.Fprintf(&b, "struct user %s_user[] = {\n", s.Name)
	for _, r := range s.Routines {
		fmt.Fprintf(&b, "\t{\"%s.%s\", call_%s},\n", s.Name, r.Name, r.Name)
	}
	b.WriteString("\t{0, 0},\n};\n")
	return b.String()
}

// cCall is the function that takes arguments, calls a stub and prints results.
func cCall(b *strings.Builder, r *defs.Routine) {
	var args, results []string
	f := func(text string, a ...any) { fmt.Fprintf(b, "\t"+text+"\n", a...) }
	fmt.Fprintf(b, "static void call_%s(void)\n{\n", r.Name)
	for _, a := range r.Args {
		n := "a_" + a.Name
		p := partOf(a)
		switch a.Dir {
		case defs.RequestPort, defs.ReplyPort, defs.UReplyPort:
			f("mach_port_t %s; take(&%s, 4);", n, n)
			args = append(args, n)
			if a.Type.In.Poly {
				f("mach_msg_type_name_t %sPoly; take(&%sPoly, 4);", n, n)
				args = append(args, n+"Poly")
			}
			continue
		case defs.WaitTime, defs.MsgOption:
			f("%s %s; take(&%s, 4);", a.Type.UserType, n, n)
			args = append(args, n)
			continue
		case defs.In, defs.Out, defs.InOut:
		default:
			continue
		}
		args = append(args, p.cTake(f, n)...)
		if a.Dir.Returned() {
			results = append(results, p.cPut(n, false)...)
		}
	}
	f("fill();")
	f("kern_return_t kr = %s(%s);", r.UserName, strings.Join(args, ", "))
	f("put_code(kr);")
	f("if (kr != 0)\n\t\treturn;")
	for _, line := range results {
		f("%s", line)
	}
	b.WriteString("}\n\n")
}

// cTake declares the variables of an argument of a client's stub, takes what is
// sent, and returns what goes to the stub.
func (p *part) cTake(f func(string, ...any), n string) (args []string) {
	t, a := p.typ.UserType, p.arg
	sent := a.Dir.Sent()
	ref := ""
	if a.Dir.Returned() {
		ref = "&"
	}
	size := p.c() * p.scale()
	switch p.kind {
	case scalar, right, fixed:
		f("%s %s;", t, n)
		if sent {
			f("take(&%s, sizeof %s);", n, n)
		}
		if !p.typ.ByValue {
			ref = ""
		}
		return append([]string{ref + n}, p.cPoly(f, n, ref)...)
	case text, shortText:
		f("unsigned %sSize; char *%s;", n, n)
		if sent {
			f("%s = take_bytes(&%sSize);", n, n)
		} else {
			f("%s = scratch(%d);", n, p.most()*p.c())
		}
		return []string{n}
	case variable:
		f("mach_msg_type_number_t %sCnt; void *%s;", n, n)
		if sent {
			f("%s = take_bytes(&%sCnt); %sCnt /= %d;", n, n, n, size)
		} else {
			f("%s = scratch(%d); take(&%sCnt, 4);", n, p.most()*p.c(), n)
		}
		return append(append([]string{n}, p.cPoly(f, n, ref)...), ref+n+"Cnt")
	case indefinite:
		f("mach_msg_type_number_t %sCnt; %s %s;", n, t, n)
		switch {
		case sent:
			f("%s = (%s) take_memory(&%sCnt); %sCnt /= %d;", n, t, n, n, p.scale())
		case a.CountInOut:
			f("%s = (%s) scratch(%d); take(&%sCnt, 4);", n, t, p.most()*p.c(), n)
		default:
			f("%s = (%s) scratch(%d); %sCnt = %d;", n, t, p.most()*p.c(), n, p.most()/p.scale())
		}
	case outLine:
		f("mach_msg_type_number_t %sCnt; %s %s;", n, t, n)
		if sent {
			f("take(&%s, 8); take(&%sCnt, 4); %sCnt /= %d;", n, n, n, p.scale())
		}
	}
	args = append(append([]string{ref + n}, p.cPoly(f, n, ref)...), ref+n+"Cnt")
	if sent && a.Dealloc == defs.DeallocMaybe {
		f("boolean_t %sDealloc; take(&%sDealloc, 4);", n, n)
		args = append(args, n+"Dealloc")
	}
	return args
}

// cPoly is the kind of right of a client's argument, where it is one.
func (p *part) cPoly(f func(string, ...any), n, ref string) []string {
	sent := p.arg.Dir.Sent()
	if !(sent && p.typ.In.Poly || p.arg.Dir.Returned() && p.typ.Out.Poly) {
		return nil
	}
	f("mach_msg_type_name_t %sPoly;", n)
	if sent {
		f("take(&%sPoly, 4);", n)
	}
	return []string{ref + n + "Poly"}
}

// cPut prints an argument that came: a client's result, or, received being
// true, what a server's function gets. n is a value, not a pointer to it.
func (p *part) cPut(n string, received bool) (lines []string) {
	f := func(text string, a ...any) { lines = append(lines, fmt.Sprintf(text, a...)) }
	size := p.c() * p.scale()
	switch p.kind {
	case scalar:
		if p.cBool() {
			f("{ int truth = %s != 0; put(&truth, 4); }", n)
			break
		}
		f("put(&%s, %d);", n, p.c())
	case right:
		f("put(&%s, 4);", n)
	case fixed:
		if !p.typ.ByValue {
			f("put_bytes(%s, %d);", n, p.most()*p.c())
			break
		}
		f("put_bytes(&%s, %d);", n, p.most()*p.c())
	case text, shortText:
		f("put_string(%s, %d);", n, p.most()*p.c())
	case variable:
		if received && p.typ.IsPort() {
			f("put_names(%s, %sCnt);", n, n)
			break
		}
		f("put_bytes(%s, %sCnt * %dul);", n, n, size)
	case indefinite:
		inside := "is_scratch"
		if received {
			inside = "in_message"
		}
		f("put_array((void *) %s, %s((void *) %s), %sCnt * %dul, %sCnt * %d);", n, inside, n, n, size, n, p.scale())
	case outLine:
		f("put(&%s, 8);", n)
		f("%sCnt *= %d; put(&%sCnt, 4);", n, p.scale(), n)
	}
	if p.typ.IsPort() && p.typ.Out.Poly {
		f("put(&%sPoly, 4);", n)
	}
	return lines
}

func (p *part) cBool() bool { return p.typ.UserType == "boolean_t" }

// cServer is the C driver of a subsystem's server: its functions, behind the
// text of the stubs, which declares them.
func cServer(s *defs.Subsystem, file, stubs string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "#include %q\n#include \"driver.h\"\n", file)
	for _, r := range s.Routines {
		params := regexp.MustCompile(`mig_external kern_return_t ` + r.ServerName + `\s*\(([^)]*)\);`).FindStringSubmatch(stubs)
		if params == nil {
			return "", fmt.Errorf("the server's text does not declare %s", r.ServerName)
		}
		cFunction(&b, r, params[1])
	}
	demux := s.ServerDemux
	if demux == "" {
		demux = s.Name + "_server"
	}
	fmt.Fprintf(&b, "int %s_serve(void *in, void *out) { return %s(in, out); }\n", s.Name, demux)
	return b.String(), nil
}

// cFunction is a server's function.
func cFunction(b *strings.Builder, r *defs.Routine, params string) {
	f := func(text string, a ...any) { fmt.Fprintf(b, "\t"+text+"\n", a...) }
	fmt.Fprintf(b, "kern_return_t %s(%s)\n{\n", r.ServerName, params)
	f("int code_ = answer(%q);", r.Name)
	for _, a := range r.Args {
		p := partOf(a)
		switch {
		case a.Dir == defs.RequestPort:
			f("put(&%s, 4);", a.Name)
		case a.Dir == defs.ReplyPort, a.Dir == defs.SReplyPort:
			f("put(&%s, 4);", a.Name)
			if a.Type.Out.Poly {
				f("put(&%sPoly, 4);", a.Name)
			}
		case a.Dir == defs.MsgSeqno:
			f("put(&%s, 4);", a.Name)
		case a.Dir == defs.In:
			for _, line := range p.cPut(a.Name, true) {
				f("%s", line)
			}
		case a.Dir == defs.InOut:
			n := a.Name
			if p.typ.ByValue {
				n = "(*" + n + ")"
			}
			for _, line := range p.cPut(n, true) {
				f("%s", line)
			}
		case a.Dir == defs.Out && hasRoom(a) && a.CountInOut:
			f("put(%sCnt, 4);", a.Name)
		}
	}
	f("if (code_ != 0)\n\t\treturn code_;")
	for _, a := range r.Args {
		if a.Dir.Returned() {
			p := partOf(a)
			p.cGive(f)
		}
	}
	f("return 0;")
	b.WriteString("}\n\n")
}

// cGive takes a result of a server's function.
func (p *part) cGive(f func(string, ...any)) {
	n := p.arg.Name
	size := p.c() * p.scale()
	switch p.kind {
	case scalar, fixed:
		f("take(%s, %d);", n, p.most()*p.c())
	case right:
		f("take(%s, 4);", n)
	case text, shortText:
		f("{ unsigned n_; void *from_ = take_bytes(&n_); __builtin_memcpy(%s, from_, n_ + 1 < %d ? n_ + 1 : %d); }", n, p.most(), p.most())
	case variable:
		f("{ unsigned n_; void *from_ = take_bytes(&n_); __builtin_memcpy(%s, from_, n_); *%sCnt = n_ / %d; }", n, n, size)
	case indefinite:
		f("{ unsigned n_; void *from_ = take_memory(&n_); *%sCnt = n_ / %d;", n, p.scale())
		f("if (is_scratch(from_)) __builtin_memcpy((void *) *%s, from_, n_ * %d); else *(void **) %s = from_; }", n, p.c(), n)
	case outLine:
		f("take(%s, 8); take(%sCnt, 4); *%sCnt /= %d;", n, n, n, p.scale())
	}
	if p.typ.IsPort() && p.typ.In.Poly {
		f("take(%sPoly, 4);", n)
	}
	if (p.kind == indefinite || p.kind == outLine) && p.arg.Dealloc == defs.DeallocMaybe {
		f("take(%sDealloc, 4);", n)
	}
}

// cTables lists all drivers.
func cTables(subsystems []*subject) string {
	var b, users, servers strings.Builder
	b.WriteString("#include \"driver.h\"\n")
	for _, s := range subsystems {
		fmt.Fprintf(&b, "extern struct user %s_user[];\nint %s_serve(void *, void *);\n", s.Name, s.Name)
		fmt.Fprintf(&users, "\t%s_user,\n", s.Name)
		fmt.Fprintf(&servers, "\t{%q, %s_serve},\n", s.Name, s.Name)
	}
	fmt.Fprintf(&b, "struct user *const users[] = {\n%s\t0,\n};\nstruct server servers[] = {\n%s\t{0, 0},\n};\n", users.String(), servers.String())
	return b.String()
}
