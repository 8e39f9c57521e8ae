package defs

import (
	"bytes"
	"strconv"
	"strings"
)

// maxNumber is the largest number a text may hold: ids and counts are C's int.
const maxNumber = 1<<31 - 1

// lexer cuts a text into tokens, one at a time.
type lexer struct {
	src       []byte
	off       int
	file      string
	line      int
	lineStart int // offset of the line's first byte
	report    func(Pos, string, ...any)
}

func (l *lexer) pos() Pos { return Pos{l.file, l.line, l.off - l.lineStart + 1} }

// next is the token at the lexer's place.
func (l *lexer) next(m mode) token {
	l.blanks()
	pos := l.pos()
	if l.off >= len(l.src) {
		return token{kind: tokEOF, pos: pos}
	}
	start := l.off
	k := l.scan(m)
	t := token{kind: k, pos: pos, text: string(l.src[start:l.off])}
	if k == tokNumber {
		t.num = l.number(t)
	}
	return t
}

// number is the value of a decimal number.
func (l *lexer) number(t token) int {
	n, err := strconv.Atoi(t.text)
	switch {
	case strings.Trim(t.text, "0123456789") != "":
		l.report(t.pos, "%s is not a decimal number", t.text)
		return 1
	case err != nil || n > maxNumber:
		l.report(t.pos, "the number %s is too big", t.text)
		return 1
	}
	return n
}

// scan moves over one token; there is at least one byte.
func (l *lexer) scan(m mode) kind {
	c := l.src[l.off]
	switch {
	case m == modeRaw && l.span(isRawByte):
		return tokRaw
	case m == modeFile && (c == '<' && l.until('>') || c == '"' && l.until('"')):
		return tokFile
	case m == modeQuoted && c == '"' && l.until('"'):
		return tokQuoted
	case isDigit(c):
		l.span(isWordByte)
		return tokNumber
	case l.span(isWordByte):
		return tokWord
	}
	l.off++
	if strings.IndexByte(":;,+-*/()=^~<>[]{}|", c) >= 0 {
		return kind(c)
	}
	return tokIllegal
}

// span moves over bytes of a class and reports whether there were any.
func (l *lexer) span(class func(byte) bool) bool {
	start := l.off
	for l.off < len(l.src) && class(l.src[l.off]) {
		l.off++
	}
	return l.off > start
}

// until moves behind the next end in this line and reports whether there is one.
func (l *lexer) until(end byte) bool {
	for i := l.off + 1; i < len(l.src) && l.src[i] != '\n'; i++ {
		if l.src[i] == end {
			l.off = i + 1
			return true
		}
	}
	return false
}

// blanks moves over white space, line markers and what else the preprocessor
// leaves behind.
func (l *lexer) blanks() {
	for l.off < len(l.src) {
		switch c := l.src[l.off]; {
		case c == '\n':
			l.newline()
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
			l.off++
		case c == '#' && l.off == l.lineStart:
			l.directive()
		case c == '/' && l.off+1 < len(l.src) && (l.src[l.off+1] == '*' || l.src[l.off+1] == '/'):
			l.report(l.pos(), "a comment: the text did not go through the C preprocessor")
			l.giveUp()
		default:
			return
		}
	}
}

func (l *lexer) newline() {
	l.off++
	l.line++
	l.lineStart = l.off
}

// giveUp moves to the end where nothing sensible can be said about the rest.
func (l *lexer) giveUp() {
	for l.off < len(l.src) {
		if l.src[l.off] == '\n' {
			l.newline()
		} else {
			l.off++
		}
	}
}

// directive obeys a line that starts with #.
func (l *lexer) directive() {
	pos := l.pos()
	end := bytes.IndexByte(l.src[l.off:], '\n')
	if end < 0 {
		end = len(l.src) - l.off
	}
	body := strings.TrimSpace(string(l.src[l.off+1 : l.off+end]))
	l.off += end
	word, rest, _ := strings.Cut(strings.ReplaceAll(body, "\t", " "), " ")
	switch {
	case word == "line":
		word, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
		l.marker(pos, word, rest)
	case word != "" && isDigit(word[0]):
		l.marker(pos, word, rest)
	case word == "define" || word == "undef" || word == "pragma" || word == "ident":
		// of no meaning here; preprocessors let them through
	default:
		l.report(pos, "an illegal # directive")
	}
}

// marker takes positions from a line marker; it counts from the next line on.
func (l *lexer) marker(pos Pos, number, rest string) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > maxNumber {
		l.report(pos, "a line marker with a bad number")
		return
	}
	l.line = n - 1
	if _, name, ok := strings.Cut(rest, `"`); ok {
		if i := strings.LastIndexByte(name, '"'); i >= 0 {
			l.file = name[:i]
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func isRawByte(c byte) bool { return isWordByte(c) || strings.IndexByte("-/.$", c) >= 0 }
