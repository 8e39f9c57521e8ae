package platform

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
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
	made    atomic.Int32 // threads

	endings endings

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

// kill ends the process; the first reason given stays. Without one, what the
// host says of its end is the reason.
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

// Epitaph says in one line why the process is dead. It waits until it is.
func (p *Process) Epitaph() string {
	<-p.done
	p.life.mu.Lock()
	defer p.life.mu.Unlock()
	reason := p.life.reason
	if reason == "" {
		reason = p.life.status
	}
	return fmt.Sprintf("process %d is dead: %s", p.pid, reason)
}

// died is the event of a thread whose process is dead.
func (p *Process) died() Event { return Event{Kind: EventDied, Reason: p.Epitaph()} }

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
	p.endings.stop()
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
