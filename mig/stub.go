package mig

import (
	"encoding/binary"

	"machkernel/ipc"
	"machkernel/mach"
)

// What generated stubs are made of: descriptors as one 64-bit word, little
// endian, and the reading and writing of items.

// Inline is the descriptor of number elements inline.
func Inline(name mach.TypeName, bits uint16, number uint32) uint64 {
	return uint64(number)<<32 | descInline | uint64(bits)<<8 | uint64(name)
}

// InlineLong is the same in the long form, which says nothing more.
func InlineLong(name mach.TypeName, bits uint16, number uint32) uint64 {
	return Inline(name, bits, number) | descLong
}

// OutOfLine is the descriptor of elements out of line; see Number.
func OutOfLine(name mach.TypeName, bits uint16) uint64 {
	return descLong | uint64(bits)<<8 | uint64(name)
}

// Number is the part of a descriptor that says how many elements there are.
func Number(n uint32) uint64 { return uint64(n) << 32 }

// Dealloc is the part that moves out-of-line memory, if d.
func Dealloc(d bool) uint64 {
	if d {
		return descDealloc
	}
	return 0
}

const (
	descInline  = 1 << 29
	descLong    = 1 << 30
	descDealloc = 1 << 31
	descElement = 0xffffff // type name and bits

	// retCodeType is the descriptor of a reply's code.
	retCodeType = 1<<32 | descInline | 32<<8 | uint64(mach.TypeInteger32)
)

// Get64 reads a word of an item, or a whole descriptor.
func Get64(b []byte, at int) uint64 { return le.Uint64(b[at:]) }

// Get32 reads a value of 32 bits.
func Get32(b []byte, at int) uint32 { return le.Uint32(b[at:]) }

// Put64 writes a word of an item: a descriptor, a value, or a smaller value
// with its padding.
func Put64(b []byte, at int, v uint64) { le.PutUint64(b[at:], v) }

// Word is how a boolean travels.
func Word(v bool) uint32 {
	if v {
		return 1
	}
	return 0
}

// Count is the number of elements that the descriptor at b[at:] states.
func Count(b []byte, at int) uint32 { return le.Uint32(b[at+4:]) }

// IsInline reports whether the item is inline.
func IsInline(b []byte, at int) bool { return le.Uint32(b[at:])&descInline != 0 }

// Is makes a stub's test of an item that never varies: the whole descriptor.
func Is(b []byte, at int, d uint64) bool { return le.Uint64(b[at:]) == d }

// IsLong is the test of one in the long form, of which a stub looks at what
// says something only: not at the unused bits, nor whether memory moves.
func IsLong(b []byte, at int, d uint64) bool {
	const mask = 0xffffffff_00000000 | descInline | descLong | descElement
	return (le.Uint64(b[at:])^d)&mask == 0
}

// IsArray is the test of an item whose number varies, inline or out of line.
func IsArray(b []byte, at int, d uint64) bool {
	const mask = descInline | descLong | descElement
	return (le.Uint64(b[at:])^d)&mask == 0
}

// IsAnywhere is the test of an array that may be inline or out of line.
func IsAnywhere(b []byte, at int, d uint64) bool {
	const mask = descLong | descElement
	return (le.Uint64(b[at:])^d)&mask == 0
}

// IsPoly is the test of a right of any kind. Data may take its place; a right
// needs a complex message.
func IsPoly(b []byte, at int, d uint64, complexBit bool) bool {
	const mask = 0xffffffff_00000000 | descInline | descLong | descElement&^0xff
	return (le.Uint64(b[at:])^d)&mask == 0 && (complexBit || !mach.TypeName(b[at]).IsPort())
}

// Padded is what n elements of size bytes take in a message.
func Padded(n uint32, size int) uint64 { return (uint64(n)*uint64(size) + 7) &^ 7 }

// Unpadded is the same for elements that fill words, one by one or together.
func Unpadded(n uint32, size int) uint64 { return uint64(n) * uint64(size) }

// Times is how many elements n groups of size have, or as many as can be.
func Times(n uint32, size int) uint32 { return uint32(min(uint64(n)*uint64(size), 1<<32-1)) }

// Uints is an array of unsigned elements.
type uints interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Elements reads n elements, each as wide as T, at b[at:].
func Elements[T uints](b []byte, at int, n uint32) []T {
	list := make([]T, n)
	if _, err := binary.Decode(b[at:], le, list); err != nil {
		panic("BUG: elements outside the message, which the stub has checked")
	}
	return list
}

// PutElements writes the elements at b[at:], pads them to 8 bytes, and tells
// how many bytes that took.
func PutElements[T uints](b []byte, at int, list []T) int {
	n, err := binary.Encode(b[at:], le, list)
	if err != nil {
		panic("BUG: a message buffer too small")
	}
	return n + zero(b[at+n:at+pad(n)])
}

func zero(b []byte) int {
	clear(b)
	return len(b)
}

