package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/platform"
)

// Floating point and vector state: the processor's XSAVE area in standard
// format is what the platform has; XFLOAT_STATE is that with a header,
// FLOAT_STATE is what the 387's FNSAVE would have stored.
const (
	floatCount    = 30 // C: i386_FLOAT_STATE_COUNT, words
	floatKind     = 5  // C: FP_387X
	floatKindFX   = 4  // C: FP_387FX
	saveKindFX    = 1  // C: FP_FXSAVE
	saveKindXSAVE = 2  // C: FP_XSAVE

	extendedHeader = 16 // bytes before the area: kind, initialized, status, save kind

	// In a FLOAT_STATE, bytes.
	fnControl, fnStatus, fnTag, fnIP, fnCS  = 8, 12, 16, 20, 24
	fnOpcode, fnDP, fnDS, fnRegs, fnRegSize = 26, 28, 32, 36, 10

	// In an XSAVE area, bytes.
	fxControl, fxStatus, fxTag, fxOpcode, fxIP, fxDP = 0, 2, 4, 6, 8, 16
	fxMXCSR, fxMXCSRMask, fxRegs, fxRegSize          = 24, 28, 32, 16
	xsPresent                                        = 512

	mxcsrBits = 0xffff // those of every processor
)

// extendedState is the thread's XSAVE area; nil if it never used one. The thread
// stands still.
func (th *Thread) extendedState() ([]byte, mach.KernReturn) {
	if th.hw == nil {
		return th.state.extended, mach.KernSuccess
	}
	b, err := th.hw.ExtendedState()
	if err != nil {
		return nil, mach.KernFailure
	}
	if len(b) > xsPresent && le.Uint64(b[xsPresent:]) == 0 {
		return nil, mach.KernSuccess // nothing is in use: the nearest there is to never used
	}
	return b, mach.KernSuccess
}

// setExtendedState replaces it; nil is as a new thread has it.
func (th *Thread) setExtendedState(b []byte) mach.KernReturn {
	if th.hw == nil {
		th.state.extended = b
		return mach.KernSuccess
	}
	if b == nil {
		b = th.extended().Initial()
	}
	if th.hw.SetExtendedState(b) != nil {
		return mach.KernFailure
	}
	return mach.KernSuccess
}

// inheritControl gives a new thread its maker's x87 control word, if the maker
// uses floating point (C: fpinherit).
func (th *Thread) inheritControl(maker *Thread) {
	if maker.hw == nil {
		return
	}
	from, kr := maker.extendedState()
	if kr != mach.KernSuccess || from == nil {
		return
	}
	state := th.extended().Initial()
	copy(state[fxControl:fxStatus], from[fxControl:])
	if len(state) > xsPresent {
		le.PutUint64(state[xsPresent:], platform.FeatureX87)
	}
	th.mu.Lock()
	defer th.mu.Unlock()
	if !th.started {
		th.state.extended = state
	}
}

// extended is the layout that the host has.
func (th *Thread) extended() platform.Extended {
	th.k.mu.Lock()
	defer th.k.mu.Unlock()
	if th.k.machine == nil {
		return platform.Extended{Size: platform.FXSize, MXCSRMask: 0xffbf}
	}
	return th.k.machine.Extended()
}

func (x saveArea) kind() (kind, save uint32) {
	if x.Size > platform.FXSize {
		return floatKind, saveKindXSAVE
	}
	return floatKindFX, saveKindFX
}

type saveArea struct{ platform.Extended }

// getFloat answers FLOAT_STATE and XFLOAT_STATE. Of a thread that used no
// floating point all words are zero.
func (th *Thread) getFloat(flavor int32, room int) ([]uint32, mach.KernReturn) {
	area := saveArea{th.extended()}
	size := floatCount
	if flavor == flavorExtended {
		size = (extendedHeader + area.Size) / 4
	}
	if room < size {
		return nil, mach.KernInvalidArgument
	}
	state, kr := th.extendedState()
	if kr != mach.KernSuccess {
		return nil, kr
	}
	b := make([]byte, 4*size)
	if state != nil {
		kind, save := area.kind()
		le.PutUint32(b[0:], kind)
		le.PutUint32(b[4:], 1)
		if flavor == flavorExtended {
			le.PutUint32(b[12:], save)
			copy(b[extendedHeader:], state)
		} else {
			storeFN(b, state)
		}
	}
	return mig.Elements[uint32](b, 0, uint32(size)), mach.KernSuccess
}

