package realmig

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"machkernel/mach"
)

// typeError is how drivers print MIG_TYPE_ERROR.
var typeError = uint32(1<<32 + int64(mach.MigTypeError))

// intended says why a difference is right; empty if it is not. These are all of
// them: what the real MIG's C does there is unsafe.
func (c *trial) intended(inC, inGo string) string {
	switch {
	case c.wraps() && refused(inGo):
		return "the size of an array in C wraps at 32 bits, and elements are read behind the message; Go refuses the message"
	case c.splits() && accepted(inC) && accepted(inGo):
		return "C counts whole groups (structs of an array), and drops what is left of one; Go counts elements, as the message does"
	case c.hasShortText() && readsOn(inC, inGo):
		return "C reads a string up to its zero, behind the bytes that are counted; in Go it ends with them"
	}
	return ""
}

// wraps reports whether a descriptor in what is judged counts more bytes than
// 32 bits can.
func (c *trial) wraps() bool {
	for _, at := range c.items {
		if at+8 > len(c.input) {
			continue
		}
		d := binary.LittleEndian.Uint64(c.input[at:])
		if (d>>32)*(d>>8&0xffff)/8+64 >= 1<<32 {
			return true
		}
	}
	return false
}

// splits reports whether a descriptor in what is judged counts a part of a
// group.
func (c *trial) splits() bool {
	parts := c.parts()
	for i, p := range parts {
		at := c.items[len(c.items)-len(parts)+i]
		if !p.room && at+8 <= len(c.input) && binary.LittleEndian.Uint32(c.input[at+4:])%uint32(p.scale()) != 0 {
			return true
		}
	}
	return false
}

// parts are those of what is judged.
func (c *trial) parts() []part {
	if c.server {
		return requestParts(c.routine)
	}
	return replyParts(c.routine)
}

// accepted reports whether an answer shows results, or that a server was called.
func accepted(answer string) bool {
	return strings.Contains(answer, " kr=0 ") || strings.Contains(answer, " known=1")
}

// refused reports whether an answer shows that a message's layout was not.
func refused(answer string) bool {
	return strings.Contains(answer, fmt.Sprintf(" kr=%x ", typeError)) || answer == "known=1"
}

// hasShortText reports whether there is a string in what is judged that takes
// as many bytes as it has.
func (c *trial) hasShortText() bool {
	return slices.ContainsFunc(c.parts(), func(p part) bool { return p.kind == shortText })
}

// readsOn reports whether the lines differ in bytes that C has and Go lacks.
func readsOn(inC, inGo string) bool {
	a, b := strings.Fields(inC), strings.Fields(inGo)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(b[i][0] == ':' && strings.HasPrefix(a[i], b[i])) {
			return false
		}
	}
	return true
}
