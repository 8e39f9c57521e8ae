package platform

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// Process is one task's machine code: a host process with its control thread
// and client threads. It implements vm.Pmap.
//
// It is alive until its host process has ended, for whatever reason; then done
// is closed, all who use it leave, and its resources are released. Destroy only
// makes that happen.
type Process struct {
	m       *Machine
	pid     int
	pidfd   *os.File
	mailbox shared // the whole mailbox area; mapped while in use
	control control
	pmap    pmap
	bell    bell
	slots   slots

	checking atomic.Bool // a look at vanished threads is due

	use      usage         // entered by all who touch mailbox, control or pidfd
	done     chan struct{} // closed when the host process has ended
	released chan struct{} // closed when nothing of it is left

	life struct {
		mu     sync.Mutex
		reaped bool   // the pid is no longer ours
		killed bool   // we have sent SIGKILL
		reason string // why it died, for the user
		status string // what the host says about its end
	}
}

// PID is the host's number of the process.
func (p *Process) PID() int { return p.pid }

// Done is closed when the host process is dead, for any reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Destroy implements vm.Pmap: it kills the process and returns when nothing of
// it is left.
func (p *Process) Destroy() {
	p.kill("it was destroyed")
	<-p.released
}

// kill ends the process; the first reason given stays.
func (p *Process) kill(reason string) {
	p.life.mu.Lock()
	defer p.life.mu.Unlock()
	if p.life.reaped || p.life.killed {
		return
	}
	p.life.killed, p.life.reason = true, reason
	p.withPidfd(func(fd int) { unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) })
}

func (p *Process) withPidfd(f func(fd int)) {
	if conn, err := p.pidfd.SyscallConn(); err == nil {
		conn.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// signal sends a signal to one client thread, 0 only to ask whether it exists.
// It reports whether it does.
func (p *Process) signal(tid int, sig syscall.Signal) bool {
	p.life.mu.Lock() // until reaped, the pid is ours
	defer p.life.mu.Unlock()
	return !p.life.reaped && unix.Tgkill(p.pid, tid, sig) != unix.ESRCH
}

// died is the event of a thread whose process is dead.
func (p *Process) died() Event {
	<-p.done
	p.life.mu.Lock()
	defer p.life.mu.Unlock()
	reason := p.life.reason
	if reason == "" {
		reason = p.life.status
	}
	return Event{Kind: EventDied, Reason: fmt.Sprintf("process %d is dead: %s", p.pid, reason)}
}

// reap waits for the host process, in the runtime's poller so that it costs no
// host thread, and releases everything after its last user has left.
func (p *Process) reap() {
	conn, err := p.pidfd.SyscallConn()
	if err == nil {
		err = conn.Read(func(fd uintptr) bool { return p.tryReap(int(fd), unix.WNOHANG) })
	}
	if err != nil { // a host that cannot poll it: wait in a host thread
		p.withPidfd(func(fd int) {
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			for {
				if _, err := unix.Poll(poll, -1); err != unix.EINTR {
					break
				}
			}
			p.tryReap(fd, 0)
		})
	}
	p.bell.die()
	close(p.done)
	p.use.close()
	p.release()
}

// tryReap takes the exit status if the process has ended, and reports whether
// it has.
func (p *Process) tryReap(fd, flags int) bool {
	p.life.mu.Lock()
	defer p.life.mu.Unlock()
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PIDFD, fd, &info, unix.WEXITED|flags, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN, err == nil && info.Signo == 0:
			return false
		case err != nil: // somebody else in this program waits for any child
			p.life.status = "its end was reported to somebody else"
		default:
			p.life.status = exitStatus(&info)
		}
		p.life.reaped = true
		return true
	}
}

// release frees what the dead process held. Nobody uses it any more.
func (p *Process) release() {
	p.slots.stop()
	unix.Close(p.control.send)
	unix.Close(p.control.recv)
	p.pidfd.Close()
	p.control.page.unmap()
	p.mailbox.unmap()
	p.m.mu.Lock()
	delete(p.m.processes, p)
	p.m.mu.Unlock()
	close(p.released)
}

// start makes a process and waits until its control thread is ready.
func (m *Machine) start() (*Process, error) {
	p := &Process{m: m, done: make(chan struct{}), released: make(chan struct{})}
	p.bell.spin.max, p.control.limit = m.spin, m.limit
	p.bell.lookup, p.bell.gone = p.slots.lookup, p.threadEnded
	p.slots.init(p)
	if err := p.fork(); err != nil {
		return nil, err
	}
	p.control.late = func() { p.kill("its control thread did not answer") }
	m.mu.Lock()
	m.processes[p] = struct{}{}
	m.mu.Unlock()
	p.use.enter() // cannot fail: nobody has seen it
	go p.reap()
	err := p.settle()
	p.use.leave()
	if err == nil {
		return p, nil
	}
	if !errors.Is(err, ErrDead) {
		p.kill(err.Error())
	}
	<-p.released
	if errors.Is(err, ErrDead) {
		err = errors.New(p.life.status)
	}
	return nil, err
}

