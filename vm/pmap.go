package vm

import "machkernel/mach"

// Frame is the number of a page frame: the frame's bytes lie at
// Frame*mach.PageSize in the memory object (on Linux a memfd) that Frames owns.
type Frame uint32

// NoFrame is the Frame that is none.
const NoFrame Frame = ^Frame(0)

// Mapping is a run of pages that a Pmap is told to map: Pages pages from VA
// on, backed by as many contiguous frames from Frame on.
type Mapping struct {
	VA    mach.Addr // page aligned, in the mapping task's address space
	Frame Frame
	Pages int
	Prot  mach.Prot // what hardware may do; a subset of the entry's protection
}

// Pmap maps frames where a task's instructions can reach them: the machine
// dependent half of memory, after Mach's pmap module. A pmap is a cache. It
// may forget any mapping at any time, for whatever reason, and the next access
// faults again; it never remembers one that it was told to drop.
//
// The contract that copy-on-write rests on: Protect, Remove and Destroy return
// only when no thread of any process that uses this pmap can still use the
// access they take away. Until then no copy is taken and no frame is reused or
// given back to the host.
//
// All calls are made by vm with the lock of the map, of an object, or of both
// held (Enter: the map's for reading, and the object's), so a pmap must not
// call back into vm. Calls on one Pmap may come from several goroutines at
// once, also from other tasks' faults on shared memory; it locks for itself.
// Ranges are page aligned and lie inside the map; they may hold pages that were
// never entered.
type Pmap interface {
	// Enter maps the runs, replacing what was mapped there: when it returns,
	// whatever it returns, no thread can use the old mappings. An error means
	// that an address cannot be mapped on this host at all (it lies in a range
	// the host or the platform keeps for itself); a passing shortage is not an
	// error, the mapping is simply not made. A dead process maps nothing and
	// returns nil.
	Enter(runs []Mapping) error

	// Protect lowers the access to [start, end) to at most prot; pages that
	// are not mapped stay so.
	Protect(start, end mach.Addr, prot mach.Prot)

	// Remove drops all mappings in [start, end).
	Remove(start, end mach.Addr)

	// Destroy drops everything. The pmap is not used afterwards.
	Destroy()
}
