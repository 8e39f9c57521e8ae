package defs

import "strings"

// statement reads one statement up to its semicolon.
func (p *parser) statement() {
	if p.tok.kind != tokWord {
		p.syntax("%v where a statement should start", p.tok)
		return
	}
	word := strings.ToLower(p.tok.text)
	read := p.statementOf(word)
	if read == nil && !p.sub.Target.Typed() {
		read = p.xnuStatement(word)
	}
	switch {
	case read != nil:
		read()
	case !p.sub.Target.Typed() || p.xnuStatement(word) == nil:
		p.syntax("%s does not start a statement", p.tok.text)
	default:
		p.syntax("%s is a statement of XNU's MIG, not of GNU's", p.tok.text)
	}
}

// statementOf is the function that reads a statement both dialects have, or nil.
func (p *parser) statementOf(word string) func() {
	s := p.sub
	switch word {
	case "subsystem":
		return p.subsystem
	case "type":
		return p.typeDecl
	case "routine":
		return func() { p.routine(KindRoutine) }
	case "simpleroutine":
		return func() { p.routine(KindSimpleRoutine) }
	case "procedure":
		return func() { p.routine(KindProcedure) }
	case "simpleprocedure":
		return func() { p.routine(KindSimpleProcedure) }
	case "function":
		return func() { p.routine(KindFunction) }
	case "skip":
		return p.skip
	case "import":
		return func() { p.include(ImportAll) }
	case "uimport":
		return func() { p.include(ImportUser) }
	case "simport":
		return func() { p.include(ImportServer) }
	case "serverprefix":
		return func() { p.setName(&s.ServerPrefix) }
	case "userprefix":
		return func() { p.setName(&s.UserPrefix) }
	case "serverdemux":
		return func() { p.setName(&s.ServerDemux) }
	case "error":
		return func() { p.setName(&s.ErrorProc) }
	case "rcsid":
		return p.rcsID
	case "waittime":
		return func() { p.setRaw(&s.WaitTime) }
	case "nowaittime":
		return func() { s.WaitTime = ""; p.next() }
	case "msgoption":
		return p.msgOption
	}
	return nil
}

// xnuStatement is the same for statements of XNU's MIG alone.
func (p *parser) xnuStatement(word string) func() {
	s := p.sub
	switch word {
	case "iimport":
		return func() { p.include(ImportHeader) }
	case "dimport":
		return func() { p.include(ImportDefs) }
	case "sendtime":
		return func() { p.setRaw(&s.SendTime) }
	case "nosendtime":
		return func() { s.SendTime = ""; p.next() }
	case "usertypelimit":
		return func() { p.setNumber(&s.UserTypeLimit) }
	case "onstacklimit":
		return func() { p.setNumber(&s.OnStackLimit) }
	case "usespecialreplyport":
		return func() {
			var n int
			p.setNumber(&n)
			p.specialReply = n != 0
		}
	case "consumeonsenderror":
		return p.consumeOnSendError
	}
	return nil
}

// reserved reports whether a word cannot be a name. The historic statements
// are keywords only where a statement starts.
func (p *parser) reserved(word string) bool {
	switch strings.ToLower(word) {
	case "routine", "simpleroutine", "subsystem", "msgoption", "msgseqno", "waittime", "nowaittime",
		"in", "out", "inout", "requestport", "replyport", "ureplyport", "sreplyport", "array", "of",
		"serverprefix", "userprefix", "serverdemux", "rcsid", "import", "uimport", "simport", "type",
		"kernelserver", "kerneluser", "skip", "struct", "intran", "outtran", "destructor",
		"ctype", "cusertype", "cservertype", "c_string", "dealloc", "notdealloc", "countinout",
		"retcode", "polymorphic":
		return true
	case "intranpayload", "islong", "isnotlong", "servercopy":
		return p.sub.Target.Typed()
	}
	return p.wireType(word) != nil || !p.sub.Target.Typed() && xnuReserved(word)
}

func xnuReserved(word string) bool {
	switch word {
	case "PointerTo", "PointerToIfNot", "ValueOf", "UserTypeLimit", "OnStackLimit":
		return true
	}
	switch strings.ToLower(word) {
	case "usespecialreplyport", "consumeonsenderror", "sendtime", "nosendtime", "userimpl", "serverimpl",
		"sectoken", "serversectoken", "usersectoken", "audittoken", "serveraudittoken", "useraudittoken",
		"servercontexttoken", "error", "dimport", "iimport", "samecount", "physicalcopy", "overwrite",
		"auto", "const":
		return true
	}
	return false
}

// subsystem reads: subsystem [KernelUser] [KernelServer] name base
func (p *parser) subsystem() {
	s := p.sub
	if s.Name != "" {
		p.syntax("a second subsystem; the first, %s, is at %v", s.Name, s.Pos)
		return
	}
	s.Pos = p.tok.pos
	for p.next(); ; p.next() {
		switch {
		case p.is("kerneluser"):
			p.once(&s.KernelUser)
		case p.is("kernelserver"):
			p.once(&s.KernelServer)
		default:
			s.Name = p.name("as the subsystem's name").text
			s.Base = p.want(tokNumber, "as the subsystem's first message id").num
			if s.Name == "" {
				s.Name = "?" // there was an error; do not say that there is no subsystem
			}
			return
		}
	}
}

func (p *parser) once(flag *bool) {
	if *flag {
		p.warnf(p.tok.pos, "%s is stated twice", p.tok.text)
	}
	*flag = true
}

// skip reads: skip [count]
func (p *parser) skip() {
	p.next()
	n := 1
	if p.tok.kind == tokNumber {
		if !p.sub.Target.Typed() {
			p.errorf(p.tok.pos, "XNU's MIG takes no number after skip")
		}
		n = p.tok.num
		p.next()
	}
	p.number = min(p.number+n, maxNumber)
}

// include reads: import "file", and its like.
func (p *parser) include(k ImportKind) {
	p.nextIn(modeFile)
	t := p.want(tokFile, "after import")
	p.sub.Imports = append(p.sub.Imports, Import{Pos: t.pos, Kind: k, File: t.text})
}

func (p *parser) setName(to *string) {
	word := p.tok.text
	p.next()
	if t := p.name("after " + word); t.kind == tokWord {
		*to = t.text
	}
}

func (p *parser) setNumber(to *int) {
	word := p.tok.text
	p.next()
	*to = p.want(tokNumber, "after "+word).num
}

func (p *parser) setRaw(to *string) {
	word := p.tok.text
	p.nextIn(modeRaw)
	if t := p.want(tokRaw, "after "+word); t.kind == tokRaw {
		*to = t.text
	}
}

func (p *parser) msgOption() {
	p.setRaw(&p.sub.MsgOption)
	if p.sub.MsgOption == "MACH_MSG_OPTION_NONE" {
		p.sub.MsgOption = ""
	}
}

func (p *parser) rcsID() {
	if p.sub.RCSID != "" {
		p.warnf(p.tok.pos, "a second rcsid; the first is forgotten")
	}
	p.nextIn(modeQuoted)
	p.sub.RCSID = p.want(tokQuoted, "after rcsid").text
}

func (p *parser) consumeOnSendError() {
	var what string
	p.setRaw(&what)
	switch what = strings.ToLower(what); what {
	case "none":
		p.consume = ""
	case "timeout", "any":
		p.consume = what
	default:
		p.syntax("ConsumeOnSendError takes None, Timeout or Any, not %s", what)
	}
}
