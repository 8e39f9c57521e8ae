//go:build linux && amd64

package platform

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/vm"
)

func TestFaultsLoadOnDemandAndAround(t *testing.T) {
	k := newTask(openTest(t))
	frame := k.add(dataAt, 64, mach.ProtDefault)
	th, r := k.thread(), k.regs("touch")
	r.RDI, r.RSI = uint64(dataAt), 64
	k.trap(th, r, -101)
	require.Equal(t, 64/16+1, k.faults, "one fault for each 16 pages, one for the text")
	for i := range 64 {
		require.EqualValues(t, 1, k.frames.page(frame + vm.Frame(i))[0])
	}
	k.trap(th, r, -101)
	require.Equal(t, 64/16+1, k.faults, "everything is mapped")
}

func TestPageFaultsReportAddressAndAccess(t *testing.T) {
	k := newTask(openTest(t))
	k.add(dataAt, 1, mach.ProtRead)
	k.add(dataAt+mach.PageSize, 1, mach.ProtDefault)
	// The processor's error code: present 1, write 2, user 4, fetch 16. Hosts
	// call everything in their own half present, to hide what is.
	const present = 1
	codes := map[string]uint64{"load": 4, "store": 6, "jump": 20}
	for _, c := range []struct {
		piece  string
		addr   mach.Addr
		access mach.Prot
		reason string
	}{
		{"load", 0x123456789008, mach.ProtRead, ""},
		{"store", 0x123456789010, mach.ProtWrite, ""},
		{"jump", 0x123456789018, mach.ProtExecute, ""},
		{"load", 8, mach.ProtRead, ""},
		{"jump", 0, mach.ProtExecute, ""},
		{"store", dataAt + 24, mach.ProtWrite, ""},                // read-only
		{"jump", dataAt + mach.PageSize, mach.ProtExecute, ""},    // not executable
		{"store", textCtl, mach.ProtWrite, "platform's own"},      // stub text
		{"store", textClient, mach.ProtWrite, "platform's own"},   //
		{"store", cmdAddr, mach.ProtWrite, "platform's own"},      // orders
		{"store", cmdAddr + cStrictCode, mach.ProtWrite, "own"},   // filters
		{"load", HoleStart, mach.ProtRead, "platform's own"},      // empty
		{"jump", mbAddr + 64, mach.ProtExecute, "platform's own"}, // mailboxes
		{"load", UserEnd, mach.ProtRead, "beyond the host's user space"},
		{"load", 0xffff800000000000, mach.ProtRead, "beyond the host's user space"},
		{"store", 0xffffffffff600000, mach.ProtWrite, "beyond the host's user space"},
		{"jump", 0xffffffffff600000, mach.ProtExecute, "beyond the host's user space"}, // vsyscall
	} {
		th, r := k.thread(), k.regs(c.piece)
		r.RDI = uint64(c.addr)
		rip := r.RIP
		ev := k.next(th, r)
		require.Equal(t, EventPageFault, ev.Kind, "%s %v: %+v", c.piece, c.addr, ev)
		require.Equal(t, c.addr, ev.Addr, c.piece)
		require.Equal(t, c.access, ev.Access, "%s %v", c.piece, c.addr)
		require.EqualValues(t, VectorPage, ev.Vector)
		require.Equal(t, codes[c.piece], ev.ErrorCode&^present, "%s %v", c.piece, c.addr)
		if c.reason == "" {
			require.Empty(t, ev.Reason)
		} else {
			require.Contains(t, ev.Reason, c.reason)
			require.Contains(t, ev.Reason, c.addr.String())
		}
		if c.piece == "jump" {
			rip = uint64(c.addr)
		}
		require.Equal(t, rip, r.RIP, "%s %v", c.piece, c.addr)
	}
}

// fault is the event of an exception without anything else to say.
func fault(vector uint8, code uint64) Event {
	return Event{Kind: EventException, Vector: vector, ErrorCode: code}
}

