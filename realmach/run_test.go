package realmach

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeQEMU puts a program in QEMU's place that writes its arguments to the
// returned file and then does as body says, in the module's directory.
func fakeQEMU(t *testing.T, body string) (log string) {
	t.Helper()
	log = writeFile(t, "arguments", nil)
	t.Setenv("FAKE_LOG", log)
	t.Setenv("TMPDIR", t.TempDir())
	fake(t, map[string]string{"qemu-system-x86_64": `printf '%s\n' "$@" >>"$FAKE_LOG"` + "\n" + body})
	return log
}

// says is a fake's body that prints a recorded console.
func says(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	return "cat '" + path + "'\n"
}

const forever = "tail -f /dev/null & echo $! >\"$FAKE_LOG\"; wait\n"

// client is a file that can be booted, and the kernel to do it.
func client(t *testing.T, name string) (*Kernel, string) {
	t.Helper()
	return &Kernel{Version: testVersion, Image: "kernel.elf32"}, writeFile(t, name, image64(nil))
}

func TestRunShowsTheClientsConsole(t *testing.T) {
	log := fakeQEMU(t, `test -s hello || exit 3`+"\n"+says(t, "hello.console"))
	k, path := client(t, "hello")
	var out bytes.Buffer
	r, err := k.Run(t.Context(), path, nil, Options{Stdout: &out})
	require.NoError(t, err)
	require.Equal(t, helloLines, out.String())
	require.True(t, r.Ended)
	require.Equal(t, recording(t, "hello.console"), r.Raw)

	image, err := filepath.Abs("kernel.elf32")
	require.NoError(t, err)
	args, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Equal(t, []string{
		"-accel", "tcg", "-cpu", "core2duo-v1", "-m", "2047", "-display", "none", "-serial", "stdio",
		"-monitor", "none", "-net", "none", "-no-reboot", "-kernel", image, "-append", "console=com0",
		"-initrd", "hello ${host-port} ${device-port} $(task-create) $(task-resume)",
	}, strings.Split(strings.TrimSpace(string(args)), "\n"))
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left, "temporary files are left")
}

// alive says whether a process that is not a zombie has this number.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestRunKillsTheWholeGroupAtTheTimeout(t *testing.T) {
	log := fakeQEMU(t, "printf 'start c: still here'\n"+forever)
	k, path := client(t, "c")
	var out bytes.Buffer
	r, err := k.Run(t.Context(), path, nil, Options{Stdout: &out, Timeout: time.Second})
	require.NoError(t, err)
	require.True(t, r.TimedOut)
	require.Equal(t, "still here\n", out.String())
	child, err := os.ReadFile(log)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(child)))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !alive(pid) }, 5*time.Second, time.Millisecond)
	require.ErrorIs(t, syscall.Kill(-pid, 0), syscall.ESRCH)
}

func TestRunStopsAPanickedMachine(t *testing.T) {
	fakeQEMU(t, says(t, "panic.console")+forever)
	k, path := client(t, "panic")
	r, err := k.Run(t.Context(), path, nil, Options{})
	require.NoError(t, err)
	require.True(t, r.Panicked)
	require.False(t, r.Ended || r.TimedOut || r.Flooded)
	require.Contains(t, r.Panic, "Debugger invoked")
}

func TestRunStopsAFlood(t *testing.T) {
	fakeQEMU(t, "printf 'start c: '\nexec yes\n")
	k, path := client(t, "c")
	r, err := k.Run(t.Context(), path, nil, Options{})
	require.NoError(t, err)
	require.True(t, r.Flooded)
	require.Len(t, r.Raw, maxConsole)
}

