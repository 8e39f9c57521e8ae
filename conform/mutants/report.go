package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Why a survivor is none of the suite's business, or is.
const (
	equivalent = "equivalent" // no client can tell the mutant from the kernel
	later      = "later"      // a client could if something were served that is not yet
	internal   = "internal"   // only a shortage of the host's, or a bug of ours, leads there
)

// reason is a line of the list of survivors.
type reason struct{ class, why string }

// readReasons reads the list of survivors: name, class, why, with tabs
// between; '#' starts a comment line.
func readReasons(name string) (map[string]reason, error) {
	list := map[string]reason{}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 1; s.Scan(); n++ {
		if s.Text() == "" || strings.HasPrefix(s.Text(), "#") {
			continue
		}
		row := strings.Split(s.Text(), "\t")
		if len(row) != 3 {
			return nil, fmt.Errorf("%s:%d: %d columns instead of 3", name, n, len(row))
		}
		switch row[1] {
		case equivalent, later, internal:
		default:
			return nil, fmt.Errorf("%s:%d: class %q is none of %s, %s, %s", name, n, row[1], equivalent, later, internal)
		}
		if _, twice := list[row[0]]; twice {
			return nil, fmt.Errorf("%s:%d: %s is listed twice", name, n, row[0])
		}
		list[row[0]] = reason{row[1], row[2]}
	}
	return list, s.Err()
}

// count is the mutants of one kind, or of all.
type count struct {
	all, unserved, caught int
	survive               map[string]int // by class; "" are those that nobody explained
}

func (c count) served() int { return c.all - c.unserved }

// possible is how many a client can bring about: served, and no reason listed.
func (c count) possible() int { return c.caught + c.survive[""] }

func percent(n, of int) float64 {
	if of == 0 {
		return 100
	}
	return 100 * float64(n) / float64(of)
}

// Report is a run judged with the list of survivors.
type Report struct {
	Outcomes []Outcome
	reasons  map[string]reason
	complete bool // all points were judged, not a selection
}

func (r *Report) count(want func(Kind) bool) count {
	c := count{survive: map[string]int{}}
	for _, o := range r.Outcomes {
		if !want(o.Kind) {
			continue
		}
		c.all++
		switch o.Fate {
		case Unserved:
			c.unserved++
		case Caught:
			c.caught++
		case Survived:
			c.survive[r.reasons[o.Name].class]++
		}
	}
	return c
}

// complaints are what keeps a run from being good: survivors that nobody
// explained, explanations for what is caught or is not there, too few caught.
func (r *Report) complaints(least float64) []string {
	var list []string
	known := map[string]bool{}
	for _, o := range r.Outcomes {
		known[o.Name] = true
		_, listed := r.reasons[o.Name]
		switch {
		case o.Fate == Survived && !listed:
			list = append(list, fmt.Sprintf("survives: %s (%s:%d)%s", o.Name, o.Pos.Filename, o.Pos.Line, unreached(o)))
		case o.Fate == Caught && listed:
			list = append(list, fmt.Sprintf("listed, and caught: %s (%s)", o.Name, o.How))
		case o.Fate == Unserved && listed:
			list = append(list, fmt.Sprintf("listed, and not served: %s", o.Name))
		}
	}
	if !r.complete {
		return list
	}
	for name := range r.reasons {
		if !known[name] {
			list = append(list, "listed, and no mutant: "+name)
		}
	}
	if c := r.count(all); percent(c.caught, c.possible()) < least {
		share := percent(c.caught, c.possible())
		list = append(list, fmt.Sprintf("only %.1f %% are caught, not %.0f %%", share, least))
	}
	return list
}

func unreached(o Outcome) string {
	if o.Reached {
		return ""
	}
	return ", no case comes there"
}

func all(Kind) bool { return true }

// Summary is the figures, in a few sentences.
func (r *Report) Summary() string {
	c := r.count(all)
	return fmt.Sprintf("%d mutants, %d of them in code that nothing serves yet. "+
		"Of the other %d the suite catches %d: %.1f %% of all, %.1f %% without the %d that are equivalent, "+
		"%.1f %% of those that a client can bring about today",
		c.all, c.unserved, c.served(), c.caught, percent(c.caught, c.served()),
		percent(c.caught, c.served()-c.survive[equivalent]), c.survive[equivalent],
		percent(c.caught, c.possible()))
}

// WriteMarkdown writes the table of docs/conformance.md.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| what is changed | mutants | not served | caught | equivalent | later | internal | missed |\n|---|---|---|---|---|---|---|---|\n")
	row := func(name string, c count) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %d |\n", name, c.all, c.unserved, c.caught,
			c.survive[equivalent], c.survive[later], c.survive[internal], c.survive[""])
	}
	titles := map[Kind]string{
		Code: "a return code is another", Order: "two checks in the other order",
		Rule: "a rule turned round", Check: "a check left out",
	}
	for _, k := range kinds {
		row(titles[k], r.count(func(x Kind) bool { return x == k }))
	}
	row("all", r.count(all))
	fmt.Fprintf(&b, "\n%s.\n", r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteText writes what became of each mutant, if each is wanted, and the
// complaints and the summary.
func (r *Report) WriteText(w io.Writer, each bool, complaints []string) error {
	var b strings.Builder
	for _, o := range r.Outcomes {
		if each {
			fmt.Fprintf(&b, "%-8s  %s  %s\n", o.Fate, o.Name, o.How)
		}
	}
	for _, c := range complaints {
		fmt.Fprintln(&b, c)
	}
	fmt.Fprintf(&b, "%s\n", r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
}