// Names reads n rights inline, by their names.
func Names(b []byte, at int, n uint32) []mach.Name {
	list := make([]mach.Name, n)
	for i := range list {
		list[i] = mach.Name(Get64(b, at+8*i))
	}
	return list
}

// PutNames writes rights inline and tells how many bytes that took.
func PutNames(b []byte, at int, list []mach.Name) int {
	for i, n := range list {
		Put64(b, at+8*i, uint64(n))
	}
	return 8 * len(list)
}

// GetStruct reads a value of fixed size into v, a pointer.
func GetStruct(b []byte, at int, v any) {
	if _, err := binary.Decode(b[at:], le, v); err != nil {
		panic("BUG: " + err.Error())
	}
}

// PutStruct writes a value of fixed size at b[at:] and pads it to 8 bytes.
func PutStruct(b []byte, at int, v any) {
	n, err := binary.Encode(b[at:], le, v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	zero(b[at+n : at+pad(n)])
}

// FixedString is a zero-terminated string in a place of n bytes at b[at:], whose
// last byte is taken for the zero.
func FixedString(b []byte, at, n int) string { return String(b, at, uint32(n-1)) }

// String is a string of n bytes at b[at:], or less where a zero ends it.
func String(b []byte, at int, n uint32) string {
	s := b[at : at+int(n)]
	for i, c := range s {
		if c == 0 {
			return string(s[:i])
		}
	}
	return string(s)
}

// PutString writes s with its zero into a place of n bytes, cut where it is too
// long, and zeroes what is left of the place and its padding.
func PutString(b []byte, at, n int, s string) {
	place := b[at : at+pad(n)]
	clear(place)
	copy(place[:max(n-1, 0)], s)
}

// StringCount is how many bytes s takes in a place of at most n: its zero
// counts, if there is room for it.
func StringCount(s string, n int) uint32 { return uint32(min(len(s)+1, n)) }

// Array is an array that travels inline if it is short, and out of line if it
// is long, as a task sees it.
type Array struct {
	Inline []byte    // the elements; nil where they are out of line
	Addr   mach.Addr // of the elements out of line
	Number uint32    // of elements
}

// GetArray reads such an array: the item whose descriptor is at b[at:].
func GetArray(b []byte, at, size int) Array {
	a := Array{Number: Count(b, at)}
	if IsInline(b, at) {
		a.Inline = b[at+descriptorSize:][:uint64(a.Number)*uint64(size)]
	} else {
		a.Addr = mach.Addr(Get64(b, at+descriptorSize))
	}
	return a
}

// PutArray writes one as an item, d being its descriptor inline, and tells how
// many bytes stand behind the descriptor. What d says of moving memory counts
// out of line only.
func PutArray(b []byte, at int, d uint64, a Array) int {
	if a.Inline == nil && a.Number > 0 {
		Put64(b, at, d&^descInline|Number(a.Number))
		Put64(b, at+descriptorSize, uint64(a.Addr))
		return 8
	}
	Put64(b, at, d&^descDealloc|Number(a.Number))
	n := copy(b[at+descriptorSize:], a.Inline)
	return n + zero(b[at+descriptorSize+n:at+descriptorSize+pad(n)])
}

// IsRights is the test of an array of rights, inline or out of line, where
// names are narrower.
func IsRights(b []byte, at int, d uint64) bool {
	if !IsInline(b, at) {
		d = outOfLineRights(d)
	}
	return IsAnywhere(b, at, d)
}

func outOfLineRights(d uint64) uint64 { return d&^(descInline|0xffff00) | 32<<8 }

// GetRights reads such an array; its elements are names of 4 bytes.
func GetRights(b []byte, at int) Array {
	a := GetArray(b, at, 8)
	if a.Inline != nil {
		a.Inline = make([]byte, 4*a.Number)
		for i := range int(a.Number) {
			copy(a.Inline[4*i:], b[at+descriptorSize+8*i:][:4])
		}
	}
	return a
}

// PutRights writes one as PutArray does.
func PutRights(b []byte, at int, d uint64, a Array) int {
	if a.OutLine() {
		return PutArray(b, at, outOfLineRights(d), a)
	}
	Put64(b, at, d&^descDealloc|Number(a.Number))
	for i := range int(a.Number) {
		Put64(b, at+descriptorSize+8*i, uint64(Get32(a.Inline, 4*i)))
	}
	return 8 * int(a.Number)
}

// ArraySize is what stands behind the descriptor of such an item, in bytes: the
// elements, inline many bytes, or an address.
func ArraySize(b []byte, at int, inline uint64) uint64 {
	if IsInline(b, at) {
		return inline
	}
	return 8
}

// OutLine reports whether the array is out of line.
func (a Array) OutLine() bool { return a.Inline == nil && a.Number > 0 }

func isComplex(b []byte) bool { return mach.MsgBits(le.Uint32(b)).Complex() }

// IsComplex reports whether the message in b carries rights or memory.
func IsComplex(b []byte) bool { return len(b) >= ipc.HeaderSize && isComplex(b) }
