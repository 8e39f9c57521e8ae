package conform

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"machkernel/kernel"
	"machkernel/mach"
)

// Verdict is how a case came out.
type Verdict string

// Verdicts.
const (
	Agrees     Verdict = "agrees"      // ours is the real kernel's answer
	Promised   Verdict = "promised"    // documented edition: ours is as the manual promises
	Expected   Verdict = "expected"    // the real kernel does not survive it; ours is the answer that skip-on-real.tsv argues for
	Deviates   Verdict = "deviates"    // ours differs, for a listed reason
	SourceOnly Verdict = "source only" // ours is what the sources of a newer kernel say; nothing judges it
	Fails      Verdict = "fails"       // ours differs; or a listed deviation does not; or nothing is known of the case
)

// Result is one case judged.
type Result struct {
	Client    string   `json:"client"`
	Case      string   `json:"case"`
	Verdict   Verdict  `json:"verdict"`
	Reason    string   `json:"reason,omitempty"`
	Manual    []string `json:"manual,omitempty"`    // what a manual promises
	Source    string   `json:"source,omitempty"`    // which one, and where
	Disagrees bool     `json:"disagrees,omitempty"` // the recording is not as the manual promises
	Real      []string `json:"real"`                // the recording, or what skip-on-real.tsv expects
	Ours      []string `json:"ours"`
	Wanted    []string `json:"wanted,omitempty"` // what ours was compared with, if that is neither
}

// Target is the kernel that the cases run on. The zero value is the one that
// the recordings are of.
type Target struct {
	Edition kernel.Edition
	Version mach.Version
	LongWay bool // messages take the long way only: see kernel.Config
}

// Report is a suite judged.
type Report struct {
	Versions []string      `json:"kernels"` // the recordings'
	Edition  string        `json:"edition"`
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

// Progress is how far a run is.
type Progress struct {
	Done, All int    // cases
	Client    string // whose case was begun last
}

// Options say what to judge and how.
type Options struct {
	Target
	Want func(name string) bool // which cases; nil: all

	// Progress is called for each case that begins, and once at the end, by one
	// goroutine at a time. May be nil.
	Progress func(Progress)
}

// meter counts the cases that began, of all clients.
type meter struct {
	mu   sync.Mutex
	now  Progress
	show func(Progress)
}

func (m *meter) add(client string, n int) {
	if m.show == nil || n == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Client = client
	m.now.Done = min(m.now.Done+n, m.now.All)
	m.show(m.now)
}

// Judge runs the cases that are wanted, several clients at once, and compares.
func Judge(ctx context.Context, s *Suite, o Options) (*Report, error) {
	start := time.Now()
	if o.Want == nil {
		o.Want = func(string) bool { return true }
	}
	m := &meter{show: o.Progress}
	names := make([][]string, len(s.Clients))
	err := s.eachClient(func(i int) (err error) {
		names[i], err = List(ctx, s.Clients[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range names {
		if !slices.ContainsFunc(names[i], o.Want) {
			names[i] = nil // a client runs whole or not at all
		}
		m.now.All += len(names[i])
	}
	results := make([][]Result, len(s.Clients))
	err = s.eachClient(func(i int) (err error) {
		c := s.Clients[i]
		results[i], err = s.judgeClient(ctx, c, names[i], &o, func(n int) { m.add(c.Name, n) })
		return err
	})
	if err != nil {
		return nil, err
	}
	m.add("", m.now.All)
	rep := &Report{Versions: s.Versions(), Edition: o.Edition.String(), Elapsed: time.Since(start)}
	for i := range results {
		rep.Results = append(rep.Results, results[i]...)
	}
	return rep, nil
}

// eachClient calls do with the index of each client, several at once, and
// returns the first client's error.
func (s *Suite) eachClient(do func(i int) error) error {
	errs := make([]error, len(s.Clients))
	work := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.Clients)) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range work {
				errs[i] = do(i)
			}
		}()
	}
	for i := range s.Clients {
		work <- i
	}
	close(work)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Suite) judgeClient(ctx context.Context, c Client, names []string, o *Options, began func(int)) ([]Result, error) {
	if len(names) == 0 {
		return nil, nil
	}
	ours, err := Run(ctx, o.Target, c, names, began)
	if err != nil {
		return nil, err
	}
	var list []Result
	for _, r := range s.compare(o.Target, c.Name, names, ours) {
		if o.Want(r.Case) {
			list = append(list, r)
		}
	}
	return list, nil
}

// compare judges every case that the client, or its recording, has.
func (s *Suite) compare(on Target, client string, names []string, ours []Case) []Result {
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
		recorded, known := real[name]
		r := Result{Client: client, Case: name, Real: recorded.Facts, Ours: mine[name].Facts}
		promise, spoken := s.Manual[name]
		if spoken {
			r.Manual, r.Source = promise.Lines, promise.Source
			_, _, kept := promise.kept(r.Real)
			r.Disagrees = known && !kept
		}
		if skipped, ok := s.Skip[name]; ok {
			r.Real, known = skipped.Answer, true
		}
		_, ran := mine[name]
		r.Verdict, r.Reason = s.verdict(on, &r, known, ran)
		results = append(results, r)
	}
	return results
}

