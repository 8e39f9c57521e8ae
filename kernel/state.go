package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/platform"
)

// threadState is what belongs to a thread's registers beside the general ones.
// Its guard is theirs.
type threadState struct {
	cs, ss   uint32    // selectors as set; programs here have one pair of them
	debug    [8]uint32 // debug registers as set: none is ever armed
	extended []byte    // of a thread that has not started; nil as it will be then
}

// Selectors of user code and data (C: USER_CS, USER_DS with privilege 3).
const (
	userCS = 0x1f
	userDS = 0x17
)

func (s *threadState) init() { s.cs, s.ss = userCS, userDS }

// Flavors of thread state on x86 (C: i386_*_STATE), their sizes in words, and
// rules of the registers.
const (
	flavorList        = 0 // C: THREAD_STATE_FLAVOR_LIST
	flavorThreadState = 1 // C: i386_THREAD_STATE
	flavorFloat       = 2 // C: i386_FLOAT_STATE
	flavorPortMap     = 3 // C: i386_ISA_PORT_MAP_STATE
	flavorRegsSegs    = 5 // C: i386_REGS_SEGS_STATE
	flavorDebug       = 6 // C: i386_DEBUG_STATE
	flavorBases       = 7 // C: i386_FSGS_BASE_STATE
	flavorExtended    = 8 // C: i386_XFLOAT_STATE

	portMapCount = 32
	debugCount   = 8
	basesCount   = 4

	userFlagsSet       = 0x200   // C: EFL_USER_SET: interrupts on
	userFlagsClear     = 0x17000 // C: EFL_USER_CLEAR: I/O privilege, nested task, resume
	requestedPrivilege = 3
	controlRegister    = 7 // of the debug registers
)

// ThreadGetState is thread_get_state (2017). A thread that runs is held while it
// is looked at; a wait it is in goes on.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's or, but for debug registers,
//	                       the caller's own; an unknown flavor; too little room
//	KERN_FAILURE           the thread is being terminated
func (machService) ThreadGetState(c *mig.Call, th *Thread, flavor int32, room uint32) (words []uint32, kr mach.KernReturn) {
	by := caller(c)
	if th == nil || th == by && flavor != flavorDebug {
		return nil, mach.KernInvalidArgument
	}
	if !th.examine(by, func() { words, kr = th.getState(flavor, int(room)) }) {
		return nil, mach.KernFailure
	}
	return words, kr
}

// ThreadSetState is thread_set_state (2018); what it does to a thread that waits
// is seen when the wait ends, but for the result of its trap.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's or, but for debug registers
//	                       and bases, the caller's own; an unknown flavor; too
//	                       few words; with REGS_SEGS a code or stack selector
//	                       that is null or not a user's (a good one is kept, and
//	                       not loaded); an extended state of another kind
//	KERN_FAILURE           a breakpoint is to be armed, which no host lets us do;
//	                       the host refuses the state; the thread is being terminated
func (machService) ThreadSetState(c *mig.Call, th *Thread, flavor int32, words []uint32) (kr mach.KernReturn) {
	by := caller(c)
	if th == nil || th == by && flavor != flavorDebug && flavor != flavorBases {
		return mach.KernInvalidArgument
	}
	if !th.examine(by, func() { kr = th.setState(flavor, words) }) {
		return mach.KernFailure
	}
	return kr
}

// examine calls f while the thread stands still, or in the thread itself. It
// does not call it, and reports false, if the thread is leaving. The hold is given
// back before the caller can be held itself: two threads may examine one another.
func (th *Thread) examine(by *Thread, f func()) bool {
	if th == by {
		f()
		return true
	}
	th.hold()
	var alive bool
	by.outside(func() {
		th.mu.Lock()
		for !th.out && !th.dead {
			th.moved.Wait()
		}
		if alive = !th.dead; alive {
			f()
		}
		th.mu.Unlock()
		if th.release() != nil {
			th.own() // it was resumed meanwhile, and could not be started
		}
	})
	return alive
}

func (th *Thread) getState(flavor int32, room int) ([]uint32, mach.KernReturn) {
	var words []uint32
	switch flavor {
	case flavorList:
		words = []uint32{flavorThreadState, flavorFloat, flavorPortMap}
	case flavorThreadState, flavorRegsSegs:
		words = th.general()
	case flavorFloat, flavorExtended:
		return th.getFloat(flavor, room)
	case flavorPortMap:
		words = make([]uint32, portMapCount)
		for i := range words {
			words[i] = ^uint32(0) // no port is allowed
		}
	case flavorDebug:
		words = append(words, th.state.debug[:]...)
	case flavorBases:
		words = []uint32{
			uint32(th.regs.FSBase), uint32(th.regs.FSBase >> 32),
			uint32(th.regs.GSBase), uint32(th.regs.GSBase >> 32),
		}
	default:
		return nil, mach.KernInvalidArgument
	}
	if room < len(words) {
		return nil, mach.KernInvalidArgument
	}
	return words, mach.KernSuccess
}