// setFloat takes them.
//
//	KERN_INVALID_ARGUMENT  too few words; an extended state saved in another way
func (th *Thread) setFloat(flavor int32, words []uint32) mach.KernReturn {
	area := saveArea{th.extended()}
	size := floatCount
	if flavor == flavorExtended {
		size = (extendedHeader + area.Size) / 4
	}
	if len(words) < size {
		return mach.KernInvalidArgument
	}
	b := make([]byte, (4*size+7)&^7)
	mig.PutElements(b, 0, words[:size])
	if le.Uint32(b[4:]) == 0 {
		return th.setExtendedState(nil) // not initialized: as if it never had been
	}
	state := area.Initial()
	if flavor == flavorFloat {
		loadFN(state, b)
		if len(state) > xsPresent {
			le.PutUint64(state[xsPresent:], platform.FeatureX87)
		}
		return th.setExtendedState(state)
	}
	if _, save := area.kind(); le.Uint32(b[12:]) != save {
		return mach.KernInvalidArgument
	}
	copy(state, b[extendedHeader:])
	le.PutUint32(state[fxMXCSR:], le.Uint32(state[fxMXCSR:])&area.MXCSRMask&mxcsrBits)
	le.PutUint32(state[fxMXCSRMask:], area.MXCSRMask)
	if area.Check(state) != nil {
		return mach.KernFailure
	}
	return th.setExtendedState(state)
}

// storeFN writes FNSAVE's layout from FXSAVE's.
func storeFN(b, fx []byte) {
	le.PutUint16(b[fnControl:], le.Uint16(fx[fxControl:]))
	status := le.Uint16(fx[fxStatus:])
	le.PutUint16(b[fnStatus:], status)
	le.PutUint16(b[fnTag:], fullTags(fx))
	le.PutUint32(b[fnIP:], le.Uint32(fx[fxIP:]))
	le.PutUint16(b[fnOpcode:], le.Uint16(fx[fxOpcode:]))
	le.PutUint32(b[fnDP:], le.Uint32(fx[fxDP:]))
	for i := range 8 {
		copy(b[fnRegs+i*fnRegSize:][:fnRegSize], fx[fxRegs+i*fxRegSize:])
	}
}

// loadFN is the converse.
func loadFN(fx, b []byte) {
	le.PutUint16(fx[fxControl:], le.Uint16(b[fnControl:]))
	le.PutUint16(fx[fxStatus:], le.Uint16(b[fnStatus:]))
	var used byte
	for i := range 8 {
		if tags := le.Uint16(b[fnTag:]); tags>>(2*i)&3 != 3 {
			used |= 1 << i
		}
		copy(fx[fxRegs+i*fxRegSize:][:fnRegSize], b[fnRegs+i*fnRegSize:])
	}
	fx[fxTag] = used
	le.PutUint16(fx[fxOpcode:], le.Uint16(b[fnOpcode:]))
	le.PutUint32(fx[fxIP:], le.Uint32(b[fnIP:]))
	le.PutUint32(fx[fxDP:], le.Uint32(b[fnDP:]))
}

// fullTags makes the 387's tag word, two bits a register, of the one bit that
// FXSAVE stores: 0 valid, 1 zero, 2 special, 3 empty.
func fullTags(fx []byte) uint16 {
	top := int(le.Uint16(fx[fxStatus:]) >> 11 & 7)
	var tags uint16
	for reg := range 8 {
		tag := uint16(3)
		if fx[fxTag]>>reg&1 != 0 {
			tag = tagOf(fx[fxRegs+((reg-top)&7)*fxRegSize:])
		}
		tags |= tag << (2 * reg)
	}
	return tags
}

func tagOf(reg []byte) uint16 {
	significand, exponent := le.Uint64(reg), le.Uint16(reg[8:])&0x7fff
	switch {
	case exponent == 0 && significand == 0:
		return 1
	case exponent == 0, exponent == 0x7fff, significand>>63 == 0:
		return 2
	}
	return 0
}
