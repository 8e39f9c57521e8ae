package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"machkernel/conform"
	"machkernel/conform/mutants/point"
	"machkernel/testdata"
)

// Fate is what became of a mutant.
type Fate string

// Fates.
const (
	Caught   Fate = "caught"
	Tested   Fate = "tested" // not caught by the suite, but by a Go test of the kernel's rooms
	Survived Fate = "survived"
	Unserved Fate = "unserved" // the suite's runner cannot come to it: nothing serves it
)

// Outcome is a mutant judged.
type Outcome struct {
	*Point
	Fate    Fate
	Reached bool   // some client came by; for a check, and found it true
	How     string // what caught it: a case and its difference, a test, a crash, the time
	Elapsed time.Duration
}

// runner runs a binary with all mutants in it.
type runner struct {
	binary  string
	dir     string
	limit   time.Duration // of one mutant
	clients []string      // the fastest first
	reached map[int][]string
}

// compile compiles the kernel with all its points into dir.
func compile(ctx context.Context, overlay, module, dir string) (string, error) {
	binary := filepath.Join(dir, "judge")
	c := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", binary, "./conform/mutants/judge")
	c.Dir = module
	if out, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the kernel with its mutants does not compile: %w\n%s", err, out)
	}
	return binary, nil
}

// prepare runs the suite without a mutant, client by client: it must pass, and
// shows which points each client comes by.
func (r *runner) prepare(ctx context.Context) error {
	suite, err := conform.Load(testdata.Conformance())
	if err != nil {
		return err
	}
	took := map[string]time.Duration{}
	r.reached = map[int][]string{}
	for _, c := range suite.Clients {
		start := time.Now()
		file := filepath.Join(r.dir, c.Name+".reached")
		how, err := r.run(ctx, []string{point.ReachedVar + "=" + file}, c.Name)
		if err != nil {
			return err
		}
		if how != "" {
			return fmt.Errorf("client %s fails without a mutant: %s", c.Name, how)
		}
		took[c.Name] = time.Since(start)
		r.clients = append(r.clients, c.Name)
		ids, err := readIDs(file)
		if err != nil {
			return err
		}
		for _, id := range ids {
			r.reached[id] = append(r.reached[id], c.Name)
		}
	}
	for _, list := range r.reached {
		slices.SortFunc(list, func(a, b string) int { return cmp.Compare(took[a], took[b]) })
	}
	return nil
}

func readIDs(name string) ([]int, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var ids []int
	for s := bufio.NewScanner(f); s.Scan(); {
		id, err := strconv.Atoi(s.Text())
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// run runs the clients with an environment and tells what went wrong, one
// line, empty if nothing did.
func (r *runner) run(ctx context.Context, env []string, clients ...string) (how string, err error) {
	text, err := execute(ctx, r.limit, "", env, r.binary, clients...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return firstLine(text, exit), nil
	}
	if errors.Is(err, errNoEnd) {
		return err.Error(), nil
	}
	return "", err
}

// errNoEnd: a command took longer than it may.
var errNoEnd = errors.New("no end")

// execute runs a command with all the processes it starts, in dir and with
// variables added to the environment, and returns what it wrote.
func execute(ctx context.Context, limit time.Duration, dir string, env []string, name string, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c := exec.CommandContext(limited, name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return "", fmt.Errorf("%w after %v", errNoEnd, limit)
	}
	return out.String(), err
}

func firstLine(text string, exit *exec.ExitError) string {
	line, _, _ := strings.Cut(text, "\n")
	return cmp.Or(line, exit.String())
}

// judge runs one mutant by the clients that come by it.
func (r *runner) judge(ctx context.Context, p *Point) (Outcome, error) {
	o := Outcome{Point: p, Fate: Survived}
	clients := r.reached[p.ID]
	o.Reached = len(clients) > 0
	switch {
	case !p.Live && !o.Reached:
		o.Fate = Unserved
	case o.Reached:
		start := time.Now()
		how, err := r.run(ctx, []string{point.ActiveVar + "=" + strconv.Itoa(p.ID)}, clients...)
		if err != nil {
			return o, err
		}
		o.Elapsed = time.Since(start)
		if how != "" {
			o.Fate, o.How = Caught, how
		}
	}
	return o, nil
}

// judgeAll judges points, several at once, in their order.
func (r *runner) judgeAll(ctx context.Context, points []*Point, jobs int, progress func(done int)) ([]Outcome, error) {
	outcomes := make([]Outcome, len(points))
	err := inParallel(ctx, len(points), jobs, func(ctx context.Context, i int) (err error) {
		progress(i)
		if outcomes[i], err = r.judge(ctx, points[i]); err != nil {
			return fmt.Errorf("%s: %w", points[i].Name, err)
		}
		return nil
	})
	return outcomes, err
}

// inParallel calls f for 0 to n-1, several at once. The first error ends it.
func inParallel(ctx context.Context, n, jobs int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan int)
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(func() {
			for i := range work {
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		work <- i
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}
