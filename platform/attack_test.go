//go:build linux && amd64

package platform

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// attackMachine is a machine that loses patience with hostile clients early,
// so that the tests need not wait.
func attackMachine(t testing.TB) (*Machine, *frames) {
	m, f := openMachine(t, 1<<15)
	m.deadline = 150 * time.Millisecond
	return m, f
}

// stubCalls are the addresses of the stub's syscall instructions, by page.
func stubCalls(t testing.TB) map[uint64][]uint64 {
	file, err := elf.NewFile(strings.NewReader(stubELF))
	require.NoError(t, err)
	calls := map[uint64][]uint64{}
	for _, s := range file.Sections {
		if s.Flags&elf.SHF_EXECINSTR == 0 {
			continue
		}
		code, err := s.Data()
		require.NoError(t, err)
		for i := range code {
			if bytes.HasPrefix(code[i:], []byte{0x0f, 0x05}) {
				page := s.Addr &^ mach.PageMask
				calls[page] = append(calls[page], s.Addr+uint64(i))
			}
		}
	}
	require.Len(t, calls, 3, "control, client, start")
	return calls
}

// stubCode is the address of the instruction bytes in the client page.
func stubCode(t testing.TB, code ...byte) uint64 {
	file, err := elf.NewFile(strings.NewReader(stubELF))
	require.NoError(t, err)
	text, err := file.Section(".client").Data()
	require.NoError(t, err)
	i := bytes.Index(text, code)
	require.GreaterOrEqual(t, i, 0)
	return textClient + uint64(i)
}

// attack runs a thread to its next event other than a resolvable page fault.
// Whatever it does, Run comes back: by itself, after an interrupt, or because
// the process was killed.
func (k *task) attack(th *Thread, r *Regs) Event {
	events := make(chan Event, 1)
	go func() { events <- k.next(th, r) }()
	select {
	case ev := <-events:
		return ev
	case <-time.After(30 * time.Millisecond):
	}
	th.Interrupt()
	select {
	case ev := <-events:
		return ev
	case <-time.After(patience):
		panic("an interrupted thread did not come back")
	}
}

// surely is next for what comes to an event by itself, however busy the machine.
func (k *task) surely(th *Thread, r *Regs) (ev Event) {
	within(k.t, "Run", func() { ev = k.next(th, r) })
	return ev
}

// unharmed checks that an attack neither mapped memory nor hurt the machine.
func (k *task) unharmed(m *Machine) {
	k.t.Helper()
	if th, err := k.p.NewThread(); err == nil {
		r := k.regs("load")
		r.RDI = attackAddr
		ev := k.attack(th, r)
		if ev.Kind != EventDied && ev.Kind != EventInterrupted {
			require.Equal(k.t, EventPageFault, ev.Kind, "%+v", ev)
			require.EqualValues(k.t, attackAddr, ev.Addr)
		}
	} else {
		require.True(k.t, errors.Is(err, ErrDead), err)
	}
	within(k.t, "Destroy", k.p.Destroy)
	healthy(k.t, m, k.frames)
}

// attackAddr is what an attack tries to map.
const attackAddr = 0x40000000

var attackNumbers = map[string]uint64{
	"read": 0, "write": 1, "mmap": 9, "mprotect": 10, "munmap": 11, "rt_sigaction": 13, "rt_sigprocmask": 14,
	"getpid": 39, "sendmsg": 46, "clone": 56, "execve": 59, "kill": 62, "ptrace": 101, "sigaltstack": 131,
	"prctl": 157, "setrlimit": 160, "exit_group": 231, "openat": 257, "seccomp": 317, "io_uring_setup": 425, "clone3": 435, "close_range": 436, "mach": ^uint64(24),
}

