package defs

import "machkernel/mach"

// finishRoutine numbers and names a routine and decides about its arguments.
func (p *parser) finishRoutine(r *Routine) {
	s := p.sub
	r.Number = p.number
	p.number = min(p.number+1, maxNumber)
	r.ID = s.Base + r.Number
	if r.ID > maxNumber-ReplyOffset {
		p.errorf(r.Pos, "routine %s: its message id %d is too big", r.Name, r.ID)
	}
	if !r.Kind.OneWay() {
		r.ReplyID = r.ID + ReplyOffset
	}
	r.UserName, r.ServerName = s.UserPrefix+r.Name, s.ServerPrefix+r.Name
	if old := p.byName[r.Name]; old != nil {
		p.errorf(r.Pos, "routine %s is declared twice; the first time at %v", r.Name, old.Pos)
	}
	p.byName[r.Name] = r
	p.checkIDs(r)

	p.checkNames(r)
	for _, a := range r.Args {
		p.distinguish(r, a)
		if !a.Type.broken {
			p.argFlags(r, a)
		}
	}
	p.checkPorts(r)
	p.checkValues(r)
	p.inForce(r)
	p.messageSizes(r)
	s.Routines = append(s.Routines, r)
}

// checkIDs refuses a request whose id is that of an earlier routine's reply.
func (p *parser) checkIDs(r *Routine) {
	list := p.sub.Routines
	for i := len(list) - 1; i >= 0 && list[i].ID+ReplyOffset >= r.ID; i-- {
		if list[i].ReplyID == r.ID {
			p.errorf(r.Pos, "routine %s: its id %d is also the id of the reply to %s", r.Name, r.ID, list[i].Name)
		}
	}
}

// checkNames refuses two arguments of the same name, the implicit ones
// included.
func (p *parser) checkNames(r *Routine) {
	seen := map[string]*Arg{}
	for _, a := range r.Args {
		if old := seen[a.Name]; old != nil {
			p.errorf(a.Pos, "argument %s is declared twice; the first time at %v", a.Name, old.Pos)
		}
		seen[a.Name] = a
	}
	for _, a := range r.Args {
		if !a.Type.Variable || a.Type.String {
			continue
		}
		if other := seen[a.Name+"Cnt"]; other != nil {
			p.errorf(other.Pos, "argument %s has the name of the count of argument %s", other.Name, a.Name)
		}
	}
}

// distinguish gives an argument its direction and its place in the routine.
func (p *parser) distinguish(r *Routine, a *Arg) {
	if a.Dir == DirNone {
		a.Dir = In
		if r.RequestPort == nil {
			a.Dir = RequestPort
		}
	}
	switch a.Dir {
	case RequestPort:
		p.place(r, &r.RequestPort, a, "requestport")
	case ReplyPort:
		p.place(r, &r.UserReplyPort, a, "reply port")
		r.ServerReplyPort = a
	case UReplyPort:
		p.place(r, &r.UserReplyPort, a, "user's reply port")
	case SReplyPort:
		p.place(r, &r.ServerReplyPort, a, "server's reply port")
	case WaitTime, SendTime:
		p.place(r, &r.WaitTimeArg, a, "time-out")
	case MsgOption:
		p.place(r, &r.MsgOptionArg, a, "msgoption")
	case MsgSeqno:
		p.place(r, &r.MsgSeqnoArg, a, "msgseqno")
	}
}

// place sets a distinguished argument; the last one wins.
func (p *parser) place(r *Routine, at **Arg, a *Arg, what string) {
	if *at != nil {
		p.warnf(a.Pos, "routine %s has several arguments for the %s; %s is not used", r.Name, what, (*at).Name)
	}
	*at = a
}

// argFlags decides an argument's flags.
func (p *parser) argFlags(r *Routine, a *Arg) {
	if !p.sub.Target.Typed() {
		p.xnuArgFlags(r, a)
		return
	}
	t, f := a.Type, p.settle(a.Stated, a.Pos, a.Name)
	s := p.sub
	inKernel := s.KernelServer && a.Dir.Returned() || s.KernelUser && a.sentSomehow()
	if inKernel && f&FlagDealloc != 0 && t.Dealloc == DeallocNo {
		a.Dealloc = DeallocYes // without the warning: old kernels needed it on inline arguments
	} else {
		a.Dealloc = p.dealloc(t, f, t.Dealloc, a.Pos, a.Name)
	}
	a.LongForm = p.longForm(t, f, t.LongForm, a.Pos, a.Name)
	if f&FlagServerCopy != 0 {
		a.ServerCopy = t.Indefinite && a.sentSomehow()
		if !a.ServerCopy {
			p.warnf(a.Pos, "%s: servercopy means nothing here", a.Name)
		}
	}
	if f&FlagCountInOut != 0 {
		a.CountInOut = t.Variable && t.Inline && a.Dir.Returned()
		if !a.CountInOut {
			p.warnf(a.Pos, "%s: countinout means nothing here", a.Name)
		}
	}
	if t.Variable && t.Inline && a.Dir == InOut {
		p.errorf(a.Pos, "argument %s: an inline array of variable size cannot be inout", a.Name)
	}
}

