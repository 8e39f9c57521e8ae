package platform

import (
	"encoding/binary"
	"fmt"
	"slices"

	"machkernel/mach"
)

// Layout of the signal frame that the host pushes (struct rt_sigframe):
// return address, ucontext, siginfo. The extended state lies elsewhere in the
// slot; see ExtendedState.
const (
	ucFlags   = 8
	ucStack   = ucFlags + 16
	ucRegs    = ucStack + 24
	ucMask    = ucRegs + 256
	frameInfo = ucMask + 8
	frameSize = frameInfo + 128
)

// Words of the saved registers at ucRegs (struct sigcontext).
const (
	scR8 = iota
	scR9
	scR10
	scR11
	scR12
	scR13
	scR14
	scR15
	scRDI
	scRSI
	scRBP
	scRBX
	scRDX
	scRAX
	scRCX
	scRSP
	scRIP
	scFlags
	scSegments // cs, gs, fs, ss: 16 bits each
	scError
	scVector
	scMask
	scCR2
	scFloat // address of the floating-point state, 0 for the initial one
	scWords
)

// Offsets in siginfo.
const (
	siSigno  = 0
	siCode   = 8
	siAddr   = 16 // also si_call_addr of SIGSYS
	siNumber = 24
	siArch   = 28
)

// Values of the host's signal ABI.
const (
	sigIll, sigTrap, sigBus, sigFPE = 4, 5, 7, 8
	sigUsr1, sigSegv, sigSys        = 10, 11, 31

	codeKernel = 128 // SI_KERNEL
	codeFilter = 1   // SYS_SECCOMP
	codeUser   = 2   // SYS_USER_DISPATCH
	codeStep   = 2   // TRAP_TRACE

	ucSigcontextSS    = 2 // uc_flags
	ucStrictRestoreSS = 4

	ssAutodisarm = 1 << 31
	dataSegment  = 0x2b
	flagsInitial = 0x202

	errWrite, errUser, errFetch, errKey = 2, 4, 16, 32 // page-fault error code

	int80Error   = 0x80*8 + 2
	vsyscallPage = 0xffffffffff600000
)

// handledSignals are those that have the handler; a client thread blocks all
// others, so that a stray SIGTERM does not end a task behind the kernel's back.
const handledSignals = 1<<(sigIll-1) | 1<<(sigTrap-1) | 1<<(sigBus-1) | 1<<(sigFPE-1) |
	1<<(sigUsr1-1) | 1<<(sigSegv-1) | 1<<(sigSys-1)

// frame is a private copy of what a thread posted.
type frame [frameSize]byte

func (f *frame) reg(i int) uint64  { return binary.LittleEndian.Uint64(f[ucRegs+8*i:]) }
func (f *frame) info(o int) uint32 { return binary.LittleEndian.Uint32(f[frameInfo+o:]) }

func (f *frame) infoAddr() uint64 { return binary.LittleEndian.Uint64(f[frameInfo+siAddr:]) }

// firstFrame is what a new thread returns through into client code: it arms
// the signal stack of the slot at base and unblocks the handled signals, so
// that the stub needs no call for either.
func firstFrame(base uint64) *frame {
	var f frame
	le := binary.LittleEndian
	le.PutUint64(f[ucFlags:], ucSigcontextSS|ucStrictRestoreSS)
	le.PutUint64(f[ucStack:], base+sStack)
	le.PutUint32(f[ucStack+8:], ssAutodisarm)
	le.PutUint64(f[ucStack+16:], slotSize-sStack)
	le.PutUint64(f[ucMask:], ^uint64(handledSignals))
	return &f
}

// words are the fields of r by the word of the saved context that holds them.
func (r *Regs) words() [scFlags + 1]*uint64 {
	return [...]*uint64{
		scR8: &r.R8, scR9: &r.R9, scR10: &r.R10, scR11: &r.R11,
		scR12: &r.R12, scR13: &r.R13, scR14: &r.R14, scR15: &r.R15,
		scRDI: &r.RDI, scRSI: &r.RSI, scRBP: &r.RBP, scRBX: &r.RBX,
		scRDX: &r.RDX, scRAX: &r.RAX, scRCX: &r.RCX, scRSP: &r.RSP,
		scRIP: &r.RIP, scFlags: &r.RFLAGS,
	}
}

// save takes the registers out of a posted frame.
func (r *Regs) save(f *frame) {
	for i, p := range r.words() {
		*p = f.reg(i)
	}
	seg := f.reg(scSegments)
	r.CS, r.SS = uint16(seg), uint16(seg>>48)
}

// load writes the registers into the frame that lies at to.
func (r *Regs) load(to []byte) {
	var b [8 * (scSegments + 1)]byte
	for i, p := range r.words() {
		binary.LittleEndian.PutUint64(b[8*i:], *p)
	}
	cs := uint64(CS64)
	if r.CS == CS32 {
		cs = CS32
	}
	binary.LittleEndian.PutUint64(b[8*scSegments:], cs|dataSegment<<48)
	copy(to[ucRegs:], b[:])
}

