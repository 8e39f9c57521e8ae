package platform

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// start makes a process and waits until its control thread is ready.
func (m *Machine) start() (*Process, error) {
	p := &Process{m: m, done: make(chan struct{}), released: make(chan struct{})}
	p.bell.spin.max, p.control.limit = m.spin, m.limit
	p.bell.lookup, p.bell.gone = p.slots.lookup, p.threadEnded
	p.slots.init(p)
	if err := p.fork(); err != nil {
		return nil, err
	}
	p.control.late = func() { p.kill("its control thread did not answer") }
	m.mu.Lock()
	m.processes[p] = struct{}{}
	m.mu.Unlock()
	p.use.enter() // cannot fail: nobody has seen it
	go p.reap()
	err := p.settle()
	p.use.leave()
	if err == nil {
		return p, nil
	}
	if !errors.Is(err, ErrDead) {
		p.kill(err.Error())
	}
	<-p.released
	if errors.Is(err, ErrDead) {
		err = errors.New(p.life.status)
	}
	return nil, err
}

// fork makes the shared areas and the pipes, and starts the stub with them.
func (p *Process) fork() (err error) {
	var theirs descriptors // the stub's; of no use here once it runs
	var ours descriptors
	defer func() {
		theirs.close()
		if err != nil {
			ours.close()
			p.mailbox.unmap()
			p.control.page.unmap()
		}
	}()
	if err := p.makeAreas(&theirs); err != nil {
		return err
	}
	var orders, results [2]int
	err = errors.Join(theirs.pipe(&orders, 0), theirs.pipe(&results, 1))
	ours = descriptors{orders[1], results[0]}
	if err != nil {
		return err
	}
	null, err := theirs.add(unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0))
	if err != nil {
		return fmt.Errorf("%s: %w", os.DevNull, err)
	}
	files := []uintptr{
		0: uintptr(null), 1: uintptr(null), 2: uintptr(null),
		fdFrames: uintptr(p.m.framesFD), fdMailbox: uintptr(theirs[0]), fdCommands: uintptr(theirs[1]),
		fdResult: uintptr(results[1]), fdOrder: uintptr(orders[0]),
	}
	pid, pidfd, err := p.m.launcher.fork(p.m.image.path, files)
	if err != nil {
		return fmt.Errorf("executing the stub: %w", err)
	}
	unix.SetNonblock(pidfd, true) // so that the runtime polls it
	p.pid, p.pidfd = pid, os.NewFile(uintptr(pidfd), "pidfd")
	p.control.send, p.control.recv = ours[0], ours[1]
	unix.SetNonblock(p.control.recv, true)
	return nil
}

// makeAreas makes the mailbox and the command area, and adds their descriptors
// to fds in that order.
func (p *Process) makeAreas(fds *descriptors) error {
	for _, area := range []struct {
		name string
		size int
		at   *shared
	}{
		{"machkernel-mailbox", slotSize * slotCount, &p.mailbox},
		{"machkernel-commands", cmdSize, &p.control.page},
	} {
		fd, m, err := newShared(area.name, area.size)
		if err != nil {
			return fmt.Errorf("memfd: %w", err)
		}
		*area.at = m
		fds.add(fd, nil)
	}
	p.bell.header = p.mailbox[:slotSize]
	p.m.constants(p.control.page)
	return unix.Mprotect(p.control.page[cBytes:], unix.PROT_READ)
}

// descriptors are open ones that one owner closes; negative ones are none.
type descriptors []int

func (d *descriptors) add(fd int, err error) (int, error) {
	if err == nil {
		*d = append(*d, fd)
	}
	return fd, err
}

// pipe makes a pipe, of which only the given end is added.
func (d *descriptors) pipe(ends *[2]int, mine int) error {
	*ends = [2]int{-1, -1}
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	d.add(ends[mine], nil)
	return nil
}

func (d descriptors) close() {
	for _, fd := range d {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// constants fills the part of the command area that never changes.
func (m *Machine) constants(page shared) {
	for i := range 256 {
		page[cBytes+i] = byte(i)
	}
	page.store32(cFlags, m.flags)
	for _, f := range []struct {
		prog, at int
		code     []byte
	}{{cLoose, cLooseCode, m.loose}, {cStrict, cStrictCode, m.strict}} {
		copy(page[f.at:f.at+mach.PageSize], f.code)
		page.store64(f.prog, uint64(len(f.code)/8)) // struct sock_fprog: count, address
		page.store64(f.prog+8, uint64(cmdAddr+f.at))
	}
}

// settle waits for the control thread's first result. If the host would not
// give up its initial mappings as a whole, they go piece by piece, and what
// stays is noted.
func (p *Process) settle() error {
	var first [1]byte
	err := p.control.result(first[:])
	if err != nil || first[0] == startClean {
		return err
	}
	maps, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid) + "/maps")
	if err != nil {
		return err
	}
	for _, x := range initialMappings(maps) {
		_, err := p.control.run([]order{{unix.SYS_MUNMAP, uint64(x.start), uint64(x.end - x.start)}})
		if errors.Is(err, ErrDead) {
			return err
		}
		if err != nil {
			p.pmap.kept = append(p.pmap.kept, x)
		}
	}
	_, err = p.control.run([]order{{unix.SYS_PRCTL, prSetDumpable, 0}})
	return err
}

// initialMappings are the ranges in a host's list of mappings that a stub
// should not have.
func initialMappings(maps []byte) []extent {
	var found []extent
	for s := bufio.NewScanner(bytes.NewReader(maps)); s.Scan(); {
		span, _, _ := strings.Cut(s.Text(), " ")
		low, high, _ := strings.Cut(span, "-")
		start, err1 := strconv.ParseUint(low, 16, 64)
		end, err2 := strconv.ParseUint(high, 16, 64)
		x := extent{mach.Addr(start), mach.Addr(end)}
		if err1 != nil || err2 != nil || x.end > UserEnd || x.meets(extent{HoleStart, HoleEnd}) {
			continue
		}
		found = append(found, x)
	}
	return found
}
