package realmig

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// play has a driver work through trials and returns its line for each.
func play(t *testing.T, driver string, trials []trial) []string {
	t.Helper()
	var in, out, errs strings.Builder
	for i := range trials {
		in.WriteString(trials[i].line + "\n")
	}
	c := exec.CommandContext(t.Context(), driver)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in.String()), &out, &errs
	err := c.Run()
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if err != nil || len(lines) != len(trials) {
		next := &trials[min(len(lines), len(trials)-1)]
		t.Fatalf("%s: %v, %d lines for %d cases, the next is %.300s\n%s", driver, err, len(lines), len(trials), next.line, errs.String())
	}
	return lines
}

// answer is a driver's line in parts: the message that was built, nil if there
// is none, and what stands around it.
type answer struct {
	message []byte
	rest    string
}

func answerOf(line string) answer {
	fields := strings.Fields(line)
	for i := 1; i < len(fields); i++ {
		if before := fields[i-1]; !strings.HasPrefix(before, "notify=") && !strings.HasPrefix(before, "known=") {
			continue
		}
		b, err := hex.DecodeString(strings.TrimPrefix(fields[i], ":"))
		if err == nil {
			return answer{b, strings.Join(slices.Delete(fields, i, i+1), " ")}
		}
	}
	return answer{nil, strings.Join(fields, " ")}
}

// tally counts what was seen.
type tally struct {
	cases     int
	intended  map[string]int
	undefined int // bytes of messages in C whose value nothing decides
	filled    int // those that have the filler's
}

// compare reports every difference that is not intended.
func (n *tally) compare(t *testing.T, trials []trial, c, goo []string) {
	t.Helper()
	bad, reported := 0, map[string]int{}
	for i := range trials {
		x := &trials[i]
		n.cases++
		inC, inGo := answerOf(c[i]), answerOf(goo[i])
		what := n.difference(x, inC, inGo)
		if what == "" {
			continue
		}
		if reason := x.intended(inC.rest, inGo.rest); reason != "" {
			n.intended[reason]++
			continue
		}
		bad++
		key := fmt.Sprint(x.routine.Name, x.server)
		if reported[key]++; reported[key] <= 2 {
			t.Errorf("%s, %s: %s\n%.600s\nC:  %.900s\nGo: %.900s", x.routine.Name, x.what, what, x.line, c[i], goo[i])
		}
	}
	require.Zero(t, bad, "different, of %d cases", len(trials))
}

// difference says in what the answers to a trial differ; empty if in nothing
// that is defined.
func (n *tally) difference(x *trial, inC, inGo answer) string {
	if inC.rest != inGo.rest {
		return "another answer"
	}
	a, b := inC.message, inGo.message
	defined := x.sent.defined
	if len(a) == plainSize && len(b) == plainSize && len(defined) != plainSize {
		defined = plainMask()
	}
	if len(a) != len(b) {
		return "another size"
	}
	if a != nil && len(a) != len(defined) {
		return fmt.Sprintf("a layout that the test does not know, of %d bytes", len(defined))
	}
	for i := range a {
		switch {
		case defined[i] && a[i] != b[i]:
			return fmt.Sprintf("another byte at %d", i)
		case !defined[i] && x.filler == 0xff:
			n.undefined++
			if a[i] == x.filler {
				n.filled++
			}
		}
	}
	return ""
}

// plainMask is the defined bytes of a reply that has a code alone.
func plainMask() []bool {
	m := newMessage(0, 0, 0)
	m.code(0)
	return m.defined
}
