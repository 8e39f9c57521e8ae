package platform

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is how long the host has run the thread: its code, and what the host
// did for it, spinning for an answer included. ok is false on a host that does
// not tell, and when the process is dead.
//
// Only /proc tells the threads of another process apart, and the end of a process
// that was looked at there costs hosts milliseconds. So the time of the only
// thread that a process ever had is the process's.
func (t *Thread) CPUTime() (d time.Duration, ok bool) {
	p := t.p
	if p.made.Load() == 1 {
		return t.MostCPUTime()
	}
	p.life.mu.Lock() // until reaped, the pid is ours
	defer p.life.mu.Unlock()
	if p.life.reaped {
		return 0, false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", p.pid, t.tid))
	if err != nil {
		return 0, false
	}
	first, _, _ := bytes.Cut(stat, []byte(" "))
	ns, err := strconv.ParseInt(string(first), 10, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(ns), true
}

// MostCPUTime is CPUTime of all threads that the thread's process ever had: no
// more than that can be the thread's. It costs one call of the host.
func (t *Thread) MostCPUTime() (d time.Duration, ok bool) {
	const scheduled = 2 // CPUCLOCK_SCHED
	p := t.p
	p.life.mu.Lock() // until reaped, the pid is ours
	defer p.life.mu.Unlock()
	if p.life.reaped {
		return 0, false
	}
	var spent unix.Timespec
	if err := unix.ClockGettime(int32(^p.pid)<<3|scheduled, &spent); err != nil {
		return 0, false
	}
	return time.Duration(spent.Nano()), true
}