// event says what a posted frame means, and repairs the registers where the
// host changed them. ok is false for a signal that is none of ours: one sent
// by another process, or made up.
func (f *frame) event(r *Regs) (ev Event, ok bool) {
	signo, code := int32(f.info(siSigno)), int32(f.info(siCode))
	if signo != sigUsr1 && code > 0 && r.RIP&^mach.PageMask == vsyscallPage {
		// The host's vsyscall page cannot be unmapped: a jump there is a call
		// to the host, or a bad one, and never the client's. It is the page
		// fault that it would be without that page.
		ev = pageFault(mach.Addr(r.RIP), mach.ProtExecute)
		ev.ErrorCode = errUser | errFetch
		return ev, true
	}
	switch signo {
	case sigUsr1:
		return Event{Kind: EventInterrupted}, true
	case sigSys:
		if code != codeFilter && code != codeUser {
			return Event{}, false
		}
		return f.callEvent(r), true
	case sigSegv, sigBus, sigIll, sigFPE, sigTrap:
		if code <= 0 {
			return Event{}, false
		}
		return f.faultEvent(signo, code), true
	}
	return Event{}, false
}

// callEvent is the event of a SIGSYS. The saved rax and rip are wrong for the
// numbers that the host takes for its restart codes (-512, -513, -514, -516);
// siginfo always has the truth.
func (f *frame) callEvent(r *Regs) Event {
	number, after := int32(f.info(siNumber)), f.infoAddr()
	if int32(r.RAX) != number {
		r.RAX = uint64(int64(number))
	}
	r.RIP = after
	if f.info(siArch) == auditI386 {
		const instruction = 2 // bytes of int $0x80
		r.RIP -= instruction
		return Event{Kind: EventException, Vector: VectorProtection, ErrorCode: int80Error}
	}
	return Event{Kind: EventTrap, Trap: number}
}

// faultEvent is the event of a processor exception, by vector and error code:
// signal and si_code alone do not tell them apart.
func (f *frame) faultEvent(signo, code int32) Event {
	vector, errcode := f.reg(scVector), f.reg(scError)
	if usual, ok := plausible(signo, code, vector); !ok {
		// Raised by the host itself (a bad sigreturn, say): vector and error
		// code are left over from an earlier fault, and there is no address.
		vector, errcode = usual, 0
	}
	if vector != VectorPage {
		ev := Event{Kind: EventException, Vector: uint8(vector), ErrorCode: errcode}
		if vector == VectorDebug && code == codeStep {
			ev.DR6 = DebugStep
		}
		return ev
	}
	access := mach.ProtRead
	if errcode&errFetch != 0 {
		access = mach.ProtExecute
	} else if errcode&errWrite != 0 {
		access = mach.ProtWrite
	}
	ev := pageFault(mach.Addr(f.reg(scCR2)), access)
	ev.ErrorCode = errcode
	if signo == sigBus && ev.Reason == "" {
		ev.Reason = fmt.Sprintf("the host has no memory behind address %v", ev.Addr)
	}
	if errcode&errKey != 0 && ev.Reason == "" {
		ev.Reason = fmt.Sprintf("the client's protection-key register forbids address %v", ev.Addr)
	}
	return ev
}

// plausible reports whether the processor's exception vector can have led to
// that signal, and which one usually does.
func plausible(signo, code int32, vector uint64) (usual uint64, ok bool) {
	const invalidTSS, notPresent, controlProtection = 10, 11, 21
	var all []uint64
	switch signo {
	case sigIll:
		all = []uint64{VectorOpcode}
	case sigFPE:
		all = []uint64{VectorDivide, VectorFloat, VectorSIMD}
	case sigTrap:
		all = []uint64{VectorDebug, VectorBreakpoint}
	case sigBus:
		all = []uint64{VectorAlignment, VectorStack, notPresent, VectorPage}
	case sigSegv:
		all = []uint64{VectorProtection, VectorOverflow, VectorBounds, invalidTSS, controlProtection}
		if code != codeKernel {
			all = append(all, VectorPage)
		}
	}
	return all[0], slices.Contains(all, vector)
}

// pageFault is the event of an access, with the reason why it can never be
// resolved if there is one.
func pageFault(addr mach.Addr, access mach.Prot) Event {
	ev := Event{Kind: EventPageFault, Vector: VectorPage, Addr: addr, Access: access}
	if addr >= HoleStart {
		ev.Reason = unreachable(addr)
	}
	return ev
}

// unreachable says why machine code can never reach addr; empty if it can.
func unreachable(addr mach.Addr) string {
	switch {
	case addr >= UserEnd:
		return fmt.Sprintf("address %v is beyond the host's user space, which ends at %v", addr, UserEnd)
	case addr >= HoleStart && addr < HoleEnd:
		return fmt.Sprintf("address %v is in the platform's own range %v to %v", addr, HoleStart, HoleEnd)
	}
	return ""
}
