package gen

import (
	"fmt"

	"machkernel/mach"
	"machkernel/mig/defs"
)

// Sizes of a typed message on x86_64, in bytes.
const (
	headerSize  = 32
	typeSize    = 8
	retCodeSize = 16
	replySize   = headerSize + retCodeSize // of the plain error reply
)

// kind is how an item is laid out.
type kind uint8

const (
	kindScalar     kind = iota // one element of 8 to 64 bits
	kindFixed                  // several elements inline, always as many: a struct, an array, a string
	kindVariable               // elements inline, as many as the descriptor says
	kindIndefinite             // like kindVariable, or out of line if they are many
	kindOutLine                // out of line
	kindPort                   // one right
)

// item is an argument in a message.
type item struct {
	arg  *defs.Arg
	typ  *defs.Type
	kind kind
	in   bool // it travels as the sender of the request, or of the reply, states it
	// count is the argument that is only the room for a CountInOut array.
	count bool
}

// message is the body of a request or of a reply.
type message struct {
	start int // offset of the first item
	items []item
}

func request(r *defs.Routine) message {
	m := message{start: headerSize}
	for _, a := range r.Args {
		switch {
		case a.Dir.Sent():
			m.items = append(m.items, newItem(a))
		case a.Dir == defs.Out && a.CountInOut && a.Type.Variable:
			m.items = append(m.items, item{arg: a, typ: countType, kind: kindScalar, count: true})
		}
	}
	return m
}

// countType is the type of the room that a caller states.
var countType = &defs.Type{
	Name: "mach_msg_type_number_t", Bits: 32, Number: 1, Inline: true, ByValue: true,
	In: defs.Wire{Name: mach.TypeInteger32}, Out: defs.Wire{Name: mach.TypeInteger32},
	UserType: "mach_msg_type_number_t", ServerType: "mach_msg_type_number_t", TransType: "mach_msg_type_number_t",
}

func reply(r *defs.Routine) message {
	m := message{start: replySize}
	for _, a := range r.Args {
		if a.Dir.Returned() {
			m.items = append(m.items, newItem(a))
		}
	}
	return m
}

func newItem(a *defs.Arg) item {
	t := a.Type
	i := item{arg: a, typ: t}
	switch {
	case t.Inline && t.Indefinite:
		i.kind = kindIndefinite
	case !t.Inline:
		i.kind = kindOutLine
	case t.Variable:
		i.kind = kindVariable
	case t.IsPort() && t.Number == 1:
		i.kind = kindPort
	case t.Number == 1 && !t.String && len(t.Fields) == 0 && t.Bits <= 64:
		i.kind = kindScalar
	default:
		i.kind = kindFixed
	}
	return i
}

// dynamic reports whether the item's size varies.
func (i *item) dynamic() bool { return i.kind == kindVariable || i.kind == kindIndefinite }

// long reports whether the descriptor says long form.
func (i *item) long() bool { return !i.count && i.arg.LongForm }

// elem is the size in bytes of what the descriptor's number counts.
func (i *item) elem() int { return i.bits() / 8 }

// bits is the size of an element in bits. A right in an array out of line is a
// name of 32 bits, everywhere else it fills 64.
func (i *item) bits() int {
	if i.typ.IsPort() {
		if i.kind == kindOutLine {
			return 32
		}
		return 64
	}
	return i.typ.Bits
}

// data is the smallest number of bytes behind the descriptor, padded.
func (i *item) data() int {
	switch i.kind {
	case kindVariable, kindIndefinite:
		return 0
	case kindOutLine:
		return 8
	}
	return pad(i.elem() * i.typ.Number)
}

// most is the largest number of bytes behind the descriptor, padded.
func (i *item) most() int {
	if i.dynamic() {
		return max(8, pad(i.elem()*i.typ.Number))
	}
	return i.data()
}

func pad(n int) int { return (n + 7) &^ 7 }

// size is the message's size in bytes, the smallest where it varies.
func (m *message) size() int {
	n := m.start
	for i := range m.items {
		n += typeSize + m.items[i].data()
	}
	return n
}

// most is its largest size in bytes.
func (m *message) most() int {
	n := m.start
	for i := range m.items {
		n += typeSize + m.items[i].most()
	}
	return n
}

// varies reports whether its size does.
func (m *message) varies() bool {
	for i := range m.items {
		if m.items[i].dynamic() {
			return true
		}
	}
	return false
}

// poly reports whether the side that sends the item, or the one that receives
// it, states or learns the kind of right at run-time. The kernel sends rights it
// holds: their kind is what the receiver gets.
func (i *item) poly(sends, kernel bool) bool {
	if sends && !kernel {
		return i.typ.In.Poly
	}
	return i.typ.Out.Poly
}

// carry is when the message is complex.
type carry uint8

const (
	carryNothing carry = iota
	carrySome
	carryAny // depends on what is sent
)

func (m *message) carry(sends bool) carry {
	c := carryNothing
	for i := range m.items {
		it := &m.items[i]
		switch {
		case it.kind == kindOutLine:
			c = carrySome
		case it.kind == kindIndefinite && !it.typ.IsPort(), it.typ.IsPort() && it.poly(sends, false):
			if c == carryNothing {
				c = carryAny
			}
		case it.typ.IsPort():
			c = carrySome
		}
	}
	return c
}

// number is the part of the descriptor that never varies.
func (i *item) number() int {
	if i.kind == kindOutLine || i.dynamic() {
		return 0
	}
	return i.typ.Number
}

// refuse is an error at a place of the .defs file.
func refuse(at defs.Pos, text string, args ...any) error {
	return &defs.Error{Pos: at, Msg: fmt.Sprintf(text, args...)}
}

// supported refuses what the Go back end cannot express.
func supported(s *defs.Subsystem) error {
	if s.Target != defs.GNU64 {
		return refuse(s.Pos, "Go is written for the target gnu64 only, not for %v", s.Target)
	}
	for _, r := range s.Routines {
		for _, e := range []string{r.MsgOption, waitTime(r)} {
			if _, ok := expression(e); !ok {
				return refuse(r.Pos, "%s: the Go back end cannot compute %s", r.Name, e)
			}
		}
		if r.Kind != defs.KindRoutine && r.Kind != defs.KindSimpleRoutine {
			return refuse(r.Pos, "%s is a procedure or function, which the Go back end does not write", r.Name)
		}
		for _, a := range r.Args {
			if a.Type.IsPort() && a.Type.Inline && a.Type.Number != 1 && !a.Type.Variable {
				return refuse(a.Pos, "%s: an array of rights inline, which the Go back end does not write", a.Name)
			}
			if s.KernelServer && a.Type.IsPort() && a.Type.Indefinite {
				return refuse(a.Pos, "%s: an array of rights inline or out of line, which the Go back end does not write for the kernel", a.Name)
			}
			if i := newItem(a); i.kind != kindPort && a.Type.Out.Poly && (a.Dir.Sent() || a.Dir.Returned()) {
				return refuse(a.Pos, "%s: an array of rights of any kind, which the Go back end does not write", a.Name)
			}
		}
	}
	return nil
}
