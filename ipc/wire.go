package ipc

import (
	"encoding/binary"

	"machkernel/mach"
)

// The typed wire format of GNU Mach on x86_64. Header:
//
//	0      4      8               16              24     28     32
//	+------+------+---------------+---------------+------+------+
//	| bits | size | remote, 0     | local, 0      | seqno| id   |
//	+------+------+---------------+---------------+------+------+
//
// Remote and local are 32-bit names in 64-bit slots: the upper half is ignored
// on send and zero on receipt. A complex message's body is items, each at a
// multiple of 8:
//
//	0                                               4        8
//	+------+----------+--------+------+----+-------+--------+---------
//	| name | size     | unused |inline|long|dealloc| number | data
//	| 8 b  | 16 bits  | 5 bits | 1 bit| 1  | 1     | 32 bits| or address
//	+------+----------+--------+------+----+-------+--------+---------
//
// Inline data is number elements of size bits each, rounded up to bytes; rights
// inline take 64 bits each, the name in the lower 32. Data out of line is one
// 64-bit address; rights out of line are an array of 32-bit names there. Long
// form changes nothing on this architecture.
const (
	HeaderSize     = 32
	DescriptorSize = 8
	Alignment      = 8

	offBits, offSize, offRemote, offLocal, offSeqno, offID = 0, 4, 8, 16, 24, 28

	descInline  = 1 << 29
	descLong    = 1 << 30
	descDealloc = 1 << 31
	descUnused  = 0x1f << 24

	inlinePortBits = 64 // size of a right in an inline item
	oolPortBits    = 32 // size of a name in an array out of line
)

var le = binary.LittleEndian

func align(n int) int { return (n + Alignment - 1) &^ (Alignment - 1) }

// descriptor is the first word of an item, decoded.
type descriptor struct {
	name    mach.TypeName
	size    uint16
	number  uint32
	inline  bool
	long    bool
	dealloc bool
	unused  bool // a bit that must be zero is not
}

func getDescriptor(b []byte) descriptor {
	w := le.Uint32(b)
	return descriptor{
		name: mach.TypeName(w), size: uint16(w >> 8), number: le.Uint32(b[4:]),
		inline: w&descInline != 0, long: w&descLong != 0, dealloc: w&descDealloc != 0,
		unused: w&descUnused != 0,
	}
}

func (d descriptor) put(b []byte) {
	w := uint32(d.name) | uint32(d.size)<<8
	if d.inline {
		w |= descInline
	}
	if d.long {
		w |= descLong
	}
	if d.dealloc {
		w |= descDealloc
	}
	le.PutUint32(b, w)
	le.PutUint32(b[4:], d.number)
}

// length is the size of the item's data in bytes.
func (d descriptor) length() uint64 { return (uint64(d.number)*uint64(d.size) + 7) >> 3 }

// legalType reports whether the descriptor obeys the format's rules.
func (d descriptor) legalType() bool {
	switch {
	case d.unused, d.dealloc && d.inline:
		return false
	case d.name.IsPort() && d.inline:
		return d.size == inlinePortBits
	case d.name.IsPort():
		return d.size == oolPortBits
	}
	return true
}
