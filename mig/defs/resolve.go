package defs

import (
	"fmt"
	"strconv"

	"machkernel/mach"
)

// inlineBytes is how much of an array[] GNU's stubs send inline.
const inlineBytes = 2048

// maxBits bounds a type's size, so that no sum of sizes overflows.
const maxBits = 1 << 31

// brokenType stands for a type with an error.
func (p *parser) brokenType() *Type {
	return &Type{Pos: p.tok.pos, broken: true, Inline: true, ByValue: true, Number: 1, Bits: 32, Align: 4, Size: 4}
}

// builtins declares the C types that GNU's MIG knows by itself.
func (p *parser) builtins() {
	if !p.sub.Target.Typed() {
		return
	}
	for _, b := range []struct{ name, wire string }{
		{"char", "MACH_MSG_TYPE_CHAR"},
		{"short", "MACH_MSG_TYPE_INTEGER_16"},
		{"int", "MACH_MSG_TYPE_INTEGER_32"},
		{"int64", "MACH_MSG_TYPE_INTEGER_64"},
		{"uintptr_t", "MACH_MSG_TYPE_INTEGER_" + strconv.Itoa(p.lay.word*8)},
		{"intptr_t", "MACH_MSG_TYPE_INTEGER_" + strconv.Itoa(p.lay.word*8)},
	} {
		t := p.basicType(p.symbol(token{text: b.wire}), nil)
		t.Name = b.name
		p.nameC(t)
		p.types[b.name] = t
	}
}

// numbered is a message type that is given by its number.
func (p *parser) numbered(t token) *wire {
	if t.num > 255 {
		p.errorf(t.pos, "the message type's number %s is greater than 255", t.text)
	}
	w := Wire{C: strconv.Itoa(t.num), Name: mach.TypeName(t.num)}
	return &wire{pos: t.pos, text: t.text, in: w, out: w}
}

// basicType is one element of a message type, with the size of the long form
// where there is one.
func (p *parser) basicType(w *wire, long *longDecl) *Type {
	if p.tok.kind == tokBad {
		return p.brokenType()
	}
	bits := w.bits
	t := &Type{
		Pos: w.pos, In: w.in, Out: w.out, Number: 1, Inline: true, ByValue: true, spec: w.text,
	}
	if long != nil {
		if bits != 0 && bits != long.bits {
			p.warnf(w.pos, "%s has %d bits, not %d", w.text, bits, long.bits)
		}
		bits, t.Stated = long.bits, long.flags
		t.spec = fmt.Sprintf("(%s, %d%v)", w.text, bits, long.flags)
	}
	switch {
	case bits == 0 && long == nil:
		p.errorf(w.pos, "%s has no size of its own: write (%s, bits)", w.text, w.text)
		return p.brokenType()
	case bits < 8:
		p.errorf(w.pos, "%s has %d bits; the least is 8", w.text, bits)
		return p.brokenType()
	case bits >= 1<<16:
		p.errorf(w.pos, "%s has %d bits, too many for a descriptor", w.text, bits)
		return p.brokenType()
	}
	t.Bits = bits
	t.Align = min(p.lay.word, bits/8)
	if !w.in.Poly && w.in.Name == mach.TypeString {
		t.ByValue, t.String = false, true
	}
	if !p.sub.Target.Typed() && (w.in.IsPort() || w.in.Poly) {
		t.Descriptors = 1
	}
	p.sizes(t)
	return t
}

// copyType makes a type from another, without its names and translations.
func copyType(pos Pos, spec string, old *Type) *Type {
	t := *old
	t.Pos, t.Name, t.spec, t.Elem, t.Fields = pos, "", spec, old, nil
	t.resetTranslation()
	return &t
}

func (t *Type) resetTranslation() {
	t.UserType, t.ServerType, t.TransType = "", "", ""
	t.InTran, t.InTranPayload, t.OutTran, t.Destructor = "", "", "", ""
}

// lookup finds a declared type, or says that there is none.
func (p *parser) lookup(name token) *Type {
	if p.tok.kind == tokBad {
		return p.brokenType()
	}
	t := p.types[name.text]
	if t == nil {
		p.errorf(name.pos, "type %s is not declared", name.text)
		return p.brokenType()
	}
	return t
}

// aliasOf is the type that a name stands for. As an array's element it keeps
// the name and what the name's clauses say.
func (p *parser) aliasOf(name token) *Type {
	old := p.lookup(name)
	t := *old
	t.Pos, t.spec, t.Elem = name.pos, name.text, old
	return &t
}

// variableArray is array[*:n] of elem; array[] where n is 0.
func (p *parser) variableArray(pos Pos, spec string, n int, elem *Type) *Type {
	t := copyType(pos, spec, elem)
	if t.broken {
		return t
	}
	t.Pointer = false
	if !p.sub.Target.Typed() {
		return p.xnuVariableArray(t, n)
	}
	if !elem.Inline || elem.Variable {
		return p.tooComplicated(t)
	}
	if n > 0 {
		p.multiply(t, n)
	} else {
		bytes := (t.Number*t.Bits + 7) / 8
		if bytes == 0 {
			p.errorf(pos, "an array of elements without a size")
			return p.brokenType()
		}
		t.Number *= inlineBytes / bytes
		t.Indefinite = true
	}
	t.Variable, t.ByValue, t.String = true, false, false
	p.sizes(t)
	return t
}

