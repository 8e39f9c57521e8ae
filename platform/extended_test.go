//go:build linux && amd64

package platform

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Offsets in the XSAVE area are those of Intel's manual, volume 1, 13.4.

// randomState is a state that the processor loads and stores unchanged: nothing
// reserved in it, no x87 exception pending (it computes ES and B itself).
func randomState(x Extended, random *rand.Rand) []byte {
	const indefinite = 0x40 // always one in the x87 control word
	le := binary.LittleEndian
	state := x.Initial()
	le.PutUint16(state[0:], 0x37f|indefinite|uint16(random.IntN(4))<<10) // rounding
	le.PutUint16(state[2:], uint16(random.IntN(1<<16))&0x7f00)           // TOP, C0 to C3
	state[4] = byte(random.IntN(256))                                    // which registers are in use
	le.PutUint32(state[24:], random.Uint32()&x.MXCSRMask)
	for reg := range 8 {
		for i := range 10 {
			state[32+16*reg+i] = byte(random.IntN(256))
		}
	}
	for i := 160; i < 416; i++ {
		state[i] = byte(random.IntN(256))
	}
	if x.Size == 512 {
		return state
	}
	present := uint64(3)
	if x.Features&4 != 0 {
		present |= 4
		for i := 576; i < 576+256; i++ { // upper halves
			state[i] = byte(random.IntN(256))
		}
	}
	le.PutUint64(state[512:], present)
	return state
}

// legacy is what of a state FXSAVE stores, without what processors may leave
// out when no x87 exception is pending (opcode and pointers).
func legacy(state []byte) []byte {
	b := append([]byte{}, state[:416]...)
	clear(b[6:24])
	clear(b[28:32]) // MXCSR_MASK
	return b
}

func upperHalves(state []byte) []byte {
	if len(state) < 576+256 {
		return nil
	}
	return state[576 : 576+256]
}

func TestHostsExtendedState(t *testing.T) {
	_, m, _ := openTest(t)
	x := m.Extended()
	t.Logf("%d bytes, features %#x, MXCSR mask %#x", x.Size, x.Features, x.MXCSRMask)
	require.EqualValues(t, 3, x.Features&3, "x86-64 has x87 and SSE")
	require.EqualValues(t, 0xffbf, x.MXCSRMask&0xffbf)
	require.NoError(t, x.Check(x.Initial()))
	if x.Size != 512 {
		require.GreaterOrEqual(t, x.Size, 576)
	}
}

// What the kernel sets is what the client has, in every component, and the
// state of a thread is what its client has, at every kind of event.
func TestExtendedStateArrivesAndComesBack(t *testing.T) {
	_, m, f := openTest(t)
	x := m.Extended()
	if x.Size == 512 {
		t.Skip("this host has no XSAVE; TestFXStateArrives covers it")
	}
	k := newTask(t, m, f)
	page := k.frames.mem[int(k.add(dataAt, 2, mach.ProtDefault))*mach.PageSize:]
	random := rand.New(rand.NewPCG(3, 4))
	for _, before := range []string{"", "trap_once", "undefined", "load", "stay"} {
		th, r := k.thread(), k.regs("trap_once")
		if before != "" {
			r.RIP = k.at(before)
			if before == "stay" {
				th.Interrupt()
			}
			k.next(th, r)
		}
		for range 10 {
			want := randomState(x, random)
			require.NoError(t, th.SetExtendedState(want))
			got, err := th.ExtendedState()
			require.NoError(t, err)
			require.Equal(t, want, got, "after setting it")

			clear(page[:x.Size])
			r.RIP, r.RDI = k.at("save_extended"), uint64(dataAt)
			k.trap(th, r, -100)
			require.Equal(t, legacy(want), legacy(page), "after %q", before)
			require.Equal(t, upperHalves(want), upperHalves(page[:x.Size]), "after %q", before)

			want = randomState(x, random)
			copy(page, want)
			r.RIP, r.RDI, r.RSI = k.at("load_extended"), uint64(dataAt), x.Features
			k.trap(th, r, -100)
			got, err = th.ExtendedState()
			require.NoError(t, err)
			require.Equal(t, legacy(want), legacy(got))
			require.Equal(t, upperHalves(want), upperHalves(got))
		}
		th.Exit()
	}
}

