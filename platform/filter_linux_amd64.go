package platform

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// program assembles classic BPF with labels. Jumps only go forward, by at most
// 255 instructions; a mistake is ours and panics at the first start.
type program struct {
	ins    []unix.SockFilter
	onTrue map[int]string // unresolved targets, by instruction
	onFail map[int]string
	labels map[string]int
}

func newProgram() *program {
	return &program{onTrue: map[int]string{}, onFail: map[int]string{}, labels: map[string]int{}}
}

func (p *program) label(name string) { p.labels[name] = len(p.ins) }

func (p *program) emit(code uint16, k uint32) {
	p.ins = append(p.ins, unix.SockFilter{Code: code, K: k})
}

func (p *program) load(off uint32)  { p.emit(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, off) }
func (p *program) and(mask uint32)  { p.emit(unix.BPF_ALU|unix.BPF_AND|unix.BPF_K, mask) }
func (p *program) ret(value uint32) { p.emit(unix.BPF_RET|unix.BPF_K, value) }

// jump compares the loaded word; an empty label is the next instruction.
func (p *program) jump(code uint16, k uint32, yes, no string) {
	if yes != "" {
		p.onTrue[len(p.ins)] = yes
	}
	if no != "" {
		p.onFail[len(p.ins)] = no
	}
	p.emit(unix.BPF_JMP|code|unix.BPF_K, k)
}

func (p *program) ifEqual(k uint32, yes, no string)   { p.jump(unix.BPF_JEQ, k, yes, no) }
func (p *program) ifAtLeast(k uint32, yes, no string) { p.jump(unix.BPF_JGE, k, yes, no) }

// want goes on only if argument i is v, in all 64 bits.
func (p *program) want(i int, v uint64) {
	p.load(argHigh(i))
	p.ifEqual(uint32(v>>32), "", "trap")
	p.load(argLow(i))
	p.ifEqual(uint32(v), "", "trap")
}

// finish adds the two verdicts and returns the code.
func (p *program) finish() []byte {
	p.label("allow")
	p.ret(unix.SECCOMP_RET_ALLOW)
	p.label("trap")
	p.ret(unix.SECCOMP_RET_TRAP)
	var code []byte
	for i, in := range p.ins {
		in.Jt, in.Jf = p.distance(i, p.onTrue[i]), p.distance(i, p.onFail[i])
		code = binary.LittleEndian.AppendUint16(code, in.Code)
		code = append(code, in.Jt, in.Jf)
		code = binary.LittleEndian.AppendUint32(code, in.K)
	}
	return code
}

func (p *program) distance(from int, name string) uint8 {
	if name == "" {
		return 0
	}
	to, ok := p.labels[name]
	d := to - from - 1
	if !ok || d < 0 || d > 255 {
		panic(fmt.Sprintf("BUG: filter jump from %d to %q", from, name))
	}
	return uint8(d)
}

// Offsets in struct seccomp_data.
const (
	dataNumber = 0
	dataArch   = 4
	dataIPLow  = 8
	dataIPHigh = 12
)

func argLow(i int) uint32  { return uint32(16 + 8*i) }
func argHigh(i int) uint32 { return uint32(20 + 8*i) }

const (
	auditX86_64 = 0xc000003e
	auditI386   = 0x40000003

	prSetDumpable = 4
	prDispatch    = 59 // PR_SET_SYSCALL_USER_DISPATCH
	pageMask32    = 0xfffff000
)

// pages goes on with the low word of the instruction address's page loaded, if
// the call comes from 64-bit code in the stub's 4 GiB.
func (p *program) pages() {
	p.load(dataArch)
	p.ifEqual(auditX86_64, "", "trap")
	p.load(dataIPHigh)
	p.ifEqual(textCtl>>32, "", "trap")
	p.load(dataIPLow)
	p.and(pageMask32)
}

