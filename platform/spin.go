package platform

// spinPauses is how long one side spins for the other before it sleeps, in
// pause instructions: tens of microseconds at most. Shorter is worse than not
// at all where waking a sleeper crosses processors.
const spinPauses = 1000

const (
	spinMisses = 4  // misses in a row after which spinning is not worth it
	spinProbe  = 16 // then one wait in so many tries again
)

// spinner decides whether the next wait begins with spinning. Spinning pays
// when the other side answers at once, and is pure loss when it does not; what
// the last waits saw is the best guess. The zero value never spins.
type spinner struct {
	max    int // pauses; 0 on one processor, where spinning keeps the other side off
	misses int
	skips  int
}

// next is the number of pauses to spend on the coming wait.
func (s *spinner) next() int {
	if s.misses < spinMisses {
		return s.max
	}
	s.skips++
	if s.skips%spinProbe != 0 {
		return 0
	}
	return s.max
}

// note takes in how a wait that spun ended.
func (s *spinner) note(hit bool) {
	if hit {
		s.misses = 0
	} else if s.misses < spinMisses {
		s.misses++
	}
}
