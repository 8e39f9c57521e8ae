package kernel

import (
	"fmt"

	"machkernel/mach"
	"machkernel/mig"
)

// GoThread is the handle of a thread that runs a Go function. Its methods are
// the traps that machine code has, and access to the task's memory; only the
// thread's own goroutine may use them. Once the thread is dying every wait
// ends with an interruption, and Dying is closed: the function must return.
type GoThread struct {
	th    *Thread
	mem   *goMemory
	reply mach.Name // the thread's MIG reply port; null until it is wanted
	task  mach.Name // the name of the task's own port; null until it is wanted
	mig   []byte    // the buffer of the last routine called
}

// Go starts a thread in the task that runs f. The thread ends when f returns.
func (t *Task) Go(f func(*GoThread)) (*Thread, error) {
	t.k.gate.Enter()
	defer t.k.gate.Leave()
	th, kr := t.newThread()
	if kr != mach.KernSuccess {
		return nil, fmt.Errorf("cannot create a thread: %v", kr)
	}
	g := &GoThread{th: th, mem: &goMemory{taskMemory: t.mem}}
	th.mu.Lock()
	defer th.mu.Unlock()
	if th.dead {
		return nil, fmt.Errorf("cannot create a thread: %v", mach.KernFailure)
	}
	th.mem, th.started = g.mem, true
	th.holds--
	th.waiter.SetSuspended(th.holds > 0)
	th.stops--
	go func() {
		defer th.leave()
		// A thread whose function returned ends as one that terminated itself.
		defer func() {
			t.k.gate.Enter()
			th.kill()
			t.k.gate.Leave()
		}()
		f(g)
	}()
	return th, nil
}

// Run starts a thread that runs f and waits until it has ended.
func (t *Task) Run(f func(*GoThread)) error {
	th, err := t.Go(f)
	if err != nil {
		return err
	}
	<-th.done
	return nil
}

// Thread is the kernel's thread behind the handle.
func (g *GoThread) Thread() *Thread { return g.th }

// Dying is closed when the thread must end.
func (g *GoThread) Dying() <-chan struct{} { return g.th.dying }

// Trap performs trap number n (0 or negative) with the given arguments and answers
// its result, as machine code would see it in rax. A number outside the trap
// table answers KERN_INVALID_ARGUMENT.
func (g *GoThread) Trap(n int32, args ...uint64) uint64 {
	var a [maxArgs]uint64
	copy(a[:], args)
	if n > 0 || n < -maxTrap {
		return uint64(mach.KernInvalidArgument)
	}
	g.th.Enter()
	defer g.th.Leave()
	g.th.depart()
	defer g.th.settle()
	return g.th.trap(n, &a)
}

// TaskSelf is the name of the task's own port (C: mach_task_self). The first
// call of the thread takes a user reference; later ones give the same name.
func (g *GoThread) TaskSelf() mach.Name {
	if g.task == mach.NameNull {
		g.task = mach.Name(g.Trap(-28))
	}
	return g.task
}

// ReplyPort makes a port and names its receive right (C: mach_reply_port).
func (g *GoThread) ReplyPort() mach.Name { return mach.Name(g.Trap(-26)) }

// Msg is the trap mach_msg with a buffer in Go memory: it sends the first
// sendSize bytes of buf and receives up to rcvSize bytes into it, as option
// says. timeout is in milliseconds. Out-of-line memory in the message lies in
// the task's address space. The codes are mach_msg's.
func (g *GoThread) Msg(buf []byte, option mach.MsgOption, sendSize, rcvSize int, rcvName mach.Name, timeout uint32, notify mach.Name) mach.MsgReturn {
	g.mem.buf = buf
	mr := g.Trap(-25, uint64(bufferBase), uint64(option), uint64(sendSize), uint64(rcvSize),
		uint64(rcvName), uint64(timeout), uint64(notify))
	g.mem.buf = nil
	return mach.MsgReturn(mr)
}

// MachMsg implements mig.Messenger: Msg, repeated while it
// is interrupted as the C library's mach_msg does, unless the thread must end.
func (g *GoThread) MachMsg(buf []byte, option mach.MsgOption, sendSize, rcvSize int, rcvName mach.Name, timeout uint32) mach.MsgReturn {
	mr := g.Msg(buf, option, sendSize, rcvSize, rcvName, timeout, mach.NameNull)
	for mr == mach.SendInterrupted && !g.th.isDying() {
		mr = g.Msg(buf, option, sendSize, rcvSize, rcvName, timeout, mach.NameNull)
	}
	for mr == mach.RcvInterrupted && !g.th.isDying() {
		mr = g.Msg(buf, option&^mach.SendMsg, 0, rcvSize, rcvName, timeout, mach.NameNull)
	}
	return mr
}

// MigBuffer implements mig.Messenger.
func (g *GoThread) MigBuffer(size int) []byte {
	if size > len(g.mig) {
		g.mig = make([]byte, size)
	}
	return g.mig[:size]
}

// MigReplyPort implements mig.Messenger.
func (g *GoThread) MigReplyPort() mach.Name {
	if g.reply == mach.NameNull {
		g.reply = g.ReplyPort()
	}
	return g.reply
}

// MigDropReplyPort implements mig.Messenger: the port is not used again, and
// given up, so that a late reply finds nobody.
func (g *GoThread) MigDropReplyPort(name mach.Name) {
	g.reply = mach.NameNull
	g.th.Enter()
	defer g.th.Leave()
	g.th.task.space.ModRefs(name, mach.RightReceive, -1)
}

// Call invokes a routine of the kernel's table by name on the object behind
// dest, as its C stub does; in are the In and InOut arguments in their order,
// the result holds the Out and InOut ones. A name that the kernel does not
// know answers MIG_BAD_ID.
func (g *GoThread) Call(routine string, dest mach.Name, in ...mig.Value) ([]mig.Value, mach.KernReturn) {
	r := g.th.k.table.ByName(routine)
	if r == nil {
		return nil, mach.MigBadID
	}
	return mig.Invoke(g, dest, &r.Routine, in...)
}

// Read copies memory of the task at a to p, as load instructions would.
//
//	KERN_INVALID_ADDRESS     not all of it is allocated
//	KERN_PROTECTION_FAILURE  not all of it is readable
func (g *GoThread) Read(a mach.Addr, p []byte) mach.KernReturn {
	g.th.Enter()
	defer g.th.Leave()
	_, kr := g.th.task.vmap.Load(a, p)
	return kr
}

// Write copies p to memory of the task at a, as store instructions would: what
// comes before the first page that refuses is written. The codes are Read's.
func (g *GoThread) Write(a mach.Addr, p []byte) mach.KernReturn {
	g.th.Enter()
	defer g.th.Leave()
	_, kr := g.th.task.vmap.Store(a, p)
	return kr
}

var _ mig.Messenger = (*GoThread)(nil)
