package defs

// Target is the message format and machine that sizes are computed for.
type Target uint8

// Targets.
const (
	GNU64 Target = iota // GNU Mach's typed messages, x86_64
	GNU32               // the same, i386
	XNU64               // XNU's untyped messages, 64 bits
)

// Typed reports whether items carry descriptors in the body: GNU's dialect.
// Else the dialect is XNU's.
func (t Target) Typed() bool { return t != XNU64 }

// layout has a target's sizes in bytes.
type layout struct {
	word    int // of uintptr_t, and what items of a typed message are aligned to
	port    int // of a right inside a message
	name    int // of mach_port_name_t
	header  int // of mach_msg_header_t
	short   int // of a short descriptor with its padding
	long    int // of a long descriptor with its padding
	align   int // items in a message
	intBits int // of the types of time-outs and options
}

func (t Target) layout() layout {
	switch t {
	case GNU32:
		return layout{word: 4, port: 4, name: 4, header: 24, short: 4, long: 12, align: 4, intBits: 32}
	case XNU64:
		return layout{word: 8, port: 4, name: 4, header: 24, align: 4, intBits: 32}
	}
	return layout{word: 8, port: 8, name: 4, header: 32, short: 8, long: 8, align: 8, intBits: 32}
}

func (t Target) String() string {
	switch t {
	case GNU32:
		return "gnu32"
	case XNU64:
		return "xnu64"
	}
	return "gnu64"
}
