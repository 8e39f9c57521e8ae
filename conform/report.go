package conform

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Verdict is how a case came out.
type Verdict string

// Verdicts.
const (
	Agrees   Verdict = "agrees"   // ours is the real kernel's answer
	Expected Verdict = "expected" // the real kernel does not survive it; ours is the answer that skip-on-real.tsv argues for
	Deviates Verdict = "deviates" // ours differs, for a listed reason
	Fails    Verdict = "fails"    // ours differs; or a listed deviation does not; or nothing is known of the case
)

// Result is one case judged.
type Result struct {
	Client  string   `json:"client"`
	Case    string   `json:"case"`
	Verdict Verdict  `json:"verdict"`
	Reason  string   `json:"reason,omitempty"`
	Real    []string `json:"real"` // the recording, or what skip-on-real.tsv expects
	Ours    []string `json:"ours"`
}

// Report is a suite judged.
type Report struct {
	Versions []string      `json:"kernels"` // the recordings'
	Results  []Result      `json:"results"`
	Elapsed  time.Duration `json:"elapsed_ns"`
}

// Count is how many cases came out as v.
func (r *Report) Count(v Verdict) int {
	n := 0
	for i := range r.Results {
		if r.Results[i].Verdict == v {
			n++
		}
	}
	return n
}

// Judge runs the cases whose names want accepts, several clients at once, and
// compares. progress, if not nil, is called after each client with how many of
// all are done.
func Judge(ctx context.Context, s *Suite, want func(name string) bool, progress func(done, all int)) (*Report, error) {
	start := time.Now()
	results := make([][]Result, len(s.Clients))
	errs := make([]error, len(s.Clients))
	var mu sync.Mutex
	finished := 0
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.Clients)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range work {
				results[i], errs[i] = s.judgeClient(ctx, s.Clients[i], want)
				mu.Lock()
				finished++
				if progress != nil {
					progress(finished, len(s.Clients))
				}
				mu.Unlock()
			}
		}()
	}
	for i := range s.Clients {
		work <- i
	}
	close(work)
	wg.Wait()
	rep := &Report{Versions: s.Versions(), Elapsed: time.Since(start)}
	for i := range results {
		if errs[i] != nil {
			return nil, errs[i]
		}
		rep.Results = append(rep.Results, results[i]...)
	}
	return rep, nil
}

func (s *Suite) judgeClient(ctx context.Context, c Client, want func(string) bool) ([]Result, error) {
	names, err := List(ctx, c)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(names, want) {
		return nil, nil
	}
	ours, err := Run(ctx, c, names)
	if err != nil {
		return nil, err
	}
	var list []Result
	for _, r := range s.compare(c.Name, names, ours) {
		if want(r.Case) {
			list = append(list, r)
		}
	}
	return list, nil
}

// compare judges every case that the client, or its recording, has.
func (s *Suite) compare(client string, names []string, ours []Case) []Result {
	real := map[string]Case{}
	for _, c := range s.Recordings[client].Cases {
		real[c.Name] = c
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name) // recorded, and gone from the client
		}
	}
	mine := map[string]Case{}
	for _, c := range ours {
		mine[c.Name] = c
	}
	results := make([]Result, 0, len(names))
	for _, name := range names {
		recorded, ok := real[name]
		r := Result{Client: client, Case: name, Real: recorded.Facts, Ours: mine[name].Facts}
		skipped, unrecorded := s.Skip[name]
		if unrecorded {
			r.Real, ok = skipped.Answer, true
		}
		_, ran := mine[name]
		r.Verdict, r.Reason = s.verdict(&r, ok, ran, unrecorded)
		results = append(results, r)
	}
	return results
}

func (s *Suite) verdict(r *Result, known, ran, unrecorded bool) (Verdict, string) {
	reason, listed := s.Deviations[r.Case]
	same := ran && slices.Equal(r.Real, r.Ours)
	switch {
	case !known:
		return Fails, "no recording has this case"
	case !ran:
		return Fails, "the client does not run this case"
	case same && listed:
		return Fails, "listed as a deviation, and does not differ: " + reason
	case same && unrecorded:
		return Expected, s.Skip[r.Case].Reason
	case same:
		return Agrees, ""
	case listed:
		return Deviates, reason
	}
	return Fails, "differs: " + firstDifference(r.Real, r.Ours)
}

// firstDifference shows the first line in which two answers differ.
func firstDifference(real, ours []string) string {
	line := func(l []string, i int) string {
		if i < len(l) {
			return l[i]
		}
		return "nothing more"
	}
	for i := 0; ; i++ {
		if a, b := line(real, i), line(ours, i); a != b {
			return strings.Join([]string{"real ", a, ", ours ", b}, "")
		}
	}
}
