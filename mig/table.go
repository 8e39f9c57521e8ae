package mig

import (
	"cmp"
	"fmt"
	"slices"

	"machkernel/ipc"
	"machkernel/mach"
)

// Stub serves one routine of a kernel: it checks the request, calls the server
// with typed arguments and puts the results into the reply. MIG generates it.
type Stub func(*Call) mach.KernReturn

// Demux is what MIG generates for a server of a subsystem: a stub for each id
// from the base on, nil for one that is not served.
type Demux struct {
	Subsystem *Subsystem
	Stubs     []Stub
}

// Entry is a routine of a table.
type Entry struct {
	Routine
	Subsystem string
	stub      Stub
}

// Served reports whether the routine is served; a request for one that is not
// is answered MIG_BAD_ID.
func (e *Entry) Served() bool { return e.stub != nil }

// Table is dispatch and support register at once: the routines of several
// subsystems, served or not, by id. It is immutable once made.
type Table struct {
	byID   map[mach.MsgID]*Entry
	byName map[string]*Entry
	list   []*Entry
}

// NewTable collects subsystems. Two routines of one id are a bug of the caller's.
func NewTable(demuxes ...Demux) *Table {
	t := &Table{byID: map[mach.MsgID]*Entry{}, byName: map[string]*Entry{}}
	for _, d := range demuxes {
		for i := range d.Subsystem.Routines {
			e := &Entry{Routine: d.Subsystem.Routines[i], Subsystem: d.Subsystem.Name}
			if n := int(e.ID - d.Subsystem.Base); n < len(d.Stubs) {
				e.stub = d.Stubs[n]
			}
			if old := t.byID[e.ID]; old != nil {
				panic(fmt.Sprintf("BUG: routines %s and %s share id %d", old.Name, e.Name, e.ID))
			}
			t.byID[e.ID], t.byName[e.Name] = e, e
			t.list = append(t.list, e)
		}
	}
	slices.SortFunc(t.list, func(a, b *Entry) int { return cmp.Compare(a.ID, b.ID) })
	return t
}

// Lookup finds the routine with this request id, or nil.
func (t *Table) Lookup(id mach.MsgID) *Entry { return t.byID[id] }

// ByName finds a routine by its name, or nil.
func (t *Table) ByName(name string) *Entry { return t.byName[name] }

// Entries lists all routines by id. The caller does not change them.
func (t *Table) Entries() []*Entry { return t.list }

// Serve answers a request: the routine that the id names is found, its stub
// called, the reply sent back. object is what is behind the request port, nil
// if it is gone. It consumes k and returns the reply, nil if the server took the
// reply right; otherwise that is the reply's. A simpleroutine is answered like
// the others: its stub names no reply port, but who does gets the code.
//
//	MIG_BAD_ID         no routine of that id is served
//	MIG_BAD_ARGUMENTS  wrong size, complex bit or item
//
// A request is destroyed with everything in it that the server did not take;
// of one that was not answered KERN_SUCCESS nothing is taken.
func (t *Table) Serve(c ipc.Caller, object any, k *ipc.Kmsg) *ipc.Kmsg {
	call := Call{Caller: c, Object: object, request: k}
	kr := mach.MigBadID
	if e := t.byID[k.ID]; e != nil && e.stub != nil {
		kr = e.stub(&call)
	}
	if kr == mach.MigNoReply {
		call.reply.Destroy()
		k.Destroy()
		return nil
	}
	if call.reply == nil {
		call.start(kr)
	}
	k.Destroy()
	return call.reply
}
