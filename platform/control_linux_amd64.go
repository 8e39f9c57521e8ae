package platform

import (
	"encoding/binary"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// orderDeadline is how long the control thread may take for one batch. Only a
// process that somebody else has stopped, or a host in deep trouble, gets
// there; the process is killed then, because the kernel holds locks meanwhile.
const orderDeadline = 5 * time.Second

// order is one host call for the control thread: number and six arguments.
type order [7]uint64

// control is the kernel's end of the channel to a process's control thread: a
// batch is written into the command page, a byte on one pipe starts it, bytes
// on the other say how it ended. The channel is as unforgeable as the pipes,
// which client threads can neither read nor write.
type control struct {
	mu      sync.Mutex
	page    shared        // the command page; written with mu held
	send    int           // order pipe, write end; immutable
	recv    int           // result pipe, read end, not blocking; immutable
	limit   time.Duration // orderDeadline, but for tests; immutable
	late    func()        // kills the process; immutable
	batches int           // sent so far; guarded by mu
}

// run has the control thread perform the orders, at most opsMax, in turn until
// one fails. done is how many succeeded; err is the errno of the next one, or
// ErrDead.
func (c *control) run(orders []order) (done int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b [2]byte
	if err := c.exchange(orders, b[:1]); err != nil {
		return 0, err
	}
	if b[0] == 0 {
		return len(orders), nil
	}
	if err := c.result(b[1:]); err != nil {
		return 0, err
	}
	return int(b[1]), unix.Errno(b[0])
}

// clone has the control thread make a client thread whose first stack pointer
// is sp, and returns its thread id.
func (c *control) clone(sp uint64) (tid int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b [4]byte
	o := order{unix.SYS_CLONE, cloneFlags, sp, 0, mbAddr + hBell, 0, 0}
	if err := c.exchange([]order{o}, b[:1]); err != nil {
		return 0, err
	}
	rest := b[1:]
	if b[0] != 0 {
		rest = b[1:2] // the number of orders done: none
	}
	if err := c.result(rest); err != nil {
		return 0, err
	}
	if b[0] != 0 {
		return 0, unix.Errno(b[0])
	}
	return int(binary.LittleEndian.Uint32(b[:]) >> 8), nil
}

// exchange sends a batch and reads the first bytes of its result. Called with
// mu held.
func (c *control) exchange(orders []order, first []byte) error {
	if len(orders) > opsMax {
		panic("BUG: batch of orders exceeds the command page")
	}
	for i := range orders {
		for j, v := range orders[i] {
			c.page.store64(cOps+opSize*i+8*j, v)
		}
	}
	c.page.store64(cCount, uint64(len(orders)))
	c.batches++
	for {
		_, err := unix.Write(c.send, c.page[:1])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return ErrDead
		}
		c.await() // it has never answered yet: a read now would only find that out
		return c.result(first)
	}
}

// result fills b from the result pipe. End of file means that the process is
// dead: only it has the other end. The wait is bounded by poll and not by a
// timer of the runtime, whose setting alone may wake a host thread.
func (c *control) result(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Read(c.recv, b)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			c.await()
		case err != nil || n <= 0:
			return ErrDead
		default:
			b = b[n:]
		}
	}
	return nil
}

// await returns when there may be something on the result pipe.
func (c *control) await() {
	poll := [1]unix.PollFd{{Fd: int32(c.recv), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll[:], int(c.limit.Milliseconds())); n == 0 && err == nil {
		c.late()
	}
}
