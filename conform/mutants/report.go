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
type count struct{ all, unserved, caught, equivalent, listed, open int }

// share is how many of those that can be told from the kernel are caught, in
// percent; of all, those that cannot count as missed.
func (c count) share() (of, ofAll float64) {
	served := c.all - c.unserved
	return percent(c.caught, served-c.equivalent), percent(c.caught, served)
}

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
	var c count
	for _, o := range r.Outcomes {
		if !want(o.Kind) {
			continue
		}
		c.all++
		why, listed := r.reasons[o.Name]
		switch {
		case o.Fate == Unserved:
			c.unserved++
		case o.Fate == Caught:
			c.caught++
		case listed && why.class == equivalent:
			c.equivalent++
		case listed:
			c.listed++
		default:
			c.open++
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
	if share, _ := r.count(all).share(); share < least {
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

// Summary is the figure, in one line.
func (r *Report) Summary() string {
	c := r.count(all)
	of, ofAll := c.share()
	return fmt.Sprintf("%d mutants; %d in code that nothing serves yet; of the other %d, %d are caught: %.1f %%, or %.1f %% of those that a client could tell from the kernel (%d it could not)",
		c.all, c.unserved, c.all-c.unserved, c.caught, ofAll, of, c.equivalent)
}

// WriteMarkdown writes the table of docs/conformance.md.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| changed | mutants | not served yet | caught | equivalent | other survivors | caught, of all but equivalent |\n|---|---|---|---|---|---|---|\n")
	row := func(name string, c count) {
		of, _ := c.share()
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %.1f %% |\n", name, c.all, c.unserved, c.caught, c.equivalent, c.listed+c.open, of)
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
