package ipc

import (
	"sync/atomic"
)

const (
	// DefaultMemory is what messages may cost together unless LimitMemory says
	// otherwise, in bytes. The real kernel's own map is as large.
	DefaultMemory = 512 << 20
	// smallCost is what is not counted, in bytes: what has no memory of its own.
	smallCost = shortMessage
	// rightCost is what one right in an array out of line costs, in bytes, as the
	// real kernel holds it.
	rightCost = 8
)

// account counts the memory that tasks make the kernel hold in their messages:
// long ones, and arrays of rights out of line. Out-of-line data is the memory
// objects', and not counted here. The zero value allows nothing.
type account struct {
	most atomic.Int64 // bytes, all messages together stay below it
	used atomic.Int64
}

// LimitMemory says what all messages of tasks may cost the kernel together, in
// bytes. Messages that are there already stay. A message for which nothing is
// left is refused as on the real kernel: MACH_SEND_NO_BUFFER for its bytes,
// MACH_SEND_INVALID_MEMORY for rights out of line.
func (s *System) LimitMemory(bytes int64) { s.account.most.Store(bytes) }

// MemoryInUse is what the messages of tasks cost now, in bytes. It is for audits:
// see Kmsg.Cost.
func (s *System) MemoryInUse() int64 { return s.account.used.Load() }

// Cost is the message's part of MemoryInUse.
func (k *Kmsg) Cost() int64 { return k.cost }

// charge counts n more bytes for the message; false, and nothing is counted, if
// there is no memory for them.
func (k *Kmsg) charge(n int64) bool {
	if n <= smallCost {
		return true
	}
	a := &k.sys.account
	for {
		used := a.used.Load()
		if used+n >= a.most.Load() {
			return false
		}
		if a.used.CompareAndSwap(used, used+n) {
			k.cost += n
			return true
		}
	}
}

// refund ends the message's cost. It is called where the message ends, once or
// more often.
func (k *Kmsg) refund() {
	if k.cost != 0 {
		k.sys.account.used.Add(-k.cost)
		k.cost = 0
	}
}
