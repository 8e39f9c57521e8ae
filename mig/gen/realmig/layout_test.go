package realmig

import (
	"encoding/binary"

	"machkernel/mach"
	"machkernel/mig/defs"
)

// kind is how an argument travels. This is written from the language's
// description, apart from what mig/gen has, which is judged here.
type kind uint8

const (
	scalar     kind = iota // one number
	fixed                  // bytes, always as many
	text                   // a string in a place of fixed size
	shortText              // a string that takes as many bytes as it has
	variable               // elements inline, as many as are counted
	indefinite             // the same, or out of line
	outLine                // out of line
	right                  // a port
)

// part is an argument in a message.
type part struct {
	arg  *defs.Arg
	typ  *defs.Type
	kind kind
	room bool // only the room for the array that is returned
}

func partOf(a *defs.Arg) part {
	t := a.Type
	p := part{arg: a, typ: t}
	switch {
	case !t.Inline:
		p.kind = outLine
	case t.Indefinite:
		p.kind = indefinite
	case t.Variable && t.String:
		p.kind = shortText
	case t.Variable:
		p.kind = variable
	case t.String:
		p.kind = text
	case t.IsPort():
		p.kind = right
	case t.Number == 1 && len(t.Fields) == 0 && t.Bits <= 64:
		p.kind = scalar
	default:
		p.kind = fixed
	}
	return p
}

func requestParts(r *defs.Routine) (list []part) {
	for _, a := range r.Args {
		switch {
		case a.Dir.Sent():
			list = append(list, partOf(a))
		case a.Dir == defs.Out && hasRoom(a) && a.CountInOut:
			p := partOf(a)
			p.room = true
			list = append(list, p)
		}
	}
	return list
}

func replyParts(r *defs.Routine) (list []part) {
	for _, a := range r.Args {
		if a.Dir.Returned() {
			list = append(list, partOf(a))
		}
	}
	return list
}

// hasRoom reports whether a count goes with a returned array.
func hasRoom(a *defs.Arg) bool { return a.Type.Variable && a.Type.Inline && !a.Type.String }

// wire is the size in bytes of an element in a message, c the size in C.
func (p *part) wire(out bool) int {
	switch {
	case p.typ.IsPort() && out:
		return 4
	case p.typ.IsPort():
		return 8
	}
	return p.typ.Bits / 8
}

func (p *part) c() int {
	if p.typ.IsPort() {
		return 4
	}
	return p.typ.Bits / 8
}

// most is how many elements fit inline, as the descriptor counts them.
func (p *part) most() int { return p.typ.Number }

func (p *part) scale() int { return max(p.typ.Scale(), 1) }

// value is what an argument is worth in one case.
type value struct {
	word  uint64
	data  []byte // nil out of line
	count uint32 // elements on the wire
	poly  mach.TypeName
	moves bool // dealloc[]
}

// message is bytes, and which of them are defined.
type message struct {
	b       []byte
	defined []bool
	items   []int // offsets of the descriptors
}

func (m *message) add(b []byte, defined bool) {
	m.b = append(m.b, b...)
	for range b {
		m.defined = append(m.defined, defined)
	}
}

func (m *message) word(v uint64, size int) {
	m.add(binary.LittleEndian.AppendUint64(nil, v)[:size], true)
	m.add(make([]byte, 8-size), false)
}

func (m *message) padded(b []byte) {
	m.add(b, true)
	for len(m.b)%8 != 0 {
		m.add([]byte{0}, false)
	}
}

const (
	complexBit = 0x80000000
	headerSize = 32
	plainSize  = 48 // of a reply that has a code alone
)

// newMessage has a header: the bits of two rights are as received ones.
func newMessage(id uint32, remote, local mach.TypeName) *message {
	le := binary.LittleEndian
	m := &message{}
	var b [headerSize]byte
	le.PutUint32(b[0:], uint32(remote)|uint32(local)<<8)
	le.PutUint64(b[8:], 0x1111)
	le.PutUint64(b[16:], 0x2222)
	le.PutUint32(b[24:], 7)
	le.PutUint32(b[28:], id)
	m.add(b[:], true)
	for _, at := range []int{12, 20} { // a name is half of its word
		copy(m.defined[at:at+4], make([]bool, 4))
	}
	return m
}

func (m *message) code(kr uint32) {
	m.word(1<<32|1<<29|32<<8|uint64(mach.TypeInteger32), 8)
	m.word(uint64(kr), 4)
}

// finish sets the size.
func (m *message) finish() *message {
	binary.LittleEndian.PutUint32(m.b[4:], uint32(len(m.b)))
	return m
}

// item appends one, as it is sent or received.
func (m *message) item(p *part, v *value, received bool) {
	w := p.typ.In
	if received {
		w = p.typ.Out
	}
	if p.room {
		m.items = append(m.items, len(m.b))
		m.word(1<<32|1<<29|32<<8|uint64(mach.TypeInteger32), 8)
		m.word(uint64(min(v.count, uint32(p.most()/p.scale()))), 4)
		return
	}
	name := uint64(w.Name)
	if w.Poly {
		name = uint64(v.poly)
	}
	away := p.kind == outLine || p.kind == indefinite && v.data == nil
	bits := uint64(p.typ.Bits)
	if p.typ.IsPort() {
		bits = uint64(p.wire(away) * 8)
	}
	d := name | bits<<8
	number := uint64(p.typ.Number)
	switch p.kind {
	case variable, indefinite, outLine:
		number = uint64(v.count)
	case shortText:
		number = uint64(min(len(v.data)+1, p.most()))
	}
	d |= number << 32
	if !away {
		d |= 1 << 29
	}
	if p.arg.LongForm || p.kind == outLine {
		d |= 1 << 30
	}
	if away && !received && (p.arg.Dealloc == defs.DeallocYes || p.arg.Dealloc == defs.DeallocMaybe && v.moves) {
		d |= 1 << 31
	}
	m.items = append(m.items, len(m.b))
	m.word(d, 8)
	carries := away || p.typ.IsPort() && (p.kind != right || mach.TypeName(name).IsPort())
	if carries {
		m.b[3] |= complexBit >> 24
	}
	m.data(p, v, away)
}

func (m *message) data(p *part, v *value, away bool) {
	switch {
	case away:
		m.word(v.word, 8)
	case p.kind == right:
		m.word(v.word, 4)
	case p.kind == scalar:
		m.word(v.word, p.typ.Bits/8)
	case p.kind == text, p.kind == shortText:
		n := min(len(v.data)+1, p.most()*p.typ.Bits/8)
		m.add(append(v.data[:n-1:n-1], 0), true)
		if p.kind == text {
			m.add(make([]byte, p.most()*p.typ.Bits/8-n), false)
		}
		m.padded(nil)
	case p.typ.IsPort():
		for i := 0; i < len(v.data); i += 4 {
			m.word(uint64(binary.LittleEndian.Uint32(v.data[i:])), 8) // the C clears what a name does not fill
		}
	default:
		m.padded(v.data)
	}
}
