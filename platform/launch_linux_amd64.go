package platform

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

//go:embed stub/stub.elf
var stubELF string

// launcher is the host thread that starts processes. Their parent-death signal
// follows the thread, not the process, so it must live as long as they do: it
// ends when the machine has no more of them.
type launcher struct {
	jobs chan func()
	done chan struct{}
}

func newLauncher() *launcher {
	l := &launcher{jobs: make(chan func()), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		runtime.LockOSThread() // never unlocked: the host thread ends with the goroutine
		for job := range l.jobs {
			job()
		}
	}()
	return l
}

// fork starts the program at path with the given descriptors, in a process
// group of its own, to be killed when this process dies.
func (l *launcher) fork(path string, files []uintptr) (pid, pidfd int, err error) {
	pidfd = -1
	finished := make(chan struct{})
	l.jobs <- func() {
		defer close(finished)
		pid, err = syscall.ForkExec(path, []string{"machkernel-stub"}, &syscall.ProcAttr{
			Files: files,
			Sys:   &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true, PidFD: &pidfd},
		})
	}
	<-finished
	if err != nil {
		return 0, -1, err
	}
	if pidfd < 0 {
		syscall.Kill(pid, syscall.SIGKILL)
		syscall.Wait4(pid, nil, 0, nil)
		return 0, -1, errors.New("the host has no process descriptors (pidfd)")
	}
	return pid, pidfd, nil
}

func (l *launcher) stop() {
	close(l.jobs)
	<-l.done
}

// stubImage is the stub where the host can execute it.
type stubImage struct {
	path string
	fd   int    // keeps the memory object behind path; -1 for a file
	file string // to be removed by close; empty for a memory object
}

// stubInMemory puts the stub into a sealed memory object.
func stubInMemory() (*stubImage, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	fd, err := unix.MemfdCreate("machkernel-stub", flags|unix.MFD_EXEC)
	if err == unix.EINVAL { // hosts before Linux 6.3 do not know MFD_EXEC
		fd, err = unix.MemfdCreate("machkernel-stub", flags)
	}
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(stubELF)); err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS,
		unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL); err != nil {
		return nil, fmt.Errorf("memfd seals: %w", err)
	}
	// The child opens its own copy by number, after its descriptors have been
	// put in place: the number must be out of their way.
	const high = 100
	moved, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, high)
	if err != nil {
		return nil, fmt.Errorf("memfd: %w", err)
	}
	return &stubImage{path: fmt.Sprintf("/proc/self/fd/%d", moved), fd: moved}, nil
}

// stubInFile puts the stub into a temporary file, for hosts that forbid
// executing memory objects.
func stubInFile() (*stubImage, error) {
	// A child that another goroutine forks while the file is open for writing
	// would keep it so for a moment, and executing it would fail.
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	f, err := os.CreateTemp("", "machkernel-stub-*")
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(stubELF)
	if err == nil {
		err = f.Chmod(0o700)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return nil, err
	}
	return &stubImage{path: f.Name(), fd: -1, file: f.Name()}, nil
}

func (s *stubImage) close() {
	if s.fd >= 0 {
		unix.Close(s.fd)
	}
	if s.file != "" {
		os.Remove(s.file)
	}
}
