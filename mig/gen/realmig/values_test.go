package realmig

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"machkernel/mach"
	"machkernel/mig/defs"
)

// dice draws values: edges more often than others.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 1993))} }

func pick[T any](d dice, list ...T) T { return list[d.IntN(len(list))] }

func (d dice) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return b
}

// typeNames of rights, and of data that may take a right's place.
var anyKind = []mach.TypeName{
	mach.TypeMoveReceive, mach.TypeMoveSend, mach.TypeMoveSendOnce, mach.TypeCopySend,
	mach.TypeMakeSend, mach.TypeMakeSendOnce, mach.TypePortName, mach.TypeInteger32,
}

// value draws one that fits; wild ones may have too many elements.
func (d dice) value(p *part, wild bool) value {
	v := value{moves: d.IntN(2) == 0, poly: pick(d, anyKind...)}
	v.word = pick(d, 0, 1, 1<<31-1, 1<<31, 1<<32-1, 1<<32, 1<<63-1, 1<<63, 1<<64-1, d.Uint64())
	most := p.most()
	counts := []int{0, 1, most/p.scale() - 1, most / p.scale(), 2, 3, d.IntN(most/p.scale() + 1)}
	if wild {
		counts = append(counts, most/p.scale()+1)
	}
	count := max(0, pick(d, counts...)) * p.scale()
	switch p.kind {
	case scalar:
		if p.cBool() {
			v.word &= 1
		}
		v.word &= 1<<p.typ.Bits - 1
	case right:
		v.word &= 1<<32 - 1
	case fixed:
		v.data = d.bytes(most * p.c())
	case text, shortText:
		room := p.typ.Number
		if p.kind == text {
			room = p.typ.Number * p.typ.Bits / 8
		}
		lengths := []int{0, 1, room - 2, room - 1, d.IntN(room)}
		if wild {
			lengths = append(lengths, room, room+3)
		}
		v.data = []byte(strings.Repeat("machkernel ", 1+room/10))[:pick(d, lengths...)]
	case variable:
		v.count = uint32(count)
		v.data = d.bytes(count * p.c())
	case indefinite:
		v.count = uint32(count)
		if count <= most {
			v.data = d.bytes(count * p.c())
		}
	case outLine:
		v.count = uint32(pick(d, 0, 1, 4096, 1<<20, 3)) * uint32(p.scale())
	}
	return v
}

// tokens say a value to a driver; sent tells that the side that says it sends.
func (v *value) tokens(p *part) []string {
	var list []string
	switch p.kind {
	case scalar, right:
		list = append(list, fmt.Sprintf("%x", v.word))
	case fixed, text, shortText, variable:
		list = append(list, fmt.Sprintf(":%x", v.data))
	case indefinite:
		if v.data != nil {
			list = append(list, fmt.Sprintf(":%x", v.data))
		} else {
			list = append(list, fmt.Sprintf("%x", v.word))
		}
		list = append(list, fmt.Sprintf("%x", v.count))
	case outLine:
		list = append(list, fmt.Sprintf("%x", v.word), fmt.Sprintf("%x", v.count))
	}
	if p.typ.IsPort() && p.typ.In.Poly {
		list = append(list, fmt.Sprintf("%x", uint8(v.poly)))
	}
	if (p.kind == indefinite || p.kind == outLine) && p.arg.Dealloc == defs.DeallocMaybe {
		list = append(list, fmt.Sprintf("%x", map[bool]int{true: 1}[v.moves]))
	}
	return list
}

// arguments draws those of a client's stub: what the driver is told, and the
// request that follows.
func (d dice) arguments(r *defs.Routine, wild bool) (tokens []string, request *message) {
	dest, answer := r.RequestPort.Type.In.Name, mach.TypeMakeSendOnce
	var items []func(m *message)
	for _, a := range r.Args {
		p := partOf(a)
		switch {
		case a.Dir == defs.RequestPort, a.Dir == defs.ReplyPort, a.Dir == defs.UReplyPort:
			tokens = append(tokens, fmt.Sprintf("%x", d.Uint32()))
			kind := a.Type.In.Name
			if a.Type.In.Poly {
				kind = pick(d, anyKind[:6]...)
				tokens = append(tokens, fmt.Sprintf("%x", uint8(kind)))
			}
			if a.Dir == defs.RequestPort {
				dest = kind
			} else {
				answer = kind
			}
		case a.Dir == defs.WaitTime, a.Dir == defs.MsgOption:
			tokens = append(tokens, fmt.Sprintf("%x", pick(d, 0, 1, 0x100, 1<<31-1)))
		case a.Dir.Sent():
			v := d.value(&p, wild)
			tokens = append(tokens, v.tokens(&p)...)
			items = append(items, func(m *message) { m.item(&p, &v, false) })
		case a.Dir == defs.Out && hasRoom(a) && (a.CountInOut || p.kind == variable):
			most := uint32(p.most() / p.scale())
			v := value{count: pick(d, most, most+1, 1<<31, 1<<32-1)}
			if wild {
				v.count = pick(d, 0, 1, most-1, most)
			}
			if p.kind == variable || p.kind == indefinite {
				tokens = append(tokens, fmt.Sprintf("%x", v.count))
			}
			if p.room = a.CountInOut; p.room {
				items = append(items, func(m *message) { m.item(&p, &v, false) })
			}
		}
	}
	if r.Kind.OneWay() && r.UserReplyPort == nil {
		answer = 0
	}
	request = newMessage(uint32(r.ID), dest, answer)
	for _, add := range items {
		add(request)
	}
	return tokens, request.finish()
}

