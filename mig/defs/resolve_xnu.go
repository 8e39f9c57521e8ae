package defs

// XNU's messages have descriptors for rights and out-of-line data first, then
// plain data aligned to four bytes.

// xnuVariableArray finishes array[*:n] of what t is a copy of.
func (p *parser) xnuVariableArray(t *Type, n int) *Type {
	switch {
	case !t.Inline:
		if t.Descriptors != 1 || n == 0 {
			return p.tooComplicated(t)
		}
		t.Descriptors, t.Number, t.ByValue = n, 1, false
	case t.Variable:
		return p.tooComplicated(t)
	case n > 0:
		p.multiply(t, n)
		t.ByValue = false
		t.Descriptors *= n
	default:
		t.Number, t.Inline, t.Emulated, t.ByValue, t.Descriptors = 0, false, true, true, 1
		t.Align = p.lay.word
	}
	t.Variable, t.String = true, false
	p.sizes(t)
	return t
}

// xnuDescriptorArray finishes array[n] of an out-of-line type.
func (p *parser) xnuDescriptorArray(t *Type, n int) *Type {
	if t.Descriptors != 1 {
		return p.tooComplicated(t)
	}
	t.Descriptors, t.Number = n, 1
	t.ByValue, t.String, t.Variable, t.Emulated = false, false, false, false
	p.sizes(t)
	return t
}

// nativeType is a C type as it stands.
func (p *parser) nativeType(pos Pos, spec string, n *Native) *Type {
	if p.tok.kind == tokBad {
		return p.brokenType()
	}
	t := p.basicType(p.symbol(token{text: "MACH_MSG_TYPE_BYTE", pos: pos}), nil)
	t.Native, t.spec = n, spec
	return t
}

// xnuSizes computes sizes: Size is the value's in C, MinSize what it takes in
// the part behind the descriptors.
func (p *parser) xnuSizes(t *Type) {
	if t.Descriptors > 0 {
		item := p.lay.word
		if t.Inline {
			item = p.lay.port
		}
		t.Size, t.Pad, t.MinSize = t.Descriptors*item, 0, 0
		return
	}
	t.Size = (t.Number*t.Bits + 7) / 8
	t.Pad = roundUp(t.Size, p.lay.align) - t.Size
	t.MinSize = t.Size + t.Pad
	if t.Variable {
		t.MinSize = 4 // the count
		if t.String {
			t.MinSize += 4 // the offset, always 0
		}
	}
}
