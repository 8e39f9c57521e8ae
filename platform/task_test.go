//go:build linux && amd64

package platform

import (
	"bytes"
	"debug/elf"
	_ "embed"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"machkernel/mach"
	"machkernel/vm"
)

// The guest is embedded, not read, for runs as a user that cannot reach the
// source.
//
//go:embed testdata/guest.elf
var guestELF []byte

func TestMain(m *testing.M) {
	switch os.Getenv(childMode) {
	case childHang:
		hang()
	case childPong:
		pong()
	case childSignal:
		answerSignals()
	case childFiltered:
		if err := filterUnknownNumbers(); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// frames is the memory that the tests' page frames lie in.
type frames struct {
	fd   int
	mem  []byte
	next atomic.Uint32
}

func newFrames(t testing.TB, pages int) *frames {
	fd, err := unix.MemfdCreate("test-frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	require.NoError(t, err)
	require.NoError(t, unix.Ftruncate(fd, int64(pages)*mach.PageSize))
	mem, err := unix.Mmap(fd, 0, pages*mach.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	require.NoError(t, err)
	f := &frames{fd: fd, mem: mem}
	t.Cleanup(func() {
		unix.Munmap(mem)
		unix.Close(fd)
	})
	return f
}

// take returns the first of n contiguous frames.
func (f *frames) take(n int) vm.Frame {
	last := f.next.Add(uint32(n))
	if int(last)*mach.PageSize > len(f.mem) {
		panic("test needs more frames")
	}
	return vm.Frame(last) - vm.Frame(n)
}

func (f *frames) page(n vm.Frame) []byte {
	return f.mem[int(n)*mach.PageSize:][:mach.PageSize]
}

// openMachine opens a machine with that many frames, closed when the test
// ends.
func openMachine(t testing.TB, pages int) (*Machine, *frames) {
	f := newFrames(t, pages)
	m, err := Open(Config{FramesFD: f.fd})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m, f
}

// task stands in for a task of the kernel: a process and its memory.
type task struct {
	t      testing.TB
	p      *Process
	frames *frames
	around int // pages mapped at a fault
	syms   map[string]mach.Addr

	mu     sync.Mutex
	pages  map[mach.Addr]pageEntry // guarded by mu
	stacks mach.Addr               // guarded by mu
	faults int                     // guarded by mu
}

const (
	dataAt  mach.Addr = 0x10000000
	stackAt mach.Addr = 0x7ff000000000
)

func newTask(t testing.TB, m *Machine, f *frames) *task {
	p, err := m.NewProcess()
	require.NoError(t, err)
	k := &task{t: t, p: p, frames: f, around: 16, pages: map[mach.Addr]pageEntry{}, stacks: stackAt}
	t.Cleanup(p.Destroy)
	k.loadGuest()
	return k
}

// loadGuest reads the guest program into the task's memory.
func (k *task) loadGuest() {
	b := guestELF
	img, err := ParseELF(bytes.NewReader(b), int64(len(b)))
	require.NoError(k.t, err)
	for _, s := range img.Segments {
		first := s.Addr.TruncPage()
		n := int((s.Addr+mach.Addr(s.MemSize)).RoundPage()-first) / mach.PageSize
		frame := k.add(first, n, s.Prot)
		copy(k.frames.mem[int(frame)*mach.PageSize+int(s.Addr-first):], s.Data)
	}
	file, err := elf.NewFile(bytes.NewReader(b))
	require.NoError(k.t, err)
	syms, err := file.Symbols()
	require.NoError(k.t, err)
	k.syms = map[string]mach.Addr{}
	for _, s := range syms {
		k.syms[s.Name] = mach.Addr(s.Value)
	}
}

// add gives the task n pages of new memory at addr, for faults to map.
func (k *task) add(addr mach.Addr, n int, prot mach.Prot) vm.Frame {
	k.mu.Lock()
	defer k.mu.Unlock()
	frame := k.frames.take(n)
	for i := range n {
		k.pages[addr+mach.Addr(i)*mach.PageSize] = pageEntry{frame + vm.Frame(i), prot}
	}
	return frame
}

// at is the address of a piece of the guest.
func (k *task) at(piece string) uint64 {
	addr, ok := k.syms[piece]
	require.True(k.t, ok, "guest has no piece %s", piece)
	return uint64(addr)
}

// regs are the registers for a thread that starts at a piece, with a stack.
func (k *task) regs(piece string) *Regs {
	k.mu.Lock()
	k.stacks -= 16 * mach.PageSize
	top := k.stacks
	k.mu.Unlock()
	k.add(top-4*mach.PageSize, 4, mach.ProtDefault)
	return &Regs{RIP: k.at(piece), RSP: uint64(top) - 256, RFLAGS: 0x202}
}

func (k *task) thread() *Thread {
	th, err := k.p.NewThread()
	require.NoError(k.t, err)
	return th
}

// fault maps pages around a fault, and reports whether the task has the access.
func (k *task) fault(ev Event) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faults++
	va := ev.Addr.TruncPage()
	e, ok := k.pages[va]
	if !ok || !reachable(e.prot).Has(ev.Access) {
		return false
	}
	low, high := va, va+mach.PageSize
	window := mach.Addr(k.around) * mach.PageSize
	same := func(a mach.Addr) bool {
		o, ok := k.pages[a]
		return ok && o.prot == e.prot && int64(o.frame)-int64(e.frame) == (int64(a)-int64(va))/mach.PageSize
	}
	for low > va/window*window && same(low-mach.PageSize) {
		low -= mach.PageSize
	}
	for high < va/window*window+window && same(high) {
		high += mach.PageSize
	}
	err := k.p.Enter([]vm.Mapping{{
		VA: low, Frame: e.frame - vm.Frame((va-low)/mach.PageSize),
		Pages: int((high - low) / mach.PageSize), Prot: e.prot,
	}})
	return err == nil
}

// next runs the thread until an event other than a page fault that the task's
// memory resolves.
func (k *task) next(th *Thread, r *Regs) Event {
	for {
		ev := th.Run(r)
		if ev.Kind != EventPageFault || !k.fault(ev) {
			return ev
		}
	}
}

// trap runs the thread until its next trap, which must have that number.
func (k *task) trap(th *Thread, r *Regs, number int32) {
	k.t.Helper()
	ev := k.next(th, r)
	require.Equal(k.t, Event{Kind: EventTrap, Trap: number}, ev, "rip %#x", r.RIP)
}

// healthy runs a task through a few traps and faults: whatever else happened,
// the machine must still do that.
func healthy(t testing.TB, m *Machine, f *frames) {
	t.Helper()
	k := newTask(t, m, f)
	th, r := k.thread(), k.regs("trap_count")
	r.RBX = 100
	for range 100 {
		k.trap(th, r, -25)
	}
	k.trap(th, r, -101)
	k.p.Destroy()
}

// within fails the test unless f returns soon.
func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		panic(fmt.Sprintf("%s did not return", what))
	}
}

func openTest(t testing.TB) (testing.TB, *Machine, *frames) {
	m, f := openMachine(t, 4096)
	return t, m, f
}
