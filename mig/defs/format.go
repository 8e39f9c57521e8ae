package defs

import (
	"fmt"
	"strings"
)

// Defs writes the subsystem in the .defs language again, preprocessed and
// without what does not count any more. Parsed for the same target, it gives
// the same Subsystem, but for positions and warnings.
func (s *Subsystem) Defs() string {
	w := &writer{sub: s}
	w.line("subsystem%s%s %s %d", on(s.KernelUser, " kerneluser"), on(s.KernelServer, " kernelserver"), s.Name, s.Base)
	w.line("serverdemux %s", s.ServerDemux)
	if s.ErrorProc != "" {
		w.line("error %s", s.ErrorProc)
	}
	if s.RCSID != "" {
		w.line("rcsid %s", s.RCSID)
	}
	if s.UserTypeLimit != 0 {
		w.line("UserTypeLimit %d", s.UserTypeLimit)
	}
	if s.OnStackLimit != 0 {
		w.line("OnStackLimit %d", s.OnStackLimit)
	}
	for _, i := range s.Imports {
		w.line("%v %s", i.Kind, i.File)
	}
	types := s.Types
	for i, r := range s.Routines {
		for len(types) > 0 && types[0].before <= i {
			w.line("type %s", types[0].decl())
			types = types[1:]
		}
		w.routine(r)
	}
	for _, t := range types {
		w.line("type %s", t.decl())
	}
	w.skip(s.End - s.Base)
	return w.b.String()
}

func on(flag bool, text string) string {
	if flag {
		return text
	}
	return ""
}

// writer knows what the statements written so far mean for the next routine.
type writer struct {
	b      strings.Builder
	sub    *Subsystem
	number int
	now    Routine // prefixes are in UserName and ServerName
}

func (w *writer) line(format string, args ...any) {
	fmt.Fprintf(&w.b, format+";\n", args...)
}

// skip writes what leaves numbers out up to n.
func (w *writer) skip(n int) {
	switch {
	case n <= w.number:
	case w.sub.Target.Typed():
		w.line("skip %d", n-w.number)
	default:
		w.b.WriteString(strings.Repeat("skip;\n", n-w.number))
	}
	w.number = n
}

// setting writes a statement that counts from here on, where it is needed.
func (w *writer) setting(now *string, want, word, none string) {
	if *now == want {
		return
	}
	*now = want
	switch {
	case want != "":
		w.line("%s %s", word, want)
	default:
		w.line("%s", none)
	}
}

func (w *writer) routine(r *Routine) {
	w.skip(r.Number)
	w.number++
	w.prefix(&w.now.UserName, strings.TrimSuffix(r.UserName, r.Name), "userprefix")
	w.prefix(&w.now.ServerName, strings.TrimSuffix(r.ServerName, r.Name), "serverprefix")
	if r.WaitTimeArg == nil {
		w.setting(&w.now.WaitTime, r.WaitTime, "waittime", "nowaittime")
		if r.WaitTime == "" {
			w.setting(&w.now.SendTime, r.SendTime, "sendtime", "nosendtime")
		}
	}
	if r.MsgOptionArg == nil {
		w.setting(&w.now.MsgOption, r.MsgOption, "msgoption", "msgoption MACH_MSG_OPTION_NONE")
	}
	if !r.Kind.OneWay() && r.UserReplyPort == nil && r.SpecialReplyPort != w.now.SpecialReplyPort {
		w.now.SpecialReplyPort = r.SpecialReplyPort
		w.line("UseSpecialReplyPort %s", map[bool]string{true: "1", false: "0"}[r.SpecialReplyPort])
	}
	w.setting(&w.now.ConsumeOnSendError, r.ConsumeOnSendError, "ConsumeOnSendError", "ConsumeOnSendError None")
	args := make([]string, len(r.Args))
	for i, a := range r.Args {
		args[i] = "\n\t" + a.Dir.String() + " " + a.Name + " : " + a.typeText() + a.Stated.String()
	}
	of := ""
	if r.Return != nil {
		of = " : " + typeText(r.Return)
	}
	w.line("%v %s(%s)%s", r.Kind, r.Name, strings.Join(args, ";"), of)
}

// prefix writes a prefix statement. There is none that takes a prefix away,
// and so no routine without a prefix stands behind one with it.
func (w *writer) prefix(now *string, want, word string) {
	if want != "" && want != *now {
		*now = want
		w.line("%s %s", word, want)
	}
}

func (a *Arg) typeText() string { return typeText(a.Type) }

// typeText is a type as an argument states it.
func typeText(t *Type) string {
	switch {
	case t.local && t.Name == "":
		return t.spec
	case t.local:
		return t.decl()
	}
	return t.Name
}

// decl is a type's declaration without the keyword. The C types go first,
// where no function is in the way of stating them.
func (t *Type) decl() string {
	var b strings.Builder
	b.WriteString(t.Name + " = " + t.spec)
	if t.stated.user != "" {
		b.WriteString(" cusertype: " + t.stated.user)
	}
	if t.stated.server != "" {
		b.WriteString(" cservertype: " + t.stated.server)
	}
	if t.InTran != "" {
		fmt.Fprintf(&b, " intran: %s %s(%s)", t.stated.trans, t.InTran, t.stated.server)
	}
	if t.InTranPayload != "" {
		fmt.Fprintf(&b, " intranpayload: %s %s", t.stated.trans, t.InTranPayload)
	}
	if t.OutTran != "" {
		fmt.Fprintf(&b, " outtran: %s %s(%s)", t.stated.server, t.OutTran, t.stated.trans)
	}
	if t.Destructor != "" {
		fmt.Fprintf(&b, " destructor: %s(%s)", t.Destructor, t.stated.trans)
	}
	return b.String()
}
