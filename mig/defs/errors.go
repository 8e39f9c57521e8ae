package defs

import (
	"fmt"
	"strings"
)

// Pos is a place in the text that a human wrote: line markers of the
// preprocessor are obeyed. Line and Col count from 1, Col in bytes.
type Pos struct {
	File string
	Line int
	Col  int
}

// String is the position as compilers print it.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Error says what is wrong at a place.
type Error struct {
	Pos Pos
	Msg string
}

func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

// ErrorList is what Parse found, in the order it was found; never empty where
// it is returned as an error.
type ErrorList []*Error

// Error has one line for each error.
func (l ErrorList) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}
