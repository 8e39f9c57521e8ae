package defs

import "fmt"

// kind is what a token is; a single punctuation character is its own kind.
type kind int

const (
	tokEOF     kind = -iota - 1
	tokBad          // after an error: ends every loop of the parser
	tokIllegal      // a character that is not in the language
	tokWord         // identifier or keyword
	tokNumber       // decimal
	tokRaw          // what follows msgoption or waittime: a C expression without blanks
	tokFile         // "file" or <file>, with the quotes or brackets
	tokQuoted       // "text", with the quotes
)

// token is a word of the text.
type token struct {
	kind kind
	pos  Pos
	text string
	num  int // of tokNumber
}

// String describes the token in a message.
func (t token) String() string {
	switch t.kind {
	case tokEOF:
		return "the end of the file"
	case tokIllegal:
		return fmt.Sprintf("character %q", t.text)
	}
	return t.text
}

func (k kind) String() string {
	switch k {
	case tokWord:
		return "a name"
	case tokNumber:
		return "a number"
	case tokRaw:
		return "a value"
	case tokFile:
		return `a file name in "" or <>`
	case tokQuoted:
		return `a text in ""`
	}
	return string(rune(k))
}

// mode is what the lexer looks for: some keywords are followed by words with
// rules of their own.
type mode uint8

const (
	modeNormal mode = iota
	modeRaw
	modeFile
	modeQuoted
)
