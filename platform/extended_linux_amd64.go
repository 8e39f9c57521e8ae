package platform

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The host's words at xHost of the extended state in a signal frame (struct
// _fpx_sw_bytes), and the word that follows the state. Without them the host
// loads the FXSAVE layout only, and all else is initial.
const (
	hostMagic     = xHost      // hostMagic1
	hostTotal     = xHost + 4  // size with the word that follows
	hostFeatures  = xHost + 8  // components to load
	hostSize      = xHost + 16 // size without it
	hostMagic1    = 0x46505853
	hostMagic2    = 0x46505845
	hostMagicSize = 4
	extendedAlign = 64
)

// errForged: a client has changed where the host put the extended state.
var errForged = errors.New("platform: the client has overwritten where its extended state lies")

// Extended says what the extended state of threads is on this host.
func (m *Machine) Extended() Extended { return m.extended }

// learnExtended takes the layout of the extended state from the first frame
// that the host made: no client code has run in that process.
func (t *Thread) learnExtended() (Extended, error) {
	at, ok := t.extendedAt(xHeaderEnd)
	if !ok {
		return Extended{}, errors.New("its signal frames have no floating-point state")
	}
	le, area := binary.LittleEndian, t.slot[at:]
	x := Extended{Size: FXSize, Features: FeatureX87 | FeatureSSE, MXCSRMask: le.Uint32(area[xMXCSRMask:])}
	if x.MXCSRMask == 0 {
		x.MXCSRMask = usualMXCSRMask
	}
	if le.Uint32(area[hostMagic:]) != hostMagic1 {
		return x, nil
	}
	size := int(le.Uint32(area[hostSize:]))
	if size < xHeaderEnd || size > len(area)-hostMagicSize || le.Uint32(area[size:]) != hostMagic2 {
		return Extended{}, fmt.Errorf("its signal frames claim a floating-point state of %d bytes", size)
	}
	x.Size, x.Features = size, le.Uint64(area[hostFeatures:])&loadable
	return x, nil
}

// extendedAt is where in the slot the extended state of the posted frame lies,
// if size bytes of it can. The pointer is read once: a client can change it.
func (t *Thread) extendedAt(size int) (at int, ok bool) {
	offset := t.slot.load64(t.pointerAt()) - t.base()
	if offset < sStack || offset > uint64(slotSize-size) || offset%extendedAlign != 0 {
		return 0, false
	}
	return int(offset), true
}

// pointerAt is where in the slot the posted frame has the address of its
// extended state.
func (t *Thread) pointerAt() int { return t.frameAt + ucRegs + 8*scFloat }

// ExtendedState is the extended state of the thread, as its last event left it
// or SetExtendedState made it. It is called between events, by whoever may call
// Run. The host's own words in it are zero, and what a client made up is
// repaired, so that SetExtendedState always takes it.
func (t *Thread) ExtendedState() ([]byte, error) {
	if err := t.hold(); err != nil {
		return nil, err
	}
	defer t.p.use.leave()
	x := t.p.m.extended
	if t.slot.load64(t.pointerAt()) == 0 {
		return x.Initial(), nil
	}
	at, ok := t.extendedAt(x.Size)
	if !ok {
		return nil, errForged
	}
	state := make([]byte, x.Size)
	copy(state, t.slot[at:])
	x.repair(state)
	return state, nil
}

// SetExtendedState gives the thread an extended state for its next Run: one of
// Extended().Size bytes, or of FXSize, with all that lies beyond initial. What
// the processor could not load is refused with ErrState (see Extended.Check),
// and nothing has changed then. Components that the host has and Extended does
// not name become initial. It is called between events, by whoever may call Run.
func (t *Thread) SetExtendedState(state []byte) error {
	x := t.p.m.extended
	if err := x.Check(state); err != nil {
		return err
	}
	if err := t.hold(); err != nil {
		return err
	}
	defer t.p.use.leave()
	at := t.extendedPlace()
	copy(t.slot[at:], x.frame(state))
	t.slot.store64(t.pointerAt(), t.base()+uint64(at))
	return nil
}

// hold keeps the process's memory while the state is looked at; leave must
// follow. It fails when the process is dead or the thread runs.
func (t *Thread) hold() error {
	if !t.p.use.enter() {
		return ErrDead
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running {
		t.p.use.leave()
		return ErrRunning
	}
	return nil
}

// extendedPlace is where a state goes: the end of the signal stack, where the
// host puts its own, or below the frame where that lies at the end, as a new
// thread's does.
func (t *Thread) extendedPlace() int {
	total := t.p.m.extended.Size + hostMagicSize
	if at := (slotSize - total) &^ (extendedAlign - 1); at >= t.frameAt+frameSize {
		return at
	}
	return (t.frameAt - total) &^ (extendedAlign - 1)
}

// frame is a checked state in the form that the host loads.
func (x Extended) frame(state []byte) []byte {
	le := binary.LittleEndian
	area := make([]byte, x.Size, x.Size+hostMagicSize)
	copy(area, state)
	clear(area[xHost:FXSize])
	if !x.xsave() {
		return area
	}
	if len(state) == FXSize {
		le.PutUint64(area[xPresent:], FeatureX87|FeatureSSE)
	}
	x.settle(area)
	le.PutUint32(area[hostMagic:], hostMagic1)
	le.PutUint32(area[hostTotal:], uint32(x.Size+hostMagicSize))
	le.PutUint64(area[hostFeatures:], x.Features)
	le.PutUint32(area[hostSize:], uint32(x.Size))
	return le.AppendUint32(area, hostMagic2)
}

// floatStatus adds the status word that a floating-point exception is about.
func (t *Thread) floatStatus(ev *Event) {
	if ev.Kind != EventException || ev.Vector != VectorFloat && ev.Vector != VectorSIMD {
		return
	}
	if at, ok := t.extendedAt(FXSize); ok {
		var head [xMXCSRMask]byte
		copy(head[:], t.slot[at:])
		ev.FSW = binary.LittleEndian.Uint16(head[xStatus:])
		ev.MXCSR = binary.LittleEndian.Uint32(head[xMXCSR:])
	}
}
