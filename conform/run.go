package conform

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"machkernel/kernel"
)

// Limits of one client's run on our kernel.
const (
	runTime   = 30 * time.Second
	runMemory = 1 << 30 // bytes
	runOutput = 4 << 20 // bytes of console
)

// console keeps what a client prints, up to a limit, and says when there is
// more.
type console struct {
	mu       sync.Mutex
	b        strings.Builder
	line     []byte    // the start of the current line, up to a case's prefix
	began    func(int) // called with how many cases began; nil: nobody asks
	flooded  chan struct{}
	overflow bool
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count(p)
	if room := runOutput - c.b.Len(); len(p) > room {
		c.b.Write(p[:room])
		if !c.overflow {
			c.overflow = true
			close(c.flooded)
		}
		return len(p), nil
	}
	return c.b.Write(p)
}

// count tells how many cases begin in p.
func (c *console) count(p []byte) {
	n := 0
	for _, ch := range p {
		switch {
		case ch == '\n':
			c.line = c.line[:0]
		case len(c.line) < len(casePrefix):
			if c.line = append(c.line, ch); string(c.line) == casePrefix {
				n++
			}
		}
	}
	if n > 0 && c.began != nil {
		c.began(n)
	}
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.String()
}

// exec boots a kernel with one client, waits for its end and audits. trouble
// says what went wrong with the run as such, one line, empty if nothing.
func exec(ctx context.Context, on Target, c Client, words []string, began func(int)) (text, trouble string, err error) {
	out := &console{flooded: make(chan struct{}), began: began}
	k, err := kernel.New(kernel.Config{Memory: runMemory, Console: out, Edition: on.Edition, Version: on.Version, LongWay: on.LongWay})
	if err != nil {
		return "", "", err
	}
	t, err := k.Boot(c.Name, strings.NewReader(c.Image), int64(len(c.Image)), append(kernel.DefaultArgs(), words...))
	if err != nil {
		_ = k.Close()
		return "", "", fmt.Errorf("client %s: %w", c.Name, err)
	}
	over := time.NewTimer(runTime)
	defer over.Stop()
	select {
	case <-k.Halted():
		<-t.Done()
	case <-t.Done():
	case <-k.Idle():
	case <-out.flooded:
		trouble = "prints without an end"
	case <-over.C:
		trouble = fmt.Sprintf("hangs: no end after %v", runTime)
	case <-ctx.Done():
		_ = k.Close()
		return "", "", ctx.Err()
	}
	if r := t.Report(); r != nil {
		trouble = r.String()
	}
	if err := k.Audit(); err != nil {
		trouble = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	if err := k.Close(); err != nil && trouble == "" {
		trouble = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return out.String(), trouble, nil
}

// Run runs all cases of a client on our kernel; names are all it has, in their
// order. began, if not nil, is called with how many more cases have begun. A case in which the client dies or hangs gets a fact that says so, and
// the client is started again behind it.
func Run(ctx context.Context, on Target, c Client, names []string, began func(int)) ([]Case, error) {
	var all []Case
	rest := names
	for len(rest) > 0 {
		text, trouble, err := exec(ctx, on, c, selection(names, rest), began)
		if err != nil {
			return all, err
		}
		cases, done, err := Parse(text)
		if err != nil && trouble == "" {
			trouble = err.Error()
		}
		if len(cases) == 0 {
			cases = []Case{{Name: rest[0]}}
		}
		if trouble == "" && !done {
			trouble = "ends before its end"
		}
		if trouble != "" {
			last := &cases[len(cases)-1]
			last.Facts = append(last.Facts, "! "+trouble)
		}
		all = append(all, cases...)
		if trouble == "" {
			return all, nil
		}
		rest = after(rest, cases[len(cases)-1].Name)
	}
	return all, nil
}

// selection is the words that make a client run rest, of all its cases names.
func selection(names, rest []string) []string {
	if len(rest) == len(names) {
		return nil
	}
	return []string{"from=" + rest[0]}
}

// after is what follows name in the list; nothing if name is not in it.
func after(names []string, name string) []string {
	for i, n := range names {
		if n == name {
			return names[i+1:]
		}
	}
	return nil
}

// List asks a client for the names of its cases.
func List(ctx context.Context, c Client) ([]string, error) {
	text, trouble, err := exec(ctx, Target{}, c, []string{"list"}, nil)
	if err != nil {
		return nil, err
	}
	names := strings.Fields(strings.TrimSuffix(strings.TrimRight(text, "\n"), doneLine))
	if trouble != "" || len(names) == 0 {
		return nil, fmt.Errorf("client %s lists no cases: %s", c.Name, trouble)
	}
	return names, nil
}
