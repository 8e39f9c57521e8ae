package defs

import (
	"fmt"
	"strings"
)

// String is the subsystem as it was understood: one line for each fact, for
// people and for tests.
func (s *Subsystem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "subsystem %s, %v, ids %d to %d", s.Name, s.Target, s.Base, s.End-1)
	if s.End == s.Base {
		b.Reset()
		fmt.Fprintf(&b, "subsystem %s, %v, no ids, base %d", s.Name, s.Target, s.Base)
	}
	flag(&b, s.KernelUser, ", the user is the kernel")
	flag(&b, s.KernelServer, ", the server is the kernel")
	fmt.Fprintf(&b, "\ndemultiplexer %s\n", s.ServerDemux)
	for _, f := range []struct{ what, value string }{{"error procedure", s.ErrorProc}, {"rcsid", s.RCSID}} {
		if f.value != "" {
			fmt.Fprintf(&b, "%s %s\n", f.what, f.value)
		}
	}
	if s.UserTypeLimit != 0 || s.OnStackLimit != 0 {
		fmt.Fprintf(&b, "limits: user type %d, on stack %d\n", s.UserTypeLimit, s.OnStackLimit)
	}
	for _, i := range s.Imports {
		fmt.Fprintf(&b, "%v %s\n", i.Kind, i.File)
	}
	for _, t := range s.Types {
		t.dump(&b, "type ")
	}
	for _, r := range s.Routines {
		r.dump(&b)
	}
	return b.String()
}

func flag(b *strings.Builder, on bool, text string) {
	if on {
		b.WriteString(text)
	}
}

// String is the statement's keyword.
func (k ImportKind) String() string {
	names := [...]string{"import", "uimport", "simport", "iimport", "dimport"}
	if int(k) < len(names) {
		return names[k]
	}
	return "import?"
}

func (d Dealloc) String() string {
	switch d {
	case DeallocYes:
		return "dealloc"
	case DeallocMaybe:
		return "dealloc[]"
	}
	return "notdealloc"
}

// dump writes a type and, indented, what it has beside its wire form.
func (t *Type) dump(b *strings.Builder, before string) {
	fmt.Fprintf(b, "%s%s = %s", before, t.Name, t.In.C)
	if t.Out.C != t.In.C {
		b.WriteString(" -> " + t.Out.C)
	}
	fmt.Fprintf(b, ", %d bits x %d, %s, %d bytes", t.Bits, t.Number, t.form(), t.Size)
	if t.Pad != 0 {
		fmt.Fprintf(b, " + %d", t.Pad)
	}
	fmt.Fprintf(b, " aligned to %d", t.Align)
	flag(b, t.LongForm, ", long form")
	flag(b, t.Dealloc != DeallocNo, ", "+t.Dealloc.String())
	flag(b, t.Descriptors > 0, fmt.Sprintf(", descriptors %d", t.Descriptors))
	b.WriteString("\n")
	indent := strings.Repeat(" ", len(before)-len(strings.TrimLeft(before, " "))) + "  "
	for _, f := range t.Fields {
		fmt.Fprintf(b, "%sfield %s %s at %d\n", indent, f.Type.Name, f.Name, f.Offset)
	}
	for _, c := range []struct{ what, value, usual string }{
		{"user", t.UserType, t.Name},
		{"server", t.ServerType, t.Name},
		{"translated", t.TransType, t.ServerType},
		{"intran", t.InTran, ""},
		{"intranpayload", t.InTranPayload, ""},
		{"outtran", t.OutTran, ""},
		{"destructor", t.Destructor, ""},
	} {
		if c.value != c.usual {
			fmt.Fprintf(b, "%s%s: %s\n", indent, c.what, c.value)
		}
	}
}

// form says in words how a value of the type travels and what C makes of it.
func (t *Type) form() string {
	var words []string
	switch {
	case t.Native != nil && t.Native.Pointer:
		words = append(words, "native pointer")
	case t.Native != nil:
		words = append(words, "native value")
	case t.Indefinite:
		words = append(words, "inline or out of line")
	case t.Inline:
		words = append(words, "inline")
	default:
		words = append(words, "out of line")
	}
	if t.Variable {
		words = append(words, "variable")
	}
	switch {
	case t.String:
		words = append(words, "string")
	case !t.ByValue:
		words = append(words, "array")
	}
	return strings.Join(words, " ")
}

// dump writes a routine and, indented, its arguments.
func (r *Routine) dump(b *strings.Builder) {
	fmt.Fprintf(b, "%v %s = %d", r.Kind, r.Name, r.ID)
	flag(b, r.ReplyID != 0, fmt.Sprintf(", reply %d", r.ReplyID))
	flag(b, r.UserName != r.Name, ", user "+r.UserName)
	flag(b, r.ServerName != r.Name, ", server "+r.ServerName)
	flag(b, r.RequestSize != 0, fmt.Sprintf(", at least %d and %d bytes", r.RequestSize, r.ReplySize))
	b.WriteString("\n")
	for _, f := range []struct{ what, value string }{
		{"waittime", r.WaitTime},
		{"sendtime", r.SendTime},
		{"msgoption", r.MsgOption},
		{"consumeonsenderror", r.ConsumeOnSendError},
	} {
		if f.value != "" {
			fmt.Fprintf(b, "  %s %s\n", f.what, f.value)
		}
	}
	flag(b, r.SpecialReplyPort, "  special reply port\n")
	for _, a := range r.Args {
		a.dump(b)
	}
	if r.Return != nil {
		fmt.Fprintf(b, "  returns %s\n", r.Return.Name)
	}
}

func (a *Arg) dump(b *strings.Builder) {
	fmt.Fprintf(b, "  %v %s: ", a.Dir, a.Name)
	switch {
	case a.Type.Native != nil:
		b.WriteString(a.Type.spec)
	default:
		b.WriteString(a.Type.Name)
	}
	if a.Dealloc != a.Type.Dealloc {
		b.WriteString(", " + a.Dealloc.String())
	}
	if a.LongForm != a.Type.LongForm {
		b.WriteString(map[bool]string{true: ", islong", false: ", isnotlong"}[a.LongForm])
	}
	for _, f := range []struct {
		on   bool
		flag Flags
	}{
		{a.ServerCopy, FlagServerCopy},
		{a.CountInOut, FlagCountInOut},
		{a.SameCount, FlagSameCount},
		{a.PhysicalCopy, FlagPhysicalCopy},
		{a.Overwrite, FlagOverwrite},
		{a.RetCode, FlagRetCode},
		{a.Auto, FlagAuto},
		{a.Const, FlagConst},
	} {
		flag(b, f.on, ", "+f.flag.name())
	}
	b.WriteString("\n")
	if a.Type.local && a.Type.Native == nil {
		a.Type.dump(b, "    type ")
	}
}
