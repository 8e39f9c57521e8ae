// Command mutants measures the conformance suite: it changes the kernel in one
// place after the other, runs the suite, and counts how many of these mutants
// some case catches.
//
// What is changed: return codes, the order of checks, the values of rules, and
// whether a check is made at all. All places are compiled into one binary,
// each asking package point whether it is the one; go build -overlay puts the
// rewritten files in place of the kernel's, so no source in the tree is
// touched and the kernel's normal build has nothing of it.
//
//	sources ──find──▶ points ──rewrite──▶ overlay ──go build──▶ judge
//	judge without a mutant ──▶ which client comes by which point
//	judge, mutant by mutant ─▶ caught, or a survivor: listed with a reason, or
//	                           an error
//	survivors ──▶ the rooms' own Go tests, built with the same overlay: the
//	              judge of what no client can bring about
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// survivors is the list of those that need not be caught, in the module.
const survivors = "testdata/conformance/mutants.tsv"

// least is how many of a hundred must be caught, of those that something
// serves and that are not equivalent: by the suite, or by the rooms' tests.
const least = 95

type options struct {
	list, tests, verbose bool
	run, save            string
	jobs                 int
	limit                time.Duration
}

func main() {
	var o options
	flag.BoolVar(&o.list, "list", false, "list the mutants and run none")
	flag.BoolVar(&o.tests, "tests", true, "judge what the suite lets pass by the Go tests of the rooms, too")
	flag.StringVar(&o.save, "o", "", "write the figures as a Markdown table to this file, too")
	flag.BoolVar(&o.verbose, "v", false, "tell of each mutant what caught it")
	flag.StringVar(&o.run, "run", "", "only mutants whose names match this regular expression")
	flag.IntVar(&o.jobs, "j", runtime.GOMAXPROCS(0), "how many to run at once")
	flag.DurationVar(&o.limit, "limit", 20*time.Second, "how long a mutant may take before it counts as caught")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := o.main(ctx, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func (o *options) main(ctx context.Context, out, progress io.Writer) error {
	want, err := regexp.Compile(o.run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	switch {
	case o.jobs < 1 || flag.NArg() > 0:
		return errors.New("-j is at least 1, and there are no arguments")
	case o.save != "" && (o.run != "" || !o.tests):
		return errors.New("-o wants the whole: no -run, and the tests")
	}
	module, err := moduleDir(ctx)
	if err != nil {
		return err
	}
	m, err := Find(ctx, module)
	if err != nil {
		return err
	}
	var points []*Point
	for _, p := range m.Points() {
		if want.MatchString(p.Name) {
			points = append(points, p)
		}
	}
	if o.list {
		for _, p := range points {
			fmt.Fprintln(out, p.Name)
		}
		return nil
	}
	return o.measure(ctx, module, m, points, out, progress)
}

// moduleDir is where the module lies that the tool is run in.
func moduleDir(ctx context.Context) (string, error) {
	b, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	file := strings.TrimSpace(string(b))
	if filepath.Base(file) != "go.mod" {
		return "", errors.New("run it inside the module")
	}
	return filepath.Dir(file), nil
}

func (o *options) measure(ctx context.Context, module string, m *Mutated, points []*Point, out, progress io.Writer) error {
	reasons, err := readReasons(filepath.Join(module, survivors))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.WriteOverlay(dir)
	if err != nil {
		return err
	}
	// What fails without a mutant ends the run before hundreds are judged.
	var second *secondJudge
	if o.tests {
		if second, err = o.prepareTests(ctx, overlay, module, dir, progress); err != nil {
			return err
		}
	}
	outcomes, err := o.bySuite(ctx, overlay, module, dir, points, progress)
	if err != nil {
		return err
	}
	if o.tests {
		if err := o.byTests(ctx, second, outcomes, reasons, progress); err != nil {
			return err
		}
	}
	rep := &Report{
		Outcomes: outcomes, reasons: reasons,
		complete: len(points) == len(m.Points()), tests: o.tests,
	}
	complaints := rep.complaints(least)
	if o.save != "" {
		if err := rep.saveMarkdown(o.save); err != nil {
			return err
		}
	}
	if err := rep.WriteText(out, o.verbose, complaints); err != nil {
		return err
	}
	if n := len(complaints); n > 0 {
		return fmt.Errorf("%d complaints about the suite or its list of survivors, %s; the first: %s", n, survivors, complaints[0])
	}
	return nil
}

// bySuite has the suite judge points.
func (o *options) bySuite(ctx context.Context, overlay, module, dir string, points []*Point, progress io.Writer) ([]Outcome, error) {
	binary, err := compile(ctx, overlay, module, dir)
	if err != nil {
		return nil, err
	}
	r := &runner{binary: binary, dir: dir, limit: o.limit}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	start := time.Now()
	return r.judgeAll(ctx, points, o.jobs, func(done int) {
		if done%50 == 0 && done > 0 {
			fmt.Fprintf(progress, "%d of %d mutants, %v\n", done, len(points), time.Since(start).Round(time.Second))
		}
	})
}

// prepareTests builds the second judge and has it run once without a mutant.
func (o *options) prepareTests(ctx context.Context, overlay, module, dir string, progress io.Writer) (*secondJudge, error) {
	start := time.Now()
	j, err := compileTests(ctx, overlay, module, dir, o.limit, rooms...)
	if err != nil {
		return nil, err
	}
	if err := j.prepare(ctx, o.jobs); err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "the Go tests built and run once each, %v\n", time.Since(start).Round(time.Second))
	return j, nil
}

// byTests has the rooms' tests judge what the suite let pass.
func (o *options) byTests(ctx context.Context, j *secondJudge, outcomes []Outcome, reasons map[string]reason, progress io.Writer) error {
	start := time.Now()
	if err := j.judgeAll(ctx, outcomes, reasons, o.jobs); err != nil {
		return err
	}
	fmt.Fprintf(progress, "the Go tests have judged, %v\n", time.Since(start).Round(time.Second))
	return nil
}