// A client jumps to each of the stub's syscall instructions with registers of
// its own: all it gets is a trap with that number.
func TestJumpsToStubCallsAreTraps(t *testing.T) {
	m, f := attackMachine(t)
	k := newTask(t, m, f)
	th := k.thread()
	base := *k.regs("trap_once")
	for _, calls := range stubCalls(t) {
		for _, at := range calls {
			for name, nr := range attackNumbers {
				r := base
				r.RIP, r.RAX = at, nr
				r.RDI, r.RSI, r.RDX, r.R10, r.R8 = attackAddr, mach.PageSize, 3, 0x11, fdFrames
				ev := k.surely(th, &r)
				require.Equal(t, Event{Kind: EventTrap, Trap: int32(nr)}, ev, "%s at %#x", name, at)
				require.Equal(t, at+2, r.RIP)
			}
		}
	}
	k.unharmed(m)
}

// Two numbers skip seccomp on current hosts, and the stub's own pages are
// exempt from dispatch. There they reach the host, which knows no probe there
// and does nothing.
func TestProbeNumbersFromStubPages(t *testing.T) {
	m, f := attackMachine(t)
	for _, calls := range stubCalls(t) {
		for _, at := range calls {
			for _, nr := range []uint64{335, 336} {
				k := newTask(t, m, f)
				th, r := k.thread(), k.regs("trap_once")
				r.RIP, r.RAX, r.RBX, r.R13 = at, nr, mbAddr+slotSize, mbAddr
				ev := k.attack(th, r)
				if nr == 335 && ev.Kind == EventException {
					require.EqualValues(t, VectorOpcode, ev.Vector)
				}
				f.next.Store(1 << 10)
				within(t, "Destroy", k.p.Destroy)
			}
		}
	}
	healthy(t, m, f)
}

// The calls that the client page is left with do no harm either.
func TestAllowedCallsDoNoHarm(t *testing.T) {
	m, f := attackMachine(t)
	calls := stubCalls(t)[textClient]
	last := calls[0]
	slot := uint64(mbAddr + slotSize)
	for _, c := range []struct {
		name     string
		at       uint64
		nr       uint64
		rdi, rsi uint64
		rdx      uint64
		kinds    []EventKind
		reason   string
	}{
		{"futex on client memory", last, unix.SYS_FUTEX, uint64(dataAt), 0, 0, []EventKind{EventTrap}, ""},
		{"futex requeue", last, unix.SYS_FUTEX, slot + 256, 3, 0, []EventKind{EventTrap}, ""},
		{"private futex", last, unix.SYS_FUTEX, slot + 256, 128, 0, []EventKind{EventTrap}, ""},
		{
			"sleep on a mailbox word", last, unix.SYS_FUTEX, slot + 256, 0, 0,
			[]EventKind{EventInterrupted, EventException, EventPageFault, EventTrap, EventDied},
			"",
		},
		{
			"sigreturn to garbage", last, unix.SYS_RT_SIGRETURN, 0, 0, 0,
			[]EventKind{EventException, EventPageFault, EventDied},
			"",
		},
		{"exit", last, unix.SYS_EXIT, 0, 0, 0, []EventKind{EventDied}, "forced its way out"},
		{"exit from control page", stubCalls(t)[textCtl][0], unix.SYS_EXIT, 0, 0, 0, []EventKind{EventTrap}, ""},
		{"futex from control page", stubCalls(t)[textCtl][0], unix.SYS_FUTEX, slot + 256, 1, 1, []EventKind{EventTrap}, ""},
	} {
		k := newTask(t, m, f)
		th, r := k.thread(), k.regs("trap_once")
		other, or := k.thread(), k.regs("trap_once")
		or.RAX = 1
		k.trap(other, or, 1)
		r.RIP, r.RAX, r.RDI, r.RSI, r.RDX = c.at, c.nr, c.rdi, c.rsi, c.rdx
		run := k.surely
		if slices.Contains(c.kinds, EventInterrupted) {
			run = k.attack
		}
		ev := run(th, r)
		require.Contains(t, c.kinds, ev.Kind, "%s: %+v", c.name, ev)
		require.Contains(t, ev.Reason, c.reason, c.name)
		k.unharmed(m)
	}
}

