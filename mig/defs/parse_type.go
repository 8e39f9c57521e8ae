package defs

import (
	"fmt"
	"strconv"
	"strings"
)

// typeDecl reads: type name = spec [clauses]
func (p *parser) typeDecl() {
	pos := p.tok.pos
	p.next()
	name := p.name("after type")
	t := p.namedType(name)
	if p.tok.kind == tokBad {
		return
	}
	if p.sub.Name == "" {
		p.errorf(pos, "type %s stands before the subsystem statement", name.text)
		return
	}
	if old := p.types[name.text]; old != nil {
		switch {
		case !p.sub.Target.Typed():
			p.warnf(name.pos, "type %s is declared twice; the first declaration, at %v, ends here", name.text, old.Pos)
		case old.Pos == Pos{}:
			p.errorf(name.pos, "type %s is built in", name.text)
		default:
			p.errorf(name.pos, "type %s is declared twice; the first time at %v", name.text, old.Pos)
		}
	}
	t.before = len(p.sub.Routines)
	p.types[name.text] = t
	p.sub.Types = append(p.sub.Types, t)
}

// namedType reads what follows the name: = spec [clauses]
func (p *parser) namedType(name token) *Type {
	p.want('=', "after the type's name")
	t := p.typeSpec()
	t.resetTranslation()
	t.Pos, t.Name = name.pos, name.text
	for p.clause(t) {
	}
	if p.tok.kind != tokBad {
		p.finishType(t)
	}
	return t
}

// clause reads one of: ctype: T, intran: T f(T), and so on.
func (p *parser) clause(t *Type) bool {
	if p.tok.kind != tokWord {
		return false
	}
	word := p.tok
	switch strings.ToLower(word.text) {
	case "ctype":
		c := p.clauseName()
		p.setOnce(c, &t.UserType, "user type")
		p.setOnce(c, &t.ServerType, "server type")
	case "cusertype":
		p.setOnce(p.clauseName(), &t.UserType, "user type")
	case "cservertype":
		p.setOnce(p.clauseName(), &t.ServerType, "server type")
	case "intran":
		p.setOnce(p.clauseName(), &t.TransType, "translation type")
		p.setOnce(p.name("as the in-translation function"), &t.InTran, "in-translation function")
		p.setOnce(p.parenthesized(), &t.ServerType, "server type")
	case "outtran":
		p.setOnce(p.clauseName(), &t.ServerType, "server type")
		p.setOnce(p.name("as the out-translation function"), &t.OutTran, "out-translation function")
		p.setOnce(p.parenthesized(), &t.TransType, "translation type")
	case "destructor":
		p.setOnce(p.clauseName(), &t.Destructor, "destructor")
		p.setOnce(p.parenthesized(), &t.TransType, "translation type")
	case "intranpayload":
		if !p.sub.Target.Typed() {
			return false
		}
		p.setOnce(p.clauseName(), &t.TransType, "translation type")
		p.setOnce(p.name("as the in-translation function"), &t.InTranPayload, "in-translation function")
	default:
		return false
	}
	return p.tok.kind != tokBad
}

// clauseName reads the clause's keyword, a colon and a name.
func (p *parser) clauseName() token {
	word := p.tok.text
	p.next()
	p.want(':', "after "+word)
	return p.name("after " + word + ":")
}

// parenthesized reads: ( name )
func (p *parser) parenthesized() token {
	p.want('(', "before the function's type")
	t := p.name("as the function's type")
	p.want(')', "after the function's type")
	return t
}

// setOnce sets what a clause states. A second statement wins, with a warning.
func (p *parser) setOnce(t token, to *string, what string) {
	if t.kind != tokWord || p.tok.kind == tokBad {
		return
	}
	if *to != "" && *to != t.text {
		p.warnf(t.pos, "conflicting %ss: %s and %s", what, *to, t.text)
	}
	*to = t.text
}

// typeSpec reads a type without its clauses.
func (p *parser) typeSpec() *Type {
	if !p.enter() {
		return p.brokenType()
	}
	defer p.leave()
	pos := p.tok.pos
	switch {
	case p.tok.kind == '^':
		p.next()
		return p.pointerTo(pos, p.typeSpec())
	case p.is("array"):
		return p.arraySpec()
	case p.is("struct"):
		return p.structSpec()
	case p.is("c_string"):
		return p.stringSpec()
	case p.tok.kind == '(':
		return p.longSpec()
	case p.tok.kind == tokNumber:
		return p.basicType(p.ipcType(), nil)
	case p.tok.kind != tokWord:
		p.syntax("%v where a type should be", p.tok)
		return p.brokenType()
	case p.symbol(p.tok) != nil:
		return p.basicType(p.ipcType(), nil)
	case !p.sub.Target.Typed() && isNative(p.tok.text):
		return p.nativeSpec()
	}
	return p.aliasOf(p.name("as a type"))
}