// fork makes the shared areas and the pipes, and starts the stub with them.
func (p *Process) fork() (err error) {
	var opened []int // closed in any case: they are the stub's, or of no use
	ours := [2]int{-1, -1}
	defer func() {
		if err != nil {
			opened = append(opened, ours[:]...)
			p.mailbox.unmap()
			p.control.page.unmap()
		}
		for _, fd := range opened {
			if fd >= 0 {
				unix.Close(fd)
			}
		}
	}()
	keep := func(fd int, err error) (int, error) {
		if err == nil {
			opened = append(opened, fd)
		}
		return fd, err
	}
	mailboxFD, mailbox, err := newShared("machkernel-mailbox", slotSize*slotCount)
	if _, err = keep(mailboxFD, err); err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	p.mailbox = mailbox
	pageFD, page, err := newShared("machkernel-commands", cmdSize)
	if _, err = keep(pageFD, err); err != nil {
		return fmt.Errorf("memfd: %w", err)
	}
	p.control.page = page
	p.bell.header = mailbox[:slotSize]
	p.m.constants(page)
	if err := unix.Mprotect(page[cBytes:], unix.PROT_READ); err != nil {
		return err
	}
	var orders, results [2]int
	if err := unix.Pipe2(orders[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	ours[0], opened = orders[1], append(opened, orders[0])
	if err := unix.Pipe2(results[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	ours[1], opened = results[0], append(opened, results[1])
	null, err := keep(unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0))
	if err != nil {
		return fmt.Errorf("%s: %w", os.DevNull, err)
	}
	files := []uintptr{0: uintptr(null), 1: uintptr(null), 2: uintptr(null),
		fdFrames: uintptr(p.m.framesFD), fdMailbox: uintptr(mailboxFD), fdCommands: uintptr(pageFD),
		fdResult: uintptr(results[1]), fdOrder: uintptr(orders[0])}
	pid, pidfd, err := p.m.launcher.fork(p.m.image.path, files)
	if err != nil {
		return fmt.Errorf("executing the stub: %w", err)
	}
	unix.SetNonblock(pidfd, true) // so that the runtime polls it
	unix.SetNonblock(ours[1], true)
	p.pid, p.pidfd = pid, os.NewFile(uintptr(pidfd), "pidfd")
	p.control.send, p.control.recv = ours[0], ours[1]
	return nil
}

// constants fills the part of the command area that never changes.
func (m *Machine) constants(page shared) {
	for i := range 256 {
		page[cBytes+i] = byte(i)
	}
	page.store32(cFlags, m.flags)
	for _, f := range []struct {
		prog, at int
		code     []byte
	}{{cLoose, cLooseCode, m.loose}, {cStrict, cStrictCode, m.strict}} {
		copy(page[f.at:f.at+mach.PageSize], f.code)
		page.store64(f.prog, uint64(len(f.code)/8)) // struct sock_fprog: count, address
		page.store64(f.prog+8, uint64(cmdAddr+f.at))
	}
}

// settle waits for the control thread's first result. If the host would not
// give up its initial mappings as a whole, they go piece by piece, and what
// stays is noted.
func (p *Process) settle() error {
	var first [1]byte
	err := p.control.result(first[:])
	if err != nil || first[0] == startClean {
		return err
	}
	maps, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/maps")
	if err != nil {
		return err
	}
	for _, x := range initialMappings(maps) {
		_, err := p.control.run([]order{{unix.SYS_MUNMAP, uint64(x.start), uint64(x.end - x.start)}})
		if errors.Is(err, ErrDead) {
			return err
		}
		if err != nil {
			p.pmap.kept = append(p.pmap.kept, x)
		}
	}
	_, err = p.control.run([]order{{unix.SYS_PRCTL, prSetDumpable, 0}})
	return err
}

// initialMappings are the ranges in a host's list of mappings that a stub
// should not have.
func initialMappings(maps []byte) []extent {
	var found []extent
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		span, _, _ := strings.Cut(s.Text(), " ")
		low, high, _ := strings.Cut(span, "-")
		start, err1 := strconv.ParseUint(low, 16, 64)
		end, err2 := strconv.ParseUint(high, 16, 64)
		x := extent{mach.Addr(start), mach.Addr(end)}
		if err1 != nil || err2 != nil || x.end > UserEnd || x.meets(extent{HoleStart, HoleEnd}) {
			continue
		}
		found = append(found, x)
	}
	return found
}

// vanishGrace is how long a process has to die after one of its threads is
// gone: when the host kills it, its threads end before it does.
const vanishGrace = 20 * time.Millisecond

// threadEnded is called when a host thread has ended. One that ended without
// being told to can never post again; if that was not the beginning of its
// process's end, a client forced it, and the process is killed.
func (p *Process) threadEnded() {
	if !p.use.enter() {
		return
	}
	defer p.use.leave()
	if p.vanished() && p.checking.CompareAndSwap(false, true) {
		time.AfterFunc(vanishGrace, func() {
			p.checking.Store(false)
			if p.vanished() {
				p.kill("a client thread forced its way out of the stub")
			}
		})
	}
}

// vanished reports whether a running thread has no host thread any more.
func (p *Process) vanished() bool {
	for _, t := range p.slots.threads() {
		if t.armed.Load() && !p.signal(t.tid, 0) {
			return true
		}
	}
	return false
}

// ignored counts rings of the doorbell that had no event behind them.
func (p *Process) ignored() int64 { return p.bell.stray.Load() }
