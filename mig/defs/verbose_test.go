package defs

import (
	"fmt"
	"strings"

	"machkernel/mach"
)

// verbose says of a subsystem what the real generator says when it is asked
// to be verbose, but for imports and settings.
func verbose(s *Subsystem) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Subsystem %s: base = %d", s.Name, s.Base)
	flag(&b, s.KernelUser, ", KernelUser")
	flag(&b, s.KernelServer, ", KernelServer")
	b.WriteString("\n")
	types := s.Types
	for i, r := range s.Routines {
		for len(types) > 0 && types[0].before <= i {
			verboseType(&b, types[0])
			types = types[1:]
		}
		verboseRoutine(&b, r)
	}
	for _, t := range types {
		verboseType(&b, t)
	}
	return b.String()
}

func verboseType(b *strings.Builder, t *Type) {
	fmt.Fprintf(b, "Type %s = ", t.Name)
	flag(b, !t.Inline, "^ ")
	switch {
	case t.Variable && (t.Number == 0 || t.Indefinite):
		b.WriteString("array [] of ")
	case t.Variable:
		fmt.Fprintf(b, "array [*:%d] of ", t.Number)
	case t.ByValue && (t.Number != 1 || t.In.Name == mach.TypeString):
		fmt.Fprintf(b, "struct [%d] of ", t.Number)
	case t.Number != 1:
		fmt.Fprintf(b, "array [%d] of ", t.Number)
	}
	if t.In.C == t.Out.C {
		fmt.Fprintf(b, "(%s, %d", t.In.C, t.Bits)
	} else {
		fmt.Fprintf(b, "(%s|%s %d", t.In.C, t.Out.C, t.Bits)
	}
	flag(b, t.LongForm, ", IsLong")
	flag(b, t.Dealloc == DeallocYes, ", Dealloc")
	flag(b, t.Dealloc == DeallocMaybe, ", Dealloc[]")
	b.WriteString(")\n")
	flag(b, t.UserType != t.Name, "CUserType: "+t.UserType+"\n")
	flag(b, t.ServerType != t.Name, "CServerType: "+t.ServerType+"\n")
	flag(b, t.InTran != "", fmt.Sprintf("InTran: %s %s(%s)\n", t.TransType, t.InTran, t.ServerType))
	flag(b, t.InTranPayload != "", fmt.Sprintf("InTranPayload: %s %s\n", t.TransType, t.InTranPayload))
	flag(b, t.OutTran != "", fmt.Sprintf("OutTran: %s %s(%s)\n", t.ServerType, t.OutTran, t.TransType))
	flag(b, t.Destructor != "", fmt.Sprintf("Destructor: %s(%s)\n", t.Destructor, t.TransType))
}

func verboseRoutine(b *strings.Builder, r *Routine) {
	for _, a := range r.Args {
		if a.Type.local {
			verboseType(b, a.Type)
		}
	}
	kind := map[RoutineKind]string{KindRoutine: "Routine", KindSimpleRoutine: "SimpleRoutine"}[r.Kind]
	fmt.Fprintf(b, "%s (%d) %s(", kind, r.Number, r.Name)
	for _, a := range r.Args {
		verboseArg(b, a)
	}
	b.WriteString(")\n")
}

func verboseArg(b *strings.Builder, a *Arg) {
	dir := map[Dir]string{
		In: "In", Out: "Out", InOut: "InOut", RequestPort: "RequestPort", ReplyPort: "ReplyPort",
		UReplyPort: "ReplyPort", SReplyPort: "ReplyPort", WaitTime: "WaitTime",
		MsgOption: "MsgOption", MsgSeqno: "MsgSeqno",
	}[a.Dir]
	fmt.Fprintf(b, "\n %s %s: %s", dir, a.Name, a.Type.Name)
	if a.Dealloc != a.Type.Dealloc {
		b.WriteString(map[Dealloc]string{DeallocNo: ", NotDealloc", DeallocYes: ", Dealloc", DeallocMaybe: ", Dealloc[]"}[a.Dealloc])
	}
	if a.LongForm != a.Type.LongForm {
		b.WriteString(map[bool]string{true: ", IsLong", false: ", IsNotLong"}[a.LongForm])
	}
	flag(b, a.ServerCopy, ", ServerCopy")
	flag(b, a.CountInOut, ", CountInOut")
	inUser := a.sentSomehow() && a.Dir != MsgSeqno && a.Dir != SReplyPort
	flag(b, a.Dealloc == DeallocMaybe && (inUser || a.Dir.Returned()), "\n "+a.Name+"Dealloc: boolean_t")
	flag(b, a.ServerCopy, "\n "+a.Name+"SCopy: boolean_t")
}
