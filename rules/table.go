package rules

import (
	"encoding/json"
	"slices"
)

// Entry is a rule of whatever type in the table.
type Entry interface {
	Row() Row
	Turn(s *Set) *Set
}

// table is all rules in the order of their declarations, filled by define when
// the program starts.
var table []Entry

func define[T comparable](r Rule[T]) *Rule[T] {
	table = append(table, &r)
	return &r
}

// All lists the rules.
func All() []Entry { return slices.Clone(table) }

// Row is a rule as people read it.
type Row struct {
	Name              string `json:"rule"`
	About             string `json:"about"`
	GNUMachDocumented Cell   `json:"gnumach_documented"`
	GNUMachObserved   Cell   `json:"gnumach_observed"`
	XNUDocumented     Cell   `json:"xnu_documented"`
	XNUObserved       Cell   `json:"xnu_observed"`
	Sources           string `json:"sources"`
}

// Cells are the four values in the order of the table.
func (r Row) Cells() []Cell {
	return []Cell{r.GNUMachDocumented, r.GNUMachObserved, r.XNUDocumented, r.XNUObserved}
}

// Of is the value in an edition of a family.
func (r Row) Of(f Family, e Edition) Cell {
	switch {
	case f == XNU && e == Documented:
		return r.XNUDocumented
	case f == XNU:
		return r.XNUObserved
	case e == Documented:
		return r.GNUMachDocumented
	}
	return r.GNUMachObserved
}

// Cell is one value as text.
type Cell struct {
	Text   string
	Silent bool // the manual does not speak of it: Text is the kernel's
	Absent bool // the family has nothing of the kind
}

// String is the text, "silent" where the manual is, "-" where there is nothing.
func (c Cell) String() string {
	switch {
	case c.Absent:
		return "-"
	case c.Silent:
		return "silent"
	}
	return c.Text
}

// MarshalJSON writes the text, or null where String has none.
func (c Cell) MarshalJSON() ([]byte, error) {
	if c.Absent || c.Silent {
		return []byte("null"), nil
	}
	return json.Marshal(c.Text)
}

// Disagree reports whether a family's manual says other than its kernel does.
func (r Row) Disagree(f Family) bool {
	d, o := r.Of(f, Documented), r.Of(f, Observed)
	return !d.Silent && !d.Absent && d.Text != o.Text
}
