package platform

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrState says that an extended state is one that the host's processor would
// refuse to load; the text around it says why.
var ErrState = errors.New("platform: not a loadable extended state")

// Components of the extended state, as bits of Extended.Features.
const (
	FeatureX87    = 1 << 0
	FeatureSSE    = 1 << 1
	FeatureAVX    = 1 << 2
	FeatureAVX512 = 7 << 5
)

// FXSize is the size of the FXSAVE layout: all that a host without XSAVE has,
// and the beginning of every extended state.
const FXSize = 512

// loadable are the components that take any content whatever. The others a host
// may have (protection keys, tiles) are not a Mach thread's, and some of them
// fault on what does not please them.
const loadable = FeatureX87 | FeatureSSE | FeatureAVX | FeatureAVX512

// Offsets in an extended state: the processor's XSAVE area, standard format.
const (
	xControl   = 0   // x87 control word
	xStatus    = 2   // x87 status word
	xMXCSR     = 24  //
	xMXCSRMask = 28  //
	xRegisters = 32  // x87 registers, 16 bytes each
	xVectors   = 160 // lower halves of the vector registers
	xReserved  = 416 //
	xHost      = 464 // free for software: the host's words in a signal frame
	xPresent   = 512 // XSTATE_BV: components that are not in their initial state
	xCompact   = 520 // XCOMP_BV, and five more words that must be zero
	xHeaderEnd = 576

	initialControl = 0x37f
	initialMXCSR   = 0x1f80
	usualMXCSRMask = 0xffbf // of processors that report none
)

// Extended says what the extended state of a thread is on this host: x87
// registers, vector registers, their control words. It is an XSAVE area in
// standard format.
type Extended struct {
	// Size of a state in bytes: FXSize without XSAVE, else at least 576.
	Size int
	// Features are the components that a state may hold.
	Features uint64
	// MXCSRMask are the bits that MXCSR may have.
	MXCSRMask uint32
}

// xsave reports whether the host's processor has more than the FXSAVE layout.
func (x Extended) xsave() bool { return x.Size > FXSize }

// Initial is the state of a new thread.
func (x Extended) Initial() []byte {
	state := make([]byte, x.Size)
	binary.LittleEndian.PutUint16(state[xControl:], initialControl)
	binary.LittleEndian.PutUint32(state[xMXCSR:], initialMXCSR)
	binary.LittleEndian.PutUint32(state[xMXCSRMask:], x.MXCSRMask)
	return state
}

// settle gives the registers of the FXSAVE layout that are marked as initial
// their initial values, for those who look at them without looking at the mark.
// MXCSR has no mark: it is always loaded.
func (x Extended) settle(state []byte) {
	le := binary.LittleEndian
	le.PutUint32(state[xMXCSRMask:], x.MXCSRMask)
	if !x.xsave() {
		return
	}
	present := le.Uint64(state[xPresent:])
	if present&FeatureX87 == 0 {
		clear(state[:xMXCSR])
		clear(state[xRegisters:xVectors])
		le.PutUint16(state[xControl:], initialControl)
	}
	if present&FeatureSSE == 0 {
		clear(state[xVectors:xReserved])
	}
}

// Check reports whether SetExtendedState takes the state. The processor faults
// on a bad one in the middle of the return to client code; where the host has
// no signal stack armed at that point, the thread would be lost without a word.
// ErrState is in the error's chain.
func (x Extended) Check(state []byte) error {
	if len(state) != x.Size && len(state) != FXSize {
		return fmt.Errorf("%w: it has %d bytes, not %d or %d", ErrState, len(state), FXSize, x.Size)
	}
	le := binary.LittleEndian
	if bad := le.Uint32(state[xMXCSR:]) &^ x.MXCSRMask; bad != 0 {
		return fmt.Errorf("%w: MXCSR has the reserved bits %#x", ErrState, bad)
	}
	if len(state) == FXSize {
		return nil
	}
	if bad := le.Uint64(state[xPresent:]) &^ x.Features; bad != 0 {
		return fmt.Errorf("%w: XSTATE_BV has the components %#x, which this host does not load", ErrState, bad)
	}
	for at := xCompact; at < xHeaderEnd; at += 8 {
		if v := le.Uint64(state[at:]); v != 0 {
			return fmt.Errorf("%w: header word at %d is %#x, not 0 (the format is standard, not compacted)", ErrState, at, v)
		}
	}
	return nil
}

// repair makes a state that came out of memory which a client can write into
// one that Check accepts, and takes out what is not the thread's.
func (x Extended) repair(state []byte) {
	le := binary.LittleEndian
	clear(state[xHost:FXSize])
	le.PutUint32(state[xMXCSR:], le.Uint32(state[xMXCSR:])&x.MXCSRMask)
	if x.xsave() {
		le.PutUint64(state[xPresent:], le.Uint64(state[xPresent:])&x.Features)
		clear(state[xCompact:xHeaderEnd])
	}
	x.settle(state)
}