// verdict judges a case: by the sources if the kernel is newer than the
// recordings there, by the manual in the documented edition where one speaks,
// else by the recording.
func (s *Suite) verdict(on Target, r *Result, known, ran bool) (Verdict, string) {
	newer, unjudged := s.Source[r.Case]
	switch {
	case !ran:
		return Fails, "the client does not run this case"
	case unjudged && on.Version >= newer.Since:
		r.Wanted = s.reword(on.Edition, newer.Answer)
		if !slices.Equal(r.Wanted, r.Ours) {
			return Fails, "differs: " + firstDifference("source", r.Wanted, r.Ours)
		}
		return SourceOnly, newer.Where
	case on.Edition == kernel.Documented && r.Manual != nil:
		return s.byManual(r)
	case !known:
		return Fails, "no recording has this case"
	}
	return s.byRecording(on, r)
}

// byManual judges a case of which the manual speaks. A deviation that is listed
// against the recording may still be as promised.
func (s *Suite) byManual(r *Result) (Verdict, string) {
	promise := Promise{r.Source, r.Manual}
	promised, given, ok := promise.kept(r.Ours)
	if ok {
		return Promised, r.Source
	}
	if reason, listed := s.deviation(kernel.Documented, r.Case); listed {
		return Deviates, reason
	}
	return Fails, "differs: manual " + promised + ", ours " + given
}

// deviation is the listed reason for which a case may differ in an edition.
func (s *Suite) deviation(e kernel.Edition, name string) (reason string, listed bool) {
	if reason, listed = s.Deviations[name]; !listed && e == kernel.Documented {
		reason, listed = s.Documented[name]
	}
	return reason, listed
}

func (s *Suite) byRecording(on Target, r *Result) (Verdict, string) {
	want := s.reword(on.Edition, r.Real)
	if !slices.Equal(want, r.Real) {
		r.Wanted = want
	}
	same := slices.Equal(want, r.Ours)
	reason, listed := s.deviation(on.Edition, r.Case)
	skipped, unrecorded := s.Skip[r.Case]
	switch {
	case same && listed:
		return Fails, "listed as a deviation, and does not differ: " + reason
	case same && unrecorded:
		return Expected, skipped.Reason
	case same:
		return Agrees, ""
	case listed:
		return Deviates, reason
	}
	return Fails, "differs: " + firstDifference("real", want, r.Ours)
}

// nothingMore stands for a line that is not there.
const nothingMore = "nothing more"

// firstDifference shows the first line in which two answers differ.
func firstDifference(whose string, wanted, ours []string) string {
	line := func(l []string, i int) string {
		if i < len(l) {
			return l[i]
		}
		return nothingMore
	}
	for i := 0; ; i++ {
		if a, b := line(wanted, i), line(ours, i); a != b {
			return strings.Join([]string{whose, " ", a, ", ours ", b}, "")
		}
	}
}
