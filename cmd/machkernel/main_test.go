package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/testdata"
)

func TestMain(m *testing.M) {
	// os/signal keeps its one goroutine once it was used.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.signal_recv"), goleak.IgnoreAnyFunction("os/signal.loop"))
}

// run executes the command as a user would.
func run(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = execute(args, &o, &e)
	return code, o.String(), e.String()
}

// writeFile makes a file for the test.
func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func builtin(t *testing.T, name string) []byte {
	t.Helper()
	image, err := testdata.Client(name)
	require.NoError(t, err)
	return []byte(image)
}

func TestDemoShowsConsoleAndTraceTogether(t *testing.T) {
	code, out, errs := run("demo")
	require.Zero(t, code, errs)
	require.Empty(t, errs)
	require.Contains(t, out, "\nvmread: done\n")
	require.Regexp(t, `\[\d+\.\d+\] vm_read\(\d+, address=0x[0-9a-f]+, size=16384\) = KERN_SUCCESS data=0x[0-9a-f]+\[16384\] <[0-9.]+µs>`, out)
	require.Regexp(t, `\[\d+\.\d+\] mach_reply_port\(\) = \d+ <`, out)
	require.Regexp(t, `\[\d+\.\d+\] page fault 0x[0-9a-f]+ rw- = KERN_SUCCESS <`, out)
	for line := range strings.Lines(out) {
		require.False(t, strings.Contains(line, "µs>") && !strings.HasPrefix(line, "["), "trace in the middle of a line: %q", line)
	}
}

func TestRunSeparatesConsoleAndTrace(t *testing.T) {
	path := writeFile(t, "hello", builtin(t, "hello"))
	code, out, errs := run("run", path)
	require.Zero(t, code)
	require.Empty(t, errs)
	require.Contains(t, out, "good-bye\n")
	code, traced, errs := run("run", "--trace", path)
	require.Zero(t, code)
	require.Equal(t, out, traced)
	require.Contains(t, errs, "host_reboot(1, options=0)")
}

func TestRunPassesArgumentsOn(t *testing.T) {
	path := writeFile(t, "fault", builtin(t, "fault"))
	code, out, errs := run("run", path, "${host-port}", "${device-port}", "ud2")
	require.Equal(t, exitException, code)
	require.Equal(t, "fault ud2\n", out)
	require.Regexp(t, `^machkernel: fault: EXC_BAD_INSTRUCTION \(EXC_I386_INVOP, subcode 0x0\) at pc 0x4[0-9a-f]+\n$`, errs)
}

func TestRunEndsWithTheLastThread(t *testing.T) {
	path := writeFile(t, "quit", builtin(t, "quit"))
	code, out, errs := run("run", "--timeout", "1m", path)
	require.Zero(t, code)
	require.Empty(t, errs)
	require.Equal(t, "quit: the last thread goes\n", out)
}

func TestRunEndsAtItsTimeout(t *testing.T) {
	path := writeFile(t, "forever", spinningELF())
	code, _, errs := run("run", "--timeout", "100ms", path)
	require.Equal(t, exitTimeout, code)
	require.Equal(t, "machkernel: forever: still running after 100ms\n", errs)
}

// spinningELF is a client that jumps to itself.
func spinningELF() []byte {
	const base = 0x400000
	h := elf.Header64{
		Ident:   [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:    uint16(elf.ET_EXEC),
		Machine: uint16(elf.EM_X86_64),
		Version: uint32(elf.EV_CURRENT),
		Entry:   base + 120,
		Phoff:   64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	p := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: base, Paddr: base, Filesz: 122, Memsz: 122, Align: 4096,
	}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, h)
	_ = binary.Write(&b, binary.LittleEndian, p)
	b.Write([]byte{0xeb, 0xfe})
	return b.Bytes()
}

