package kernel

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"machkernel/mach"
)

var le = binary.LittleEndian

// A trap's arguments: six in registers, the rest on the user stack.
const (
	regArgs = 6
	maxArgs = 11 // vm_map's
	maxTrap = 129
)

// trap is one entry of the trap table.
type trap struct {
	name string
	args int
	call func(th *Thread, a *[maxArgs]uint64) uint64
}

// traps is GNU Mach's trap table: number, name, arguments. What the kernel
// serves is here; other numbers inside the table answer as unassigned ones do.
var traps = map[int32]trap{
	-25: {"mach_msg", 7, trapMachMsg},
	-26: {"mach_reply_port", 0, trapReplyPort},
	-27: {"mach_thread_self", 0, trapThreadSelf},
	-28: {"mach_task_self", 0, trapTaskSelf},
	-29: {"mach_host_self", 0, trapHostSelf},
	-30: {"mach_print", 1, trapPrint},
	-39: {"device_writev_request", 6, trapDeviceWrite},
	-40: {"device_write_request", 6, trapDeviceWrite},
	-59: {"swtch_pri", 1, trapSwtchPri},
	-60: {"swtch", 0, trapSwtch},
	-61: {"thread_switch", 3, trapThreadSwitch},
	-64: {"vm_map", 11, trapVMMap},
	-65: {"vm_allocate", 4, trapVMAllocate},
	-66: {"vm_deallocate", 3, trapVMDeallocate},
	-68: {"task_create", 3, trapTaskCreate},
	-69: {"task_terminate", 1, trapTaskTerminate},
	-70: {"task_suspend", 1, trapTaskSuspend},
	-71: {"task_set_special_port", 3, trapTaskSetSpecialPort},
	-72: {"mach_port_allocate", 3, trapPortAllocate},
	-73: {"mach_port_deallocate", 2, trapPortDeallocate},
	-74: {"mach_port_insert_right", 4, trapPortInsertRight},
	-75: {"mach_port_allocate_name", 3, trapPortAllocateName},
	-76: {"thread_depress_abort", 1, trapDepressAbort},
	-77: {"thread_set_self_state", 3, trapSetSelfState},
}

// unassigned is the answer of an entry in the table that nothing is behind:
// KERN_INVALID_ARGUMENT, or for six old calls MACH_PORT_NULL.
func unassigned(n int32) uint64 {
	switch n {
	case -10, -11, -12, -13, -55, -56:
		return uint64(mach.NameNull)
	}
	return uint64(mach.KernInvalidArgument)
}

// machineTrap serves a trap of machine code. A number outside the table is an
// invalid instruction (0 is inside, and unassigned); an argument on a stack
// that cannot be read is a page fault.
func (th *Thread) machineTrap(n int32) {
	if n == math.MinInt32 {
		n = 0 // its negative is itself, and no number of a trap: the first entry
	}
	if n > 0 || n < -maxTrap {
		th.exception(Exception{ExcBadInstruction, codeInvalid, 0}, "")
		return
	}
	r := &th.regs
	a := [maxArgs]uint64{r.RDI, r.RSI, r.RDX, r.R10, r.R8, r.R9}
	if t, ok := traps[n]; ok && t.args > regArgs && !th.stackArgs(a[regArgs:t.args]) {
		return
	}
	r.RAX = th.trap(n, &a)
}

// stackArgs reads the arguments that lie on the user stack, the last one first.
// It raises the page fault of the first that cannot be read, and reports false;
// the real kernel wants room behind them.
func (th *Thread) stackArgs(args []uint64) bool {
	stack := mach.Addr(th.regs.RSP) + 8
	end := stack + mach.Addr(8*len(args))
	if end >= mach.VMMaxAddress {
		e := Exception{ExcBadAccess, int32(mach.KernInvalidAddress), uint64(end)}
		if end >= kernelBase {
			e.Code = codePage
		}
		th.exception(e, "")
		return false
	}
	for i := len(args) - 1; i >= 0; i-- {
		var word [8]byte
		at := stack + mach.Addr(8*i)
		if kr := th.task.vmap.ReadBytes(at, word[:]); kr != mach.KernSuccess {
			th.exception(Exception{ExcBadAccess, int32(kr), uint64(at)}, "")
			return false
		}
		args[i] = le.Uint64(word[:])
	}
	return true
}

// trap performs trap n, inside the gate. n is inside the table.
func (th *Thread) trap(n int32, a *[maxArgs]uint64) uint64 {
	t, ok := traps[n]
	if !ok {
		t = trap{"unassigned", 0, func(*Thread, *[maxArgs]uint64) uint64 { return unassigned(n) }}
	}
	if th.k.observer == nil {
		return t.call(th, a)
	}
	ev := Event{Kind: EventTrap, Thread: th, Trap: n, Name: t.name, Args: a[:t.args], Start: time.Now()}
	if n == -25 {
		th.captureRequest(&ev)
	}
	ev.Result = t.call(th, a)
	ev.Elapsed = time.Since(ev.Start)
	if n == -25 {
		th.captureReply(&ev)
	}
	th.publish(&ev)
	return ev.Result
}

// capture limits, in bytes.
const maxCapture = 64 << 10

// captureRequest reads the message that is about to be sent, for an observer.
// The kernel does not use this copy.
func (th *Thread) captureRequest(ev *Event) {
	if mach.MsgOption(ev.Args[1])&mach.SendMsg != 0 {
		ev.Request = th.readMessage(mach.Addr(ev.Args[0]), uint32(ev.Args[2]))
	}
}

