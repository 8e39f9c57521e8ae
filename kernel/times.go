package kernel

import (
	"time"

	"machkernel/platform"
)

// mode is what a thread of machine code is doing, as its times are told.
type mode int

const (
	modeNone   mode = iota // it waits, or is held
	modeUser               // machine code runs
	modeSystem             // the kernel works for it
)

// times are how long a thread was in each mode, by the host's clock. They are
// guarded by Thread.mu, like what changes the mode. A thread that runs a Go
// function stays in modeNone.
type times struct {
	spent [modeSystem + 1]time.Duration // of modes that were left
	mode  mode
	since time.Duration // the mode was entered, on the host's clock since the kernel's start
}

// turn changes the mode of a thread of machine code. th.mu is held. Each event
// comes here twice, so that all it does is to read the clock.
func (th *Thread) turn(to mode) {
	if th.hw == nil {
		return
	}
	t, now := &th.times, time.Since(th.k.clock.start)
	t.spent[t.mode] += now - t.since
	t.mode, t.since = to, now
}

// in is the time spent in a mode until now.
func (t *times) in(m mode, now time.Duration) time.Duration {
	d := t.spent[m]
	if t.mode == m {
		d += now - t.since
	}
	return d
}

// runTimes are how long the thread's code ran, and the kernel for it.
//
// The host tells how long it ran the thread, but takes the handler for code that
// spins for an answer; the clock tells how long machine code had the word, but
// goes on while the host runs others. The time in code is neither, and no more
// than the lesser of the two. That of the kernel is the clock's: what is done in
// a goroutine is on no account of the host's.
func (th *Thread) runTimes() (user, system time.Duration) {
	return th.timesWithin((*platform.Thread).CPUTime)
}

// timesWithin is runTimes, with what the host is asked for.
func (th *Thread) timesWithin(host func(*platform.Thread) (time.Duration, bool)) (user, system time.Duration) {
	th.mu.Lock()
	hw, now := th.hw, time.Since(th.k.clock.start)
	user, system = th.times.in(modeUser, now), th.times.in(modeSystem, now)
	th.mu.Unlock()
	if hw == nil {
		return 0, 0
	}
	if cpu, ok := host(hw); ok {
		user = min(user, cpu)
	}
	return user, system
}

// addUp adds the times of a thread that ends to its task's. Each task does that
// at least once, so that the host is asked for what it tells at no cost.
func (th *Thread) addUp() {
	user, system := th.timesWithin((*platform.Thread).MostCPUTime)
	th.task.record.user.Add(int64(user))
	th.task.record.system.Add(int64(system))
}
