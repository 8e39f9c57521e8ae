package kernel

import (
	"fmt"

	"machkernel/mach"
	"machkernel/platform"
)

// ExceptionKind is the first number of an exception (C: exception_type_t).
type ExceptionKind int32

// Kinds of exceptions.
const (
	ExcBadAccess      ExceptionKind = 1 // C: EXC_BAD_ACCESS; the code is a kern_return_t
	ExcBadInstruction ExceptionKind = 2 // C: EXC_BAD_INSTRUCTION
	ExcArithmetic     ExceptionKind = 3 // C: EXC_ARITHMETIC
	ExcEmulation      ExceptionKind = 4 // C: EXC_EMULATION
	ExcSoftware       ExceptionKind = 5 // C: EXC_SOFTWARE
	ExcBreakpoint     ExceptionKind = 6 // C: EXC_BREAKPOINT
)

func (e ExceptionKind) String() string {
	switch e {
	case ExcBadAccess:
		return "EXC_BAD_ACCESS"
	case ExcBadInstruction:
		return "EXC_BAD_INSTRUCTION"
	case ExcArithmetic:
		return "EXC_ARITHMETIC"
	case ExcEmulation:
		return "EXC_EMULATION"
	case ExcSoftware:
		return "EXC_SOFTWARE"
	case ExcBreakpoint:
		return "EXC_BREAKPOINT"
	}
	return fmt.Sprintf("exception(%d)", int32(e))
}

// Codes of x86 exceptions (C: EXC_I386_*).
const (
	codeDiv     = 1  // C: EXC_I386_DIV
	codeInto    = 2  // C: EXC_I386_INTO
	codeExtErr  = 5  // C: EXC_I386_EXTERR
	codeBound   = 7  // C: EXC_I386_BOUND
	codeSingle  = 1  // C: EXC_I386_SGL
	codeBreak   = 2  // C: EXC_I386_BPT
	codeInvalid = 1  // C: EXC_I386_INVOP
	codeSegment = 11 // C: EXC_I386_SEGNPFLT
	codeStack   = 12 // C: EXC_I386_STKFLT
	codeGeneral = 13 // C: EXC_I386_GPFLT
	codePage    = 14 // C: EXC_I386_PGFLT
)

// vectorSegment is the exception of a segment that is not present.
const vectorSegment = 11

// Exception is what went wrong in a thread's machine code, as its exception
// port would be told.
type Exception struct {
	Kind    ExceptionKind
	Code    int32
	Subcode uint64
}

func (e Exception) String() string {
	if e.Kind == ExcBadAccess && e.Code != codePage {
		return fmt.Sprintf("%v (%v, address %#x)", e.Kind, mach.KernReturn(e.Code), e.Subcode)
	}
	return fmt.Sprintf("%v (%s, subcode %#x)", e.Kind, e.codeName(), e.Subcode)
}

// codeName is the C name of the exception's code.
func (e Exception) codeName() string {
	switch (Exception{Kind: e.Kind, Code: e.Code}) {
	case Exception{ExcBadAccess, codePage, 0}:
		return "EXC_I386_PGFLT"
	case Exception{ExcBadInstruction, codeInvalid, 0}:
		return "EXC_I386_INVOP"
	case Exception{ExcBadInstruction, codeSegment, 0}:
		return "EXC_I386_SEGNPFLT"
	case Exception{ExcBadInstruction, codeStack, 0}:
		return "EXC_I386_STKFLT"
	case Exception{ExcBadInstruction, codeGeneral, 0}:
		return "EXC_I386_GPFLT"
	case Exception{ExcArithmetic, codeDiv, 0}:
		return "EXC_I386_DIV"
	case Exception{ExcArithmetic, codeInto, 0}:
		return "EXC_I386_INTO"
	case Exception{ExcArithmetic, codeExtErr, 0}:
		return "EXC_I386_EXTERR"
	case Exception{ExcSoftware, codeBound, 0}:
		return "EXC_I386_BOUND"
	case Exception{ExcBreakpoint, codeSingle, 0}:
		return "EXC_I386_SGL"
	case Exception{ExcBreakpoint, codeBreak, 0}:
		return "EXC_I386_BPT"
	}
	return fmt.Sprintf("code %d", e.Code)
}

// exceptionOf is what the real kernel makes of an x86 fault.
func exceptionOf(ev *platform.Event) Exception {
	selector := ev.ErrorCode & 0xffff
	switch ev.Vector {
	case platform.VectorDivide:
		return Exception{ExcArithmetic, codeDiv, 0}
	case platform.VectorDebug:
		return Exception{ExcBreakpoint, codeSingle, 0}
	case platform.VectorBreakpoint:
		return Exception{ExcBreakpoint, codeBreak, 0}
	case platform.VectorOverflow:
		return Exception{ExcArithmetic, codeInto, 0}
	case platform.VectorBounds:
		return Exception{ExcSoftware, codeBound, 0}
	case platform.VectorOpcode:
		return Exception{ExcBadInstruction, codeInvalid, 0}
	case vectorSegment:
		return Exception{ExcBadInstruction, codeSegment, selector}
	case platform.VectorStack:
		return Exception{ExcBadInstruction, codeStack, selector}
	case platform.VectorFloat, platform.VectorSIMD:
		return Exception{ExcArithmetic, codeExtErr, 0}
	}
	return Exception{ExcBadInstruction, codeGeneral, selector}
}

// exception raises e in the thread. No handler can be registered yet, so it is
// unhandled, and ends the task as the real kernel does, with a report.
func (th *Thread) exception(e Exception, why string) {
	th.observeException(e)
	th.task.fail(&Report{Exception: e, Thread: th.id, PC: mach.Addr(th.regs.RIP), Reason: why})
}
