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
	all, unserved, caught, tested, missed int
	equivalent                            int

	byClass map[string]int // of what the suite let pass; "" are those that nobody explained
}

// judged is those that something serves and that are not equivalent: what the
// figures are of.
func (c count) judged() int { return c.all - c.unserved - c.equivalent }

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
	tests    bool // the rooms' tests judged, too
}

func (r *Report) count(want func(Kind) bool) count {
	c := count{byClass: map[string]int{}}
	for _, o := range r.Outcomes {
		if !want(o.Kind) {
			continue
		}
		class := r.reasons[o.Name].class
		c.all++
		switch o.Fate {
		case Unserved:
			c.unserved++
			continue
		case Caught:
			c.caught++
			continue
		case Tested:
			c.tested++
		case Survived:
			if class == equivalent {
				c.equivalent++
				continue
			}
			c.missed++
		}
		c.byClass[class]++
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
		case (o.Fate == Survived || o.Fate == Tested) && !listed:
			list = append(list, fmt.Sprintf("survives: %s (%s:%d)%s", o.Name, o.Pos.Filename, o.Pos.Line, remark(o)))
		case o.Fate == Caught && listed:
			list = append(list, fmt.Sprintf("listed, and caught: %s (%s)", o.Name, o.How))
		case o.Fate == Unserved && listed:
			list = append(list, fmt.Sprintf("listed, and not served: %s", o.Name))
		}
	}
	if !r.complete || !r.tests {
		return list
	}
	for name := range r.reasons {
		if !known[name] {
			list = append(list, "listed, and no mutant: "+name)
		}
	}
	c := r.count(all)
	if share := percent(c.caught+c.tested, c.judged()); share < least {
		list = append(list, fmt.Sprintf("only %.1f %% are caught, not %.0f %%", share, least))
	}
	return list
}

// remark is what else is known of a survivor.
func remark(o Outcome) string {
	var s string
	if !o.Reached {
		s = ", no case comes there"
	}
	if o.Fate == Tested {
		s += ", a Go test catches it: " + o.How
	}
	return s
}

func all(Kind) bool { return true }

// Summary is the figures, in a few sentences.
func (r *Report) Summary() string {
	c := r.count(all)
	return fmt.Sprintf("%d mutants, %d of them in code that nothing serves yet, %d equivalent. "+
		"Of the other %d the suite catches %d (%.1f %%); %d more are caught by a Go test: %.1f %% together",
		c.all, c.unserved, c.equivalent, c.judged(), c.caught, percent(c.caught, c.judged()),
		c.tested, percent(c.caught+c.tested, c.judged()))
}

// WriteMarkdown writes the table of docs/conformance.md.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| what is changed | mutants | not served | equivalent | caught by the suite | caught by Go tests | by neither | suite | suite or tests |\n" +
		"|---|---|---|---|---|---|---|---|---|\n")
	row := func(name string, c count) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d | %.1f %% | %.1f %% |\n", name, c.all, c.unserved, c.equivalent,
			c.caught, c.tested, c.missed, percent(c.caught, c.judged()), percent(c.caught+c.tested, c.judged()))
	}
	titles := map[Kind]string{
		Code: "a return code is another", Order: "two checks in the other order",
		Rule: "a rule turned round", Check: "a check left out",
	}
	for _, k := range kinds {
		row(titles[k], r.count(func(x Kind) bool { return x == k }))
	}
	c := r.count(all)
	row("all", c)
	fmt.Fprintf(&b, "\n%s.\nWhat the suite lets pass: %d that a client could tell if more were served (*later*), "+
		"%d that no recording can bring about (*internal*), %d unexplained.\n",
		r.Summary(), c.byClass[later], c.byClass[internal], c.byClass[""])
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) saveMarkdown(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(r.WriteMarkdown(f), f.Close())
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
