package platform

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// slots is the table of a process's threads. A slot is free, in use, or
// leaving: its host thread has been told to end and may not have done so yet.
type slots struct {
	p     *Process
	table [slotCount]atomic.Pointer[Thread] // read by the bell without mu; written with it

	mu      sync.Mutex
	next    int         // slots from here on were never used; guarded by mu
	free    []int       // used before and free again; guarded by mu
	leaving []leaver    // oldest first; guarded by mu
	timer   *time.Timer // runs while somebody is leaving; guarded by mu
}

type leaver struct {
	slot, tid int
	deadline  time.Time
}

func (s *slots) init(p *Process) {
	s.p, s.next = p, 1 // slot 0 is the header
}

func (s *slots) lookup(index int) *Thread { return s.table[index].Load() }

// threads are all threads in the table.
func (s *slots) threads() []*Thread {
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	var all []*Thread
	for i := 1; i < next; i++ {
		if t := s.table[i].Load(); t != nil {
			all = append(all, t)
		}
	}
	return all
}

// take returns a slot that no host thread uses. When all are in use it waits
// for those that are leaving, if any.
func (s *slots) take() (int, error) {
	const pause = 50 * time.Microsecond
	for {
		s.mu.Lock()
		s.sweep()
		if n := len(s.free); n > 0 {
			index := s.free[n-1]
			s.free = s.free[:n-1]
			s.mu.Unlock()
			return index, nil
		}
		if index := s.next; index < slotCount {
			s.next++
			s.mu.Unlock()
			return index, nil
		}
		waiting := len(s.leaving) > 0
		s.mu.Unlock()
		if !waiting {
			return 0, ErrNoSlot
		}
		time.Sleep(pause)
	}
}

// give returns a slot whose host thread was never made.
func (s *slots) give(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, index)
}

// leave takes t out of the table. Its slot is free once its host thread has
// ended; if it does not, the process dies.
func (s *slots) leave(t *Thread) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.table[t.index].Store(nil)
	s.leaving = append(s.leaving, leaver{t.index, t.tid, time.Now().Add(s.p.m.deadline)})
	if s.timer == nil {
		s.timer = time.AfterFunc(s.p.m.deadline, s.overdue)
	}
}

// sweep frees the slots of host threads that have ended. Called with mu held.
func (s *slots) sweep() {
	s.leaving = slices.DeleteFunc(s.leaving, func(l leaver) bool {
		if s.p.signal(l.tid, 0) {
			return false
		}
		s.free = append(s.free, l.slot)
		return true
	})
}

// overdue runs when a thread that was told to end should have done so.
func (s *slots) overdue() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	s.timer = nil
	if len(s.leaving) == 0 {
		return
	}
	left := time.Until(s.leaving[0].deadline)
	if left <= 0 {
		s.p.kill("a client thread refused to end")
		return
	}
	s.timer = time.AfterFunc(left, s.overdue)
}

// stop ends the supervision of leaving threads.
func (s *slots) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.leaving = nil
}
