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
	s := fmt.Sprintf("%d cases: %d agree with %s, %d answer as argued where the real kernel breaks, %d deviate for a listed reason, %d fail",
		len(r.Results), r.Count(Agrees), strings.Join(r.Versions, ", "), r.Count(Expected), r.Count(Deviates), r.Count(Fails))
	return s
}

// WriteText writes a line for each case that does not agree, and all its
// answers, then the summary.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	for i := range r.Results {
		c := &r.Results[i]
		if c.Verdict == Agrees && !all {
			continue
		}
		fmt.Fprintf(&b, "%-8s  %s", c.Verdict, c.Case)
		if c.Reason != "" {
			fmt.Fprintf(&b, "  (%s)", c.Reason)
		}
		b.WriteByte('\n')
		if c.Verdict == Fails {
			for _, l := range c.Real {
				fmt.Fprintf(&b, "    real  %s\n", l)
			}
			for _, l := range c.Ours {
				fmt.Fprintf(&b, "    ours  %s\n", l)
			}
		}
	}
	fmt.Fprintf(&b, "%s, in %v\n", r.Summary(), r.Elapsed.Round(time.Millisecond))
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteMarkdown writes the result table of docs/conformance.md: a row for each
// routine.
func (r *Report) WriteMarkdown(w io.Writer) error {
	type row struct{ all, agree, expected, deviate, fail int }
	rows := map[string]*row{}
	var order []string
	for i := range r.Results {
		c := &r.Results[i]
		routine, _, _ := strings.Cut(c.Case, "/")
		x := rows[routine]
		if x == nil {
			x = &row{}
			rows[routine] = x
			order = append(order, routine)
		}
		x.all++
		switch c.Verdict {
		case Agrees:
			x.agree++
		case Expected:
			x.expected++
		case Deviates:
			x.deviate++
		case Fails:
			x.fail++
		}
	}
	var b strings.Builder
	b.WriteString("| routine | cases | agree | expected | deviate | fail |\n|---|---|---|---|---|---|\n")
	for _, name := range order {
		x := rows[name]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d |\n", name, x.all, x.agree, x.expected, x.deviate, x.fail)
	}
	fmt.Fprintf(&b, "\n%s.\n", r.Summary())
	_, err := io.WriteString(w, b.String())
	return err
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
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the report as JUnit XML: a suite for each client; a listed
// deviation counts as skipped, with its reason.
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
			jc.Failure = &junitMessage{c.Reason, "real:\n" + strings.Join(c.Real, "\n") + "\nours:\n" + strings.Join(c.Ours, "\n")}
		case Deviates:
			s.Skipped++
			jc.Skipped = &junitMessage{Message: c.Reason}
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