// sentSomehow reports whether the value travels in the request, header included.
func (a *Arg) sentSomehow() bool {
	switch a.Dir {
	case In, InOut, RequestPort, ReplyPort, UReplyPort, SReplyPort, MsgSeqno:
		return true
	}
	return false
}

// checkPorts refuses distinguished arguments of types that cannot be theirs.
func (p *parser) checkPorts(r *Routine) {
	if r.RequestPort == nil {
		p.errorf(r.Pos, "%v %s has no argument for the request port", r.Kind, r.Name)
	} else if !p.isHeaderPort(r.RequestPort.Type, false) {
		p.errorf(r.RequestPort.Pos, "argument %s cannot be the request port: it is not one send right", r.RequestPort.Name)
	}
	for i, a := range []*Arg{r.UserReplyPort, r.ServerReplyPort} {
		if a != nil && (i == 0 || a != r.UserReplyPort) && !p.isHeaderPort(a.Type, true) {
			p.errorf(a.Pos, "argument %s cannot be a reply port: it is not one send right", a.Name)
		}
	}
	for _, a := range []*Arg{r.WaitTimeArg, r.MsgOptionArg, r.MsgSeqnoArg} {
		if a != nil && !p.isInt(a.Type) {
			p.errorf(a.Pos, "argument %s, a %v, is not a plain integer of %d bits", a.Name, a.Dir, p.lay.intBits)
		}
	}
}

// isHeaderPort reports whether a type fits a port of the message's header.
func (p *parser) isHeaderPort(t *Type, zero bool) bool {
	if t.broken {
		return true
	}
	send := t.Out.Poly || t.Out.IsPort() && t.Out.Name.IsSend() && t.Out.Name.Received() == t.Out.Name
	return (send || zero && t.Out.Name == 0) && t.simple() && t.Bits == p.lay.port*8
}

// isInt reports whether a type fits a time-out, an option or a number.
func (p *parser) isInt(t *Type) bool {
	return t.broken || isInteger32(t.In) && isInteger32(t.Out) && t.simple() && t.Bits == p.lay.intBits
}

func isInteger32(w Wire) bool { return !w.Poly && w.Name == mach.TypeInteger32 }

// simple reports whether a type is one inline element that C can assign.
func (t *Type) simple() bool {
	return t.Number == 1 && t.Inline && t.Dealloc == DeallocNo && t.ByValue && !t.Variable
}

// checkValues refuses what a kind of routine cannot have, and warns of missing
// translations.
func (p *parser) checkValues(r *Routine) {
	for _, a := range r.Args {
		if r.Kind.OneWay() && (a.Dir.Returned() || a.Dir == UserImpl) {
			p.errorf(a.Pos, "argument %s of %v %s cannot be %v: there is no reply", a.Name, r.Kind, r.Name, a.Dir)
		}
		if t := a.Type; !t.broken && t.ServerType != t.TransType {
			if t.InTran == "" && a.sentSomehow() {
				p.warnf(a.Pos, "argument %s: type %s has no in-translation function", a.Name, t.Name)
			}
			if t.OutTran == "" && a.Dir.Returned() {
				p.warnf(a.Pos, "argument %s: type %s has no out-translation function", a.Name, t.Name)
			}
		}
	}
	if t := r.Return; t != nil && !t.broken {
		if !t.ByValue {
			p.errorf(r.Pos, "function %s: type %s is too complicated to be returned", r.Name, t.Name)
		}
		if t.Poly() {
			p.errorf(r.Pos, "function %s: type %s is polymorphic and cannot be returned", r.Name, t.Name)
		}
	}
}

// inForce notes what statements above the routine mean for it.
func (p *parser) inForce(r *Routine) {
	s := p.sub
	if r.WaitTimeArg == nil {
		r.WaitTime = s.WaitTime
		if s.WaitTime == "" {
			r.SendTime = s.SendTime
		}
	}
	if r.MsgOptionArg == nil {
		r.MsgOption = s.MsgOption
	}
	r.SpecialReplyPort = p.specialReply && !r.Kind.OneWay() && r.UserReplyPort == nil
	r.ConsumeOnSendError = p.consume
}
