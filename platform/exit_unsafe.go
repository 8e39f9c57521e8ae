//go:build linux && amd64

package platform

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// exitStatus says how a process ended, in words.
func exitStatus(info *unix.Siginfo) string {
	const statusOffset = 24 // si_status
	raw := (*[unsafe.Sizeof(unix.Siginfo{})]byte)(unsafe.Pointer(info))
	status := *(*int32)(unsafe.Pointer(&raw[statusOffset]))
	const exited = 1 // CLD_EXITED
	if info.Code != exited {
		return fmt.Sprintf("ended by signal %d (%s)", status, unix.SignalName(unix.Signal(status)))
	}
	switch status {
	case exitNNP:
		return "the host has no PR_SET_NO_NEW_PRIVS"
	case exitSignals:
		return "the host refuses signal handlers"
	case exitMap:
		return "the host refuses memory at the stub's addresses"
	case exitFilter:
		return "the host has no seccomp filters"
	case exitControl:
		return "its control thread ended"
	}
	return fmt.Sprintf("exited with status %d", status)
}