// Vectors, error codes and where rip is: Intel's manual, volume 3, chapter 6.
func TestExceptionsTable(t *testing.T) {
	k := newTask(openTest(t))
	data := k.frames.page(k.add(dataAt, 1, mach.ProtDefault))
	const trapFlag, alignFlag = 0x100, 0x40000
	const farSelector = 7 // of the gate that i386 programs call, without RPL 4
	copy(data[512:], []byte{0, 0, 0, 0, farSelector, 0})
	step := Event{Kind: EventException, Vector: VectorDebug, DR6: DebugStep}
	for _, c := range []struct {
		piece string
		setup func(r *Regs)
		want  Event
		after int // where rip is, from the piece's start; -1 for anywhere
	}{
		{"divide", nil, fault(VectorDivide, 0), -1},
		{"breakpoint", nil, fault(VectorBreakpoint, 0), 1},
		{"int3_long", nil, fault(VectorBreakpoint, 0), 2},
		{"int1", nil, fault(VectorDebug, 0), 1},
		{"int1_long", nil, fault(VectorDebug, 0), 3},
		{"overflow", nil, fault(VectorOverflow, 0), 2},
		{"undefined", nil, fault(VectorOpcode, 0), 0},
		{"halt", nil, fault(VectorProtection, 0), 0},
		{"disable", nil, fault(VectorProtection, 0), 0},
		{"int5", nil, fault(VectorProtection, 5*8+2), 0},
		{"int80", nil, fault(VectorProtection, 0x80*8+2), 0},
		{"int82", nil, fault(VectorProtection, 0x82*8+2), 0},
		{"far_call", func(r *Regs) { r.RDI = uint64(dataAt) + 512 }, fault(VectorProtection, farSelector&^3), 0},
		{"return_far", func(r *Regs) { r.RAX = 0x10 }, fault(VectorProtection, 0x10), 3},
		{"load_data_segment", func(r *Regs) { r.RAX = 0x10 }, fault(VectorProtection, 0x10), 0},
		{"load_data_segment", func(r *Regs) { r.RAX = 0xfff3 }, fault(VectorProtection, 0xfff0), 0},
		{"load_stack_segment", func(r *Regs) { r.RAX = CS64 }, fault(VectorProtection, CS64&^3), 0},
		{"load_stack_segment", func(r *Regs) { r.RAX = 0 }, fault(VectorProtection, 0), 0},
		{"nops", func(r *Regs) { r.RFLAGS |= trapFlag }, step, 1},
		{"set_flags", func(r *Regs) { r.RAX = flagsInitial | trapFlag }, step, 3},
		{"load", func(r *Regs) { r.RDI = 0x8000000000000000 }, fault(VectorProtection, 0), 0},
		{"jump", func(r *Regs) { r.RDI = 0x8000000000000000 }, fault(VectorProtection, 0), -1},
		{"push_rax", func(r *Regs) { r.RSP = 0x0000800000000000 + 8 }, fault(VectorStack, 0), 0},
		{"load", func(r *Regs) { r.RFLAGS |= alignFlag; r.RDI = uint64(dataAt) + 1 }, fault(VectorAlignment, 0), 0},
		// Two values on the stack, divided by zero: TOP is 6, ZE, ES and B are set.
		{"x87", nil, Event{Kind: EventException, Vector: VectorFloat, FSW: 0xb084, MXCSR: 0x1f80}, -1},
		{"simd", nil, Event{Kind: EventException, Vector: VectorSIMD, MXCSR: 0x1d84}, -1},
	} {
		th, r := k.thread(), k.regs(c.piece)
		r.R8, r.R11, r.RAX = 0x1111, 0x2222, 20
		if c.setup != nil {
			c.setup(r)
		}
		start := r.RIP
		ev := k.next(th, r)
		require.Equal(t, c.want, ev, c.piece)
		if c.after >= 0 {
			require.Equal(t, start+uint64(c.after), r.RIP, c.piece)
		}
		if c.piece == "int80" {
			require.Equal(t, []uint64{0x1111, 0x2222, 20}, []uint64{r.R8, r.R11, r.RAX}, "registers at int $0x80")
		}
		th.Exit()
	}
	// sysenter differs between processors; it must only not reach the host
	th, r := k.thread(), k.regs("enter_kernel_32")
	require.NotEqual(t, EventDied, k.next(th, r).Kind)
}

func TestSoftwareInterruptsHaveTheirNumber(t *testing.T) {
	for _, c := range []struct {
		ev     Event
		number uint8
		ok     bool
	}{
		{fault(VectorProtection, 0x80*8+2), 0x80, true},
		{fault(VectorProtection, 5*8+2), 5, true},
		{fault(VectorProtection, 0), 0, false},              // no error code
		{fault(VectorProtection, 4), 0, false},              // a selector in the LDT
		{fault(VectorProtection, 0x80*8+3), 0, false},       // not by an instruction
		{fault(VectorStack, 5*8+2), 0, false},               //
		{Event{Kind: EventTrap, Trap: -25}, 0, false},       //
		{Event{Vector: VectorPage, ErrorCode: 2}, 0, false}, // a write
	} {
		number, ok := c.ev.SoftwareInterrupt()
		require.Equal(t, c.ok, ok, "%+v", c.ev)
		require.Equal(t, c.number, number, "%+v", c.ev)
	}
}

func TestDebugRegistersAreTheDebuggers(t *testing.T) {
	require.NoError(t, CheckDebugControl(0))
	require.NoError(t, CheckDebugControl(0xffff0400), "conditions of no breakpoint")
	for bit := range 8 {
		require.ErrorIs(t, CheckDebugControl(1<<bit), ErrDebugRegisters)
	}
}

