package vm

import (
	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// store is the host memory behind Frames: a sealed memfd, mapped whole.
type store struct {
	file int
	mem  []byte
}

func newStore(pages int) (*store, error) {
	file, err := unix.MemfdCreate("machkernel-frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	size := int64(pages) * mach.PageSize
	s := &store{file: file}
	if err = unix.Ftruncate(file, size); err == nil {
		_, err = unix.FcntlInt(uintptr(file), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW)
	}
	if err == nil {
		s.mem, err = unix.Mmap(file, 0, int(size),
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	}
	if err != nil {
		_ = unix.Close(file)
		return nil, err
	}
	return s, nil
}

func (s *store) fd() int { return s.file }

// commit makes the host set memory aside for n frames, or fails.
func (s *store) commit(first Frame, n int) error {
	return s.fallocate(0, first, n)
}

// giveBack returns the memory of n frames to the host; they read as zero. A
// host that refuses keeps the memory, so the bytes are cleared by hand.
func (s *store) giveBack(first Frame, n int) {
	if s.fallocate(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, first, n) != nil {
		clear(s.mem[int(first)*mach.PageSize : (int(first)+n)*mach.PageSize])
	}
}

func (s *store) fallocate(mode uint32, first Frame, n int) error {
	for {
		err := unix.Fallocate(s.file, mode, int64(first)*mach.PageSize, int64(n)*mach.PageSize)
		if err != unix.EINTR {
			return err
		}
	}
}

func (s *store) close() error {
	err := unix.Munmap(s.mem)
	if e := unix.Close(s.file); err == nil {
		err = e
	}
	return err
}