// A client thread that ends itself is found out, every time, though nobody
// interrupts it: the host rings for it before it has taken it off its list.
func TestThreadsThatEndThemselves(t *testing.T) {
	_, m, f := openTest(t)
	at := stubCalls(t)[textClient][0]
	free := f.next.Load()
	for range scaled(200, 20) {
		k := newTask(t, m, f)
		th, r := k.thread(), k.regs("trap_once")
		other := k.thread()
		other.Exit() // an honest end beside it
		r.RIP, r.RAX = at, unix.SYS_EXIT
		within(t, "Run", func() {
			ev := th.Run(r)
			require.Equal(t, EventDied, ev.Kind)
			require.Contains(t, ev.Reason, "forced its way out")
		})
		k.p.Destroy()
		f.next.Store(free)
	}
}

// Every mailbox and signal stack is overwritten, the header included; whatever
// the words are taken for, the machine lives on.
func TestOverwrittenMailboxes(t *testing.T) {
	m, f := attackMachine(t)
	for _, value := range []uint64{
		0, 1, 2, 3, 0x4141414141414141, ^uint64(0), mbAddr + 2*slotSize - 8,
		mbAddr + 2*slotSize - frameSize, mbAddr + slotSize + sStack, mbAddr + slotSize + sStack - 8, 0xffff800000000000,
	} {
		k := newTask(t, m, f)
		victim, vr := k.thread(), k.regs("trap_loop")
		k.trap(victim, vr, -25)
		th, r := k.thread(), k.regs("fill")
		r.RDI, r.RSI, r.RDX = mbAddr, mbAddr+4*slotSize, value
		k.attack(th, r)
		k.attack(victim, vr)
		k.attack(th, r)
		k.unharmed(m)
	}
}

// A sibling scribbles over all mailboxes and signal stacks all the time while
// others trap and are answered.
func TestScribblingSibling(t *testing.T) {
	m, f := attackMachine(t)
	length := 2 * time.Second
	if testing.Short() {
		length = 300 * time.Millisecond
	}
	random := rand.New(rand.NewPCG(1, 2))
	tasks, died, events := 0, 0, 0
	for began := time.Now(); time.Since(began) < length; tasks++ {
		k := newTask(t, m, f)
		span := uint64(4 * slotSize)
		if tasks%2 == 1 {
			span = 512 // the header only
		}
		scribbler, sr := k.thread(), k.regs("scribble")
		sr.RDI, sr.RSI, sr.RBX = mbAddr, span, random.Uint64()
		count := make(chan int, 3)
		for range 2 {
			th, r := k.thread(), k.regs("trap_loop")
			go func() {
				n := 0
				for k.next(th, r).Kind != EventDied {
					n++
				}
				count <- n
			}()
		}
		go func() { k.next(scribbler, sr); count <- 0 }()
		select {
		case <-k.p.Done():
			died++
		case <-time.After(10 * time.Millisecond):
		}
		within(t, "Destroy", k.p.Destroy)
		for range 3 {
			events += <-count
		}
		f.next.Store(1 << 10) // the task is gone: its frames are free again
	}
	t.Logf("%d tasks with a scribbling sibling, %d died of it, %d events", tasks, died, events)
	require.Greater(t, tasks, 5)
	healthy(t, m, f)
}

// The stack pointer may point anywhere when a client traps, also into signal
// stacks; the trap is reported as any other.
func TestStackPointerAnywhere(t *testing.T) {
	m, f := attackMachine(t)
	for _, sp := range []uint64{
		0, 8, 1, ^uint64(0), 0x8000000000000000, 0xffff800000000000, uint64(HoleStart),
		mbAddr, mbAddr + slotSize, mbAddr + 2*slotSize, mbAddr + slotSize + 0x8000, // own signal stack
		mbAddr + 2*slotSize + 0x8000, mbAddr + 9999*slotSize, textClient, cmdAddr,
	} {
		k := newTask(t, m, f)
		th, r := k.thread(), k.regs("trap_loop")
		k.thread()
		r.RSP = sp
		for range 3 {
			k.trap(th, r, -25)
			require.Equal(t, sp, r.RSP)
		}
		k.p.Destroy()
	}
	healthy(t, m, f)
}

