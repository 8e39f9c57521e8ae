package conform

import (
	"strings"

	"machkernel/kernel"
)

// Promise is what a manual says of a case.
type Promise struct {
	Source string // the manual and its section

	// Lines are those of the answer that the manual speaks of; they must appear
	// in this order, with any others between them. Where it leaves a choice, a
	// line names all it allows: "vm_read: A or B".
	Lines []string
}

// or separates what a promised line allows.
const or = " or "

// kept reports whether an answer is as promised. If it is not, promised is the
// first line that is missing, and given what stands there instead.
func (p *Promise) kept(answer []string) (promised, given string, ok bool) {
	for _, line := range p.Lines {
		at := 0
		for at < len(answer) && !allows(line, answer[at]) {
			at++
		}
		if at == len(answer) {
			return line, instead(line, answer), false
		}
		answer = answer[at+1:]
	}
	return "", "", true
}

// allows reports whether a promised line has given among its choices.
func allows(promised, given string) bool {
	what, rest, ok := strings.Cut(promised, ": ")
	if !ok {
		return promised == given
	}
	for choice := range strings.SplitSeq(rest, or) {
		if what+": "+choice == given {
			return true
		}
	}
	return false
}

// instead is the first line of an answer that tells of the same as a promised
// one.
func instead(promised string, answer []string) string {
	what, _, _ := strings.Cut(promised, ":")
	for _, line := range answer {
		if strings.HasPrefix(line, what+":") {
			return line
		}
	}
	return nothingMore
}

// Disagreement is a place where a manual and the real kernel disagree.
type Disagreement struct {
	Source   string   `json:"source"`   // the manual and its section
	Promised string   `json:"promised"` // its line
	Real     string   `json:"real"`     // the recording's
	Cases    []string `json:"cases"`
}

// Disagreements lists where the manual's answer is not the recording's, cases
// of one routine with the same two lines together, in the order of the results.
func (r *Report) Disagreements() []Disagreement {
	type key struct{ routine, source, promised, real string }
	index := map[key]int{}
	var list []Disagreement
	for i := range r.Results {
		c := &r.Results[i]
		if !c.Disagrees {
			continue
		}
		promise := Promise{c.Source, c.Manual}
		promised, real, _ := promise.kept(c.Real)
		routine, _, _ := strings.Cut(c.Case, "/")
		k := key{routine, c.Source, promised, real}
		at, ok := index[k]
		if !ok {
			at = len(list)
			index[k] = at
			list = append(list, Disagreement{Source: c.Source, Promised: promised, Real: real})
		}
		list[at].Cases = append(list[at].Cases, c.Case)
	}
	return list
}

// everywhere is the name under which manual.tsv lists, instead of a case, words
// that the manual promises wherever the kernel uses others: "its => the
// manual's".
const everywhere = "*"

// reword is a recorded answer as the edition words it.
func (s *Suite) reword(e kernel.Edition, recorded []string) []string {
	p, ok := s.Manual[everywhere]
	if !ok || e != kernel.Documented {
		return recorded
	}
	words := make([]string, 0, 2*len(p.Lines))
	for _, line := range p.Lines {
		kernels, manuals, _ := strings.Cut(line, " => ")
		words = append(words, kernels, manuals)
	}
	r := strings.NewReplacer(words...)
	list := make([]string, len(recorded))
	for i := range recorded {
		list[i] = r.Replace(recorded[i])
	}
	return list
}