func TestFXStateArrives(t *testing.T) {
	_, m, f := openTest(t)
	k := newTask(t, m, f)
	page := k.frames.page(k.add(dataAt, 1, mach.ProtDefault))
	random := rand.New(rand.NewPCG(5, 6))
	th, r := k.thread(), k.regs("save_fx")
	for range 10 {
		want := randomState(m.Extended(), random)[:512]
		require.NoError(t, th.SetExtendedState(want))
		r.RIP, r.RDI = k.at("save_fx"), uint64(dataAt)
		k.trap(th, r, -100)
		require.Equal(t, legacy(want), legacy(page))
		got, err := th.ExtendedState()
		require.NoError(t, err)
		require.Equal(t, legacy(want), legacy(got))
		if len(got) > 512 {
			require.Zero(t, got[520], "nothing beyond")
			for _, b := range upperHalves(got) {
				require.Zero(t, b, "initial")
			}
		}
	}
}

// A new thread has the initial state, and one that the kernel resets has it
// again: control word 0x37f, MXCSR 0x1f80, empty registers.
func TestInitialExtendedState(t *testing.T) {
	_, m, f := openTest(t)
	k := newTask(t, m, f)
	page := k.frames.page(k.add(dataAt, 1, mach.ProtDefault))
	th, r := k.thread(), k.regs("save_fx")
	for i := range 2 {
		state, err := th.ExtendedState()
		require.NoError(t, err)
		if i == 0 {
			require.Equal(t, m.Extended().Initial(), state)
		}
		r.RIP, r.RDI = k.at("save_fx"), uint64(dataAt)
		k.trap(th, r, -100)
		want := make([]byte, 416)
		want[0], want[1], want[24], want[25] = 0x7f, 0x03, 0x80, 0x1f
		require.Equal(t, want, legacy(page))
		require.NoError(t, th.SetExtendedState(randomState(m.Extended(), rand.New(rand.NewPCG(7, 8)))))
		require.NoError(t, th.SetExtendedState(m.Extended().Initial()))
	}
}

// Components that are marked as initial are so, whatever lies in their place.
func TestAbsentComponentsAreInitial(t *testing.T) {
	_, m, f := openTest(t)
	x := m.Extended()
	if x.Size == 512 {
		t.Skip("this host has no XSAVE")
	}
	k := newTask(t, m, f)
	th := k.thread()
	state := randomState(x, rand.New(rand.NewPCG(9, 10)))
	mxcsr := append([]byte{}, state[24:28]...)
	binary.LittleEndian.PutUint64(state[512:], 0)
	require.NoError(t, th.SetExtendedState(state))
	got, err := th.ExtendedState()
	require.NoError(t, err)
	want := make([]byte, 416)
	want[0], want[1] = 0x7f, 0x03
	copy(want[24:], mxcsr) // has no mark
	require.Equal(t, want, legacy(got))
}

