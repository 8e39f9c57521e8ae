package kernel

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// Where bare machine code lies: behind the headers of its file.
const (
	rawBase  = 0x400000
	rawEntry = rawBase + 64 + 56
)

// spin is machine code that never ends: jmp to itself.
var spin = []byte{0xeb, 0xfe}

// rawELF is a program of bare machine code.
func rawELF(t testing.TB, code ...byte) []byte {
	t.Helper()
	size := uint64(rawEntry - rawBase + len(code))
	var b bytes.Buffer
	for _, part := range []any{
		elf.Header64{
			Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
			Entry: rawEntry, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
		},
		elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
			Vaddr: rawBase, Paddr: rawBase, Filesz: size, Memsz: size, Align: 4096,
		},
	} {
		require.NoError(t, binary.Write(&b, binary.LittleEndian, part))
	}
	b.Write(code)
	return b.Bytes()
}

// bootRaw runs bare machine code as a program.
func bootRaw(t testing.TB, k *Kernel, code ...byte) *Task {
	t.Helper()
	program := rawELF(t, code...)
	task, err := k.Boot("code", bytes.NewReader(program), int64(len(program)), nil)
	require.NoError(t, err)
	return task
}

// bootCode runs bare machine code as a program and tells how it ended.
func bootCode(t *testing.T, code ...byte) Exception {
	t.Helper()
	task := bootRaw(t, start(t, Config{}), code...)
	<-task.Done()
	require.NotNil(t, task.Report())
	return task.Report().Exception
}

// Arguments on the stack that end where the map does are out of reach.
func TestTrapArgumentsAtTheEndOfTheMap(t *testing.T) {
	code := binary.LittleEndian.AppendUint64([]byte{0x48, 0xbc}, uint64(mach.VMMaxAddress)-16) // movabs to %rsp
	code = append(code,
		0xb8, 0xe7, 0xff, 0xff, 0xff, // mov $-25,%eax: mach_msg_trap
		0x0f, 0x05, // syscall
		0xcc, // int3
	)
	require.Equal(t, Exception{ExcBadAccess, int32(mach.KernInvalidAddress), uint64(mach.VMMaxAddress)}, bootCode(t, code...))
}

// Trap 0 is inside the real kernel's table, and unassigned; positive numbers
// and those beyond its end are invalid instructions. The code ends in a
// breakpoint if the trap answered KERN_INVALID_ARGUMENT, else in a division by
// zero.
func TestTrapNumbersOfMachineCode(t *testing.T) {
	breakpoint := Exception{ExcBreakpoint, codeBreak, 0}
	invalid := Exception{ExcBadInstruction, codeInvalid, 0}
	for number, want := range map[int32]Exception{
		0: breakpoint, -1: breakpoint, -maxTrap: breakpoint,
		1: invalid, 60: invalid, -maxTrap - 1: invalid, -1<<31 + 1: invalid,
		-1 << 31: breakpoint, // its negative is itself: the table's first entry, as recorded
	} {
		code := binary.LittleEndian.AppendUint32([]byte{0xb8}, uint32(number)) // mov $number,%eax
		code = append(code,
			0x0f, 0x05, // syscall
			0x83, 0xf8, 0x04, // cmp $4,%eax
			0x74, 0x04, // je to int3
			0x31, 0xc9, // xor %ecx,%ecx
			0xf7, 0xf1, // div %ecx
			0xcc, // int3
		)
		require.Equal(t, want, bootCode(t, code...), "trap %d", number)
	}
}
