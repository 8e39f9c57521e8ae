package gen

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// initialisms are parts of names that Go writes in capitals.
var initialisms = map[string]string{
	"vm": "VM", "id": "ID", "io": "IO", "ras": "RAS", "ldt": "LDT", "gdt": "GDT", "cpu": "CPU",
	"pc": "PC", "ipc": "IPC", "rpc": "RPC", "irq": "IRQ",
}

// camel is a C name in Go's spelling.
func camel(name string, exported bool) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' }) {
		first := b.Len() == 0
		up := initialisms[part]
		switch {
		case first && !exported:
			b.WriteString(lowerFirst(part))
		case up != "":
			b.WriteString(up)
		default:
			b.WriteString(upperFirst(part))
		}
	}
	return b.String()
}

func upperFirst(s string) string { return mapFirst(s, unicode.ToUpper) }
func lowerFirst(s string) string { return mapFirst(s, unicode.ToLower) }

func mapFirst(s string, f func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(f(r)) + s[n:]
}

// taken are names that mean something else in generated code.
var taken = strings.Fields(`break case chan const continue default defer else fallthrough for func go goto if
	import interface map package range return select struct switch type var
	any bool byte cap clear close copy len make new nil true false string uint32 uint64 int32 int64
	b c e k m n o r s at in kr mig mach ports ipc vm`)

var reserved = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range taken {
		set[w] = true
	}
	return set
}()

// variable is an argument's name in Go.
func variable(name string) string {
	v := camel(name, false)
	if reserved[v] {
		v += "Arg"
	}
	return v
}