// What the processor would refuse to load is refused first, and changes
// nothing.
func TestBadExtendedStateIsRefused(t *testing.T) {
	_, m, f := openTest(t)
	x := m.Extended()
	k := newTask(t, m, f)
	th, r := k.thread(), k.regs("trap_loop")
	good := randomState(x, rand.New(rand.NewPCG(11, 12)))
	require.NoError(t, th.SetExtendedState(good))
	le := binary.LittleEndian
	bad := map[string][]byte{}
	for _, size := range []int{0, 1, 511, 513, 575, x.Size - 1, x.Size + 1, 1 << 20} {
		if size != 512 {
			bad[fmt.Sprintf("%d bytes", size)] = make([]byte, size)
		}
	}
	spoil := func(name string, f func(b []byte)) {
		b := append([]byte{}, good...)
		f(b)
		bad[name] = b
	}
	for bit := range 32 {
		if x.MXCSRMask>>bit&1 == 0 {
			spoil(fmt.Sprintf("MXCSR bit %d", bit), func(b []byte) { b[24+bit/8] |= 1 << (bit % 8) })
			spoil(fmt.Sprintf("MXCSR bit %d, FXSAVE", bit), func(b []byte) { b[24+bit/8] |= 1 << (bit % 8) })
			bad[fmt.Sprintf("MXCSR bit %d, FXSAVE", bit)] = bad[fmt.Sprintf("MXCSR bit %d, FXSAVE", bit)][:512]
			spoil(fmt.Sprintf("MXCSR bit %d, initial", bit), func(b []byte) {
				b[24+bit/8] |= 1 << (bit % 8)
				clear(b[512:min(520, len(b))])
			})
		}
	}
	if x.Size != 512 {
		for bit := range 64 {
			if x.Features>>bit&1 == 0 {
				spoil(fmt.Sprintf("component %d", bit), func(b []byte) { le.PutUint64(b[512:], 1<<bit) })
			}
		}
		spoil("compacted", func(b []byte) { le.PutUint64(b[520:], 1<<63|7) })
		for at := 520; at < 576; at++ {
			spoil(fmt.Sprintf("header byte %d", at), func(b []byte) { b[at] = 1 })
		}
	}
	for name, b := range bad {
		require.ErrorIs(t, th.SetExtendedState(b), ErrState, name)
	}
	got, err := th.ExtendedState()
	require.NoError(t, err)
	require.Equal(t, good, got)
	k.trap(th, r, -25)
	require.NoError(t, th.SetExtendedState(got))
	k.trap(th, r, -25)
}

func TestExtendedStateOnlyBetweenEvents(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_once")
	k.next(th, r) // the text is mapped
	r.RIP = k.at("stay")
	done := make(chan Event)
	go func() { done <- th.Run(r) }()
	state := k.p.m.Extended().Initial()
	for !th.armed.Load() {
		runtime.Gosched()
	}
	require.ErrorIs(t, th.SetExtendedState(state), ErrRunning)
	_, err := th.ExtendedState()
	require.ErrorIs(t, err, ErrRunning)
	th.Interrupt()
	require.Equal(t, EventInterrupted, (<-done).Kind)
	require.NoError(t, th.SetExtendedState(state))
	k.p.Destroy()
	require.ErrorIs(t, th.SetExtendedState(state), ErrDead)
	_, err = th.ExtendedState()
	require.ErrorIs(t, err, ErrDead)
}

// A client spoils the frame that its thread waits in. What it made up is
// reported in a form that can be set again, or as made up; what the host then
// makes of the frame costs at most the process.
func TestForgedExtendedState(t *testing.T) {
	m, f := attackMachine(t)
	x := m.Extended()
	for _, c := range []struct {
		name  string
		spoil func(slot shared, pointer, area int)
	}{
		{"no state", func(s shared, p, _ int) { s.store64(p, 0) }},
		{"pointer 1", func(s shared, p, _ int) { s.store64(p, 1) }},
		{"pointer not canonical", func(s shared, p, _ int) { s.store64(p, 0x8000000000000000) }},
		{"pointer into the host", func(s shared, p, _ int) { s.store64(p, 0xffff888000000000) }},
		{"pointer to nothing", func(s shared, p, _ int) { s.store64(p, 0x123456789000) }},
		{"pointer beyond the slot", func(s shared, p, _ int) { s.store64(p, mbAddr+2*slotSize-64) }},
		{"pointer not aligned", func(s shared, p, _ int) { s.store64(p, s.load64(p)+8) }},
		{"pointer to the mailbox", func(s shared, p, _ int) { s.store64(p, mbAddr+slotSize) }},
		{"MXCSR", func(s shared, _, a int) { s.store32(a+24, ^uint32(0)) }},
		{"components", func(s shared, _, a int) { s.store64(a+512, ^uint64(0)) }},
		{"compacted", func(s shared, _, a int) { s.store64(a+520, ^uint64(0)) }},
		{"header", func(s shared, _, a int) { s.store64(a+528, ^uint64(0)) }},
		{"magic", func(s shared, _, a int) { s.store32(a+464, 0) }},
		{"features", func(s shared, _, a int) { s.store64(a+472, ^uint64(0)) }},
		{"size", func(s shared, _, a int) { s.store32(a+480, 1<<31) }},
		{"all of it", func(s shared, _, a int) {
			for i := a; i < a+x.Size; i += 8 {
				s.store64(i, 0xa5a5a5a5a5a5a5a5)
			}
		}},
	} {
		k := newTask(t, m, f)
		th, r := k.thread(), k.regs("trap_loop")
		k.trap(th, r, -25)
		at, ok := th.extendedAt(x.Size)
		require.True(t, ok)
		c.spoil(th.slot, th.pointerAt(), at)
		state, err := th.ExtendedState()
		if err != nil {
			require.ErrorIs(t, err, errForged, c.name)
		} else {
			require.NoError(t, x.Check(state), c.name)
		}
		ev := k.attack(th, r) // as the client left it
		t.Logf("%s: %v %v", c.name, ev.Kind, ev.Reason)
		if ev.Kind != EventDied {
			require.NoError(t, th.SetExtendedState(x.Initial()), c.name)
			r.RIP, r.RFLAGS = k.at("trap_loop"), flagsInitial
			k.trap(th, r, -25)
		}
		k.unharmed(m)
		f.next.Store(1 << 10)
	}
}

