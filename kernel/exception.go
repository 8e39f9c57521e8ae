package kernel

import (
	"fmt"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/platform"
	"machkernel/ports"
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
	codeTSS     = 10 // C: EXC_I386_INVTSSFLT
	codeGeneral = 13 // C: EXC_I386_GPFLT
	codePage    = 14 // C: EXC_I386_PGFLT
)

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
	case platform.VectorOpcode, platform.VectorSIMD:
		// The real kernel does not tell the processor that it knows SIMD
		// exceptions, and so gets an invalid opcode for them.
		return Exception{ExcBadInstruction, codeInvalid, 0}
	case platform.VectorTSS, platform.VectorSegment, platform.VectorStack:
		return Exception{ExcBadInstruction, int32(ev.Vector), selector}
	case platform.VectorFloat:
		return Exception{ExcArithmetic, codeExtErr, uint64(ev.FSW)}
	}
	return Exception{ExcBadInstruction, codeGeneral, selector}
}

// flagAlignment is the flag that has the host's processor check alignment. The
// real kernel never lets it (CR0.AM).
const flagAlignment = 1 << 18

// fault raises what an exception of the processor is.
func (th *Thread) fault(ev *platform.Event) {
	if ev.Vector == platform.VectorAlignment {
		th.regs.RFLAGS &^= flagAlignment
		return
	}
	e := exceptionOf(ev)
	if n, ok := ev.SoftwareInterrupt(); ok && (n == platform.VectorOverflow || n == platform.VectorBounds) {
		// These two are open to users there: they come after the instruction.
		th.regs.RIP += 2
		e = exceptionOf(&platform.Event{Vector: n})
	}
	if ev.Vector == platform.VectorDebug {
		th.state.debug[statusRegister] = uint32(ev.DR6 & statusKept)
	}
	th.exception(e, "")
}

// What i386_DEBUG_STATE shows of the processor's debug status.
const (
	statusRegister = 6
	statusKept     = 0x600f
)

// exception raises e in the thread: its own exception port is told, or, if
// there is none or its handler declines, its task's; the reply lets the thread
// go on with the state it then has. Unhandled, it ends the task as the real
// kernel does, with a report.
func (th *Thread) exception(e Exception, why string) {
	th.observeException(e)
	for _, port := range []func() ports.Right{th.exceptionRight, th.task.exceptionRight} {
		if right := port(); right.Valid() && th.raise(right, e) {
			return
		}
	}
	if th.isDying() {
		return
	}
	th.task.fail(&Report{Exception: e, Thread: th.id, PC: mach.Addr(th.regs.RIP), Reason: why})
}

// The exception RPC (exc.defs).
const idExceptionRaise mach.MsgID = 2400

// raise asks the handler behind right (C: exception_raise, 2400) and waits for
// its answer, which only the thread's end or thread_abort cuts short: then the
// thread faults again, unless its state was changed. It reports false if the
// handler declined: with a code, with an answer that is none, or by letting the
// reply right die. It consumes right.
func (th *Thread) raise(right ports.Right, e Exception) bool {
	m := th.k.ipc.NewKmsg(right, idExceptionRaise)
	m.AddRights(mach.TypeMoveSend, th.selfRight())
	m.AddRights(mach.TypeMoveSend, th.task.selfRight())
	word := func(v int32) {
		le.PutUint32(m.AddData(mach.TypeInteger32, 32, 1, nil), uint32(v))
	}
	word(int32(e.Kind))
	word(e.Code)
	le.PutUint64(m.AddData(mach.TypeInteger64, 64, 1, nil), e.Subcode)
	reply, mr := th.k.ipc.Call(m, th.waiter, func(p *ports.Port) bool {
		// Of a thread that is gone the handler can still answer, to nobody.
		return th.isDying() && th.k.orphan(p)
	}) // thread_abort makes its reply right a dead name
	if mr != mach.MsgSuccess {
		return true // the thread is dying, or comes back to the instruction
	}
	code, ok := mig.RetCode(reply, idExceptionRaise)
	reply.Destroy()
	// The real kernel takes this code for its own, of a thread that is to fault again.
	return ok && (code == mach.KernSuccess || code == mach.KernReturn(mach.RcvPortDied))
}

// exceptionRight is a send right to the thread's exception port.
func (th *Thread) exceptionRight() ports.Right { return th.copySpecial(&th.special.exception) }

// exceptionRight is a send right to the task's exception port.
func (t *Task) exceptionRight() ports.Right { return t.copySpecial(&t.special.exception) }

// selfRight is a send right to what the thread calls its own port.
func (th *Thread) selfRight() ports.Right { return th.copySpecial(&th.special.kernel) }

// selfRight is a send right to what the task calls its own port.
func (t *Task) selfRight() ports.Right { return t.copySpecial(&t.special.kernel) }

// orphan keeps the reply port of a thread that is gone until the right to answer
// it is used or given up: handlers answer without knowing. Those of earlier
// threads that are done with go. It reports true.
func (k *Kernel) orphan(p *ports.Port) bool {
	k.mu.Lock()
	list := append(k.orphans, p)
	k.orphans = nil
	k.mu.Unlock()
	var wanted, done []*ports.Port
	for _, p := range list {
		if k.zone.Answerable(p) {
			wanted = append(wanted, p)
		} else {
			done = append(done, p)
		}
	}
	k.mu.Lock()
	k.orphans = append(k.orphans, wanted...)
	k.mu.Unlock()
	for _, p := range done {
		k.zone.DestroyPort(p)
	}
	return true
}
