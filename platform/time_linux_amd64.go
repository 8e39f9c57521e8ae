package platform

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// CPUTime is how long the host has run the thread: its code, and what the host
// did for it, spinning for an answer included. It is zero on a host that does
// not tell, and when the process is dead.
func (t *Thread) CPUTime() time.Duration {
	p := t.p
	p.life.mu.Lock() // until reaped, the pid is ours
	defer p.life.mu.Unlock()
	if p.life.reaped {
		return 0
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/schedstat", p.pid, t.tid))
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(stat, []byte(" "))
	ns, err := strconv.ParseInt(string(first), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(ns)
}