func TestRunReportsQEMUsFailure(t *testing.T) {
	k, path := client(t, "c")
	for _, c := range []struct{ name, body, want string }{
		{"a complaint", "echo 'qemu: no memory' >&2; echo more >&2; exit 1\n", "QEMU failed: qemu: no memory"},
		{"none", "exit 3\n", "QEMU failed: exit status 3"},
		{"an early end", "echo GNU Mach\n", "the machine ended before the client was started"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeQEMU(t, c.body)
			_, err := k.Run(t.Context(), path, nil, Options{})
			require.EqualError(t, err, c.want)
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	fakeQEMU(t, "echo 'start c: up'\n"+forever)
	k, path := client(t, "c")
	ctx, cancel := context.WithCancel(t.Context())
	r, err := k.Run(ctx, path, nil, Options{Stdout: writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})})
	require.ErrorIs(t, err, context.Canceled)
	require.True(t, r.Started)
	require.False(t, r.Ended)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestRunReportsAReaderThatFails(t *testing.T) {
	fakeQEMU(t, "echo 'start c: up'\n"+forever)
	k, path := client(t, "c")
	_, err := k.Run(t.Context(), path, nil, Options{Stdout: writerFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	emptyPath(t)
	k, path := client(t, "c")
	_, err := k.Run(t.Context(), path, nil, Options{})
	require.EqualError(t, err, "qemu-system-x86_64 not found: install the package qemu-system-x86")
}

func TestRunRefusesWhatItCannotBoot(t *testing.T) {
	fakeQEMU(t, "exit 9\n")
	k, path := client(t, "c")
	for _, c := range []struct {
		name, client string
		args         []string
		o            Options
		want         string
	}{
		{"no file", "/nonexistent/c", nil, Options{}, "cannot read the client"},
		{"a directory", t.TempDir(), nil, Options{}, "is not a file"},
		{"text", writeFile(t, "c", []byte("text")), nil, Options{}, "not an ELF file"},
		{"a space", path, []string{"a b"}, Options{}, `argument "a b": the boot loader`},
		{"an empty word", path, []string{""}, Options{}, `argument ""`},
		{"a dollar sign", path, []string{"$(task-resume)"}, Options{}, "dollar"},
		{"a line's end", path, []string{"a\n"}, Options{}, "control"},
		{"much", path, []string{strings.Repeat("x", maxWords)}, Options{}, "more than 1024 bytes"},
		{"an accelerator", path, nil, Options{Accel: "warp"}, `accelerator "warp"`},
		{"a time-out", path, nil, Options{Timeout: -1}, "negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := k.Run(t.Context(), c.client, c.args, c.o)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestModuleLine(t *testing.T) {
	require.Equal(t, "a_b_c_d.e+f-", moduleName("/x, y/a b,c$d.e+f-"))
	require.Len(t, moduleName(strings.Repeat("x", 300)), maxName)
	line, err := moduleLine("c", []string{wordHostPort, "a,b"})
	require.NoError(t, err)
	require.Equal(t, "c ${host-port} a,,b $(task-create) $(task-resume)", line)
}

func TestAutoTakesKVMOnlyIfAProbeWorks(t *testing.T) {
	device := writeFile(t, "kvm", nil)
	const panics = `printf 'panic ../kern/bootstrap.c:182: bootstrap_create: No bootstrap code loaded with the kernel!\r\n'` + "\n"
	for _, c := range []struct{ name, device, body, want string }{
		{"no device", "/nonexistent/kvm", panics, AccelTCG},
		{"it works", device, panics + forever, AccelKVM},
		{"it fails", device, "echo 'KVM internal error' >&2; exit 1\n", AccelTCG},
		{"it ends early", device, "echo GNU Mach\n", AccelTCG},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeQEMU(t, c.body)
			qemu, err := exec.LookPath("qemu-system-x86_64")
			require.NoError(t, err)
			k := new(Kernel)
			m := &machine{qemu: qemu, dir: t.TempDir(), module: "c"}
			require.Equal(t, c.want, k.probed(t.Context(), m, c.device))
			require.Equal(t, c.want, k.probed(t.Context(), m, "/nonexistent/kvm"), "probed once")
		})
	}
}

// The real thing, where it is asked for: the same client, the recorded answer.
func TestHelloOnTheRealKernel(t *testing.T) {
	if os.Getenv("MACHKERNEL_REAL") != "1" {
		t.Skip("boots the real kernel only with MACHKERNEL_REAL=1")
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skip(err)
	}
	k, err := Obtain(t.Context(), "")
	if err != nil {
		t.Skip(err)
	}
	var out bytes.Buffer
	r, err := k.Run(t.Context(), "../testdata/clients/bin/hello", nil, Options{Stdout: &out, Timeout: time.Minute})
	require.NoError(t, err)
	require.True(t, r.Ended, "%s", r.Raw)
	require.Equal(t, k.Version, r.Version)
	require.Equal(t, helloLines, out.String())
}