// arraySpec reads: array [] of T, array [*] of T, array [*:n] of T, array [n] of T
func (p *parser) arraySpec() *Type {
	pos := p.tok.pos
	p.next()
	p.want('[', "after array")
	variable, n, spec := false, 0, "array["
	switch {
	case p.tok.kind == ']':
		variable = true
	case p.got('*'):
		variable = true
		if p.got(':') {
			n = p.intExp("as an array's largest size")
			spec += "*:" + strconv.Itoa(n)
		}
	default:
		n = p.intExp("as an array's size")
		spec += strconv.Itoa(n)
	}
	elem := p.elements()
	spec += "] of " + elem.spec
	if variable {
		return p.variableArray(pos, spec, n, elem)
	}
	return p.fixedArray(pos, spec, n, elem, false)
}

// elements reads: ] of T
func (p *parser) elements() *Type {
	p.want(']', "after the size")
	if !p.gotWord("of") {
		p.syntax("%v where of should be, after ]", p.tok)
	}
	return p.typeSpec()
}

// structSpec reads: struct [n] of T, struct { T name; … }
func (p *parser) structSpec() *Type {
	pos := p.tok.pos
	p.next()
	if p.tok.kind == '{' {
		return p.structFields(pos)
	}
	p.want('[', "after struct")
	n := p.intExp("as a struct's size")
	elem := p.elements()
	return p.fixedArray(pos, fmt.Sprintf("struct[%d] of %s", n, elem.spec), n, elem, true)
}

// structFields reads: { T name; … }
func (p *parser) structFields(pos Pos) *Type {
	if !p.sub.Target.Typed() {
		p.errorf(pos, "XNU's MIG has no struct with fields")
	}
	p.want('{', "after struct")
	var fields []Field
	for {
		of := p.name("as a field's type")
		name := p.name("as a field's name")
		p.want(';', "after a field")
		if p.tok.kind == tokBad {
			return p.brokenType()
		}
		fields = append(fields, p.field(fields, of, name))
		if p.got('}') {
			return p.structOf(pos, fields)
		}
	}
}

// stringSpec reads: c_string [n], c_string [*:n]
func (p *parser) stringSpec() *Type {
	pos := p.tok.pos
	p.next()
	p.want('[', "after c_string")
	star := ""
	if p.got('*') {
		p.want(':', "after c_string[*")
		star = "*:"
	}
	n := p.intExp("as a string's size")
	p.want(']', "after the size")
	return p.cString(pos, fmt.Sprintf("c_string[%s%d]", star, n), n, star != "")
}

// longSpec reads: ( wire, bits [, flags] )
func (p *parser) longSpec() *Type {
	pos := p.tok.pos
	p.next()
	w := p.ipcType()
	p.want(',', "after the message type's name")
	bits := p.intExp("as the type's size in bits")
	flags := p.flags()
	p.want(')', "after the type's size and flags")
	if p.tok.kind == tokBad {
		return p.brokenType()
	}
	if !p.sub.Target.Typed() {
		p.errorf(pos, "XNU's MIG has no types of the form (name, size)")
		return p.brokenType()
	}
	w.pos = pos
	return p.basicType(w, &longDecl{bits, flags})
}

// longDecl is what the long form of a type declaration states.
type longDecl struct {
	bits  int
	flags Flags
}

// ipcType reads: wire, or wire | wire (as sent, as received)
func (p *parser) ipcType() *wire {
	w := p.primIPCType()
	if p.tok.kind != '|' {
		return w
	}
	p.next()
	out := p.primIPCType()
	w.text += "|" + out.text
	w.out = out.out
	switch {
	case w.bits == 0:
		w.bits = out.bits
	case out.bits != 0 && out.bits != w.bits:
		p.errorf(w.pos, "%s has two sizes: %d bits sent, %d received", w.text, w.bits, out.bits)
	}
	return w
}

// primIPCType reads a message type name: a symbol or a number.
func (p *parser) primIPCType() *wire {
	t := p.tok
	if t.kind == tokWord {
		if w := p.symbol(t); w != nil {
			p.next()
			return w
		}
	}
	if t.kind != tokNumber {
		p.syntax("%v where a message type's name or number should be", t)
		return &wire{pos: t.pos}
	}
	p.next()
	return p.numbered(t)
}

// isNative reports whether a word starts a C type that goes into the stubs.
func isNative(word string) bool {
	return word == "PointerTo" || word == "PointerToIfNot" || word == "ValueOf"
}

// nativeSpec reads: PointerTo(C), PointerToIfNot(C, value), ValueOf(C)
func (p *parser) nativeSpec() *Type {
	word := p.tok
	p.next()
	p.want('(', "after "+word.text)
	n := &Native{C: p.phrase(), Pointer: word.text != "ValueOf"}
	spec := word.text + "(" + n.C
	if word.text == "PointerToIfNot" {
		p.want(',', "after the pointer's type")
		n.Otherwise = p.phrase()
		spec += ", " + n.Otherwise
	}
	p.want(')', "after "+word.text)
	return p.nativeType(word.pos, spec+")", n)
}

// phrase reads names one after the other: a C type.
func (p *parser) phrase() string {
	words := []string{p.name("as a C type").text}
	for p.tok.kind == tokWord {
		words = append(words, p.name("in a C type").text)
	}
	return strings.Join(words, " ")
}
