package platform

import (
	"sync"
	"sync/atomic"
	"time"
)

// endings looks for host threads that ended without being told to. Such a
// thread can never post again: if its process lives on, a client forced it, and
// the process is killed.
//
// The host rings for a thread that ends before it has taken it off its list,
// and does not say which one it is: who looks at once may find all there. So
// the search is repeated for a while, at growing distances.
type endings struct {
	checking atomic.Bool // a check of what was found is under way

	mu    sync.Mutex
	timer *time.Timer   // guarded by mu; nil before the first repetition
	pause time.Duration // before the repetition that is due; guarded by mu
}

// firstPause is the time before the first repetition.
const firstPause = 500 * time.Microsecond

// threadEnded is called by the bell's leader when a host thread has ended.
func (p *Process) threadEnded() {
	if !p.foundVanished() {
		p.endings.repeat(firstPause, p.lookAgain)
	}
}

// repeat has look called after a pause, instead of what was due before.
func (e *endings) repeat(pause time.Duration, look func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pause = pause
	if e.timer == nil {
		e.timer = time.AfterFunc(pause, look)
	} else {
		e.timer.Reset(pause)
	}
}

func (e *endings) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		e.timer.Stop()
	}
}

// lookAgain is a repetition.
func (p *Process) lookAgain() {
	if !p.use.enter() {
		return
	}
	defer p.use.leave()
	p.endings.mu.Lock()
	next := 2 * p.endings.pause
	p.endings.mu.Unlock()
	if !p.foundVanished() && next < stopDeadline {
		p.endings.repeat(next, p.lookAgain)
	}
}

// foundVanished reports whether a running thread has no host thread any more,
// and has that checked.
//
// A process that the host kills loses its threads one by one, too. What tells
// the two apart is the control thread: in a dying process it never answers.
func (p *Process) foundVanished() bool {
	if !p.vanished() {
		return false
	}
	if !p.endings.checking.CompareAndSwap(false, true) {
		return true
	}
	go func() { // the leader has no time to wait for an answer
		if !p.use.enter() {
			return
		}
		defer p.use.leave()
		_, err := p.control.run(nil)
		p.endings.checking.Store(false) // before the look: a thread that ends after it starts another check
		if err == nil && p.vanished() {
			p.kill("a client thread forced its way out of the stub")
		}
	}()
	return true
}

// vanished reports whether a running thread has no host thread any more.
func (p *Process) vanished() bool {
	for _, t := range p.slots.threads() {
		if t.armed.Load() && !p.signal(t.tid, 0) {
			return true
		}
	}
	return false
}
