package defs

// finishType names a declared type and decides its flags.
func (p *parser) finishType(t *Type) {
	if t.broken {
		return
	}
	t.stated.user, t.stated.server, t.stated.trans = t.UserType, t.ServerType, t.TransType
	if t.Native != nil && t.Name == "" {
		t.UserType, t.ServerType = t.Native.C, t.Native.C
	}
	p.nameC(t)
	if t.Variable {
		if t.InTran != "" || t.InTranPayload != "" || t.OutTran != "" {
			p.errorf(t.Pos, "type %s: an array of variable size cannot be translated", t.Name)
		}
		if t.Destructor != "" {
			p.errorf(t.Pos, "type %s: an array of variable size cannot have a destructor", t.Name)
		}
	}
	if t.Size == 0 && !t.Variable && t.Native == nil {
		p.warnf(t.Pos, "type %s has no bytes", t.Name)
	}
	if !p.sub.Target.Typed() {
		return
	}
	if t.Inline && t.Number*t.Bits%8 != 0 {
		p.warnf(t.Pos, "type %s has %d bits, not a whole number of bytes", t.Name, t.Number*t.Bits)
	}
	if t.Variable && t.Inline && t.Elem.UserType == "" {
		p.errorf(t.Pos, "type %s: the elements of an inline array of variable size need a type with a name", t.Name)
	}
	t.Stated = p.settle(t.Stated, t.Pos, t.Name)
	t.Dealloc = p.dealloc(t, t.Stated, DeallocNo, t.Pos, t.Name)
	t.LongForm = p.longForm(t, t.Stated, needOf(t) >= shouldBeLong, t.Pos, t.Name)
}

// settle resolves flags that contradict each other.
func (p *parser) settle(f Flags, pos Pos, name string) Flags {
	if f&FlagLong != 0 && f&FlagNotLong != 0 {
		p.warnf(pos, "%s: islong and isnotlong cancel each other", name)
		f &^= FlagLong | FlagNotLong
	}
	if f&FlagMaybeDealloc != 0 && f&(FlagDealloc|FlagNotDealloc) != 0 {
		p.warnf(pos, "%s: dealloc[] overrides dealloc and notdealloc", name)
		f &^= FlagDealloc | FlagNotDealloc
	}
	if f&FlagDealloc != 0 && f&FlagNotDealloc != 0 {
		p.warnf(pos, "%s: dealloc and notdealloc cancel each other", name)
		f &^= FlagDealloc | FlagNotDealloc
	}
	return f
}

// dealloc decides the flag from what is stated and the default.
func (p *parser) dealloc(t *Type, f Flags, def Dealloc, pos Pos, name string) Dealloc {
	d, stated := def, true
	switch {
	case f&FlagNotDealloc != 0:
		d = DeallocNo
	case f&FlagDealloc != 0:
		d = DeallocYes
	case f&FlagMaybeDealloc != 0:
		d = DeallocMaybe
	default:
		stated = false
	}
	if stated && d == def {
		p.warnf(pos, "%s: the dealloc flag changes nothing", name)
	}
	if stated && d != DeallocNo && t.Inline && !t.Indefinite {
		p.warnf(pos, "%s: dealloc on inline data: the kernel will refuse the message", name)
	}
	return d
}

// need says how much a type needs the long form of a descriptor.
type need uint8

const (
	notLong need = iota
	canBeLong
	shouldBeLong
	mustBeLong
)

// Most that a short descriptor of the old format holds.
const (
	shortBits   = 1 << 8
	shortNumber = 1 << 12
)

func needOf(t *Type) need {
	switch {
	case t.Bits >= shortBits || t.Number >= shortNumber:
		return mustBeLong
	case t.Variable && !t.Inline || t.Indefinite:
		return shouldBeLong
	case t.Poly() || t.Variable:
		return canBeLong
	}
	return notLong
}

// longForm decides the flag from what is stated and the default.
func (p *parser) longForm(t *Type, f Flags, def bool, pos Pos, name string) bool {
	long := def
	switch {
	case f&FlagNotLong != 0:
		long = false
	case f&FlagLong != 0:
		long = true
	default:
		return def
	}
	switch {
	case long == def:
		p.warnf(pos, "%s: the flag of the long form changes nothing", name)
	case long && needOf(t) == notLong:
		p.warnf(pos, "%s: does not need islong", name)
	case !long && needOf(t) == mustBeLong:
		p.warnf(pos, "%s: too big for isnotlong", name)
	}
	return long
}
