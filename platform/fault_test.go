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

func TestExceptionsTable(t *testing.T) {
	k := newTask(openTest(t))
	k.add(dataAt, 1, mach.ProtDefault)
	const trapFlag, alignFlag = 0x100, 0x40000
	for _, c := range []struct {
		piece  string
		setup  func(r *Regs)
		vector uint8
		code   uint64
		after  int // where rip is, from the piece's start; -1 for anywhere
	}{
		{"divide", nil, VectorDivide, 0, -1},
		{"breakpoint", nil, VectorBreakpoint, 0, 1},
		{"overflow", nil, VectorOverflow, 0, 2},
		{"undefined", nil, VectorOpcode, 0, 0},
		{"halt", nil, VectorProtection, 0, 0},
		{"disable", nil, VectorProtection, 0, 0},
		{"int80", nil, VectorProtection, 0x80*8 + 2, 0},
		{"int82", nil, VectorProtection, 0x82*8 + 2, 0},
		{"nops", func(r *Regs) { r.RFLAGS |= trapFlag }, VectorDebug, 0, 1},
		{"load", func(r *Regs) { r.RDI = 0x8000000000000000 }, VectorProtection, 0, 0},
		{"jump", func(r *Regs) { r.RDI = 0x8000000000000000 }, VectorProtection, 0, -1},
		{"push_rax", func(r *Regs) { r.RSP = 0x0000800000000000 + 8 }, VectorStack, 0, 0},
		{"load", func(r *Regs) { r.RFLAGS |= alignFlag; r.RDI = uint64(dataAt) + 1 }, VectorAlignment, 0, 0},
		{"x87", nil, VectorFloat, 0, -1},
		{"simd", nil, VectorSIMD, 0, -1},
	} {
		th, r := k.thread(), k.regs(c.piece)
		if c.setup != nil {
			c.setup(r)
		}
		r.R8, r.R11, r.RAX = 0x1111, 0x2222, 20
		start := r.RIP
		ev := k.next(th, r)
		require.Equal(t, Event{Kind: EventException, Vector: c.vector, ErrorCode: c.code}, ev, c.piece)
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

// Single stepping goes on as long as the kernel leaves the flag set, and stops
// when it clears it.
func TestSingleStep(t *testing.T) {
	k := newTask(openTest(t))
	th, r := k.thread(), k.regs("nops")
	r.RFLAGS |= 0x100
	for i := 1; i <= 3; i++ {
		ev := k.next(th, r)
		require.Equal(t, Event{Kind: EventException, Vector: VectorDebug}, ev)
		require.Equal(t, k.at("nops")+uint64(i), r.RIP)
	}
	r.RIP, r.RFLAGS = k.at("trap_once"), r.RFLAGS&^0x100
	r.RAX = 5
	k.trap(th, r, 5)
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
