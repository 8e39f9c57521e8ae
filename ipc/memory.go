package ipc

import (
	"machkernel/mach"
)

// Memory is what messages need of a task's address space. Addresses and sizes
// are a client's: any value may come. None of it is called with the IPC lock
// held.
type Memory interface {
	// ReadBytes copies len(p) bytes at a into p. On failure p is undefined.
	ReadBytes(a mach.Addr, p []byte) mach.KernReturn
	// WriteBytes copies p to a. On failure some of it may have been written.
	WriteBytes(a mach.Addr, p []byte) mach.KernReturn
	// CopyinRegion takes a copy-on-write copy of size bytes at a, which the
	// caller owns. With dealloc the pages that hold them leave the task. On
	// failure nothing has changed.
	CopyinRegion(a mach.Addr, size uint64, dealloc bool) (Region, mach.KernReturn)
	// CopyoutRegion maps r into the task and consumes it; on failure the
	// caller still owns it.
	CopyoutRegion(r Region) (mach.Addr, mach.KernReturn)
	// NewRegion makes a region with data's contents, which the caller owns.
	NewRegion(data []byte) (Region, mach.KernReturn)
	// Deallocate removes the pages that hold size bytes at a.
	Deallocate(a mach.Addr, size uint64) mach.KernReturn
}

// Region is out-of-line memory on its way: a copy that no task maps. Whoever
// owns it gives it to CopyoutRegion or discards it, once.
type Region interface {
	Size() uint64
	ReadAt(p []byte, off uint64) mach.KernReturn
	Discard()
}
