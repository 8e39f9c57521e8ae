//go:build linux && amd64

package platform

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filterUnknownNumbers answers the numbers from 480 on with EPERM, in all
// threads of this process and all children.
func filterUnknownNumbers() error {
	const firstUnknown = 480
	p := newProgram()
	p.load(dataNumber)
	p.ifAtLeast(firstUnknown, "", "allow")
	p.ret(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	code := p.finish()
	prog := unix.SockFprog{Len: uint16(len(code) / 8), Filter: (*unix.SockFilter)(unsafe.Pointer(&code[0]))}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	const setFilter, allThreads = 1, 1
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, setFilter, allThreads, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	if _, _, errno := unix.Syscall(600, 0, 0, 0); errno != unix.EPERM {
		return fmt.Errorf("the outer filter does not work: %w", errno)
	}
	return nil
}
