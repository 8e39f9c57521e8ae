package rules

import (
	"fmt"
	"maps"
)

// Family is a family of kernels.
type Family uint8

// Families.
const (
	GNUMach Family = iota // the packaged GNU Mach of the recordings, and its Reference Manual
	XNU                   // xnu-11417.101.15 on x86-64, and the pages of osfmk/man in its tree
)

// Families lists them.
func Families() []Family { return []Family{GNUMach, XNU} }

func (f Family) String() string {
	if f == XNU {
		return "xnu"
	}
	return "gnumach"
}

// Edition says whom the kernel believes where a manual and the kernel it
// describes disagree.
type Edition uint8

// Editions.
const (
	Observed   Edition = iota // the kernel
	Documented                // its manual
)

func (e Edition) String() string {
	if e == Documented {
		return "documented"
	}
	return "observed"
}

// Set is the values of all rules for one kernel. It is immutable.
type Set struct {
	family  Family
	edition Edition
	changed map[string]any // by a rule's name, where With gave another value
}

// Of is the set of a family's edition.
func Of(f Family, e Edition) *Set { return &Set{family: f, edition: e} }

// Family is the family the set is of.
func (s *Set) Family() Family { return s.family }

// Edition is the edition the set is of.
func (s *Set) Edition() Edition { return s.edition }

func (s *Set) String() string { return s.family.String() + ", " + s.edition.String() }

// Values are what a rule is for one family; says, silent and absent make them.
type Values[T comparable] struct {
	documented, observed T
	speaks               bool // the manual speaks of it
	exists               bool // the family has something of the kind
}

// says: the manual has one value and the kernel another, or the same.
func says[T comparable](documented, observed T) Values[T] {
	return Values[T]{documented, observed, true, true}
}

// silent: no manual speaks of it, or none names a code.
func silent[T comparable](observed T) Values[T] {
	return Values[T]{observed, observed, false, true}
}

// absent: the family has nothing of the kind; inert is the value by which
// nothing happens.
func absent[T comparable](inert T) Values[T] { return Values[T]{documented: inert, observed: inert} }

func (v Values[T]) of(e Edition) T {
	if e == Documented {
		return v.documented
	}
	return v.observed
}

func (v Values[T]) cell(e Edition) Cell {
	return Cell{Text: fmt.Sprint(v.of(e)), Silent: e == Documented && !v.speaks, Absent: !v.exists}
}

// Rule is a point on which a kernel or a manual differs from another. The
// value is of type T: a return code that a situation gives (KERN_SUCCESS: it is
// allowed), whether something is done, a number.
type Rule[T comparable] struct {
	Name    string // routine/situation, as the conformance suite names its cases
	About   string // what the value says, in one line
	GNUMach Values[T]
	XNU     Values[T]
	Sources string // who says so
}

// In is the rule's value in a set.
func (r *Rule[T]) In(s *Set) T {
	if v, ok := s.changed[r.Name]; ok {
		return v.(T)
	}
	return r.values(s.family).of(s.edition)
}

// With is the set s with another value of this rule.
func (r *Rule[T]) With(s *Set, v T) *Set {
	n := *s
	n.changed = maps.Clone(s.changed)
	if n.changed == nil {
		n.changed = map[string]any{}
	}
	n.changed[r.Name] = v
	return &n
}

// Other is a value that the rule has in another column than in s.
func (r *Rule[T]) Other(s *Set) T {
	mine := r.In(s)
	for _, f := range Families() {
		for _, e := range []Edition{Observed, Documented} {
			if v := r.values(f).of(e); v != mine {
				return v
			}
		}
	}
	panic("BUG: rule " + r.Name + " has one value")
}

// Turn is the set s with the rule's value of another column.
func (r *Rule[T]) Turn(s *Set) *Set { return r.With(s, r.Other(s)) }

func (r *Rule[T]) values(f Family) Values[T] {
	if f == XNU {
		return r.XNU
	}
	return r.GNUMach
}

// Row is the rule as the table shows it.
func (r *Rule[T]) Row() Row {
	return Row{
		Name: r.Name, About: r.About, Sources: r.Sources,
		GNUMachDocumented: r.GNUMach.cell(Documented), GNUMachObserved: r.GNUMach.cell(Observed),
		XNUDocumented: r.XNU.cell(Documented), XNUObserved: r.XNU.cell(Observed),
	}
}
