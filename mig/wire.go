package mig

import "machkernel/mach"

// word is the descriptor that a stub sends for number elements of t.
func (t *Type) word(name mach.TypeName, number uint32) uint64 {
	d := Inline(name, t.Bits, number)
	if t.Form == OutLine {
		d = OutOfLine(name, t.Bits) | Number(number)
	}
	if t.Long {
		d |= descLong
	}
	return d
}

// matches makes a client stub's test of the descriptor at b[at:].
func (t *Type) matches(b []byte, at int) bool {
	d := t.word(t.Name, t.Number)
	switch {
	case t.Form == Anywhere:
		return IsAnywhere(b, at, d)
	case t.Form == OutLine, t.Form == Variable:
		return IsArray(b, at, d)
	case t.Poly:
		return IsPoly(b, at, d, true)
	case t.Long:
		return IsLong(b, at, d)
	}
	return Is(b, at, d)
}

// Value is the value of one argument. Which field counts follows from the
// argument's Form and from the side: a client sees names and addresses.
type Value struct {
	Word uint64        // Scalar of one element; a client's address of out-of-line memory
	Data []byte        // Scalar of several elements, Variable, Anywhere inline
	Name mach.Name     // PortArg
	Type mach.TypeName // PortArg: disposition when sent, type when received
	Size uint32        // elements out of line
}

// parseArg reads one argument of type t at b[off:], as a client sees it. It
// returns where the next item starts; ok is false where the item does not fit
// its type or the message.
func parseArg(t *Type, b []byte, off int) (v Value, next int, ok bool) {
	if off+descriptorSize > len(b) {
		return v, 0, false
	}
	if !t.matches(b, off) {
		return v, 0, false
	}
	number, outLine := Count(b, off), !IsInline(b, off)
	name := mach.TypeName(b[off])
	off += descriptorSize
	n := 8
	if !outLine {
		size := Padded(number, t.ElemSize())
		if size > uint64(len(b)) {
			return v, 0, false
		}
		n = t.ElemSize() * int(number)
	}
	if off+n > len(b) {
		return v, 0, false
	}
	data := b[off : off+n]
	switch {
	case outLine:
		v.Word, v.Size = le.Uint64(data), number
	case t.Form == PortArg:
		v.Name, v.Type = mach.Name(le.Uint32(data)), name
	case t.Form == Variable, t.Form == Anywhere:
		v.Data = data
	default:
		v.Word, v.Data = scalar(t, data), data
	}
	return v, off + pad(n), true
}

// scalar is the value of a one-element item, sign extended for C's int types
// that the callers read as signed; they truncate as they need.
func scalar(t *Type, data []byte) uint64 {
	switch {
	case t.Bits == 64:
		return le.Uint64(data)
	case len(data) >= 4:
		return uint64(le.Uint32(data))
	case len(data) > 0:
		return uint64(data[0])
	}
	return 0
}

// appendArg appends one argument of type t as a client sends it.
func appendArg(b []byte, t *Type, v Value) []byte {
	number, name := t.Number, t.Name
	outLine := t.Form == OutLine
	switch t.Form {
	case OutLine:
		number = v.Size
	case Anywhere:
		number = uint32(len(v.Data) / t.ElemSize())
		if outLine = v.Data == nil && v.Size > 0; outLine {
			number = v.Size
		}
	case Variable:
		number = uint32(len(v.Data) / t.ElemSize())
	case PortArg:
		name = v.Type
	}
	d := t.word(name, number)
	if outLine {
		d &^= descInline
	}
	b = le.AppendUint64(b, d)
	switch {
	case outLine, t.Form == Scalar && t.Number == 1 && t.Bits == 64:
		b = le.AppendUint64(b, v.Word)
	case t.Form == PortArg:
		b = le.AppendUint64(b, uint64(v.Name))
	case t.Form == Scalar && t.Number == 1 && t.Bits == 32:
		b = le.AppendUint32(b, uint32(v.Word))
	default:
		b = append(b, v.Data...)
	}
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}
