package kernel

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/vm"
)

// taskMemory shows a task's map to ipc.
type taskMemory struct {
	m      *vm.Map
	frames *vm.Frames
}

// ReadBytes implements ipc.Memory.
func (t taskMemory) ReadBytes(a mach.Addr, p []byte) mach.KernReturn { return t.m.ReadBytes(a, p) }

// WriteBytes implements ipc.Memory.
func (t taskMemory) WriteBytes(a mach.Addr, p []byte) mach.KernReturn { return t.m.WriteBytes(a, p) }

// CopyinRegion implements ipc.Memory.
func (t taskMemory) CopyinRegion(a mach.Addr, size uint64, dealloc bool) (ipc.Region, mach.KernReturn) {
	c, kr := t.m.Copyin(a, size, dealloc)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	return regionOf(c), kr
}

// CopyoutRegion implements ipc.Memory.
func (t taskMemory) CopyoutRegion(r ipc.Region) (mach.Addr, mach.KernReturn) {
	return t.m.Copyout(copyOf(r))
}

// NewRegion implements ipc.Memory.
func (t taskMemory) NewRegion(data []byte) (ipc.Region, mach.KernReturn) {
	c, kr := vm.NewCopy(t.frames, data)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	return regionOf(c), kr
}

// Deallocate implements ipc.Memory.
func (t taskMemory) Deallocate(a mach.Addr, size uint64) mach.KernReturn {
	return t.m.Deallocate(a, size)
}

// region is a copy object in a message.
type region struct{ *vm.Copy }

// ReadAt implements ipc.Region.
func (r region) ReadAt(p []byte, off uint64) mach.KernReturn {
	if r.Copy.ReadAt(p, off) != len(p) {
		return mach.KernInvalidArgument
	}
	return mach.KernSuccess
}

func regionOf(c *vm.Copy) ipc.Region { return region{c} }

func copyOf(r ipc.Region) *vm.Copy {
	if r, ok := r.(region); ok {
		return r.Copy
	}
	return nil
}

// bufferBase is where a Go thread's message buffer lies as its traps see it:
// at an address that no task has, so that a Go thread needs no memory of its
// task to send and receive.
const bufferBase mach.Addr = 1 << 63

// goMemory is a task's memory with a Go thread's buffer beside it.
type goMemory struct {
	taskMemory
	buf []byte // the buffer of the trap under way
}

func (g *goMemory) inBuffer(a mach.Addr, n int) ([]byte, bool) {
	if a < bufferBase {
		return nil, false
	}
	off := uint64(a - bufferBase)
	if off > uint64(len(g.buf)) || uint64(n) > uint64(len(g.buf))-off {
		return nil, true
	}
	return g.buf[off : off+uint64(n)], true
}

// ReadBytes implements ipc.Memory.
func (g *goMemory) ReadBytes(a mach.Addr, p []byte) mach.KernReturn {
	b, mine := g.inBuffer(a, len(p))
	switch {
	case !mine:
		return g.taskMemory.ReadBytes(a, p)
	case b == nil && len(p) > 0:
		return mach.KernInvalidAddress
	}
	copy(p, b)
	return mach.KernSuccess
}

// WriteBytes implements ipc.Memory.
func (g *goMemory) WriteBytes(a mach.Addr, p []byte) mach.KernReturn {
	b, mine := g.inBuffer(a, len(p))
	switch {
	case !mine:
		return g.taskMemory.WriteBytes(a, p)
	case b == nil && len(p) > 0:
		return mach.KernInvalidAddress
	}
	copy(b, p)
	return mach.KernSuccess
}
