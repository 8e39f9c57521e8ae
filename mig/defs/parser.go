package defs

import (
	"fmt"
	"strings"
)

// Limits that keep hostile texts from costing more than they are worth.
const (
	maxErrors = 20  // more are not reported
	maxDepth  = 200 // of types in types, and of parentheses in numbers
)

// parser reads statements and resolves them as it goes.
//
// After a syntax error the current token is tokBad, which nothing accepts, so
// that every loop ends and nothing more is reported until recover.
type parser struct {
	lex    lexer
	tok    token
	bad    token // where a syntax error was found
	depth  int   // of nested types or parentheses
	nest   int   // parentheses and braces open since the statement began
	sub    *Subsystem
	lay    layout
	types  map[string]*Type
	byName map[string]*Routine
	number int // of the next routine
	errors ErrorList

	specialReply bool   // XNU's UseSpecialReplyPort
	consume      string // XNU's ConsumeOnSendError
}

func newParser(name string, src []byte, target Target) *parser {
	p := &parser{
		sub:    &Subsystem{Target: target},
		lay:    target.layout(),
		types:  map[string]*Type{},
		byName: map[string]*Routine{},
	}
	p.lex = lexer{src: src, file: name, line: 1, report: p.errorf}
	return p
}

// errorf reports an error; reading goes on.
func (p *parser) errorf(pos Pos, format string, args ...any) {
	if len(p.errors) < maxErrors {
		p.errors = append(p.errors, &Error{pos, fmt.Sprintf(format, args...)})
	}
}

// warnf notes what the real generator warns of.
func (p *parser) warnf(pos Pos, format string, args ...any) {
	if len(p.sub.Warnings) < maxErrors {
		p.sub.Warnings = append(p.sub.Warnings, &Error{pos, fmt.Sprintf(format, args...)})
	}
}

// syntax reports a syntax error at the current token and ends the statement.
func (p *parser) syntax(format string, args ...any) {
	if p.tok.kind == tokBad {
		return
	}
	p.errorf(p.tok.pos, format, args...)
	p.bad, p.tok = p.tok, token{kind: tokBad, pos: p.tok.pos}
}

// next moves to the next token.
func (p *parser) next() { p.nextIn(modeNormal) }

func (p *parser) nextIn(m mode) {
	if p.tok.kind == tokBad {
		return
	}
	p.tok = p.lex.next(m)
	switch p.tok.kind {
	case '(', '{':
		p.nest++
	case ')', '}':
		p.nest--
	}
}

// got moves over a token of kind k and reports whether it was one.
func (p *parser) got(k kind) bool {
	if p.tok.kind != k {
		return false
	}
	p.next()
	return true
}

// want moves over a token of kind k, or says that it is missing.
func (p *parser) want(k kind, where string) token {
	t := p.tok
	if t.kind != k {
		p.syntax("%v where %v should be, %s", t, k, where)
		return t
	}
	p.next()
	return t
}

// is reports whether the current token is this keyword, in any case.
func (p *parser) is(word string) bool {
	return p.tok.kind == tokWord && strings.EqualFold(p.tok.text, word)
}

// gotWord moves over this keyword and reports whether it was there.
func (p *parser) gotWord(word string) bool {
	if !p.is(word) {
		return false
	}
	p.next()
	return true
}

// name moves over a name that is not a keyword.
func (p *parser) name(where string) token {
	if p.tok.kind == tokWord && p.reserved(p.tok.text) {
		p.syntax("%s is a keyword, not a name, %s", p.tok.text, where)
	}
	return p.want(tokWord, where)
}

// parse reads the whole text.
func (p *parser) parse() (*Subsystem, error) {
	p.builtins()
	for p.next(); p.tok.kind != tokEOF && len(p.errors) < maxErrors; {
		if p.got(';') {
			continue
		}
		p.nest = 0
		if p.tok.kind == '(' || p.tok.kind == '{' {
			p.nest = 1
		}
		p.statement()
		if p.tok.kind == tokBad {
			p.recover()
		} else if p.tok.kind != ';' {
			p.syntax("%v where ; should be, after a statement", p.tok)
			p.recover()
		}
	}
	if p.sub.Name == "" && len(p.errors) == 0 {
		p.errorf(p.tok.pos, "there is no subsystem statement")
	}
	if len(p.errors) > 0 {
		return nil, p.errors
	}
	if p.sub.ServerDemux == "" {
		p.sub.ServerDemux = p.sub.Name + "_server"
	}
	p.sub.End = p.sub.Base + p.number
	return p.sub, nil
}

// recover moves behind a statement with an error: its end is a semicolon
// outside parentheses, or one before a word that only starts a statement.
func (p *parser) recover() {
	for p.tok = p.bad; p.tok.kind != tokEOF; {
		semicolon, outside := p.tok.kind == ';', p.nest <= 0
		p.next()
		if semicolon && (outside || p.tok.kind == tokWord && startsStatement(p.tok.text)) {
			return
		}
	}
}

// startsStatement reports whether a keyword can be nothing but a statement's
// first.
func startsStatement(word string) bool {
	switch strings.ToLower(word) {
	case "routine", "simpleroutine", "type", "subsystem", "skip", "import", "uimport", "simport",
		"serverprefix", "userprefix", "serverdemux", "rcsid":
		return true
	}
	return false
}

// intExp reads a number, or an expression of numbers.
func (p *parser) intExp(where string) int {
	pos := p.tok.pos
	n := p.sum(where)
	if n < 0 || n > maxNumber {
		p.errorf(pos, "the number %d is out of range, %s", n, where)
		return 1
	}
	return int(n)
}

func (p *parser) sum(where string) int64 {
	n := p.product(where)
	for p.tok.kind == '+' || p.tok.kind == '-' {
		minus := p.tok.kind == '-'
		p.next()
		m := p.product(where)
		if minus {
			m = -m
		}
		n = clamp(n + m)
	}
	return n
}

func (p *parser) product(where string) int64 {
	n := p.factor(where)
	for p.tok.kind == '*' || p.tok.kind == '/' {
		op := p.tok
		p.next()
		m := p.factor(where)
		switch {
		case op.kind == '*':
			n = clamp(n * m)
		case m == 0:
			p.errorf(op.pos, "a division by zero, %s", where)
		default:
			n /= m
		}
	}
	return n
}

// clamp keeps intermediate results small enough for exact arithmetic.
func clamp(n int64) int64 { return max(min(n, maxNumber+1), -maxNumber-1) }

func (p *parser) factor(where string) int64 {
	if p.tok.kind != '(' {
		return int64(p.want(tokNumber, where).num)
	}
	if !p.enter() {
		return 0
	}
	defer p.leave()
	p.next()
	n := p.sum(where)
	p.want(')', where)
	return n
}

// enter and leave bracket what can nest.
func (p *parser) enter() bool {
	if p.depth >= maxDepth {
		p.syntax("nested too deeply")
		return false
	}
	p.depth++
	return true
}

func (p *parser) leave() { p.depth-- }
