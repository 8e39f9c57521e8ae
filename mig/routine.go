package mig

import (
	"fmt"
	"sort"

	"machkernel/ipc"
	"machkernel/mach"
)

// Form is how an argument travels.
type Form uint8

// Forms of an argument.
const (
	Scalar   Form = iota // Number elements inline, always that many
	Variable             // up to Number elements inline; the descriptor says how many
	OutLine              // any number of elements out of line
	PortArg              // one right, inline
)

// Type is the wire type of an argument: the constant part of its descriptor.
type Type struct {
	C      string        // the name in .defs files, "vm_address_t"
	Form   Form          //
	Name   mach.TypeName // what an element is; for a right, what the receiver of the message holds
	Bits   uint16        // bits of an element
	Number uint32        // elements; for Variable the most
	Poly   bool          // a right of whatever kind the sender chose
}

// ElemSize is the size of an element in bytes.
func (t *Type) ElemSize() int { return int(t.Bits) / 8 }

// Wire types of GNU Mach's .defs files on x86_64.
var (
	Int          = Type{C: "int", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	Natural      = Type{C: "natural_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	Boolean      = Type{C: "boolean_t", Name: mach.TypeBoolean, Bits: 32, Number: 1}
	Address      = Type{C: "vm_address_t", Name: mach.TypeInteger64, Bits: 64, Number: 1}
	Size         = Type{C: "vm_size_t", Name: mach.TypeInteger64, Bits: 64, Number: 1}
	Offset       = Type{C: "vm_offset_t", Name: mach.TypeInteger64, Bits: 64, Number: 1}
	Prot         = Type{C: "vm_prot_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	Inherit      = Type{C: "vm_inherit_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	Long         = Type{C: "rpc_long_integer_t", Name: mach.TypeInteger64, Bits: 64, Number: 1}
	PortName     = Type{C: "mach_port_name_t", Name: mach.TypePortName, Bits: 32, Number: 1}
	PortRight    = Type{C: "mach_port_right_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	PortType     = Type{C: "mach_port_type_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	Urefs        = Type{C: "mach_port_urefs_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	Delta        = Type{C: "mach_port_delta_t", Name: mach.TypeInteger32, Bits: 32, Number: 1}
	SendRight    = Type{C: "mach_port_t", Form: PortArg, Name: mach.TypePortSend, Bits: 64, Number: 1}
	PolyRight    = Type{C: "mach_port_poly_t", Form: PortArg, Bits: 64, Number: 1, Poly: true}
	Pointer      = Type{C: "pointer_t", Form: OutLine, Name: mach.TypeByte, Bits: 8}
	PortNames    = Type{C: "mach_port_name_array_t", Form: OutLine, Name: mach.TypePortName, Bits: 32}
	PortTypes    = Type{C: "mach_port_type_array_t", Form: OutLine, Name: mach.TypeInteger32, Bits: 32}
	ThreadState  = Type{C: "thread_state_t", Form: Variable, Name: mach.TypeInteger32, Bits: 32, Number: 1024}
	VMStatistics = Type{C: "vm_statistics_data_t", Name: mach.TypeInteger32, Bits: 32, Number: 13}
)

// Dir says in which message an argument travels.
type Dir uint8

// Directions.
const (
	In Dir = 1 << iota
	Out
	InOut = In | Out
)

// Arg is one argument of a routine after the request port.
type Arg struct {
	Name string
	Dir  Dir
	Type Type
}

// Server performs a routine: it reads its arguments from c and sets its
// results there. The result becomes the RetCode of the reply.
type Server func(c *Call) mach.KernReturn

// Routine is one remote procedure.
type Routine struct {
	Name   string
	ID     mach.MsgID // of the request; the reply's is ReplyIDOffset more
	Args   []Arg
	Simple bool   // a simpleroutine: no reply
	Serve  Server // nil: known, for decoding, but not served
}

// RequestSize is the size in bytes of the routine's request where it is fixed,
// and the smallest one where an argument is Variable.
func (r *Routine) RequestSize() int {
	n := headerSize
	for i := range r.Args {
		if r.Args[i].Dir&In != 0 {
			n += itemSize(&r.Args[i].Type)
		}
	}
	return n
}

// ReplySize is the same for the reply.
func (r *Routine) ReplySize() int {
	n := errorReplySize
	for i := range r.Args {
		if r.Args[i].Dir&Out != 0 {
			n += itemSize(&r.Args[i].Type)
		}
	}
	return n
}

// Sizes of the typed format on x86_64, in bytes.
const (
	headerSize     = ipc.HeaderSize
	descriptorSize = ipc.DescriptorSize
	errorReplySize = headerSize + descriptorSize + 8 // C: sizeof (mig_reply_header_t)
)

func pad(n int) int { return (n + 7) &^ 7 }

func itemSize(t *Type) int {
	switch t.Form {
	case Variable:
		return descriptorSize
	case OutLine:
		return descriptorSize + 8
	}
	return descriptorSize + pad(t.ElemSize()*int(t.Number))
}

// Table maps ids to routines. It is immutable once made.
type Table struct {
	byID map[mach.MsgID]*Routine
	list []*Routine
}

// NewTable collects routines. Two with the same id are a bug of the caller's.
func NewTable(sets ...[]Routine) *Table {
	t := &Table{byID: map[mach.MsgID]*Routine{}}
	for _, set := range sets {
		for i := range set {
			r := &set[i]
			if old := t.byID[r.ID]; old != nil {
				panic(fmt.Sprintf("BUG: routines %s and %s share id %d", old.Name, r.Name, r.ID))
			}
			t.byID[r.ID] = r
			t.list = append(t.list, r)
		}
	}
	sort.Slice(t.list, func(i, j int) bool { return t.list[i].ID < t.list[j].ID })
	return t
}

// Lookup finds the routine with this request id, or nil.
func (t *Table) Lookup(id mach.MsgID) *Routine { return t.byID[id] }

// Routines lists all routines by id. The caller does not change them.
func (t *Table) Routines() []*Routine { return t.list }

// ByName finds a routine by its name, or nil.
func (t *Table) ByName(name string) *Routine {
	for _, r := range t.list {
		if r.Name == name {
			return r
		}
	}
	return nil
}
