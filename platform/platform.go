package platform

import (
	"errors"

	"machkernel/mach"
)

// Errors of this package.
var (
	// ErrNoSlot says that a process has all the threads it can have, or that
	// the host gives it no more.
	ErrNoSlot = errors.New("platform: no room for another thread")
	// ErrDead says that the process is dead.
	ErrDead = errors.New("platform: the process is dead")
	// ErrRunning says that a thread's state was asked for while it runs.
	ErrRunning = errors.New("platform: the thread runs client code")
	// ErrDebugRegisters says that client code cannot have breakpoints in the
	// processor's debug registers.
	ErrDebugRegisters = errors.New("platform: the host gives debug registers to debuggers only")
	// ErrClosed says that the Machine is closed.
	ErrClosed = errors.New("platform: the machine is closed")
)

// Config is what a Machine needs.
type Config struct {
	// FramesFD is the memory object (a memfd) that holds all page frames:
	// frame f lies at f*mach.PageSize. It stays the caller's, and must stay
	// open until Close has returned.
	FramesFD int
}

// Regs are the registers of a client thread that an event reports and that
// the next Run loads.
type Regs struct {
	R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8 uint64
	RAX, RCX, RDX, RSI, RDI                        uint64
	RIP, RSP, RFLAGS                               uint64
	// Of RFLAGS Run loads the arithmetic flags and DF, TF, RF and AC; the
	// others stay as client code has them.

	// FSBase and GSBase are the segment bases. The host cannot load a
	// non-canonical one (see Canonical); Run loads 0 instead.
	FSBase, GSBase uint64
	// CS is CS64 or CS32; anything else, and zero, means CS64. SS is reported
	// only: Run loads the host's data segment.
	CS, SS uint16
}

// Code segments of the host.
const (
	CS64 = 0x33 // 64-bit code
	CS32 = 0x23 // compatibility mode
)

// Canonical reports whether the processor takes addr as a segment base or an
// instruction address: its bits 63 to 47 are equal.
func Canonical(addr uint64) bool {
	top := int64(addr) >> 47
	return top == 0 || top == -1
}

// EventKind says why Run returned.
type EventKind int

// Kinds of events.
const (
	// EventTrap: the client executed a system call instruction.
	EventTrap EventKind = iota
	// EventPageFault: an access to memory that is not mapped, or not so.
	EventPageFault
	// EventException: any other processor exception.
	EventException
	// EventInterrupted: Thread.Interrupt was called.
	EventInterrupted
	// EventDied: the process is dead; no thread of it runs again.
	EventDied
)

func (k EventKind) String() string {
	switch k {
	case EventTrap:
		return "trap"
	case EventPageFault:
		return "page fault"
	case EventException:
		return "exception"
	case EventInterrupted:
		return "interrupted"
	case EventDied:
		return "died"
	}
	return "event?"
}

// Vectors of x86 exceptions.
const (
	VectorDivide     = 0  // #DE
	VectorDebug      = 1  // #DB, single step
	VectorBreakpoint = 3  // #BP
	VectorOverflow   = 4  // #OF
	VectorBounds     = 5  // #BR
	VectorOpcode     = 6  // #UD
	VectorTSS        = 10 // #TS
	VectorSegment    = 11 // #NP
	VectorStack      = 12 // #SS
	VectorProtection = 13 // #GP
	VectorPage       = 14 // #PF
	VectorFloat      = 16 // #MF, x87
	VectorAlignment  = 17 // #AC
	VectorSIMD       = 19 // #XM
)

// Event is why Run returned, with what goes with its kind.
type Event struct {
	Kind EventKind

	// Trap is the trap's number, eax sign extended: any value, also positive.
	// Its arguments are in RDI, RSI, RDX, R10, R8 and R9; RIP is after the
	// instruction.
	Trap int32

	// Addr is where a page fault happened (CR2), and Access (one of ProtRead,
	// ProtWrite, ProtExecute) what was tried.
	Addr   mach.Addr
	Access mach.Prot

	// Vector and ErrorCode are those of the x86 exception, page faults
	// included. RIP is where the processor leaves it: on the instruction, or
	// after it for int1, int3, into and single step. int $0x80 is a general
	// protection fault here, with the error code that a kernel without that
	// gate would report; the upper half of RAX is lost in it.
	Vector    uint8
	ErrorCode uint64

	// FSW and MXCSR are, for VectorFloat and VectorSIMD, the status word of the
	// x87 registers and that of the vector registers.
	FSW   uint16
	MXCSR uint32

	// DR6 is, for VectorDebug, why: DebugStep, or 0 for the instruction int1.
	DR6 uint64

	// Reason is one line for the user: why the process died, or why a page
	// fault cannot be resolved on this host whatever the task's map says.
	Reason string
}

// DebugStep is the bit of DR6 that says single step.
const DebugStep = 0x4000

// SoftwareInterrupt is the number of the int instruction that the host has no
// gate for, if that is what a general protection fault is about. RIP is on it.
func (e *Event) SoftwareInterrupt() (number uint8, ok bool) {
	const table, external = 2, 1 // of the error code: which table, not by an instruction
	if e.Kind != EventException || e.Vector != VectorProtection || e.ErrorCode&(table|external) != table {
		return 0, false
	}
	return uint8(e.ErrorCode >> 3), true
}

// CheckDebugControl reports whether client code can run under that DR7. The
// host lets only a debugger set the processor's registers, so it can as long as
// no breakpoint is enabled; else the error is ErrDebugRegisters.
func CheckDebugControl(dr7 uint64) error {
	const enables = 0xff // L0, G0 to L3, G3
	if dr7&enables != 0 {
		return ErrDebugRegisters
	}
	return nil
}
