//go:build linux && amd64

package platform

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// codeAt is where a storm has its code: a page that it can also write.
const codeAt mach.Addr = 0x20000000

// spices are instructions that random bytes seldom are and that touch what the
// stub and the host care about.
var spices = [][]byte{
	{0x0f, 0x05},                   // syscall
	{0xcd, 0x80},                   // int $0x80
	{0x0f, 0x34},                   // sysenter
	{0xcc},                         // int3
	{0xf1},                         // int1
	{0x9d},                         // popf: trap and alignment flags
	{0x48, 0xcf},                   // iretq
	{0x48, 0xcb},                   // lretq
	{0x8e, 0xd0},                   // mov %eax,%ss
	{0x8e, 0xd8},                   // mov %eax,%ds
	{0x8e, 0xe8},                   // mov %eax,%gs
	{0xf3, 0x48, 0x0f, 0xae, 0xd0}, // wrfsbase %rax
	{0xf3, 0x48, 0x0f, 0xae, 0xd9}, // wrgsbase %rcx
	{0x0f, 0xae, 0x17},             // ldmxcsr (%rdi)
	{0x0f, 0xae, 0x2f},             // xrstor (%rdi)
	{0x0f, 0xae, 0x27},             // xsave (%rdi)
	{0xd9, 0x2f},                   // fldcw (%rdi)
	{0x0f, 0x01, 0xef},             // wrpkru
	{0x48, 0x89, 0xc4},             // mov %rax,%rsp
	{0x48, 0x89, 0x07},             // mov %rax,(%rdi)
	{0xf3, 0x48, 0xab},             // rep stosq
	{0xf3, 0x48, 0xa5},             // rep movsq
	{0xff, 0xe0},                   // jmp *%rax
	{0xff, 0xd1},                   // call *%rcx
	{0xeb, 0xfe},                   // jmp to itself
	{0xf0, 0x48, 0x0f, 0xc7, 0x0f}, // lock cmpxchg16b (%rdi)
}

// stormPage fills a page with random bytes and some spices.
func stormPage(page []byte, random *rand.Rand) {
	for i := range page {
		page[i] = byte(random.IntN(256))
	}
	for range 300 {
		copy(page[random.IntN(len(page)):], spices[random.IntN(len(spices))])
	}
}

// stormRegs are registers of which many lead where it hurts: into the client's
// own memory, and where the storm is hostile into the stub's.
func stormRegs(random *rand.Rand, hostile bool) Regs {
	var r Regs
	kinds := 5
	if hostile {
		kinds = 9
	}
	for _, p := range r.words() {
		offset := random.Uint64N(mach.PageSize)
		switch random.IntN(kinds) {
		case 0:
			*p = uint64(dataAt) + offset
		case 1:
			*p = uint64(codeAt) + offset
		case 2:
			*p = random.Uint64N(512) // numbers, counts
		case 3:
			*p = ^random.Uint64N(512)
		case 4:
			*p = random.Uint64()
		case 5:
			*p = mbAddr + random.Uint64N(3*slotSize) // header, own slot, the next
		case 6:
			*p = textClient + offset
		case 7:
			*p = textCtl + offset
		case 8:
			*p = cmdAddr + offset
		}
	}
	r.RIP, r.RSP = uint64(codeAt)+random.Uint64N(mach.PageSize), uint64(dataAt)+3*mach.PageSize+8*random.Uint64N(400)
	r.RFLAGS = flagsInitial | uint64(random.Uint32())&0x40dd5 // trap and alignment flags among them
	return r
}

// storm runs a page of random code as a process of its own, and starts it anew
// where it stops. It returns how many events there were and whether it lived.
func storm(t *testing.T, m *Machine, f *frames, seed uint64, hostile bool) (events int, alive bool) {
	const atMost = 150
	random := rand.New(rand.NewPCG(seed, 0))
	k := newTask(t, m, f)
	defer func() { within(t, "Destroy", k.p.Destroy) }()
	stormPage(k.frames.page(k.add(codeAt, 1, mach.ProtAll)), random)
	k.add(dataAt, 4, mach.ProtDefault)
	th := k.thread()
	k.thread() // whose slot may be written over
	r := stormRegs(random, hostile)
	for ; events < atMost; events++ {
		timer := time.AfterFunc(2*time.Millisecond, th.Interrupt)
		var ev Event
		within(t, "Run", func() { ev = k.next(th, &r) })
		timer.Stop()
		if random.IntN(10) == 0 {
			if state, err := th.ExtendedState(); err == nil {
				require.NoError(t, k.p.m.extended.Check(state), "seed %d", seed)
				if err := th.SetExtendedState(state); err != nil {
					require.ErrorIs(t, err, ErrDead)
				}
			}
		}
		switch {
		case ev.Kind == EventDied:
			return events, false
		case ev.Kind == EventTrap:
		case random.IntN(3) == 0:
			r = stormRegs(random, hostile)
		default:
			r.RIP = uint64(codeAt) + random.Uint64N(mach.PageSize)
		}
	}
	return events, true
}

// Pages of random code, each a process: whatever they do costs that process at
// most, and nothing of them is left. Where they leave the stub alone, it costs
// them nothing either: every one can be interrupted and started anew.
func TestStorms(t *testing.T) {
	storms := scaled(200, 30)
	for name, hostile := range map[string]bool{"hostile": true, "wild": false} {
		t.Run(name, func(t *testing.T) {
			m, f := attackMachine(t)
			if !hostile {
				m.deadline = stopDeadline
			}
			free := f.next.Load()
			storm(t, m, f, 1<<32, hostile)
			before := held(t)
			events, died := 0, 0
			for seed := range storms {
				n, alive := storm(t, m, f, uint64(seed), hostile)
				events += n
				if !alive {
					died++
				}
				f.next.Store(free)
			}
			t.Logf("%d storms, %d events, %d processes died", storms, events, died)
			require.Greater(t, events, 10*storms, "the code runs")
			if !hostile {
				require.Zero(t, died)
			}
			leavesNothing(t, before)
			healthy(t, m, f)
		})
	}
}