// captureReply reads the message that was received.
func (th *Thread) captureReply(ev *Event) {
	if mach.MsgOption(ev.Args[1])&mach.RcvMsg == 0 {
		return
	}
	switch mr := mach.MsgReturn(ev.Result); mr.Base() {
	case mach.MsgSuccess, mach.RcvBodyError:
		at := mach.Addr(ev.Args[0])
		head := th.readMessage(at, 8)
		if head == nil {
			return
		}
		ev.Reply = th.readMessage(at, min(le.Uint32(head[4:]), uint32(ev.Args[3])))
	}
}

func (th *Thread) readMessage(a mach.Addr, size uint32) []byte {
	b := make([]byte, min(size, maxCapture))
	if th.mem.ReadBytes(a, b) != mach.KernSuccess {
		return nil
	}
	return b
}

func trapMachMsg(th *Thread, a *[maxArgs]uint64) uint64 {
	th.served = false
	option := mach.MsgOption(a[1])
	mr := th.k.ipc.MsgTrap(th, mach.Addr(a[0]), option, uint32(a[2]), uint32(a[3]),
		mach.Name(a[4]), uint32(a[5]), mach.Name(a[6]))
	th.task.countMessages(option, mr, th.served)
	return uint64(mr)
}

// trapReplyPort makes a port and answers the name of its receive right
// (C: mach_reply_port), or MACH_PORT_NULL.
func trapReplyPort(th *Thread, _ *[maxArgs]uint64) uint64 {
	name, kr := th.task.space.Allocate(mach.RightReceive)
	if kr != mach.KernSuccess {
		return uint64(mach.NameNull)
	}
	return uint64(name)
}

// The self traps each add a user reference to the name they answer. A task's
// and a thread's own port is what was set as their special port.
func trapThreadSelf(th *Thread, _ *[maxArgs]uint64) uint64 {
	return uint64(th.copyout(th.copySpecial(&th.special.kernel)))
}

func trapTaskSelf(th *Thread, _ *[maxArgs]uint64) uint64 {
	return uint64(th.copyout(th.task.copySpecial(&th.task.special.kernel)))
}

func trapHostSelf(th *Thread, _ *[maxArgs]uint64) uint64 {
	return uint64(th.copyout(th.k.zone.MakeSend(th.k.hostPort)))
}

// trapPrint writes a null-terminated string to the console (C: mach_print).
//
//	KERN_INVALID_ADDRESS  the string cannot be read to its end
func trapPrint(th *Thread, a *[maxArgs]uint64) uint64 {
	var text []byte
	at := mach.Addr(a[0])
	for len(text) < maxPrint {
		var chunk [256]byte
		// Up to the page's end at most: what follows the string may be nothing.
		n := min(len(chunk), mach.PageSize-int(at.PageOffset()))
		if kr := th.mem.ReadBytes(at, chunk[:n]); kr != mach.KernSuccess {
			return uint64(mach.KernInvalidAddress)
		}
		if end := bytes.IndexByte(chunk[:n], 0); end >= 0 {
			text = append(text, chunk[:end]...)
			break
		}
		text = append(text, chunk[:n]...)
		at += mach.Addr(n)
	}
	th.outside(func() { th.k.console.write(text) })
	return uint64(mach.KernSuccess)
}

// maxPrint bounds one mach_print, in bytes.
const maxPrint = 64 << 10

// The traps below are short forms of kernel RPCs. With a task that is not to
// be had here they answer MACH_SEND_INTERRUPTED: "use the RPC". A result is
// written only on success; a bad address for it goes unnoticed, as on the real
// kernel.

func trapVMAllocate(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	out := mach.Addr(a[1])
	var b [8]byte
	_ = th.mem.ReadBytes(out, b[:])
	addr, kr := th.k.memory.Allocate(t.VMMap(), mach.Addr(le.Uint64(b[:])), a[2], uint32(a[3]) != 0)
	if kr == mach.KernSuccess {
		le.PutUint64(b[:], uint64(addr))
		_ = th.mem.WriteBytes(out, b[:])
	}
	return uint64(kr)
}

func trapVMDeallocate(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	return uint64(th.k.memory.Deallocate(t.VMMap(), mach.Addr(a[1]), a[2]))
}

func trapPortAllocate(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	name, kr := t.space.Allocate(mach.Right(a[1]))
	if kr == mach.KernSuccess {
		th.storeName(mach.Addr(a[2]), name)
	}
	return uint64(kr)
}

func trapPortDeallocate(th *Thread, a *[maxArgs]uint64) uint64 {
	t := th.taskNamed(mach.Name(a[0]))
	if t == nil {
		return uint64(mach.SendInterrupted)
	}
	return uint64(t.space.Deallocate(mach.Name(a[1])))
}

// taskNamed is the living task that name denotes in the thread's space.
func (th *Thread) taskNamed(name mach.Name) *Task {
	p := th.task.space.LookupSend(name)
	if p == nil {
		return nil
	}
	t, _ := p.KObject().(*Task)
	if t == nil || t.VMMap() == nil {
		return nil
	}
	return t
}

// trapDeviceWrite is the traps device_write_request (-40) and
// device_writev_request (-39): nothing here is a device, and a request to what
// is none answers KERN_INVALID_CAPABILITY.
func trapDeviceWrite(*Thread, *[maxArgs]uint64) uint64 {
	return uint64(mach.KernInvalidCapability)
}