func TestBadInputIsOneLineAndExitCode2(t *testing.T) {
	hello := builtin(t, "hello")
	dynamic := bytes.Clone(hello)
	dynamic[16] = byte(elf.ET_DYN)
	arm := bytes.Clone(hello)
	arm[18] = byte(elf.EM_AARCH64)
	far := spinningELF()
	binary.LittleEndian.PutUint64(far[64+16:], 0x7ffffffff000)
	low := spinningELF()
	binary.LittleEndian.PutUint64(low[64+16:], 0)
	binary.LittleEndian.PutUint64(low[24:], 120)
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"no client", []string{"run"}, "requires at least 1 arg"},
		{"no such file", []string{"run", "/nonexistent/client"}, "no such file"},
		{"a directory", []string{"run", t.TempDir()}, "is not a file"},
		{"text", []string{"run", writeFile(t, "c", []byte("#!/bin/sh\n"))}, "ELF"},
		{"empty", []string{"run", writeFile(t, "c", nil)}, "ELF"},
		{"truncated header", []string{"run", writeFile(t, "c", hello[:40])}, ""},
		{"truncated segment", []string{"run", writeFile(t, "c", hello[:len(hello)/2])}, ""},
		{"not static", []string{"run", writeFile(t, "c", dynamic)}, "static"},
		{"another machine", []string{"run", writeFile(t, "c", arm)}, "x86-64"},
		{"segment out of range", []string{"run", writeFile(t, "c", far)}, "0x7ffffffff000"},
		{"unknown flag", []string{"run", "--nonsense", "x"}, "unknown flag"},
		{"unknown command", []string{"walk"}, "unknown command"},
		{"bad time-out", []string{"demo", "--timeout", "-1s"}, "--timeout"},
		{"bad memory", []string{"demo", "--memory", "0"}, "--memory"},
		{"bad edition", []string{"demo", "--edition", "both"}, "--edition"},
		{"bad version", []string{"demo", "--kernel-version", "1.9"}, "--kernel-version"},
		{"a name with an escape", []string{"run", "/nonexistent/\x1b[31mred"}, `\x1b[31mred`},
		{"a pipe", []string{"run", fifo}, "is not a file"},
		{"too much memory", []string{"demo", "--memory", "16777216"}, "--memory"},
		{"a segment at address 0", []string{"run", writeFile(t, "c", low)}, "0x0"},
		{"arguments too long", []string{"run", writeFile(t, "c", hello), strings.Repeat("x", 1<<20)}, "arguments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := run(c.args...)
			require.Equal(t, exitUsage, code, errs)
			require.Empty(t, out)
			require.Equal(t, 1, strings.Count(errs, "\n"), "one line: %q", errs)
			require.Contains(t, errs, c.want)
		})
	}
}

// full is a console that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestLostOutputIsAnError(t *testing.T) {
	var errs bytes.Buffer
	path := writeFile(t, "hello", builtin(t, "hello"))
	require.Equal(t, exitUsage, execute([]string{"run", path}, full{}, &errs))
	require.Contains(t, errs.String(), "cannot write the client's output: no space left on device\n")
}

// A console that nobody reads does not keep a run from ending at its time.
func TestTimeoutWithABlockedConsole(t *testing.T) {
	r, w := io.Pipe()
	var errs bytes.Buffer
	path := writeFile(t, "hello", builtin(t, "hello"))
	done := make(chan int)
	go func() { done <- execute([]string{"run", "--timeout", "100ms", path}, w, &errs) }()
	require.Equal(t, exitTimeout, <-done)
	require.NoError(t, r.Close())
}

func TestRoutinesListsWhatIsServed(t *testing.T) {
	code, out, _ := run("routines")
	require.Zero(t, code)
	require.Regexp(t, `(?m)^2026 +served +mach +vm_read\(address vm_address_t, size vm_size_t\) → data pointer_t$`, out)
	require.Regexp(t, `(?m)^4216 +source only, from 1.8\+git20251228 +gnumach +vm_get_size_limit\(\) → current_limit vm_size_t, max_limit vm_size_t$`, out)
}

func TestRunAsAnotherKernel(t *testing.T) {
	client := "../../testdata/conformance/bin/newer"
	code, out, errs := run("run", client)
	require.Zero(t, code, errs)
	require.Contains(t, out, "vm_get_size_limit: MIG_BAD_ID\n")
	code, out, errs = run("run", "--kernel-version", "1.8+git20260224", client)
	require.Zero(t, code, errs)
	require.Contains(t, out, "vm_get_size_limit: KERN_SUCCESS\n")

	client = "../../testdata/conformance/bin/vmprotect"
	code, out, errs = run("run", "--edition", "documented", client)
	require.Zero(t, code, errs)
	require.Contains(t, out, "== vm_protect/hole\nto read-only: KERN_INVALID_ADDRESS\n")
}
