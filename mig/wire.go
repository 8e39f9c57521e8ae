package mig

import (
	"encoding/binary"

	"machkernel/ipc"
	"machkernel/mach"
)

// descriptorOf is the descriptor that a stub sends for number elements of t.
// Out-of-line items take the long form.
func descriptorOf(t *Type, name mach.TypeName, number uint32) ipc.Descriptor {
	outLine := t.Form == OutLine
	return ipc.Descriptor{Name: name, Size: t.Bits, Number: number, Inline: !outLine, Long: outLine}
}

// matches makes a client stub's test of a received descriptor: it must be as
// declared, but for the number of an array's elements, the deallocate bit of
// what is out of line, and the type of a polymorphic right.
func matches(t *Type, d ipc.Descriptor) bool {
	want := descriptorOf(t, t.Name, t.Number)
	switch {
	case t.Form == OutLine:
		want.Number, want.Dealloc = d.Number, d.Dealloc
	case t.Form == Variable && d.Number <= t.Number:
		want.Number = d.Number
	case t.Poly:
		want.Name = d.Name
	}
	return d == want
}

// Value is the value of one argument. Which field counts follows from the
// argument's Form and from the side: a client sees names and addresses.
type Value struct {
	Word uint64        // Scalar of one element; a client's address of out-of-line memory
	Data []byte        // Scalar of several elements, Variable
	Name mach.Name     // PortArg
	Type mach.TypeName // PortArg: disposition when sent, type when received
	Size uint32        // OutLine: number of elements
}

// parseArg reads one argument of type t at b[off:], as a client sees it. It
// returns where the next item starts; ok is false where the item does not fit
// its type or the message.
func parseArg(t *Type, b []byte, off int) (v Value, next int, ok bool) {
	if off+ipc.DescriptorSize > len(b) {
		return v, 0, false
	}
	d := ipc.ParseDescriptor(b[off:])
	off += ipc.DescriptorSize
	if !matches(t, d) {
		return v, 0, false
	}
	n := 8
	if t.Form != OutLine {
		n = t.ElemSize() * int(d.Number)
	}
	if off+n > len(b) {
		return v, 0, false
	}
	data := b[off : off+n]
	switch t.Form {
	case OutLine:
		v.Word, v.Size = binary.LittleEndian.Uint64(data), d.Number
	case PortArg:
		v.Name, v.Type = mach.Name(binary.LittleEndian.Uint32(data)), d.Name
	case Variable:
		v.Data = data
	default:
		v.Word, v.Data = scalar(t, data), data
	}
	return v, off + pad(n), true
}

// scalar is the value of a one-element item, sign extended for C's int types
// that the callers read as signed; they truncate as they need.
func scalar(t *Type, data []byte) uint64 {
	if t.Bits == 64 {
		return binary.LittleEndian.Uint64(data)
	}
	return uint64(binary.LittleEndian.Uint32(data))
}

// appendArg appends one argument of type t as a client sends it.
func appendArg(b []byte, t *Type, v Value) []byte {
	le := binary.LittleEndian
	number, name := t.Number, t.Name
	switch t.Form {
	case OutLine:
		number = v.Size
	case Variable:
		number = uint32(len(v.Data) / t.ElemSize())
	case PortArg:
		name = v.Type
	}
	var d [ipc.DescriptorSize]byte
	descriptorOf(t, name, number).Put(d[:])
	b = append(b, d[:]...)
	switch {
	case t.Form == OutLine, t.Form == Scalar && t.Number == 1 && t.Bits == 64:
		b = le.AppendUint64(b, v.Word)
	case t.Form == PortArg:
		b = le.AppendUint64(b, uint64(v.Name))
	case t.Form == Scalar && t.Number == 1:
		b = le.AppendUint32(b, uint32(v.Word))
	default:
		b = append(b, v.Data...)
	}
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}
