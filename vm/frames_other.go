//go:build !linux

package vm

import "machkernel/mach"

// store is the host memory behind Frames: anonymous memory, which the host
// backs at first touch. Nothing is given back before close.
type store struct{ mem []byte }

func newStore(pages int) (*store, error) {
	return &store{mem: make([]byte, pages*mach.PageSize)}, nil
}

func (s *store) fd() int { return -1 }

func (s *store) commit(Frame, int) error { return nil }

func (s *store) giveBack(first Frame, n int) {
	clear(s.mem[int(first)*mach.PageSize : (int(first)+n)*mach.PageSize])
}

func (s *store) close() error { s.mem = nil; return nil }