// looseFilter is what the control thread carries, and client threads below
// their strict one: the calls of the control page with every argument that
// matters, and from the client page what the strict filter leaves. A call that
// it forbids ends the control thread's process, for its SIGSYS is blocked.
func looseFilter() []byte {
	p := newProgram()
	p.pages()
	p.ifEqual(textClient&0xffffffff, "client", "")
	p.ifEqual(textCtl&0xffffffff, "", "trap")

	p.load(dataNumber)
	p.ifEqual(unix.SYS_READ, "read", "")
	p.ifEqual(unix.SYS_WRITE, "write", "")
	p.ifEqual(unix.SYS_MMAP, "mmap", "")
	p.ifEqual(unix.SYS_MUNMAP, "range", "")
	p.ifEqual(unix.SYS_MPROTECT, "range", "")
	p.ifEqual(unix.SYS_CLONE, "clone", "")
	p.ifEqual(unix.SYS_SECCOMP, "seccomp", "")
	p.ifEqual(unix.SYS_PRCTL, "prctl", "")
	p.ifEqual(unix.SYS_CLOSE_RANGE, "allow", "")
	p.ifEqual(unix.SYS_EXIT_GROUP, "allow", "trap")

	p.label("read") // one byte, into the mailbox area's scratch word
	p.want(0, fdOrder)
	p.want(1, mbAddr+hScratch)
	p.want(2, 1)
	p.ret(unix.SECCOMP_RET_ALLOW)

	p.label("write") // one byte, from the command area
	p.want(0, fdResult)
	p.load(argHigh(1))
	p.ifEqual(cmdAddr>>32, "", "trap")
	p.load(argLow(1))
	p.and(pageMask32)
	p.ifEqual((cmdAddr+cBytes)&0xffffffff, "", "trap")
	p.want(2, 1)
	p.ret(unix.SECCOMP_RET_ALLOW)

	p.label("mmap") // shared and fixed, of the frames only
	p.want(4, fdFrames)
	p.load(argHigh(3))
	p.ifEqual(0, "", "trap")
	p.load(argLow(3))
	p.and(^uint32(unix.MAP_POPULATE))
	p.ifEqual(unix.MAP_SHARED|unix.MAP_FIXED, "range", "trap")

	p.label("range") // [arg 0, arg 0 + arg 1) cannot reach the stub
	p.load(argHigh(1))
	p.ifEqual(0, "", "trap")
	p.load(argHigh(0))
	p.ifAtLeast(uint32(HoleEnd>>32), "allow", "")
	p.ifAtLeast(uint32(HoleStart>>32), "trap", "allow")

	p.label("clone") // a thread with everything shared, nothing else
	p.want(0, cloneFlags)
	p.want(3, mbAddr+hBell)
	p.ret(unix.SECCOMP_RET_ALLOW)

	p.label("seccomp") // SECCOMP_SET_MODE_FILTER, strict
	p.want(0, 1)
	p.want(1, 0)
	p.want(2, cmdAddr+cStrict)
	p.ret(unix.SECCOMP_RET_ALLOW)

	p.label("prctl")
	p.load(argLow(0))
	p.ifEqual(prDispatch, "dispatch", "")
	p.want(0, prSetDumpable)
	p.want(1, 0)
	p.ret(unix.SECCOMP_RET_ALLOW)
	p.label("dispatch")
	p.want(1, 1)
	p.want(2, textCtl)
	p.want(3, textCallsSize)
	p.want(4, 0)
	p.ret(unix.SECCOMP_RET_ALLOW)

	p.label("client")
	p.clientCalls(true)
	return p.finish()
}

// strictFilter is what client threads carry besides: nothing from the control
// page, and of the client page only what the handler needs.
func strictFilter(fsgsbase bool) []byte {
	p := newProgram()
	p.pages()
	p.ifEqual(textClient&0xffffffff, "", "trap")
	p.clientCalls(!fsgsbase)
	return p.finish()
}

// clientCalls allows what the handler calls: futex wait and wake on the
// mailbox area, rt_sigreturn, exit of the caller, and where the host has no
// FSGSBASE instructions arch_prctl, which concerns the caller's bases only.
func (p *program) clientCalls(archPrctl bool) {
	p.load(dataNumber)
	p.ifEqual(unix.SYS_RT_SIGRETURN, "allow", "")
	p.ifEqual(unix.SYS_EXIT, "allow", "")
	if archPrctl {
		p.ifEqual(unix.SYS_ARCH_PRCTL, "bases", "")
	}
	p.ifEqual(unix.SYS_FUTEX, "", "trap")
	p.load(argLow(1))
	p.ifAtLeast(2, "trap", "") // FUTEX_WAIT, FUTEX_WAKE
	p.load(argHigh(0))
	p.ifEqual(mbAddr>>32, "", "trap")
	p.load(argLow(0))
	p.ifAtLeast(mbAddr&0xffffffff, "", "trap")
	p.ifAtLeast(mbAddr&0xffffffff+slotSize*slotCount, "trap", "allow")
	if archPrctl {
		p.label("bases") // ARCH_SET_GS, ARCH_SET_FS, ARCH_GET_FS, ARCH_GET_GS
		p.load(argLow(0))
		p.ifAtLeast(0x1005, "trap", "")
		p.ifAtLeast(0x1001, "allow", "trap")
	}
}
