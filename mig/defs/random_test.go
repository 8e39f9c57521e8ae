package defs

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// author writes random texts: good syntax, and types and flags in any
// combination, most of them odd.
type author struct {
	*rand.Rand
	b     strings.Builder
	names []string
}

func (a *author) pick(of ...string) string { return of[a.IntN(len(of))] }

// maybe is what, one time in n.
func (a *author) maybe(n int, what string) string {
	if a.IntN(n) == 0 {
		return what
	}
	return ""
}

func (a *author) text() string {
	fmt.Fprintf(&a.b, "subsystem %s%s s %d;\n", a.maybe(4, "kerneluser "), a.maybe(4, "kernelserver "), a.IntN(5000))
	a.names = []string{"char", "short", "int", "int64", "uintptr_t", "mach_port_t"}
	a.b.WriteString("type mach_port_t = MACH_MSG_TYPE_COPY_SEND;\n")
	for i := range 1 + a.IntN(4) {
		name := fmt.Sprintf("t%d", i)
		fmt.Fprintf(&a.b, "type %s = %s%s;\n", name, a.spec(), a.clauses())
		a.names = append(a.names, name)
	}
	for i := range a.IntN(3) {
		a.routine(i)
	}
	return a.b.String()
}

func (a *author) spec() string {
	n := 1 + a.IntN(20)
	switch a.IntN(14) {
	case 0:
		return fmt.Sprintf("array[%d] of %s", n, a.spec())
	case 1:
		return fmt.Sprintf("array[*:%d] of %s", n, a.spec())
	case 2:
		return "array[] of " + a.spec()
	case 3:
		return "^" + a.spec()
	case 4:
		return "^array[] of " + a.spec()
	case 5:
		return fmt.Sprintf("struct[%d] of %s", n, a.spec())
	case 6:
		return fmt.Sprintf("struct { %s a; %s b; %s c; }", a.pick(a.names...), a.pick(a.names...), a.pick(a.names...))
	case 7:
		return fmt.Sprintf("c_string[%s%d]", a.maybe(2, "*:"), n)
	case 8:
		return fmt.Sprintf("(%s, %d%s)", a.wire(), 8*n, a.flags(2))
	case 9:
		return a.wire()
	}
	return a.pick(a.names...)
}

func (a *author) wire() string {
	w := a.pick("polymorphic", "MACH_MSG_TYPE_POLYMORPHIC", "MACH_MSG_TYPE_MOVE_RECEIVE", "MACH_MSG_TYPE_PORT_SEND",
		"MACH_MSG_TYPE_MAKE_SEND_ONCE", "MACH_MSG_TYPE_PORT_NAME", "MACH_MSG_TYPE_BYTE", "MACH_MSG_TYPE_BOOLEAN",
		"MACH_MSG_TYPE_INTEGER_16", "MACH_MSG_TYPE_STRING", "MACH_MSG_TYPE_STRING_C", "9", "17", "200")
	if a.IntN(6) == 0 {
		return w + "|" + a.wire()
	}
	return w
}

func (a *author) flags(n int) string {
	var f string
	for range a.IntN(n + 1) {
		f += ", " + a.pick("islong", "isnotlong", "dealloc", "notdealloc", "dealloc[]", "servercopy", "countinout", "retcode")
	}
	return f
}

func (a *author) clauses() string {
	if a.IntN(4) != 0 {
		return ""
	}
	return a.pick(" ctype: ", " cusertype: ", " cservertype: ") + a.pick("mach_port_t", "c_t") +
		a.maybe(3, " intran: k_t f(mach_port_t)") + a.maybe(3, " outtran: c_t g(k_t)") +
		a.maybe(4, " destructor: h(k_t)") + a.maybe(6, " intranpayload: k_t i")
}

func (a *author) routine(i int) {
	fmt.Fprintf(&a.b, "%s r%d(p : %s", a.pick("routine", "routine", "simpleroutine"), i,
		a.pick("mach_port_t", "mach_port_t", "mach_port_t", a.pick(a.names...)))
	for j := range a.IntN(4) {
		dir := a.pick("", "in", "out", "out", "inout", "replyport", "ureplyport", "sreplyport", "requestport", "waittime", "msgoption", "msgseqno")
		of := a.pick(a.names...)
		if a.IntN(5) == 0 {
			of = fmt.Sprintf("l%d = %s", j, a.spec())
		}
		fmt.Fprintf(&a.b, ";\n\t%s a%d : %s%s", dir, j, of, a.flags(2))
	}
	a.b.WriteString(");\n" + a.maybe(4, "skip 2;\n"))
}

// Random texts are refused by both generators or mean the same to both.
func TestRealMIGAgreesOnRandomTexts(t *testing.T) {
	_, migcom := toolchain(t)
	accepted := 0
	for seed := range uint64(400) {
		a := &author{Rand: rand.New(rand.NewPCG(seed, 4))}
		text := []byte(a.text())
		s, err := Parse("f", text, GNU64)
		_, ok := generate(t, migcom, text)
		require.Equal(t, ok, err == nil, "seed %d: %v\n%s", seed, err, text)
		if ok {
			accepted++
			requireAgreement(t, migcom, s, text)
		}
	}
	require.Greater(t, accepted, 50)
}