// newReply is the header of a reply, which comes to the port that it was
// expected at.
func newReply(r *defs.Routine) *message {
	m := newMessage(uint32(r.ID+defs.ReplyOffset), 0, mach.TypePortSendOnce)
	binary.LittleEndian.PutUint32(m.b[16:], replyPort)
	return m
}

// replyPort is what the drivers call theirs.
const replyPort = 0x1234567

// reply draws a good reply as a client receives it.
func (d dice) reply(r *defs.Routine, wild bool) *message {
	m := newReply(r)
	m.items = append(m.items, len(m.b))
	m.code(0)
	for _, p := range replyParts(r) {
		v := d.value(&p, wild)
		m.item(&p, &v, true)
	}
	return m.finish()
}

// request draws a good request as a server receives it.
func (d dice) request(r *defs.Routine) *message {
	m := newMessage(uint32(r.ID), pick(d, mach.TypePortSendOnce, mach.TypePortSend, 0), pick(d, mach.TypePortReceive, mach.TypePortSend, mach.TypePortSendOnce))
	for _, p := range requestParts(r) {
		v := d.value(&p, false)
		m.item(&p, &v, true)
	}
	return m.finish()
}

// results draws those of a server's function, and the reply that follows.
func (d dice) results(r *defs.Routine, code uint32, remote mach.TypeName) (tokens []string, reply *message) {
	m := newMessage(uint32(r.ID+defs.ReplyOffset), remote, 0)
	m.code(code)
	if code != 0 {
		return nil, m.finish()
	}
	for _, p := range replyParts(r) {
		v := d.value(&p, p.kind == indefinite)
		tokens = append(tokens, v.tokens(&p)...)
		m.item(&p, &v, false)
	}
	return tokens, m.finish()
}

// mutant is a message that somebody damaged.
type mutant struct {
	what string
	b    []byte
}

// mutants of a message: all of its header, its descriptors and its sizes.
// foreign are ids that it does not have.
func (d dice) mutants(m *message, foreign []uint32) []mutant {
	le := binary.LittleEndian
	var list []mutant
	change := func(what string, f func(b []byte) []byte) {
		list = append(list, mutant{what, f(append([]byte(nil), m.b...))})
	}
	put := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { le.PutUint32(b[at:], v); return b }
	}
	flip := func(what string, at, bits int) {
		for i := range bits {
			change(fmt.Sprintf("%s, bit %d", what, i), func(b []byte) []byte { b[at+i/8] ^= 1 << (i % 8); return b })
		}
	}
	flip("header", 0, 32)
	for _, id := range foreign {
		change(fmt.Sprintf("id %d", int32(id)), put(28, id))
	}
	for _, i := range []int{8, 12, 24} { // the local port is the one that the receiver named
		change(fmt.Sprintf("header word at %d", i), put(i, d.Uint32()))
	}
	for _, at := range m.items {
		flip(fmt.Sprintf("descriptor at %d", at), at, 64)
		n := le.Uint32(m.b[at+4:])
		for _, count := range []uint32{0, 1, n - 1, n - 2, n + 1, n + 2, 128, 256, 1024, 1 << 31, 1<<29 + n, 1<<30 + n, 1<<31 + n, 3<<30 + n, 1<<28 + n, 1<<32 - 1, 1<<32 - 2} {
			change(fmt.Sprintf("count %#x at %d", count, at), put(at+4, count))
		}
		change(fmt.Sprintf("data at %d", at), func(b []byte) []byte { return append(b[:at+8], d.bytes(len(b)-at-8)...) })
	}
	for _, n := range []int{-24, -16, -12, -8, -7, -4, -1, 1, 3, 4, 7, 8, 12, 16, 24, 64} {
		change(fmt.Sprintf("%d bytes more", n), func(b []byte) []byte { return resize(b, len(b)+n) })
	}
	for _, at := range m.items {
		change(fmt.Sprintf("cut at %d", at), func(b []byte) []byte { return resize(b, at) })
		change(fmt.Sprintf("cut at %d", at+8), func(b []byte) []byte { return resize(b, at+8) })
		for _, n := range []int{8, -8, 16} {
			change(fmt.Sprintf("%d bytes more at %d", n, at), func(b []byte) []byte {
				if at+8-n > len(b) || n < 0 && at+8-n > len(b) {
					return b
				}
				rest := append([]byte(nil), b[at+8+max(0, -n):]...)
				b = append(append(b[:at+8], make([]byte, max(0, n))...), rest...)
				return resize(b, len(b))
			})
		}
	}
	for i := range 8 {
		at := d.IntN(len(m.b)-4) + 1
		if at >= 4 && at < 8 || at >= 28 && at < 32 {
			continue
		}
		change(fmt.Sprintf("byte at %d (%d)", at, i), func(b []byte) []byte { b[at] = byte(d.Uint32()); return b })
	}
	return list
}

// resize makes a message longer or shorter, and says so in its header.
func resize(b []byte, n int) []byte {
	n = max(n, headerSize)
	for len(b) < n {
		b = append(b, 0)
	}
	b = b[:n]
	binary.LittleEndian.PutUint32(b[4:], uint32(n))
	return b
}
