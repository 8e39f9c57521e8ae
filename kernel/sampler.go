package kernel

import (
	"math/rand/v2"
	"sync"
	"time"
)

// sampler is the clock interrupt of those who are sampled. Its goroutine exists
// while somebody wants samples by the clock, and ends by itself, at the next
// tick, when nobody does.
//
// The real kernel samples who is running at each tick. Here nobody sees that;
// but how much a thread has run the host tells, so a thread is stopped for a
// sample each time that its code has run for another tick. A thread that is not
// sampled is never stopped, and none while it waits.
type sampler struct {
	mu      sync.Mutex
	running bool           // guarded by mu
	stopped chan struct{}  // closed by stop; nil before the first start
	ended   sync.WaitGroup // of the goroutine
}

// start sees to it that those who want samples by the clock get them.
func (s *sampler) start(k *Kernel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running {
		return
	}
	if s.stopped == nil {
		s.stopped = make(chan struct{})
	}
	s.running = true
	s.ended.Go(func() { s.run(k) })
}

// stop ends sampling for good and waits until it has ended. No task is left that
// could start it again.
func (s *sampler) stop() {
	s.mu.Lock()
	if s.stopped != nil {
		close(s.stopped)
	}
	s.mu.Unlock()
	s.ended.Wait()
}

// run looks at each tick who is due.
func (s *sampler) run(k *Kernel) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	began := k.clock.uptime()
	seen := map[*Thread]time.Duration{} // how far a thread's time in code is accounted for
	for {
		select {
		case <-s.stopped:
			return
		case <-ticker.C:
		}
		wanted := false
		next := make(map[*Thread]time.Duration, len(seen))
		for _, t := range k.Tasks() {
			wanted = wanted || t.sampling.wanted.Load()&sampledPeriodic != 0
			for _, th := range t.threadList() {
				if th.sampled()&sampledPeriodic == 0 {
					continue
				}
				wanted = true
				upTo, old := seen[th]
				next[th] = th.sampleIfDue(upTo, old, th.created > began)
			}
		}
		seen = next
		if !wanted && s.idle(k) {
			return
		}
	}
}

// idle ends the goroutine, unless somebody wants samples since it looked.
func (s *sampler) idle(k *Kernel) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range k.Tasks() {
		if t.wantsClock() {
			return false
		}
	}
	s.running = false
	return true
}

// wantsClock reports whether the task or one of its threads is sampled by the
// clock.
func (t *Task) wantsClock() bool {
	if t.sampling.wanted.Load()&sampledPeriodic != 0 {
		return true
	}
	for _, th := range t.threadList() {
		if th.sampling.wanted.Load()&sampledPeriodic != 0 {
			return true
		}
	}
	return false
}

// sampleIfDue stops the thread for a sample if its code has run for a tick since
// upTo, and answers up to where its time is accounted for now. A thread that was
// not seen before is met in the middle of a tick; one that is new has run all of
// its time under the sampler's eyes. No thread is owed more than a tick.
func (th *Thread) sampleIfDue(upTo time.Duration, seen, fresh bool) time.Duration {
	ran, _ := th.runTimes()
	if !seen {
		upTo = -rand.N(tick)
		if !fresh {
			upTo += ran
		}
	}
	upTo = max(upTo, ran-2*tick)
	if ran-upTo >= tick && th.askSample() {
		upTo += tick
	}
	return upTo
}

// askSample has the thread come out of its machine code for a sample. It reports
// false if it is not in machine code.
func (th *Thread) askSample() bool {
	th.mu.Lock()
	if th.times.mode != modeUser {
		th.mu.Unlock()
		return false
	}
	th.sampleDue = true
	hw := th.hw
	th.mu.Unlock()
	hw.Interrupt()
	return true
}
