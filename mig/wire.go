package mig

import (
	"encoding/binary"

	"machkernel/mach"
)

// Header is a message header as a client lays it out: 32 bytes on x86_64.
//
//	0 bits   4 size   8 remote (8 bytes)   16 local (8 bytes)   24 seqno   28 id
type Header struct {
	Bits   mach.MsgBits
	Size   uint32 // bytes; the kernel goes by the size given to mach_msg
	Remote mach.Name
	Local  mach.Name
	Seqno  uint32
	ID     mach.MsgID
}

// Put writes h at the start of b.
func (h *Header) Put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], uint32(h.Bits))
	le.PutUint32(b[4:], h.Size)
	le.PutUint64(b[8:], uint64(h.Remote))
	le.PutUint64(b[16:], uint64(h.Local))
	le.PutUint32(b[24:], h.Seqno)
	le.PutUint32(b[28:], uint32(h.ID))
}

// ParseHeader reads a header; ok is false where b is too short for one.
func ParseHeader(b []byte) (h Header, ok bool) {
	if len(b) < headerSize {
		return h, false
	}
	le := binary.LittleEndian
	return Header{
		Bits:   mach.MsgBits(le.Uint32(b[0:])),
		Size:   le.Uint32(b[4:]),
		Remote: mach.Name(le.Uint32(b[8:])),
		Local:  mach.Name(le.Uint32(b[16:])),
		Seqno:  le.Uint32(b[24:]),
		ID:     mach.MsgID(le.Uint32(b[28:])),
	}, true
}

// descriptor is a type descriptor, both words.
//
//	word 0: name 0-7, size in bits 8-23, unused 24-28, inline 29, longform 30, deallocate 31
//	word 1: number of elements
type descriptor struct{ word, number uint32 }

const (
	bitInline   = 1 << 29
	bitLongform = 1 << 30
	bitDealloc  = 1 << 31
)

func (d descriptor) name() mach.TypeName { return mach.TypeName(d.word) }

// descriptorOf is the descriptor that a stub sends for number elements of t.
// Out-of-line items and those without a bound take the long form.
func descriptorOf(t *Type, name mach.TypeName, number uint32) descriptor {
	w := uint32(name) | uint32(t.Bits)<<8
	if t.Form == OutLine {
		w |= bitLongform
	} else {
		w |= bitInline
	}
	return descriptor{word: w, number: number}
}

func (d descriptor) put(b []byte) {
	binary.LittleEndian.PutUint32(b, d.word)
	binary.LittleEndian.PutUint32(b[4:], d.number)
}

func parseDescriptor(b []byte) descriptor {
	return descriptor{binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])}
}

// matches makes a stub's test of a received descriptor: the constant part must
// be as declared, the bits of fixed items to the last one. Of an out-of-line
// item the deallocate bit is the sender's affair, of a polymorphic right the
// type.
func (d descriptor) matches(t *Type) bool {
	want := descriptorOf(t, t.Name, t.Number)
	switch {
	case t.Form == OutLine:
		return d.word&^bitDealloc == want.word
	case t.Form == Variable:
		return d.word&^bitDealloc == want.word && d.number <= t.Number
	case t.Poly:
		return d.word&^(bitDealloc|0xff) == want.word&^0xff && d.number == 1
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
	if off+descriptorSize > len(b) {
		return v, 0, false
	}
	d := parseDescriptor(b[off:])
	off += descriptorSize
	if !d.matches(t) {
		return v, 0, false
	}
	n := 8
	if t.Form != OutLine {
		n = t.ElemSize() * int(d.number)
	}
	if off+n > len(b) {
		return v, 0, false
	}
	data := b[off : off+n]
	switch t.Form {
	case OutLine:
		v.Word, v.Size = binary.LittleEndian.Uint64(data), d.number
	case PortArg:
		v.Name, v.Type = mach.Name(binary.LittleEndian.Uint32(data)), d.name()
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
	var d [descriptorSize]byte
	descriptorOf(t, name, number).put(d[:])
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