// A client returns from a signal that never was: to another signal stack, to
// none, or with all signals blocked. It may lose its life; nobody else does.
func TestForgedSigreturn(t *testing.T) {
	m, f := attackMachine(t)
	sigreturn := stubCode(t, 0xb8, 15, 0, 0, 0, 0x0f, 0x05)
	const disabled = 2 // SS_DISABLE
	for _, c := range []struct {
		name       string
		stack      uint64
		stackFlags uint32
		mask       uint64
		then       string
	}{
		{"no signal stack, trap", 0, disabled, 0, "trap_loop"},
		{"no signal stack, fault", 0, disabled, 0, "undefined"},
		{"stack in client memory", uint64(dataAt) + mach.PageSize, ssAutodisarm, 0, "trap_loop"},
		{"own stack without disarming", mbAddr + slotSize + sStack, 0, 0, "trap_loop"},
		{"another thread's stack", mbAddr + 2*slotSize + sStack, ssAutodisarm, 0, "trap_loop"},
		{"a stack that no thread has", mbAddr + 500*slotSize + sStack, ssAutodisarm, 0, "trap_loop"},
		{"header as stack", mbAddr, ssAutodisarm, 0, "trap_loop"},
		{"stack in the text", textClient, ssAutodisarm, 0, "trap_loop"},
		{"all blocked, trap", mbAddr + slotSize + sStack, ssAutodisarm, ^uint64(0), "trap_loop"},
		{"all blocked, fault", mbAddr + slotSize + sStack, ssAutodisarm, ^uint64(0), "undefined"},
		{"all blocked, spin", mbAddr + slotSize + sStack, ssAutodisarm, ^uint64(0), "spin"},
	} {
		k := newTask(t, m, f)
		frame := k.add(dataAt, 8, mach.ProtDefault)
		th, r := k.thread(), k.regs("trap_once")
		k.thread() // the other thread
		memory := k.frames.mem[int(frame)*mach.PageSize:]
		copy(memory, firstFrame(mbAddr + slotSize)[:])
		le := binary.LittleEndian
		le.PutUint64(memory[ucStack:], c.stack)
		le.PutUint32(memory[ucStack+8:], c.stackFlags)
		le.PutUint64(memory[ucStack+16:], slotSize-sStack)
		le.PutUint64(memory[ucMask:], c.mask)
		forged := Regs{RIP: k.at(c.then), RSP: uint64(dataAt) + 7*mach.PageSize, RFLAGS: flagsInitial}
		forged.load(memory)
		k.around = 8
		require.NotEqual(t, EventDied, k.next(th, r).Kind)
		lr := k.regs("load") // maps the frame's page
		lr.RDI = uint64(dataAt)
		k.trap(th, lr, -100)
		r.RIP, r.RSP = sigreturn, uint64(dataAt)+ucFlags
		ev := k.attack(th, r)
		if c.then == "spin" {
			require.Equal(t, EventDied, ev.Kind, "%s: %+v", c.name, ev)
			require.Contains(t, ev.Reason, "unstoppable")
		}
		k.attack(th, r)
		k.unharmed(m)
	}
}

// A client enters the handler as if a signal had come.
func TestEnteringTheHandler(t *testing.T) {
	m, f := attackMachine(t)
	for _, entry := range []uint64{textClient, stubCode(t, 0xc7, 0x03, statePosted, 0, 0, 0), stubCode(t, 0x8b, 0x4b, sSpin)} {
		for _, sp := range []uint64{
			0, mbAddr + slotSize + 0x8000, mbAddr + 2*slotSize + 0x8000,
			mbAddr + 9999*slotSize, uint64(dataAt), 0x8000000000000000,
		} {
			k := newTask(t, m, f)
			k.add(dataAt&^(slotSize-1), 32, mach.ProtDefault)
			th, r := k.thread(), k.regs("trap_once")
			k.thread()
			r.RIP, r.RSP, r.RBX, r.R12, r.R13 = entry, sp, sp&^(slotSize-1), cmdAddr, mbAddr
			for range 3 {
				k.attack(th, r)
			}
			k.unharmed(m)
		}
	}
}

