//go:build linux && amd64

package platform

import (
	"math"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shared is memory that this process shares with a stub. Words that both sides
// change are read and written atomically; blocks are copied out before they
// are looked at.
type shared []byte

// spinWhileZero spins until *word is not zero, for at most that many pauses,
// and reports whether it saw that.
//
//go:noescape
func spinWhileZero(word *uint64, pauses int) bool

func (m shared) word32(off int) *uint32 {
	_ = m[off+3]
	return (*uint32)(unsafe.Pointer(&m[off]))
}

func (m shared) word64(off int) *uint64 {
	_ = m[off+7]
	return (*uint64)(unsafe.Pointer(&m[off]))
}

func (m shared) load32(off int) uint32           { return atomic.LoadUint32(m.word32(off)) }
func (m shared) store32(off int, v uint32)       { atomic.StoreUint32(m.word32(off), v) }
func (m shared) swap32(off int, v uint32) uint32 { return atomic.SwapUint32(m.word32(off), v) }
func (m shared) load64(off int) uint64           { return atomic.LoadUint64(m.word64(off)) }
func (m shared) store64(off int, v uint64)       { atomic.StoreUint64(m.word64(off), v) }
func (m shared) swap64(off int, v uint64) uint64 { return atomic.SwapUint64(m.word64(off), v) }

// wake wakes all who sleep on the word at off.
func (m shared) wake(off int) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&m[off])), futexWake, math.MaxInt32, 0, 0, 0)
}

// sleep waits until somebody wakes the word at off, if it is still v. It may
// return early.
func (m shared) sleep(off int, v uint32) {
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&m[off])), futexWait, uintptr(v), 0, 0, 0)
}

// Operations of futex on words shared between processes.
const (
	futexWait = 0
	futexWake = 1
)

// newShared makes a memory object of the given size, fixed for ever, and maps
// it here. The descriptor is for a stub; the mapping stays when it is closed.
func newShared(name string, size int) (fd int, m shared, err error) {
	fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, nil, err
	}
	if err = unix.Ftruncate(fd, int64(size)); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS,
			unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		m, err = unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		unix.Close(fd)
		return -1, nil, err
	}
	return fd, m, nil
}

func (m shared) unmap() {
	unix.Munmap(m)
}
