package kernel

import (
	"sync"
	"time"
)

// The grain of the real kernel's clock: what is told of scheduling and of
// adjusting the time goes by it (C: hz, tick, tickadj, bigadj).
const (
	tick        = 10 * time.Millisecond
	tickMicros  = int32(tick / time.Microsecond)
	minQuantum  = 3 * tick  // C: min_quantum
	adjustStep  = 5         // µs of adjustment per tick
	adjustFast  = 50        // the same for a large adjustment
	adjustLarge = 1_000_000 // µs; more is large
)

// clock is the machine's time. It reads the host's clock once, when it starts,
// as a machine reads its own at boot, and goes on by itself: the host's
// monotonic clock, and what host_adjust_time adds. So a client that sets or
// adjusts the time changes nothing outside of its kernel.
//
// Adjusting moves the uptime, too; setting does not. The real kernel adjusts at
// each clock interrupt; here the interrupts that would have been are made up
// for when somebody looks.
type clock struct {
	start time.Time // immutable; the rest is guarded by mu, under which no lock is taken

	mu      sync.Mutex
	zero    timeValue     // the time of day at uptime 0
	ticks   int64         // interrupts accounted for
	pending int64         // adjustment still to be made, µs (C: timedelta)
	step    int64         // of it, at each interrupt, µs (C: tickdelta)
	slewed  time.Duration // adjustments made
}

// timeValue is a time in the kernel's own form (C: time_value64_t); nsec is
// from 0 to 999,999,999.
type timeValue struct{ sec, nsec int64 }

func (v timeValue) add(d time.Duration) timeValue {
	v.sec += int64(d / time.Second)
	v.nsec += int64(d % time.Second)
	switch {
	case v.nsec >= int64(time.Second):
		v.sec, v.nsec = v.sec+1, v.nsec-int64(time.Second)
	case v.nsec < 0:
		v.sec, v.nsec = v.sec-1, v.nsec+int64(time.Second)
	}
	return v
}

// run starts the clock.
func (c *clock) run() {
	c.start = time.Now()
	c.zero = timeValue{c.start.Unix(), int64(c.start.Nanosecond())}
}

// uptime is the time since the start, as adjusted.
func (c *clock) uptime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.catchUp()
}

// now is the time of day.
func (c *clock) now() timeValue {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.zero.add(c.catchUp())
}

// set changes the time of day.
func (c *clock) set(v timeValue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.zero = v.add(-c.catchUp())
}

// adjust makes the clock go faster or slower until it has moved by micros, which
// comes in place of what was still to be done, its answer. micros is cut to a
// multiple of the step, and to 32 bits.
//
// That is the packaged kernel's arithmetic. A negative number is a huge one to
// it: it gets the fast step, and may be cut to what is no multiple of it when it
// is negative again; then the clock goes past it and back, and for ever so.
func (c *clock) adjust(micros uint64) (old int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.catchUp()
	old = c.pending
	if old == 0 {
		c.step = adjustStep
		if micros > adjustLarge {
			c.step = adjustFast
		}
	}
	c.pending = int64(int32(micros - micros%uint64(c.step)))
	return old
}

// catchUp makes up for the clock interrupts since the last call and answers
// the uptime. c is locked.
func (c *clock) catchUp() time.Duration {
	raw := time.Since(c.start)
	n := int64(raw/tick) - c.ticks
	c.ticks += n
	for n > 0 && c.pending != 0 {
		left := max(c.pending, -c.pending)
		if left < c.step {
			n %= 2 // past it and back again
		}
		k := min(n, (left+c.step-1)/c.step)
		move := k * c.step
		if c.pending < 0 {
			move = -move
		}
		c.pending -= move
		c.slewed += time.Duration(move) * time.Microsecond
		n -= k
	}
	return raw + c.slewed
}
