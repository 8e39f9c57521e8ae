package platform

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// CPUTime is how long the host has run the thread: its code, and what the host
// did for it, spinning for an answer included. ok is false on a host that does
// not tell, and when the process is dead.
func (t *Thread) CPUTime() (d time.Duration, ok bool) {
	p := t.p
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