// A client that has no rights to its own pages, or to those of the stub, by
// protection keys gets a fault that says so; the handler is not locked out.
func TestClientLocksItselfOut(t *testing.T) {
	k := newTask(openTest(t))
	k.add(dataAt, 1, mach.ProtDefault)
	th, r := k.thread(), k.regs("load")
	r.RDI = uint64(dataAt)
	k.trap(th, r, -100) // the pages are mapped
	r.RIP, r.RAX, r.RDI = k.at("lock_out"), 0xffffffff, uint64(dataAt)
	ev := th.Run(r)
	if ev.Vector == VectorOpcode {
		t.Skip("this host has no protection keys")
	}
	require.Equal(t, EventPageFault, ev.Kind, "%+v", ev)
	require.Contains(t, ev.Reason, "protection-key")
	require.Equal(t, ev.Reason, th.Run(r).Reason, "for ever")
	// No component of a Mach thread's state is about keys: setting one gives
	// the rights back.
	state, err := th.ExtendedState()
	require.NoError(t, err)
	require.NoError(t, th.SetExtendedState(state))
	k.trap(th, r, -100)
}

// Single stepping goes on as long as the kernel leaves the flag set, and stops
// when it clears it.
func TestSingleStep(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("nops")
	r.RFLAGS |= 0x100
	for i := 1; i <= 3; i++ {
		ev := k.next(th, r)
		require.Equal(t, Event{Kind: EventException, Vector: VectorDebug, DR6: DebugStep}, ev)
		require.Equal(t, k.at("nops")+uint64(i), r.RIP)
	}
	r.RIP, r.RFLAGS = k.at("trap_once"), r.RFLAGS&^0x100
	r.RAX = 5
	k.trap(th, r, 5)
}

// A trap is over when it is reported: the thread goes on behind it, whatever
// lies before and after, stepped or not.
func TestTrapsAreOverWhenReported(t *testing.T) {
	k := newTask(openTest(t))
	step := Event{Kind: EventException, Vector: VectorDebug, DR6: DebugStep}
	for _, c := range []struct {
		flags uint64
		want  []Event
		after []int
	}{
		{
			0,
			[]Event{fault(VectorDebug, 0), fault(VectorDebug, 0), fault(VectorBreakpoint, 0), fault(VectorDebug, 0)},
			[]int{4, 5, 6, 7},
		},
		{
			0x100,
			[]Event{step, fault(VectorDebug, 0), fault(VectorDebug, 0), fault(VectorBreakpoint, 0), fault(VectorDebug, 0)},
			[]int{3, 4, 5, 6, 7},
		},
	} {
		th, r := k.thread(), k.regs("int1_row")
		r.RFLAGS |= c.flags
		start := r.RIP
		for i, want := range c.want {
			require.Equal(t, want, k.next(th, r), "%d", i)
			require.Equal(t, start+uint64(c.after[i]), r.RIP, "%d", i)
		}
		require.Equal(t, fault(VectorOpcode, 0), k.next(th, r))
	}
}

func TestInt1AtPageBorders(t *testing.T) {
	k := newTask(openTest(t))
	frame := k.add(dataAt, 3, mach.ProtAll)
	k.frames.page(frame)[mach.PageSize-1] = 0x66
	k.frames.page(frame + 1)[0] = 0xf1
	k.frames.page(frame + 2)[mach.PageSize-1] = 0xf1 // nothing follows
	th, r := k.thread(), k.regs("nops")
	for _, c := range [][2]uint64{{mach.PageSize - 1, 2}, {3*mach.PageSize - 1, 1}} {
		r.RIP = uint64(dataAt) + c[0]
		require.Equal(t, fault(VectorDebug, 0), k.next(th, r))
		require.Equal(t, uint64(dataAt)+c[0]+c[1], r.RIP)
	}
}

func TestInt1Length(t *testing.T) {
	for _, c := range []struct {
		code   []byte
		length uint64
	}{
		{[]byte{0xf1}, 1},
		{[]byte{0xf1, 0xf1, 0xf1}, 1},
		{[]byte{0x66, 0x48, 0xf1}, 3},
		{[]byte{0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xf1}, 15},
		{[]byte{0x90, 0xf1}, 1},       // changed meanwhile
		{[]byte{0xf0, 0xf1}, 1},       // lock
		{[]byte{0x66, 0x66, 0x66}, 1}, // cut off
		{nil, 1},
	} {
		require.Equal(t, c.length, int1Length(c.code), "% x", c.code)
	}
}

// The kernel may load any registers whatever; a bad instruction address is the
// client's exception.
func TestAnyRegistersCanBeLoaded(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("trap_once")
	r.RIP = 0x8000000000000000
	ev := k.next(th, r)
	require.Equal(t, EventException, ev.Kind, "%+v", ev)
	require.EqualValues(t, VectorProtection, ev.Vector)
	*r = Regs{RIP: k.at("trap_once"), RSP: ^uint64(0), RFLAGS: ^uint64(0) &^ 0x100, CS: 0xffff, RAX: 9}
	k.trap(th, r, 9)
}
