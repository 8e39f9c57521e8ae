package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"machkernel/mach"
	"machkernel/platform"
	"machkernel/ports"
)

// The stack of a task's first thread lies at the very top of user space, as in
// the real kernel. No Linux process can map the last page there, so the stack
// pointer starts below it.
const (
	bootStackSize = 2 * 64 * 1024
	bootStackBase = mach.VMMaxAddress - bootStackSize
	bootStackTop  = mach.VMMaxAddress - mach.PageSize
)

// Words of a boot task's arguments that stand for ports, as in GNU Mach's boot
// scripts: the kernel inserts the port and writes its name.
const (
	wordHostPort   = "${host-port}"
	wordDevicePort = "${device-port}"
)

var errNoImage = errors.New("no program to boot")

// DefaultArgs returns the arguments that a client gets when the user gives
// none: the two ports every boot task is built around.
func DefaultArgs() []string { return []string{wordHostPort, wordDevicePort} }

// Define makes the word ${word} of later boot tasks' arguments stand for the
// port whose receive right server has under name: a send right is inserted, as
// for the kernel's own words.
func (k *Kernel) Define(word string, server *Task, name mach.Name) error {
	k.gate.Enter()
	defer k.gate.Leave()
	right, kr := server.space.ExtractRight(name, mach.TypeMakeSend)
	if kr != mach.KernSuccess {
		return fmt.Errorf("task %d has no receive right %v: %v", server.id, name, kr)
	}
	key := "${" + word + "}"
	k.mu.Lock()
	old, closed := k.words[key], k.closed
	if !closed {
		k.words[key] = right
	}
	k.mu.Unlock()
	if closed {
		k.zone.Release(right)
		return errClosed
	}
	k.zone.Release(old)
	return nil
}

// Boot makes a task that runs the program in image, a static x86-64 ELF of
// size bytes. name is its argv[0]; args follow, with the words ${host-port}
// and ${device-port}, and those of Define, replaced by names of those ports in
// the task, which are inserted in the order of the words. The first thread is
// started.
func (k *Kernel) Boot(name string, image io.ReaderAt, size int64, args []string) (*Task, error) {
	if image == nil {
		return nil, errNoImage
	}
	img, err := platform.ParseELF(image, size)
	if err != nil {
		return nil, err
	}
	if err := k.openMachine(); err != nil {
		return nil, err
	}
	if err := k.fits(img); err != nil {
		return nil, err
	}
	k.gate.Enter()
	defer k.gate.Leave()
	t, kr := k.newTask(name, nil, false, false)
	if kr != mach.KernSuccess {
		return nil, fmt.Errorf("cannot create a task: %v", kr)
	}
	th, err := k.load(t, img, append([]string{name}, args...))
	if err != nil {
		k.terminate(t)
		return nil, err
	}
	if err := th.launch(); err != nil {
		k.terminate(t)
		return nil, fmt.Errorf("cannot start the program: %w", err)
	}
	return t, nil
}

// fits checks a program against this kernel's memory and this host.
func (k *Kernel) fits(img *platform.Image) error {
	var bytes int64
	for _, s := range img.Segments {
		bytes += int64(len(s.Data))
		if low := k.machine.MinAddress(); s.Addr < low {
			return fmt.Errorf("a segment lies at %v; this host lets programs use addresses from %v on", s.Addr, low)
		}
	}
	if total := int64(k.frames.Stats().Total) * mach.PageSize; bytes > total {
		return fmt.Errorf("the program loads %d MiB, and the kernel has %d MiB of memory", bytes>>20, total>>20)
	}
	return nil
}

// load fills the task's memory and makes its first thread.
func (k *Kernel) load(t *Task, img *platform.Image, argv []string) (*Thread, error) {
	for _, s := range img.Segments {
		if kr := t.vmap.MapSegment(s.Addr, s.MemSize, s.Data, s.Prot, mach.ProtAll); kr != mach.KernSuccess {
			return nil, fmt.Errorf("cannot load the segment at %v: %v", s.Addr, kr)
		}
	}
	for i, a := range argv {
		if name, ok := k.bootPort(t, a); ok {
			argv[i] = fmt.Sprint(uint32(name))
		}
	}
	sp, err := buildStack(t, argv)
	if err != nil {
		return nil, err
	}
	th, kr := t.newThread()
	if kr != mach.KernSuccess {
		return nil, fmt.Errorf("cannot create a thread: %v", kr)
	}
	th.regs.RIP, th.regs.RSP = uint64(img.Entry), uint64(sp)
	return th, nil
}

// bootPort inserts the port that word stands for, if it stands for one.
func (k *Kernel) bootPort(t *Task, word string) (mach.Name, bool) {
	var right ports.Right
	switch word {
	case wordHostPort:
		right = k.zone.MakeSend(k.hostPriv)
	case wordDevicePort:
		right = k.zone.MakeSend(k.devicePort)
	default:
		k.mu.Lock()
		defined, ok := k.words[word]
		k.mu.Unlock()
		if !ok {
			return mach.NameNull, false
		}
		right = k.zone.CopySend(defined)
	}
	name, kr := t.space.Copyout(right)
	if kr != mach.KernSuccess { // the task is being terminated
		k.zone.Release(right)
	}
	return name, true
}

// buildStack lays out the first thread's stack as the System V ABI has it:
// argc, the pointers of argv, a null, no environment, a null; the strings
// above. It returns the stack pointer.
func buildStack(t *Task, argv []string) (mach.Addr, error) {
	if kr := t.vmap.MapSegment(bootStackBase, bootStackSize, nil, mach.ProtDefault, mach.ProtAll); kr != mach.KernSuccess {
		return 0, fmt.Errorf("cannot allocate the stack: %v", kr)
	}
	var strs strings.Builder
	words := 1 + len(argv) + 1 + 1
	for _, a := range argv {
		if strings.IndexByte(a, 0) >= 0 {
			return 0, fmt.Errorf("argument %q holds a null byte", a)
		}
		strs.WriteString(a)
		strs.WriteByte(0)
	}
	size := (8*words + strs.Len() + 15) &^ 15
	if size > bootStackSize/2 {
		return 0, fmt.Errorf("the arguments take %d bytes, more than the stack has room for", size)
	}
	sp := bootStackTop - mach.Addr(size)
	frame := binary.LittleEndian.AppendUint64(nil, uint64(len(argv)))
	at := uint64(sp) + uint64(8*words)
	for _, a := range argv {
		frame = binary.LittleEndian.AppendUint64(frame, at)
		at += uint64(len(a)) + 1
	}
	frame = append(frame, make([]byte, 16)...)
	frame = append(frame, strs.String()...)
	if kr := t.vmap.WriteBytes(sp, frame); kr != mach.KernSuccess {
		return 0, fmt.Errorf("cannot write the stack: %v", kr)
	}
	return sp, nil
}
