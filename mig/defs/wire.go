package defs

import (
	"strings"

	"machkernel/mach"
)

// wireType is a symbolic type name of the language.
type wireType struct {
	in, out mach.TypeName
	inPoly  bool // the sender states the type at run-time
	outPoly bool
	outC    string // the name in C where it differs from the one sent
	bits    int    // default size; 0: none; sizeOfPort, sizeOfName
}

// Sizes that depend on the target.
const (
	sizeOfPort = -1
	sizeOfName = -2
)

// wireTypes are the symbolic names of GNU's MIG. Never written to.
var wireTypes = map[string]*wireType{
	"MACH_MSG_TYPE_UNSTRUCTURED": plain(mach.TypeUnstructured, 0),
	"MACH_MSG_TYPE_BIT":          plain(mach.TypeUnstructured, 1),
	"MACH_MSG_TYPE_BOOLEAN":      plain(mach.TypeBoolean, 32),
	"MACH_MSG_TYPE_INTEGER_8":    plain(mach.TypeByte, 8),
	"MACH_MSG_TYPE_INTEGER_16":   plain(mach.TypeInteger16, 16),
	"MACH_MSG_TYPE_INTEGER_32":   plain(mach.TypeInteger32, 32),
	"MACH_MSG_TYPE_INTEGER_64":   plain(mach.TypeInteger64, 64),
	"MACH_MSG_TYPE_CHAR":         plain(mach.TypeChar, 8),
	"MACH_MSG_TYPE_BYTE":         plain(mach.TypeByte, 8),
	"MACH_MSG_TYPE_REAL":         plain(mach.TypeReal, 0),
	"MACH_MSG_TYPE_STRING":       plain(mach.TypeString, 0),
	"MACH_MSG_TYPE_STRING_C":     plain(mach.TypeString, 0),
	"MACH_MSG_TYPE_PORT_NAME":    plain(mach.TypePortName, sizeOfName),

	"MACH_MSG_TYPE_MOVE_RECEIVE":   right(mach.TypeMoveReceive, "MACH_MSG_TYPE_PORT_RECEIVE"),
	"MACH_MSG_TYPE_MOVE_SEND":      right(mach.TypeMoveSend, "MACH_MSG_TYPE_PORT_SEND"),
	"MACH_MSG_TYPE_COPY_SEND":      right(mach.TypeCopySend, "MACH_MSG_TYPE_PORT_SEND"),
	"MACH_MSG_TYPE_MAKE_SEND":      right(mach.TypeMakeSend, "MACH_MSG_TYPE_PORT_SEND"),
	"MACH_MSG_TYPE_MOVE_SEND_ONCE": right(mach.TypeMoveSendOnce, "MACH_MSG_TYPE_PORT_SEND_ONCE"),
	"MACH_MSG_TYPE_MAKE_SEND_ONCE": right(mach.TypeMakeSendOnce, "MACH_MSG_TYPE_PORT_SEND_ONCE"),

	"MACH_MSG_TYPE_PORT_RECEIVE":   received(mach.TypePortReceive),
	"MACH_MSG_TYPE_PORT_SEND":      received(mach.TypePortSend),
	"MACH_MSG_TYPE_PORT_SEND_ONCE": received(mach.TypePortSendOnce),

	"MACH_MSG_TYPE_POLYMORPHIC": {inPoly: true, outPoly: true},
}

func plain(name mach.TypeName, bits int) *wireType { return &wireType{in: name, out: name, bits: bits} }

func right(sent mach.TypeName, outC string) *wireType {
	return &wireType{in: sent, out: sent.Received(), outC: outC, bits: sizeOfPort}
}

// received is a right of which only the receiver's side is known.
func received(out mach.TypeName) *wireType {
	return &wireType{inPoly: true, out: out, bits: sizeOfPort}
}

const polymorphicC = "MACH_MSG_TYPE_POLYMORPHIC"

// wire is what a symbolic name or a number of the text stands for.
type wire struct {
	pos     Pos
	text    string // as canonical text has it
	in, out Wire
	bits    int // 0: no default
}

// symbol looks up a symbolic type name; nil where the word is none.
func (p *parser) symbol(t token) *wire {
	word, poly := t.text, strings.EqualFold(t.text, "polymorphic")
	if poly {
		word = polymorphicC
	}
	wt := p.wireType(word)
	if wt == nil {
		return nil
	}
	w := &wire{pos: t.pos, text: t.text, bits: p.bitsOf(wt.bits)}
	if poly || word == polymorphicC && !p.sub.Target.Typed() {
		w.bits = p.lay.port * 8
	}
	w.in = Wire{C: word, Name: wt.in, Poly: wt.inPoly}
	w.out = Wire{C: word, Name: wt.out, Poly: wt.outPoly}
	if wt.inPoly {
		w.in.C = polymorphicC
	}
	if wt.outC != "" {
		w.out.C = wt.outC
	}
	return w
}

// wireType finds a symbolic name in the target's dialect.
func (p *parser) wireType(word string) *wireType {
	if p.sub.Target.Typed() {
		return wireTypes[word]
	}
	switch word {
	case "MACH_MSG_TYPE_REAL_32":
		return plain(mach.TypeReal, 32)
	case "MACH_MSG_TYPE_REAL_64":
		return plain(mach.TypeInteger64, 64)
	case "MACH_MSG_TYPE_REAL", "MACH_MSG_TYPE_STRING", "MACH_MSG_TYPE_STRING_C":
		return nil
	}
	return wireTypes[word]
}

func (p *parser) bitsOf(bits int) int {
	switch bits {
	case sizeOfPort:
		return p.lay.port * 8
	case sizeOfName:
		return p.lay.name * 8
	}
	return bits
}
