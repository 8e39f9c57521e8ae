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
	Survived Fate = "survived"
	Unserved Fate = "unserved" // the suite's runner cannot come to it: nothing serves it
)

// Outcome is a mutant judged.
type Outcome struct {
	*Point
	Fate    Fate
	Reached bool   // some client came by; for a check, and found it true
	How     string // what caught it: a case and its difference, a crash, the time
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
func compile(ctx context.Context, m *Mutated, module, dir string) (string, error) {
	overlay, err := m.WriteOverlay(dir)
	if err != nil {
		return "", err
	}
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
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	c := exec.CommandContext(limited, r.binary, clients...)
	c.Env = append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if limited.Err() != nil {
		return fmt.Sprintf("no end after %v", r.limit), nil
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return firstLine(out.String(), exit), nil
	}
	return "", err
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
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	outcomes := make([]Outcome, len(points))
	work := make(chan int)
	var wg sync.WaitGroup
	for range jobs {
		wg.Go(func() {
			for i := range work {
				var err error
				if outcomes[i], err = r.judge(ctx, points[i]); err != nil {
					cancel(fmt.Errorf("%s: %w", points[i].Name, err))
				}
			}
		})
	}
	for i := range points {
		if ctx.Err() != nil {
			break
		}
		progress(i)
		work <- i
	}
	close(work)
	wg.Wait()
	return outcomes, context.Cause(ctx)
}
