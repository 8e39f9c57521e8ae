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
// on send and zero on receipt. A message from a port with a protected payload has
// its 64 bits in the place of local. A complex message's body is items, each at a
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

// Header is a message header as a task lays it out.
type Header struct {
	Bits   mach.MsgBits
	Size   uint32 // bytes; in a message sent the kernel goes by the size given to mach_msg
	Remote mach.Name
	Local  mach.Name
	// Payload is in the place of Local, where the bits say so of it.
	Payload uint64
	Seqno   uint32
	ID      mach.MsgID
}

// Put writes h at the start of b.
func (h *Header) Put(b []byte) {
	le.PutUint32(b[offBits:], uint32(h.Bits))
	le.PutUint32(b[offSize:], h.Size)
	le.PutUint64(b[offRemote:], uint64(h.Remote))
	local := uint64(h.Local)
	if h.Bits.Local() == mach.TypeProtectedPayload {
		local = h.Payload
	}
	le.PutUint64(b[offLocal:], local)
	le.PutUint32(b[offSeqno:], h.Seqno)
	le.PutUint32(b[offID:], uint32(h.ID))
}

// ParseHeader reads a header; ok is false where b is too short for one.
func ParseHeader(b []byte) (h Header, ok bool) {
	if len(b) < HeaderSize {
		return h, false
	}
	h = Header{
		Bits:   mach.MsgBits(le.Uint32(b[offBits:])),
		Size:   le.Uint32(b[offSize:]),
		Remote: mach.Name(le.Uint32(b[offRemote:])),
		Seqno:  le.Uint32(b[offSeqno:]),
		ID:     mach.MsgID(le.Uint32(b[offID:])),
	}
	if h.Bits.Local() == mach.TypeProtectedPayload {
		h.Payload = le.Uint64(b[offLocal:])
	} else {
		h.Local = mach.Name(le.Uint32(b[offLocal:]))
	}
	return h, true
}

// Descriptor is an item's type descriptor, decoded.
type Descriptor struct {
	Name    mach.TypeName
	Size    uint16 // of an element, in bits
	Number  uint32 // of elements
	Inline  bool
	Long    bool
	Dealloc bool
	Unused  bool // a bit that must be zero is not
}

// ParseDescriptor reads the descriptor at the start of b, which has 8 bytes.
func ParseDescriptor(b []byte) Descriptor {
	w := le.Uint32(b)
	return Descriptor{
		Name: mach.TypeName(w), Size: uint16(w >> 8), Number: le.Uint32(b[4:]),
		Inline: w&descInline != 0, Long: w&descLong != 0, Dealloc: w&descDealloc != 0,
		Unused: w&descUnused != 0,
	}
}

// Put writes d at the start of b.
func (d Descriptor) Put(b []byte) {
	w := uint32(d.Name) | uint32(d.Size)<<8
	if d.Inline {
		w |= descInline
	}
	if d.Long {
		w |= descLong
	}
	if d.Dealloc {
		w |= descDealloc
	}
	le.PutUint32(b, w)
	le.PutUint32(b[4:], d.Number)
}

// length is the size of the item's data in bytes.
func (d Descriptor) length() uint64 { return (uint64(d.Number)*uint64(d.Size) + 7) >> 3 }

// legalType reports whether the descriptor obeys the format's rules.
func (d Descriptor) legalType() bool {
	switch {
	case d.Unused, d.Dealloc && d.Inline:
		return false
	case d.Name.IsPort() && d.Inline:
		return d.Size == inlinePortBits
	case d.Name.IsPort():
		return d.Size == oolPortBits
	}
	return true
}
