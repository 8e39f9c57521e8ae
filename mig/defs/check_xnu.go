package defs

// xnuArgFlags decides an argument's flags as XNU's MIG does.
func (p *parser) xnuArgFlags(r *Routine, a *Arg) {
	t, s := a.Type, p.sub
	f := p.settle(a.Stated, a.Pos, a.Name)
	inKernel := s.KernelServer && a.Dir.Returned() || s.KernelUser && a.sentSomehow()
	switch {
	case f&(FlagDealloc|FlagMaybeDealloc) == 0:
	case inKernel && f&FlagDealloc != 0:
		a.Dealloc = DeallocYes
	case t.Inline && t.Descriptors == 0:
		p.warnf(a.Pos, "%s: dealloc means nothing here", a.Name)
	case f&FlagMaybeDealloc != 0:
		a.Dealloc = DeallocMaybe
	default:
		a.Dealloc = DeallocYes
	}
	a.Auto, a.Const = f&FlagAuto != 0, f&FlagConst != 0
	a.CountInOut = p.keep(f, FlagCountInOut, a, a.Dir.Returned() && t.Variable && t.Inline)
	a.PhysicalCopy = p.keep(f, FlagPhysicalCopy, a, !t.Inline && !t.IsPort())
	a.Overwrite = p.keep(f, FlagOverwrite, a, !t.Inline && !t.Emulated && a.Dir == Out)
	a.SameCount = p.keep(f, FlagSameCount, a, t.Variable && sharesCount(r, a))
	p.retCode(r, a, f)
	if a.Overwrite && s.KernelUser {
		p.errorf(a.Pos, "argument %s: no overwrite in a KernelUser subsystem", a.Name)
	}
	if t.Variable && t.Inline && t.Descriptors == 0 && a.Dir == InOut {
		p.errorf(a.Pos, "argument %s: an inline array of variable size cannot be inout", a.Name)
	}
	p.xnuNative(a)
	p.xnuImplicit(a)
}

// keep reports whether a stated flag holds, and warns where it is ignored.
func (p *parser) keep(f, flag Flags, a *Arg, holds bool) bool {
	if f&flag != 0 && !holds {
		p.warnf(a.Pos, "%s: %s means nothing here", a.Name, flag.name())
	}
	return f&flag != 0 && holds
}

// sharesCount reports whether the argument before a is an array that goes the
// same way.
func sharesCount(r *Routine, a *Arg) bool {
	for i, other := range r.Args {
		if other == a && i > 0 {
			before := r.Args[i-1]
			return before.Type.Variable && before.Dir == a.Dir && before.CountInOut == a.CountInOut
		}
	}
	return false
}

func (p *parser) retCode(r *Routine, a *Arg, f Flags) {
	if f&FlagRetCode == 0 {
		return
	}
	t := a.Type
	switch {
	case !t.Inline || !t.ByValue || t.Bits != 32 || t.Number != 1:
		p.warnf(a.Pos, "%s: retcode means nothing with type %s", a.Name, t.Name)
	case r.Kind != KindSimpleRoutine:
		p.errorf(a.Pos, "argument %s: retcode is for simpleroutines only", a.Name)
	case r.RetCodeArg != nil:
		p.warnf(a.Pos, "%s: %s is the retcode already", a.Name, r.RetCodeArg.Name)
	default:
		a.RetCode, r.RetCodeArg = true, a
	}
}

// xnuNative refuses directions that a C type as it stands cannot have.
func (p *parser) xnuNative(a *Arg) {
	n := a.Type.Native
	switch {
	case n == nil:
	case a.Dir != In && a.Dir != Out && a.Dir != InOut:
		p.errorf(a.Pos, "argument %s: %s can be in, out or inout only", a.Name, a.Type.spec)
	case !n.Pointer && a.Dir != In:
		p.errorf(a.Pos, "argument %s: ValueOf can be in only", a.Name)
	case n.Otherwise != "" && a.Dir != In:
		p.errorf(a.Pos, "argument %s: PointerToIfNot can be in only", a.Name)
	}
}

// xnuImplicit checks arguments that come from the message's trailer.
func (p *parser) xnuImplicit(a *Arg) {
	server := a.Dir == ServerImpl || a.Dir == UserImpl
	if server && (p.sub.KernelServer || p.sub.KernelUser) {
		p.errorf(a.Pos, "argument %s: no %v in a kernel's subsystem", a.Name, a.Dir)
	}
}
