package platform

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// stopDeadline is how long an interrupted or ended thread may take to come. An
// honest one takes microseconds; the rest is for hosts under load.
const stopDeadline = 3 * time.Second

// Machine runs machine code on this host. Its processes share what does not
// depend on a task: the stub's file, the filters, the thread that starts them.
type Machine struct {
	framesFD int
	image    *stubImage
	launcher *launcher
	loose    []byte        // filter code; immutable
	strict   []byte        // filter code; immutable
	flags    uint32        // of the command area; immutable
	spin     int           // pauses, 0 on one processor; immutable
	extended Extended      // immutable once open
	int1     bool          // see learnInt1; immutable once open
	minAddr  mach.Addr     // lowest address a program can map; immutable
	deadline time.Duration // stopDeadline, but for tests; immutable once in use
	limit    time.Duration // orderDeadline, but for tests; immutable once in use

	use usage // entered by NewProcess

	mu        sync.Mutex
	processes map[*Process]struct{} // alive or not yet released; guarded by mu
}

// Open checks what the host offers by starting a process and a thread in it.
// The error is one line that names what is missing.
func Open(cfg Config) (*Machine, error) {
	m := &Machine{
		framesFD:  cfg.FramesFD,
		launcher:  newLauncher(),
		spin:      spinning(),
		minAddr:   lowestAddress(),
		deadline:  stopDeadline,
		limit:     orderDeadline,
		processes: map[*Process]struct{}{},
		flags:     flagDispatch,
	}
	const hwcapFSGSBase = 1 << 1
	if auxiliary(auxHwcap2)&hwcapFSGSBase != 0 {
		m.flags |= flagFSGSBase
	}
	m.loose, m.strict = looseFilter(), strictFilter(m.flags&flagFSGSBase != 0)
	if err := m.open(); err != nil {
		m.Close()
		return nil, fmt.Errorf("platform: cannot run machine code on this host: %w", err)
	}
	return m, nil
}

func (m *Machine) open() error {
	if _, err := unix.FcntlInt(uintptr(m.framesFD), unix.F_GETFD, 0); err != nil {
		return fmt.Errorf("frame memory descriptor: %w", err)
	}
	if size := auxiliary(auxMinSigStack); size+signalReserve > slotSize-sStack {
		return fmt.Errorf("its signal frames of %d bytes are too large", size)
	}
	var failed error
	for _, open := range []func() (*stubImage, error){stubInMemory, stubInFile} {
		image, err := open()
		if err == nil {
			m.image = image
			if err = m.probe(); err == nil {
				return nil
			}
			image.close()
			m.image = nil
		}
		failed = errors.Join(failed, err)
	}
	return errors.New(strings.ReplaceAll(failed.Error(), "\n", "; "))
}

// probe starts a process with a thread, which jumps to nowhere: the frame of its
// fault shows what the host's frames are.
func (m *Machine) probe() error {
	p, err := m.NewProcess()
	if err != nil {
		return err
	}
	defer p.Destroy()
	t, err := p.NewThread()
	if err != nil {
		return err
	}
	defer t.Exit()
	if ev := t.Run(&Regs{RFLAGS: flagsInitial}); ev.Kind != EventPageFault {
		return fmt.Errorf("a first page fault is reported as %v %s", ev.Kind, ev.Reason)
	}
	m.int1 = t.learnInt1()
	m.extended, err = t.learnExtended()
	return err
}

// Close kills every process and waits for them. Afterwards nothing of the
// machine is left: no process, descriptor or goroutine.
func (m *Machine) Close() {
	if !m.use.close() {
		return
	}
	for _, p := range m.all() {
		p.kill("the machine was closed")
	}
	for _, p := range m.all() {
		<-p.released
	}
	m.launcher.stop()
	if m.image != nil {
		m.image.close()
	}
}

func (m *Machine) all() []*Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*Process
	for p := range m.processes {
		all = append(all, p)
	}
	return all
}

// MinAddress is the lowest address that machine code can use on this host,
// whoever runs it.
func (m *Machine) MinAddress() mach.Addr { return m.minAddr }

// NewProcess starts the process of one task. It has no threads and no memory.
func (m *Machine) NewProcess() (*Process, error) {
	if !m.use.enter() {
		return nil, ErrClosed
	}
	defer m.use.leave()
	return m.start()
}

// spinning is how long waiting sides spin: not at all on one processor, where
// the other side cannot run meanwhile.
func spinning() int {
	if runtime.NumCPU() < 2 || runtime.GOMAXPROCS(0) < 2 {
		return 0
	}
	return spinPauses
}

// lowestAddress is the host's lowest address for unprivileged programs. Root
// could map lower ones; that nothing depends on who runs the kernel is worth
// more.
func lowestAddress() mach.Addr {
	const usual = 0x10000
	b, err := os.ReadFile("/proc/sys/vm/mmap_min_addr")
	if err != nil {
		return usual
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 40)
	if err != nil {
		return usual
	}
	return max(mach.Addr(n).RoundPage(), mach.PageSize)
}

// Entries of the auxiliary vector.
const (
	auxHwcap2      = 26
	auxMinSigStack = 51

	// signalReserve is room on the signal stack beyond the host's frame: for
	// the first frame, which the kernel makes.
	signalReserve = 4096
)

// auxiliary is an entry of this process's auxiliary vector, 0 without it.
func auxiliary(tag uintptr) uint64 {
	v, err := unix.Auxv()
	if err != nil {
		return 0
	}
	for _, e := range v {
		if e[0] == tag {
			return uint64(e[1])
		}
	}
	return 0
}
