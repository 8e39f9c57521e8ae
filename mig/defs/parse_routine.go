package defs

import "strings"

// routine reads: keyword name ( arguments ) and, of a function, : type
func (p *parser) routine(k RoutineKind) {
	pos := p.tok.pos
	p.next()
	name := p.name("as the routine's name")
	r := &Routine{Pos: name.pos, Kind: k, Name: name.text}
	p.want('(', "after the routine's name")
	for !p.got(')') && p.tok.kind != tokBad {
		if len(r.Args) > 0 {
			p.want(';', "between arguments")
		}
		if a := p.argument(); a != nil {
			r.Args = append(r.Args, a)
		}
	}
	if k == KindFunction {
		p.want(':', "before the type of the function's value")
		r.Return = p.argType()
	}
	if p.tok.kind == tokBad {
		p.number++
		return
	}
	if p.sub.Name == "" {
		p.errorf(pos, "routine %s stands before the subsystem statement", r.Name)
		return
	}
	p.finishRoutine(r)
}

// argument reads: [direction] name : type [, flags]
func (p *parser) argument() *Arg {
	a := &Arg{Dir: p.direction()}
	name := p.name("as an argument's name")
	a.Pos, a.Name = name.pos, name.text
	p.want(':', "after an argument's name")
	a.Type = p.argType()
	flags := p.tok.pos
	a.Stated = p.flags()
	if p.tok.kind == tokBad {
		return nil
	}
	if a.Stated != 0 && (a.Dir == UserImpl || a.Dir == ServerImpl) {
		p.errorf(flags, "argument %s: no flags with userimpl and serverimpl", a.Name)
	}
	return a
}

// argType reads a declared type's name, or a type with a name: name = spec
func (p *parser) argType() *Type {
	if !p.sub.Target.Typed() && p.tok.kind == tokWord && isNative(p.tok.text) {
		pos := p.tok.pos
		t := p.nativeSpec()
		t.Pos, t.local = pos, true
		if p.tok.kind != tokBad {
			p.finishType(t)
		}
		return t
	}
	name := p.name("as an argument's type")
	if p.tok.kind != '=' {
		return p.lookup(name)
	}
	t := p.namedType(name)
	t.local = true
	return t
}

// direction reads an argument's direction; DirNone where there is none.
func (p *parser) direction() Dir {
	if p.tok.kind != tokWord {
		return DirNone
	}
	for d := In; d <= UserImpl; d++ {
		if !strings.EqualFold(p.tok.text, d.String()) {
			continue
		}
		if d.known(p.sub.Target) {
			p.next()
			return d
		}
		break
	}
	return DirNone
}

// known reports whether the dialect has the direction.
func (d Dir) known(t Target) bool {
	switch {
	case d == SendTime, d >= SecToken:
		return !t.Typed()
	}
	return true
}

// String is the direction's keyword, in lower case.
func (d Dir) String() string {
	names := [...]string{
		"", "in", "out", "inout", "requestport", "replyport", "ureplyport", "sreplyport", "waittime",
		"sendtime", "msgoption", "msgseqno", "sectoken", "serversectoken", "usersectoken", "audittoken",
		"serveraudittoken", "useraudittoken", "servercontexttoken", "serverimpl", "userimpl",
	}
	if int(d) < len(names) {
		return names[d]
	}
	return "dir"
}

// String is the routine's keyword, in lower case.
func (k RoutineKind) String() string {
	names := [...]string{"routine", "simpleroutine", "procedure", "simpleprocedure", "function"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind"
}
