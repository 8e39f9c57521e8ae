//go:build linux && amd64

package platform

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func TestTrapReportsArgumentsAndKeepsEveryRegister(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_once")
	in := Regs{
		RAX: 0x12345678ffffffe7, RDI: 0x1111, RSI: 0x2222, RDX: 0x3333, R10: 0x4444, R8: 0x5555, R9: 0x6666,
		RBX: 0xb1, RBP: 0xb2, R12: 0xc2, R13: 0xc3, R14: 0xc4, R15: 0xffff8000deadbeef,
		RIP: r.RIP, RSP: r.RSP, RFLAGS: 0x202 | 0x400, // direction flag
	}
	*r = in
	k.trap(th, r, -25)
	want := in
	want.RIP += 2
	want.RCX, want.R11 = want.RIP, in.RFLAGS // the instruction leaves them so
	want.CS, want.SS = CS64, dataSegment
	require.Equal(t, want, *r)

	// What the kernel changes arrives.
	r.RIP, r.RAX, r.R15 = k.at("trap_once"), 7, 42
	k.trap(th, r, 7)
	require.EqualValues(t, 42, r.R15)
}

func TestRedZoneSurvivesTrapAndFault(t *testing.T) {
	k := newTask(openTest(t))
	k.add(dataAt, 1, mach.ProtRead)
	th, r := k.thread(), k.regs("red_zone")
	r.R8 = uint64(dataAt)
	k.trap(th, r, -25)
	k.trap(th, r, -100)
	require.EqualValues(t, 0x5a5a, r.RDI)
	require.EqualValues(t, 0x6b6b, r.RSI)
}

func TestVectorRegistersSurviveTrapAndFault(t *testing.T) {
	k := newTask(openTest(t))
	k.add(dataAt, 1, mach.ProtRead)
	th, r := k.thread(), k.regs("vectors")
	r.R8, r.RDI, r.RSI = uint64(dataAt), 0xaaaabbbbccccdddd, 0x1111222233334444
	k.trap(th, r, -25)
	r.RDI, r.RSI = 0, 0
	k.trap(th, r, -100)
	require.EqualValues(t, uint64(0xaaaabbbbccccdddd), r.RDI)
	require.EqualValues(t, 0x1111222233334444, r.RSI)
}

func TestSegmentBases(t *testing.T) {
	for name, mode := range map[string]uint32{"instructions": flagFSGSBase, "calls": 0} {
		t.Run(name, func(t *testing.T) {
			_, m, f := openTest(t)
			if mode != 0 && m.flags&flagFSGSBase == 0 {
				t.Skip("this host has no FSGSBASE instructions")
			}
			client := m.flags&flagFSGSBase != 0 // whether client code has them
			m.flags = m.flags&^flagFSGSBase | mode
			m.strict = strictFilter(mode != 0)
			k := newTask(t, m, f)
			th, r := k.thread(), k.regs("get_bases")
			r.FSBase, r.GSBase = 0x7777000, 0x8888000
			if client {
				k.trap(th, r, -100)
				require.EqualValues(t, []uint64{0x7777000, 0x8888000}, []uint64{r.RDI, r.RSI})
			}
			r.RIP = k.at("trap_once")
			k.next(th, r)
			require.EqualValues(t, []uint64{0x7777000, 0x8888000}, []uint64{r.FSBase, r.GSBase})
			if !client {
				return
			}
			r.RIP, r.RDI, r.RSI = k.at("set_bases"), 0x123450000, 0x543210000
			k.trap(th, r, -25)
			require.EqualValues(t, []uint64{0x123450000, 0x543210000}, []uint64{r.FSBase, r.GSBase})
			k.trap(th, r, -100)
			require.EqualValues(t, []uint64{0x123450000, 0x543210000}, []uint64{r.RDI, r.RSI})
		})
	}
}

// A base that the processor does not take must not reach the handler, where it
// would fault with all signals blocked.
func TestNonCanonicalBasesAreZero(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_once")
	r.FSBase, r.GSBase = 0x8000000000000000, 0x0000800000000000
	ev := k.next(th, r)
	require.Equal(t, EventTrap, ev.Kind, ev.Reason)
	require.Zero(t, r.FSBase)
	require.Zero(t, r.GSBase)
	require.False(t, Canonical(0x8000000000000000))
	require.True(t, Canonical(0xffff800000000000))
	require.True(t, Canonical(0x00007fffffffffff))
}

// All numbers are traps with their own number, also those that skip seccomp
// filters and those that the host takes for restart codes; rip and rax are the
// client's.
func TestEveryNumberIsATrap(t *testing.T) {
	k := newTask(openTest(t))
	sweepNumbers(t, k)
}

func sweepNumbers(t testing.TB, k *task) {
	const first, last = -1100, 700
	th, r := k.thread(), k.regs("sweep")
	start := r.RIP
	from := int64(first)
	r.RBX = uint64(from)
	for n := first; n <= last; n++ {
		ev := k.next(th, r)
		if ev.Kind != EventTrap || int(ev.Trap) != n || r.RAX != uint64(int64(n)) || r.RIP != start+5 {
			require.Fail(t, "number lost", "number %d: %+v rax %#x rip %#x", n, ev, r.RAX, r.RIP)
		}
	}
}

func TestCompatibilityModeIsReported(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("undefined")
	r.CS = CS32
	ev := k.next(th, r)
	require.Equal(t, Event{Kind: EventException, Vector: VectorOpcode}, ev)
	require.EqualValues(t, CS32, r.CS)
}