// An exception that the state holds is the client's, at its next instruction of
// that kind: on the way there it hurts nobody.
func TestPendingFloatExceptions(t *testing.T) {
	_, m, f := openTest(t)
	k := newTask(t, m, f)
	th, r := k.thread(), k.regs("trap_once")
	le := binary.LittleEndian
	state := m.Extended().Initial()[:512]
	le.PutUint16(state[0:], 0x340)   // nothing masked
	le.PutUint16(state[2:], 0x8084)  // divided by zero: ZE, ES, B
	le.PutUint32(state[24:], 0x003f) // nothing masked, all flags set
	require.NoError(t, th.SetExtendedState(state))
	k.next(th, r)
	r.RIP = k.at("wait_float")
	require.Equal(t, Event{Kind: EventException, Vector: VectorFloat, FSW: 0x8084, MXCSR: 0x3f}, k.next(th, r))
	le.PutUint16(state[2:], 0)
	le.PutUint32(state[160:], 0x7f800001) // a signalling NaN
	require.NoError(t, th.SetExtendedState(state))
	r.RIP = k.at("add_vectors")
	require.Equal(t, Event{Kind: EventException, Vector: VectorSIMD, MXCSR: 0x3f}, k.next(th, r))
}

// A sibling writes all over the frame that a thread waits in while its state is
// read and set: what is read can be set, or is called made up.
func TestExtendedStateUnderAScribblingSibling(t *testing.T) {
	m, f := attackMachine(t)
	random := rand.New(rand.NewPCG(17, 18))
	good, forged := 0, 0
	for range 20 {
		k := newTask(t, m, f)
		th, r := k.thread(), k.regs("trap_loop")
		k.trap(th, r, -25)
		scribbler, sr := k.thread(), k.regs("scribble")
		sr.RDI, sr.RSI, sr.RBX = th.base()+slotSize-0x1000, 0x1000, random.Uint64()
		done := make(chan struct{})
		go func() { k.next(scribbler, sr); close(done) }()
		for !scribbler.armed.Load() {
			runtime.Gosched()
		}
		for range 300 {
			state, err := th.ExtendedState()
			if err != nil {
				require.ErrorIs(t, err, errForged)
				forged++
				state = m.Extended().Initial()
			} else {
				good++
			}
			require.NoError(t, th.SetExtendedState(state))
		}
		k.attack(th, r)
		within(t, "Destroy", k.p.Destroy)
		<-done
		f.next.Store(1 << 10)
	}
	t.Logf("%d states read, %d called made up", good, forged)
	healthy(t, m, f)
}
