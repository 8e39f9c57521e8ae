package vm

import "sync/atomic"

// Stats counts events of all maps over one Frames, for vm_statistics and the
// tools. Counts only grow.
type Stats struct {
	Faults    atomic.Uint64 // calls of Map.Fault
	ZeroFills atomic.Uint64 // absent pages that became zero pages
	CowFaults atomic.Uint64 // shared pages that got a private frame
	Pageins   atomic.Uint64 // pages asked from a pager
	Pageouts  atomic.Uint64 // pages handed to a pager
	Copyins   atomic.Uint64 // copy objects made from maps
	Grafts    atomic.Uint64 // whole pages that Overwrite transferred by reference
	Lookups   atomic.Uint64 // ports that vm_map took for memory objects
	Hits      atomic.Uint64 // those that were
}