func (th *Thread) setState(flavor int32, words []uint32) mach.KernReturn {
	need, known := map[int32]int{
		flavorThreadState: mach.ThreadStateCount, flavorRegsSegs: mach.ThreadStateCount,
		flavorPortMap: portMapCount, flavorDebug: debugCount, flavorBases: basesCount,
		flavorFloat: 0, flavorExtended: 0, // they look themselves
	}[flavor]
	if !known || len(words) < need {
		return mach.KernInvalidArgument
	}
	switch flavor {
	case flavorThreadState, flavorRegsSegs:
		return th.setGeneral(flavor, words)
	case flavorFloat, flavorExtended:
		return th.setFloat(flavor, words)
	case flavorDebug:
		if platform.CheckDebugControl(uint64(words[controlRegister])) != nil {
			return mach.KernFailure
		}
		copy(th.state.debug[:], words)
	case flavorBases:
		th.regs.FSBase = uint64(words[0]) | uint64(words[1])<<32
		th.regs.GSBase = uint64(words[2]) | uint64(words[3])<<32
	}
	return mach.KernSuccess // who may use ports asks for more than a map of them
}

// general is the general registers as THREAD_STATE has them.
func (th *Thread) general() []uint32 {
	r := &th.regs
	s := mach.ThreadState{
		R8: r.R8, R9: r.R9, R10: r.R10, R11: r.R11, R12: r.R12, R13: r.R13, R14: r.R14, R15: r.R15,
		RDI: r.RDI, RSI: r.RSI, RBP: r.RBP, RBX: r.RBX, RDX: r.RDX, RCX: r.RCX, RAX: r.RAX, RIP: r.RIP,
		CS: th.state.cs, RFL: r.RFLAGS | userFlagsSet, URSP: r.RSP, SS: th.state.ss,
	}
	b := make([]byte, 4*mach.ThreadStateCount)
	mig.PutStruct(b, 0, &s)
	return mig.Elements[uint32](b, 0, mach.ThreadStateCount)
}

func (th *Thread) setGeneral(flavor int32, words []uint32) mach.KernReturn {
	b := make([]byte, 4*mach.ThreadStateCount)
	mig.PutElements(b, 0, words[:mach.ThreadStateCount])
	var s mach.ThreadState
	mig.GetStruct(b, 0, &s)
	cs, ss := uint32(userCS), uint32(userDS)
	if flavor == flavorRegsSegs {
		cs, ss = s.CS&0xffff, s.SS&0xffff
		if !userSelector(cs) || !userSelector(ss) {
			return mach.KernInvalidArgument
		}
	}
	th.state.cs, th.state.ss = cs, ss
	r := &th.regs
	r.R8, r.R9, r.R10, r.R11 = s.R8, s.R9, s.R10, s.R11
	r.R12, r.R13, r.R14, r.R15 = s.R12, s.R13, s.R14, s.R15
	r.RDI, r.RSI, r.RBP, r.RBX = s.RDI, s.RSI, s.RBP, s.RBX
	r.RDX, r.RCX, r.RAX, r.RIP = s.RDX, s.RCX, s.RAX, s.RIP
	r.RFLAGS = s.RFL&^userFlagsClear | userFlagsSet
	r.RSP = s.URSP
	return mach.KernSuccess
}

func userSelector(s uint32) bool { return s != 0 && s&3 == requestedPrivilege }

// maxSelfState bounds what thread_set_self_state takes, in words.
const maxSelfState = 150

// trapSetSelfState is the trap thread_set_self_state (-77): the thread goes on
// with the state it gives. With general registers nothing of the trap's own
// remains, its result included.
//
//	KERN_INVALID_ARGUMENT  the words are none, too many or not readable; as
//	                       ThreadSetState
func trapSetSelfState(th *Thread, a *[maxArgs]uint64) uint64 {
	flavor, count := int32(a[0]), uint32(a[2])
	if count == 0 || count > maxSelfState {
		return uint64(mach.KernInvalidArgument)
	}
	b := make([]byte, 4*count)
	if th.mem.ReadBytes(mach.Addr(a[1]), b) != mach.KernSuccess {
		return uint64(mach.KernInvalidArgument)
	}
	kr := th.setState(flavor, mig.Elements[uint32](b, 0, count))
	if kr == mach.KernSuccess && (flavor == flavorThreadState || flavor == flavorRegsSegs) {
		return th.regs.RAX
	}
	return uint64(kr)
}
