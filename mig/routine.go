package mig

import (
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
	Anywhere             // like Variable, or like OutLine if they are many
)

// Type is the wire type of an argument: the constant part of its descriptor.
type Type struct {
	C      string        // the name in .defs files, "vm_address_t"
	Form   Form          //
	Name   mach.TypeName // what an element is; for a right, what the receiver of the message holds
	Bits   uint16        // bits of an element
	Number uint32        // elements; for Variable the most
	Poly   bool          // a right of whatever kind the sender chose
	Long   bool          // the descriptor says long form
}

// ElemSize is the size of an element in bytes.
func (t *Type) ElemSize() int { return int(t.Bits) / 8 }

// Dir says in which message an argument travels.
type Dir uint8

// Directions.
const (
	In Dir = 1 << iota
	Out
	InOut = In | Out
)

// Arg is one argument of a routine after the request port. An array whose
// caller says how much of it it wants (CountInOut) is two arguments: the count,
// In, and the array, Out.
type Arg struct {
	Name string
	Dir  Dir
	Type Type
}

// Routine is one remote procedure as it is on the wire.
type Routine struct {
	Name   string
	ID     mach.MsgID // of the request; the reply's is ReplyIDOffset more
	Args   []Arg
	Simple bool // a simpleroutine: no reply
}

// Subsystem is the routines of one .defs file. It is immutable.
type Subsystem struct {
	Name     string
	Base     mach.MsgID // of the first id
	Number   int        // of ids, skipped ones included
	Routines []Routine  // by id
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
