package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"machkernel/conform/mutants/point"
)

// roomTests is the Go tests of one room, built with all mutants in them. They
// are the second judge: of what no client can bring about.
type roomTests struct {
	room    string
	dir     string // where the room lies: tests read files beside them
	binary  string
	scratch string

	mu      sync.Mutex
	tests   []string
	reached map[int][]string         // names of tests by the points they come by
	took    map[string]time.Duration // by the names of tests
}

// secondJudge is the tests of rooms.
type secondJudge struct {
	rooms []*roomTests
	limit time.Duration // of one run, beyond what its tests take without a mutant
}

// compileTests compiles the tests of rooms, with the mutants in dir's overlay.
func compileTests(ctx context.Context, overlay, module, dir string, limit time.Duration, rooms ...string) (*secondJudge, error) {
	j := &secondJudge{limit: limit}
	for _, room := range rooms {
		t := &roomTests{
			room: room, dir: filepath.Join(module, room), scratch: dir,
			binary: filepath.Join(dir, room+".test"), reached: map[int][]string{}, took: map[string]time.Duration{},
		}
		c := exec.CommandContext(ctx, "go", "test", "-c", "-overlay", overlay, "-o", t.binary, "./"+room)
		c.Dir = module
		if out, err := c.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("the tests of %s with its mutants do not compile: %w\n%s", room, err, out)
		}
		j.rooms = append(j.rooms, t)
	}
	return j, nil
}

// prepare runs each test alone and without a mutant: it must pass, and shows
// which points it comes by.
func (j *secondJudge) prepare(ctx context.Context, jobs int) error {
	type one struct {
		room *roomTests
		test string
	}
	var list []one
	for _, t := range j.rooms {
		if err := t.list(ctx); err != nil {
			return err
		}
		for _, name := range t.tests {
			list = append(list, one{t, name})
		}
	}
	return inParallel(ctx, len(list), jobs, func(ctx context.Context, i int) error {
		return list[i].room.prepare(ctx, list[i].test, j.limit)
	})
}

// list asks the binary for its tests, examples and fuzz tests; the last run
// their seeds.
func (t *roomTests) list(ctx context.Context) error {
	c := exec.CommandContext(ctx, t.binary, "-test.list", "^(Test|Example|Fuzz)")
	c.Dir = t.dir
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("the tests of %s cannot be listed: %w", t.room, err)
	}
	t.tests = strings.Fields(string(out))
	return nil
}

func (t *roomTests) prepare(ctx context.Context, test string, limit time.Duration) error {
	file := filepath.Join(t.scratch, t.room+"."+test+".reached")
	start := time.Now()
	how, err := t.run(ctx, []string{point.ReachedVar + "=" + file}, 3*limit, test)
	if err != nil {
		return err
	}
	if how != "" {
		return fmt.Errorf("%s fails without a mutant: %s", t.room, how)
	}
	ids, err := readIDs(file)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.took[test] = time.Since(start)
	for _, id := range ids {
		t.reached[id] = append(t.reached[id], test)
	}
	return nil
}

// failed is the first test that a test binary says has failed.
var failed = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// run runs some tests and tells which failed, empty if none did.
func (t *roomTests) run(ctx context.Context, env []string, limit time.Duration, tests ...string) (how string, err error) {
	text, err := execute(ctx, limit, t.dir, env, t.binary,
		"-test.short", "-test.failfast", "-test.run", "^("+strings.Join(tests, "|")+")$")
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if m := failed.FindStringSubmatch(text); m != nil {
			return t.room + ": " + m[1], nil
		}
		return t.room + ": " + firstLine(text, exit), nil
	}
	if errors.Is(err, errNoEnd) {
		return t.room + ": " + err.Error(), nil
	}
	return "", err
}

// judge tells which test catches a mutant, empty if none does: those of the
// mutant's own room are asked first.
func (j *secondJudge) judge(ctx context.Context, p *Point) (how string, err error) {
	own := func(t *roomTests) int {
		if strings.HasPrefix(p.Name, t.room+"/") {
			return 0
		}
		return 1
	}
	order := slices.Clone(j.rooms)
	slices.SortStableFunc(order, func(a, b *roomTests) int { return cmp.Compare(own(a), own(b)) })
	for _, t := range order {
		tests := t.reached[p.ID]
		if len(tests) == 0 {
			continue
		}
		limit := j.limit
		for _, name := range tests {
			limit += 2 * t.took[name]
		}
		how, err := t.run(ctx, []string{point.ActiveVar + "=" + strconv.Itoa(p.ID)}, limit, tests...)
		if how != "" || err != nil {
			return how, err
		}
	}
	return "", nil
}

// judgeAll judges what the suite let pass, but for what is equivalent.
func (j *secondJudge) judgeAll(ctx context.Context, outcomes []Outcome, reasons map[string]reason, jobs int) error {
	return inParallel(ctx, len(outcomes), jobs, func(ctx context.Context, i int) error {
		o := &outcomes[i]
		if o.Fate != Survived || reasons[o.Name].class == equivalent {
			return nil
		}
		how, err := j.judge(ctx, o.Point)
		if how != "" {
			o.Fate, o.How = Tested, how
		}
		return err
	})
}
