//go:build linux && amd64

package platform

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/vm"
)

// randomRegs are registers with a value in each, for a thread at rip; its stack
// pointer leads nowhere.
func randomRegs(random *rand.Rand, rip uint64) Regs {
	r := Regs{CS: CS64, SS: dataSegment}
	for _, p := range r.words() {
		*p = random.Uint64()
	}
	r.RIP, r.RFLAGS = rip, flagsInitial|uint64(random.Uint32())&0xcd5 // arithmetic flags and DF
	r.FSBase, r.GSBase = random.Uint64()>>17, random.Uint64()>>17
	return r
}

// restartCodes are the results that the host takes for its own orders to start
// a call again, -512 to -516, and their neighbours.
var restartCodes = []int64{-511, -512, -513, -514, -515, -516, -517, -4, 0, -25}

// A thread that stopped at any event goes on with exactly the registers that
// the kernel gives it, rax, rcx and r11 included: nothing of the event is left,
// not even where it was a trap.
func TestRestartWithOtherRegisters(t *testing.T) {
	k := newTask(openTest(t))
	random := rand.New(rand.NewPCG(13, 14))
	for _, stop := range []string{"trap_once", "undefined", "breakpoint", "load", "stay", "int80", ""} {
		for _, code := range restartCodes {
			th, r := k.thread(), k.regs("trap_once")
			r.RAX = uint64(code)
			if stop != "" {
				r.RIP = k.at(stop)
			}
			if stop == "stay" {
				th.Interrupt()
			}
			if stop != "" {
				k.next(th, r)
			}
			want := randomRegs(random, k.at("undefined"))
			want.RAX = uint64(code)
			*r = want
			require.Equal(t, fault(VectorOpcode, 0), k.next(th, r), stop)
			want.RFLAGS |= 0x10000 // RF: the processor saves it so at a fault
			require.Equal(t, want, *r, "after %q", stop)
			th.Exit()
		}
	}
}

// The registers of an interrupted thread are exactly those it had, whatever
// the host might take rax for.
func TestInterruptedRegisters(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_once")
	k.next(th, r) // the text is mapped
	random := rand.New(rand.NewPCG(15, 16))
	for _, code := range restartCodes {
		want := randomRegs(random, k.at("stay"))
		want.RAX = uint64(code)
		*r = want
		for range 5 {
			timer := time.AfterFunc(100*time.Microsecond, th.Interrupt)
			require.Equal(t, Event{Kind: EventInterrupted}, th.Run(r))
			timer.Stop()
			require.Equal(t, want, *r)
		}
	}
}

// Bits of RFLAGS that are the system's do not reach the processor.
func TestSystemFlagsAreNotLoaded(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("undefined")
	const system = 0x3000 | 0x4000 | 0x20000 | 0x180000 // IOPL, NT, VM, VIF, VIP
	r.RFLAGS = system
	require.Equal(t, fault(VectorOpcode, 0), k.next(th, r))
	require.EqualValues(t, flagsInitial, r.RFLAGS&(system|flagsInitial), "interrupts are on")
}

// An interrupt between events, at whatever event the thread stands, is the
// next Run's, once, and changes no register.
func TestInterruptBetweenEvents(t *testing.T) {
	k := newTask(openTest(t))
	for _, stop := range []string{"", "trap_once", "undefined", "load", "stay"} {
		th, r := k.thread(), k.regs("trap_loop")
		if stop != "" {
			r.RIP = k.at(stop)
			if stop == "stay" {
				th.Interrupt()
			}
			k.next(th, r)
		}
		r.RIP = k.at("trap_loop")
		for range 3 {
			want := *r
			th.Interrupt()
			require.Equal(t, Event{Kind: EventInterrupted}, th.Run(r), stop)
			require.Equal(t, want, *r)
			k.trap(th, r, -25)
			k.trap(th, r, -25)
		}
		th.Exit()
	}
}

// interrupts asks a thread to stop, again as soon as it has, that many times.
type interrupts struct {
	rounds    int
	delivered chan struct{}
}