// A flood of forged rings and events costs the machine time, and nothing else.
func TestDoorbellFlood(t *testing.T) {
	m, f := attackMachine(t)
	for _, victim := range []uint64{1, 2} {
		k := newTask(t, m, f)
		th, r := k.thread(), k.regs("flood")
		other, or := k.thread(), k.regs("spin")
		r.RDI, r.RSI, r.RDX, r.RCX = mbAddr+victim*slotSize+sState, mbAddr+hSum, mbAddr+hMap, mbAddr+hBell
		go k.attack(other, or)
		for range 20 {
			k.attack(th, r)
		}
		healthy(t, m, f) // while it goes on
		k.unharmed(m)
	}
}

// What the control thread would not do even if the kernel ordered it. Each
// ends the process at once.
func TestControlThreadRefuses(t *testing.T) {
	m, f := attackMachine(t)
	for name, o := range map[string]order{
		"unmapping a mailbox":             {unix.SYS_MUNMAP, mbAddr, mach.PageSize},
		"unmapping up to the stub":        {unix.SYS_MUNMAP, uint64(HoleStart) - mach.PageSize, 1 << 33},
		"writable text":                   {unix.SYS_MPROTECT, textClient, mach.PageSize, 7},
		"mapping another descriptor":      {unix.SYS_MMAP, attackAddr, mach.PageSize, 3, 0x11, fdResult, 0},
		"mapping no descriptor":           {unix.SYS_MMAP, attackAddr, mach.PageSize, 3, 0x32, ^uint64(0), 0},
		"private mapping":                 {unix.SYS_MMAP, attackAddr, mach.PageSize, 3, 0x12, fdFrames, 0},
		"mapping anywhere":                {unix.SYS_MMAP, attackAddr, mach.PageSize, 3, 0x1, fdFrames, 0},
		"mapping over the orders":         {unix.SYS_MMAP, cmdAddr, mach.PageSize, 3, 0x11, fdFrames, 0},
		"mapping in the guard":            {unix.SYS_MMAP, uint64(HoleStart), mach.PageSize, 3, 0x11, fdFrames, 0},
		"reading the frames":              {unix.SYS_READ, fdFrames, uint64(dataAt), 1},
		"reading elsewhere":               {unix.SYS_READ, fdOrder, uint64(dataAt), 1},
		"writing the frames":              {unix.SYS_WRITE, fdFrames, cmdAddr + cBytes, 1},
		"writing client memory to kernel": {unix.SYS_WRITE, fdResult, mbAddr, 1},
		"a process":                       {unix.SYS_CLONE, 17},
		"a thread that shares less":       {unix.SYS_CLONE, cloneFlags &^ 0x200, mbAddr, 0, mbAddr + hBell},
		"another filter":                  {unix.SYS_SECCOMP, 1, 0, cmdAddr + cLoose},
		"dumpable":                        {unix.SYS_PRCTL, prSetDumpable, 1},
		"dispatch off":                    {unix.SYS_PRCTL, prDispatch, 0, 0, 0, 0},
		"execve":                          {unix.SYS_EXECVE},
		"kill":                            {unix.SYS_KILL, 1, 0},
		"openat":                          {unix.SYS_OPENAT, 0, cmdAddr},
	} {
		k := newTask(t, m, f)
		_, err := k.p.control.run([]order{o})
		require.ErrorIs(t, err, ErrDead, name)
		within(t, name, func() { <-k.p.Done() })
		require.Contains(t, k.p.died().Reason, "SIGSYS", name)
	}
	healthy(t, m, f)
}

// Order batches beyond the page are a mistake of ours, and found as one.
func TestBatchIsBounded(t *testing.T) {
	m, f := attackMachine(t)
	k := newTask(t, m, f)
	require.Panics(t, func() { k.p.control.run(make([]order, opsMax+1)) })
}
