package platform

import (
	"bytes"
	"slices"

	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// The instruction int1 is a trap: rip is after it. Hypervisors that catch the
// debug exception of an AMD processor hand it on with rip still on the
// instruction, and a thread that is let go there would meet it for ever.

// opcodeInt1 is the last byte of int1, after its prefixes if it has any.
const opcodeInt1 = 0xf1

// learnInt1 lets a thread execute the int1 of the stub's text, and reports
// whether this host leaves rip on it. What the bytes around rip are would not
// tell: a thread may come from another int1, or jump behind one.
func (t *Thread) learnInt1() bool {
	r := Regs{RIP: textClient, RFLAGS: flagsInitial}
	ev := t.Run(&r)
	return ev.Vector == VectorDebug && r.RIP == textClient
}

// passInt1 takes rip past an int1 on hosts that leave it there. Every other
// debug exception of a client has a cause in DR6: see Event.
func (t *Thread) passInt1(ev *Event, regs *Regs) {
	if t.p.m.int1 && ev.Kind == EventException && ev.Vector == VectorDebug && ev.DR6 == 0 {
		regs.RIP += int1Length(t.p.code(mach.Addr(regs.RIP)))
	}
}

// int1Length is the length of the int1 that code begins with. If another thread
// has changed the code meanwhile, it is that of one without prefixes.
func int1Length(code []byte) uint64 {
	i := bytes.IndexByte(code, opcodeInt1)
	if i < 0 || slices.ContainsFunc(code[:i], noPrefix) {
		return 1
	}
	return uint64(i) + 1
}

// noPrefix reports whether b is none of the prefixes that int1 can have: lock
// would make it a bad instruction.
func noPrefix(b byte) bool {
	switch b {
	case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3:
		return false
	}
	return b&0xf0 != 0x40 // REX; in compatibility mode that is an instruction, and rip not on it
}

// code is what is mapped at addr, one instruction at most; less if that is all
// there is. It is a look at memory that other threads may write.
func (p *Process) code(addr mach.Addr) []byte {
	const longest = 15 // bytes of an instruction
	code := make([]byte, 0, longest)
	p.pmap.mu.Lock() // what the record has stays mapped, and its frames the task's
	defer p.pmap.mu.Unlock()
	for len(code) < longest {
		at := addr + mach.Addr(len(code))
		e := p.pmap.record.at(at)
		if e.prot == mach.ProtNone {
			break
		}
		part := code[len(code):min(longest, len(code)+mach.PageSize-int(at.PageOffset()))]
		n, err := unix.Pread(p.m.framesFD, part, int64(e.frame)<<mach.PageShift+int64(at.PageOffset()))
		if n <= 0 || err != nil {
			break
		}
		code = code[:len(code)+n]
	}
	return code
}