func interruptAllTheTime(th *Thread, rounds int) *interrupts {
	i := &interrupts{rounds: rounds, delivered: make(chan struct{})}
	go func() {
		for range rounds {
			th.Interrupt()
			<-i.delivered
		}
	}()
	return i
}

// note takes in an event and reports whether it is a delivery.
func (i *interrupts) note(ev Event) bool {
	if ev.Kind != EventInterrupted {
		return false
	}
	i.rounds--
	i.delivered <- struct{}{}
	return true
}

// Interrupts of a thread that faults all the time: each is delivered once, no
// fault is lost, no access is made twice or left out.
func TestInterruptOfAFaultingThread(t *testing.T) {
	const pages = 16
	k := newTask(openTest(t))
	k.around = 1
	first := k.add(dataAt, pages, mach.ProtDefault)
	th, r := k.thread(), k.regs("touch")
	r.RDI, r.RSI = uint64(dataAt), pages
	k.trap(th, r, -101)
	asked := interruptAllTheTime(th, 500)
	for asked.rounds > 0 {
		for i := range pages {
			k.frames.page(first + vm.Frame(i))[0] = 0
		}
		k.p.Remove(dataAt, dataAt+pages*mach.PageSize)
		faults := 0
		for done := false; !done; {
			ev := th.Run(r)
			switch {
			case asked.note(ev):
			case ev.Kind == EventPageFault:
				faults++
				require.Equal(t, dataAt+mach.Addr(faults-1)*mach.PageSize, ev.Addr)
				require.True(t, k.fault(ev))
			default:
				require.Equal(t, Event{Kind: EventTrap, Trap: -101}, ev)
				done = true
			}
			if asked.rounds == 0 {
				return
			}
		}
		require.Equal(t, pages, faults)
	}
}

// Interrupts of a thread that is single-stepped: each step is one instruction
// and is reported once, also where an interrupt comes between. The step over a
// trap ends behind the instruction that follows it.
func TestInterruptOfASteppingThread(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_loop")
	loop := r.RIP // mov, 7 bytes; syscall, 2 bytes; jmp
	k.trap(th, r, -25)
	r.RIP, r.RFLAGS = loop, flagsInitial|0x100
	step := Event{Kind: EventException, Vector: VectorDebug, DR6: DebugStep}
	cycle := []struct {
		ev  Event
		rip uint64
	}{
		{step, loop + 7},
		{Event{Kind: EventTrap, Trap: -25}, loop + 9},
		{step, loop},
	}
	asked := interruptAllTheTime(th, 500)
	for n := 0; asked.rounds > 0; {
		ev := th.Run(r)
		if asked.note(ev) {
			continue
		}
		require.Equal(t, cycle[n%3].ev, ev, "event %d", n)
		require.Equal(t, cycle[n%3].rip, r.RIP, "event %d", n)
		n++
	}
	r.RFLAGS &^= 0x100
	k.trap(th, r, -25)
	k.trap(th, r, -25)
}

// Extended state and segment bases that the kernel sets hold across every
// event, also where a late interrupt is absorbed between.
func TestStateUnderInterrupts(t *testing.T) {
	_, m, f := openTest(t)
	k := newTask(t, m, f)
	th, r := k.thread(), k.regs("trap_loop")
	k.trap(th, r, -25)
	random := rand.New(rand.NewPCG(19, 20))
	asked := interruptAllTheTime(th, 300)
	for asked.rounds > 0 {
		want := randomState(m.Extended(), random)
		fs, gs := random.Uint64()>>17, random.Uint64()>>17
		require.NoError(t, th.SetExtendedState(want))
		r.FSBase, r.GSBase = fs, gs
		for range 3 {
			ev := th.Run(r)
			got, err := th.ExtendedState()
			require.NoError(t, err)
			require.Equal(t, want, got, "at %+v", ev)
			require.Equal(t, []uint64{fs, gs}, []uint64{r.FSBase, r.GSBase})
			if asked.note(ev) && asked.rounds == 0 {
				break
			}
		}
	}
	k.trap(th, r, -25)
}
