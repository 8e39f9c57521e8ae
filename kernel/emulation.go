package kernel

import (
	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
)

// emulation is a task's emulation vector: the routines that would emulate
// system calls of another system in its own address space. The x86_64 kernel
// keeps the books and never calls them. It is immutable, and shared by
// inheritance.
type emulation struct {
	start   int32 // number of the first routine
	entries []uint64
}

// maxEmulation bounds a vector: the real kernel panics where it has no memory
// for the span between two numbers that a client chose.
const maxEmulation = 1 << 16

// with is the vector with list at number start; what lies between is zero.
//
//	KERN_RESOURCE_SHORTAGE  it would be longer than maxEmulation
func (e *emulation) with(start int32, list []uint64) (*emulation, mach.KernReturn) {
	lo, hi := int64(start), int64(start)+int64(len(list))
	if e != nil {
		lo = min(lo, int64(e.start))
		hi = max(hi, int64(e.start)+int64(len(e.entries)))
	}
	if hi-lo > maxEmulation {
		return nil, mach.KernResourceShortage
	}
	n := &emulation{start: int32(lo), entries: make([]uint64, hi-lo)}
	if e != nil {
		copy(n.entries[int64(e.start)-lo:], e.entries)
	}
	copy(n.entries[int64(start)-lo:], list)
	return n, mach.KernSuccess
}

// emulate changes the task's vector.
func (t *Task) emulate(start int32, list []uint64) mach.KernReturn {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, kr := t.emulation.with(start, list)
	if kr == mach.KernSuccess {
		t.emulation = e
	}
	return kr
}

// emulated is the task's vector, nil if it has none.
func (t *Task) emulated() *emulation {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.emulation
}

// TaskSetEmulation is task_set_emulation (2070).
//
//	EML_BAD_TASK            the port is no task's
//	KERN_RESOURCE_SHORTAGE  the vector would be longer than it may be
func (machService) TaskSetEmulation(_ *mig.Call, t *Task, entry mach.Addr, number int32) mach.KernReturn {
	if t == nil {
		return mach.EmlBadTask
	}
	return t.emulate(number, []uint64{uint64(entry)})
}

// TaskSetEmulationVector is task_set_emulation_vector (2010).
//
//	EML_BAD_TASK            the port is no task's
//	KERN_RESOURCE_SHORTAGE  the vector would be longer than it may be, or its
//	                        memory cannot be read
func (machService) TaskSetEmulationVector(_ *mig.Call, t *Task, start int32, vector ipc.Region, n uint32) mach.KernReturn {
	if t == nil {
		return mach.EmlBadTask
	}
	if n > maxEmulation {
		return mach.KernResourceShortage
	}
	b := make([]byte, 8*n)
	if n > 0 && vector.ReadAt(b, 0) != mach.KernSuccess {
		return mach.KernResourceShortage
	}
	kr := t.emulate(start, mig.Elements[uint64](b, 0, n))
	if kr == mach.KernSuccess && vector != nil {
		vector.Discard()
	}
	return kr
}

// TaskGetEmulationVector is task_get_emulation_vector (2009). A task without
// one has an empty one that starts at 0.
//
//	EML_BAD_TASK            the port is no task's
//	KERN_RESOURCE_SHORTAGE  no memory for the answer
func (machService) TaskGetEmulationVector(c *mig.Call, t *Task) (start int32, vector ipc.Region, n uint32, kr mach.KernReturn) {
	if t == nil {
		return 0, nil, 0, mach.EmlBadTask
	}
	e := t.emulated()
	if e == nil {
		return 0, nil, 0, mach.KernSuccess
	}
	if len(e.entries) == 0 {
		return e.start, nil, 0, mach.KernSuccess
	}
	b := make([]byte, 8*len(e.entries))
	mig.PutElements(b, 0, e.entries)
	if vector, kr = caller(c).mem.NewRegion(b); kr != mach.KernSuccess {
		return 0, nil, 0, mach.KernResourceShortage
	}
	return e.start, vector, uint32(len(e.entries)), mach.KernSuccess
}

// TaskRASControl is task_ras_control (2071). Restartable atomic sequences are
// for processors without atomic instructions; on x86_64 there are none.
//
//	KERN_FAILURE  always, before anything is looked at
func (machService) TaskRASControl(*mig.Call, *Task, mach.Addr, mach.Addr, int32) mach.KernReturn {
	return mach.KernFailure
}
