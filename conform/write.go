package conform

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// Summary is the report in one line: cases, agreeing, deviating, failing.
func (r *Report) Summary() string {
	s := fmt.Sprintf("%d cases: ", len(r.Results)-r.Count(SourceOnly))
	if n := r.Count(Promised); n > 0 {
		s += fmt.Sprintf("%d answer as the manual promises, ", n)
	}
	s += fmt.Sprintf("%d agree with %s, %d answer as argued where the real kernel breaks, %d deviate for a listed reason, %d fail",
		r.Count(Agrees), strings.Join(r.Versions, ", "), r.Count(Expected), r.Count(Deviates), r.Count(Fails))
	if n := r.Count(SourceOnly); n > 0 {
		s += fmt.Sprintf("; %d more answer by the sources only and are not judged", n)
	}
	return s
}

// WriteText writes a line for each case that does not agree, then the summary.
// With all it writes every case with its answers: the manual's, where one
// speaks, the recording, ours.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	for i := range r.Results {
		c := &r.Results[i]
		if (c.Verdict == Agrees || c.Verdict == Promised) && !all {
			continue
		}
		fmt.Fprintf(&b, "%-11s  %s", c.Verdict, c.Case)
		if c.Reason != "" {
			fmt.Fprintf(&b, "  (%s)", c.Reason)
		}
		b.WriteByte('\n')
		if c.Verdict == Fails || all {
			c.answers(&b)
		}
	}
	fmt.Fprintf(&b, "%s, in %v\n", r.Summary(), r.Elapsed.Round(time.Millisecond))
	_, err := io.WriteString(w, b.String())
	return err
}

// answers writes what each side says of a case.
func (c *Result) answers(b *strings.Builder) {
	for _, side := range []struct {
		name  string
		lines []string
	}{{"manual", c.Manual}, {"real", c.Real}, {"wanted", c.Wanted}, {"ours", c.Ours}} {
		for _, l := range side.lines {
			fmt.Fprintf(b, "    %-6s  %s\n", side.name, l)
		}
	}
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// columns are the verdicts of the Markdown table, with their heads.
func columns() []struct {
	head string
	of   Verdict
} {
	return []struct {
		head string
		of   Verdict
	}{
		{"agree", Agrees},
		{"promised", Promised},
		{"expected", Expected},
		{"deviate", Deviates},
		{"source only", SourceOnly},
		{"fail", Fails},
	}
}

// WriteMarkdown writes the tables of docs/conformance.md: a row for each
// routine, the summary, and where the manual and the real kernel disagree. A
// verdict that no case has gets no column, but for agreement and failure.
func (r *Report) WriteMarkdown(w io.Writer) error {
	rows := map[string]map[Verdict]int{}
	var order []string
	for i := range r.Results {
		c := &r.Results[i]
		routine, _, _ := strings.Cut(c.Case, "/")
		if rows[routine] == nil {
			rows[routine] = map[Verdict]int{}
			order = append(order, routine)
		}
		rows[routine][c.Verdict]++
	}
	var b strings.Builder
	b.WriteString("| routine | cases |")
	rule := "|---|---|"
	var shown []Verdict
	for _, c := range columns() {
		if r.Count(c.of) > 0 || c.of == Agrees || c.of == Fails {
			fmt.Fprintf(&b, " %s |", c.head)
			rule += "---|"
			shown = append(shown, c.of)
		}
	}
	b.WriteString("\n" + rule + "\n")
	for _, name := range order {
		all := 0
		for _, n := range rows[name] {
			all += n
		}
		fmt.Fprintf(&b, "| %s | %d |", name, all)
		for _, v := range shown {
			fmt.Fprintf(&b, " %d |", rows[name][v])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n%s.\n", r.Summary())
	r.writeDisagreements(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeDisagreements writes where the manual and the real kernel disagree.
func (r *Report) writeDisagreements(b *strings.Builder) {
	list := r.Disagreements()
	if len(list) == 0 {
		return
	}
	b.WriteString("\n| the manual | it promises | the real kernel | cases |\n|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`).Replace
	for _, d := range list {
		cases := "`" + d.Cases[0] + "`"
		if n := len(d.Cases) - 1; n > 0 {
			cases += fmt.Sprintf(" and %d more", n)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", cell(d.Source), cell(d.Promised), cell(d.Real), cases)
	}
}

// The parts of JUnit's XML that readers of test results agree on.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure,omitempty"`
		Skipped *junitMessage `xml:"skipped,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML: a suite for each client. A listed
// deviation, and a case that nothing judges, count as skipped, with the reason;
// where the manual and the real kernel disagree, both are a case's output.
func (r *Report) WriteJUnit(w io.Writer) error {
	top := junitSuites{Tests: len(r.Results), Failures: r.Count(Fails)}
	for i := range r.Results {
		c := &r.Results[i]
		if n := len(top.Suites); n == 0 || top.Suites[n-1].Name != c.Client {
			top.Suites = append(top.Suites, junitSuite{Name: c.Client})
		}
		s := &top.Suites[len(top.Suites)-1]
		s.Tests++
		routine, condition, _ := strings.Cut(c.Case, "/")
		jc := junitCase{Class: routine, Name: condition}
		switch c.Verdict {
		case Fails:
			s.Failures++
			var answers strings.Builder
			c.answers(&answers)
			jc.Failure = &junitMessage{c.Reason, answers.String()}
		case Deviates, SourceOnly:
			s.Skipped++
			jc.Skipped = &junitMessage{Message: c.Reason}
		}
		if c.Disagrees {
			var answers strings.Builder
			c.answers(&answers)
			jc.Out = fmt.Sprintf("%s:\n%s", c.Source, answers.String())
		}
		s.Cases = append(s.Cases, jc)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(top); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