// fixedArray is array[n] of elem, or struct[n] of elem.
func (p *parser) fixedArray(pos Pos, spec string, n int, elem *Type, byValue bool) *Type {
	t := copyType(pos, spec, elem)
	if t.broken {
		return t
	}
	if !p.sub.Target.Typed() && !byValue && !elem.Inline {
		return p.xnuDescriptorArray(t, n)
	}
	if !elem.Inline || elem.Variable {
		return p.tooComplicated(t)
	}
	p.multiply(t, n)
	if !p.sub.Target.Typed() && !byValue && t.IsPort() {
		t.Descriptors = n * elem.Descriptors
	}
	t.ByValue, t.String = byValue, false
	p.sizes(t)
	return t
}

// pointerTo is ^ of a type.
func (p *parser) pointerTo(pos Pos, t *Type) *Type {
	if t.broken {
		return t
	}
	t.Pos, t.spec = pos, "^"+t.spec
	if !p.sub.Target.Typed() {
		if !t.Inline && !t.Emulated {
			p.errorf(pos, "^ of a type that is out of line already")
		}
		t.Inline, t.Emulated, t.Descriptors = false, false, 1
	} else {
		if !t.Inline || t.Variable && !t.Indefinite && t.Number > 0 {
			return p.tooComplicated(t)
		}
		t.Number, t.Inline, t.Indefinite = 0, false, false
	}
	t.Pointer, t.ByValue, t.String = true, true, false
	t.Align = p.lay.word
	p.sizes(t)
	return t
}

// cString is c_string[n] or c_string[*:n].
func (p *parser) cString(pos Pos, spec string, n int, variable bool) *Type {
	if p.tok.kind == tokBad {
		return p.brokenType()
	}
	w := Wire{C: "MACH_MSG_TYPE_STRING_C", Name: mach.TypeString}
	char := p.basicType(&wire{pos: pos, text: w.C, in: w, out: w, bits: 8}, nil)
	char.Name = "char"
	p.nameC(char)
	t := copyType(pos, spec, char)
	p.multiply(t, n)
	t.Variable, t.ByValue, t.String = variable, false, true
	p.sizes(t)
	return t
}

// field places a field behind the others.
func (p *parser) field(before []Field, of, name token) Field {
	t := p.lookup(of)
	if !t.broken && !t.Inline {
		p.errorf(of.pos, "field %s: type %s is out of line", name.text, of.text)
		t = p.brokenType()
	}
	offset := 0
	if n := len(before); n > 0 {
		offset = before[n-1].Offset + before[n-1].Type.Size
	}
	for _, f := range before {
		if f.Name == name.text {
			p.errorf(name.pos, "field %s is declared twice; the first time at %v", name.text, f.Pos)
		}
	}
	return Field{Pos: name.pos, Name: name.text, Type: t, Offset: roundUp(offset, t.Align)}
}

// structOf is struct { fields }: an array of the builtin type that is aligned
// as the fields are.
func (p *parser) structOf(pos Pos, fields []Field) *Type {
	align, spec := 1, "struct { "
	for _, f := range fields {
		if f.Type.broken {
			return p.brokenType()
		}
		align = max(align, f.Type.Align)
		spec += f.Type.Name + " " + f.Name + "; "
	}
	last := fields[len(fields)-1]
	size := roundUp(last.Offset+last.Type.Size, align)
	t := copyType(pos, spec+"}", p.structElement(align))
	t.Fields = fields
	p.multiply(t, size/(t.Bits/8))
	t.ByValue, t.String, t.Align = true, false, align
	p.sizes(t)
	return t
}

func (p *parser) structElement(align int) *Type {
	switch align {
	case 2:
		return p.types["short"]
	case 4:
		return p.types["int"]
	case 8:
		return p.types["int64"]
	}
	t := p.basicType(p.symbol(token{text: "MACH_MSG_TYPE_BYTE"}), nil)
	t.Name = "unsigned char"
	p.nameC(t)
	return t
}

func (p *parser) tooComplicated(t *Type) *Type {
	p.errorf(t.Pos, "the type is too complicated: %s", t.spec)
	return p.brokenType()
}

// multiply makes n elements of each.
func (p *parser) multiply(t *Type, n int) {
	if int64(t.Number)*int64(n)*int64(max(t.Bits, 1)) >= maxBits {
		p.errorf(t.Pos, "the type is too big: %d elements of %d bits", int64(t.Number)*int64(n), t.Bits)
		t.broken = true
		return
	}
	t.Number *= n
}

func roundUp(n, to int) int {
	if to <= 0 {
		return n
	}
	return (n + to - 1) / to * to
}

// sizes computes a type's size in C and in messages.
func (p *parser) sizes(t *Type) {
	if t.broken {
		return
	}
	if !p.sub.Target.Typed() {
		p.xnuSizes(t)
		return
	}
	if !t.Inline {
		t.Size, t.Pad, t.MinSize = p.lay.word, 0, p.lay.word
		return
	}
	t.Size = (t.Number*t.Bits + 7) / 8
	t.Pad = roundUp(t.Size, p.lay.align) - t.Size
	t.MinSize = t.Size + t.Pad
	if t.Variable {
		t.MinSize = 0
	}
}

// nameC fills in the C types that no clause states.
func (p *parser) nameC(t *Type) {
	if t.UserType == "" {
		t.UserType = t.Name
	}
	if t.ServerType == "" {
		t.ServerType = t.Name
	}
	if p.sub.Target.Typed() {
		t.KernelPort = false
		switch {
		case p.sub.KernelServer && t.IsPort() && t.ServerType == "mach_port_t":
			t.ServerType, t.KernelPort = "ipc_port_t", true
		case p.sub.KernelUser && t.IsPort() && t.UserType == "mach_port_t":
			t.UserType, t.KernelPort = "ipc_port_t", true
		}
		t.UserlandPort = t.IsPort() && !p.sub.KernelUser && !p.sub.KernelServer
	}
	if t.TransType == "" {
		t.TransType = t.ServerType
	}
}
