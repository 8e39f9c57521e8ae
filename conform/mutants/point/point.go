// Package point is what a mutated kernel is compiled with: each place where it
// can be changed asks here whether it is the one. The tool conform/mutants
// writes the calls into copies of the kernel's files and builds those; the
// kernel as it stands in the tree does not import this package.
//
// Which place is changed, and where to note the places that were come by, is
// read from the environment once. That is the package's state, and why it may
// have some: a process is one mutant.
package point

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

// Variables of the environment.
const (
	ActiveVar  = "MACHKERNEL_MUTANT"         // the id of the place to change; 0 or unset is none
	ReachedVar = "MACHKERNEL_MUTANT_REACHED" // a file for the ids of the places reached, one a line
)

// state is the process's: active never changes, reached notes once each id.
var state = load()

type process struct {
	active  int
	reached *os.File // nil: nobody wants to know
	seen    sync.Map // ids noted
}

func load() *process {
	p := &process{}
	if s := os.Getenv(ActiveVar); s != "" {
		id, err := strconv.Atoi(s)
		if err != nil {
			panic(fmt.Sprintf("%s=%q is no number", ActiveVar, s))
		}
		p.active = id
	}
	if name := os.Getenv(ReachedVar); name != "" {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			panic(err.Error())
		}
		p.reached = f
	}
	return p
}

// at notes that place id was reached and reports whether it is to be changed.
func (p *process) at(id int) bool {
	if p.reached != nil {
		if _, known := p.seen.LoadOrStore(id, true); !known {
			fmt.Fprintln(p.reached, id)
		}
	}
	return p.active == id
}

// Code is a return code: was, or is in its mutant.
func Code[T ~int32 | ~uint32](id int, was, is T) T {
	if state.at(id) {
		return is
	}
	return was
}

// Check is the condition of a check, which its mutant never finds true.
func Check(id int, cond bool) bool { return cond && !state.at(id) }

// Later is the condition of a check that its mutant makes after the next one:
// there later says what this one found.
func Later(id int, later *bool, cond bool) bool {
	if cond && state.at(id) {
		*later = true
		return false
	}
	return cond
}

// Swapped is the condition of the first of two cases of a switch; in its
// mutant the second, next, goes first.
func Swapped(id int, cond bool, next func() bool) bool {
	return cond && !(state.at(id) && next())
}

// Turn is the value of a rule in a set; its mutant has another kernel's.
func Turn[T, S any](id int, rule T, other func(S) T, set S) T {
	if state.at(id) {
		return other(set)
	}
	return rule
}
