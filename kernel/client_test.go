package kernel

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/testdata"
)

// client is the ELF of a built client: the committed one, or a freshly built
// one from the directory that MACHKERNEL_CLIENTS names.
func client(t testing.TB, name string) string {
	t.Helper()
	if dir := os.Getenv("MACHKERNEL_CLIENTS"); dir != "" {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(b)
	}
	image, err := testdata.Client(name)
	require.NoError(t, err)
	return image
}

// boot starts a client with the two ports and words as its arguments.
func boot(t testing.TB, k *Kernel, name string, words ...string) *Task {
	t.Helper()
	image := client(t, name)
	task, err := k.Boot(name, strings.NewReader(image), int64(len(image)), append(DefaultArgs(), words...))
	require.NoError(t, err)
	return task
}

// runClient boots a client in a kernel of its own and waits for its end. The
// books are audited while the kernel still has what the client left.
func runClient(t testing.TB, name string, words ...string) (console string, report *Report) {
	t.Helper()
	var out safeBuffer
	k := start(t, Config{Console: &out})
	task := boot(t, k, name, words...)
	awaitEnd(t, k, task)
	require.NoError(t, k.Audit())
	return out.String(), task.Report()
}

func awaitEnd(t testing.TB, k *Kernel, task *Task) {
	t.Helper()
	select {
	case <-k.Halted():
		<-task.Done()
	case <-task.Done():
	case <-time.After(7 * time.Minute):
		t.Fatal("the client does not end")
	}
}

// TestClientsPrintWhatTheyPrintOnTheRealKernel runs each client and compares
// its console with the recording of a real GNU Mach, line by line. A
// recording's first line names the kernel.
func TestClientsPrintWhatTheyPrintOnTheRealKernel(t *testing.T) {
	recordings, err := filepath.Glob("../testdata/clients/real/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	for _, path := range recordings {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			_, want, ok := strings.Cut(string(b), "\n")
			require.True(t, ok, "a recording has a first line of its own")
			client, words, _ := strings.Cut(name, "-")
			got, _ := runClient(t, client, strings.Fields(strings.ReplaceAll(words, "-", " "))...)
			require.Equal(t, strings.Split(want, "\n"), strings.Split(got, "\n"))
		})
	}
}

func TestUnhandledExceptionEndsTheTaskWithAReport(t *testing.T) {
	const (
		invalidAddress    = 1 // KERN_INVALID_ADDRESS
		protectionFailure = 2 // KERN_PROTECTION_FAILURE
	)
	for _, c := range []struct {
		word string
		kind ExceptionKind
		code int32
	}{
		{"null", ExcBadAccess, invalidAddress},
		{"unmapped", ExcBadAccess, invalidAddress},
		{"read-only", ExcBadAccess, protectionFailure},
		{"jump", ExcBadAccess, invalidAddress},
		{"ud2", ExcBadInstruction, 1},
		{"divide", ExcArithmetic, 1},
		{"int3", ExcBreakpoint, 2},
		{"hlt", ExcBadInstruction, 13},
		{"non-canonical", ExcBadInstruction, 13},
	} {
		t.Run(c.word, func(t *testing.T) {
			console, report := runClient(t, "fault", c.word)
			require.NotNil(t, report)
			require.Equal(t, c.kind, report.Exception.Kind)
			require.Equal(t, c.code, report.Exception.Code)
			require.NotZero(t, report.PC)
			require.Equal(t, "fault "+c.word+"\n", console, "nothing runs after the exception")
		})
	}
}

func TestEverySecondPageOfACopiedGigabyte(t *testing.T) {
	size := "1G"
	if testing.Short() {
		size = "64M"
	}
	console, report := runClient(t, "cow", size)
	require.Nil(t, report)
	require.NotContains(t, console, "SHORTAGE")
	require.Contains(t, console, "cow: done")
	for line := range strings.Lines(console) {
		if what, count, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && strings.HasPrefix(what, "wrong pages") {
			require.Equal(t, "0", count, what)
		}
	}
}

func TestAClientKilledFromOutsideCostsItsTaskOnly(t *testing.T) {
	var out safeBuffer
	k := start(t, Config{Console: &out})
	healthy := boot(t, k, "vmread")
	victim := boot(t, k, "ool")
	<-healthy.Done()
	// The victim may have ended by itself by now; killing it is then no test,
	// so a second one is killed as soon as it has a process.
	<-victim.Done()
	victim = boot(t, k, "cow")
	proc := victim.pmap.current()
	require.NotNil(t, proc)
	require.NoError(t, syscall.Kill(proc.PID(), syscall.SIGKILL))
	<-victim.Done()
	require.NotNil(t, victim.Report())
	require.Contains(t, victim.Report().Reason, "SIGKILL")
	require.Contains(t, out.String(), "vmread: done")
	require.NoError(t, k.Audit())
}

func TestKernelsDoNotShareAnything(t *testing.T) {
	var a, b safeBuffer
	first, second := start(t, Config{Console: &a}), start(t, Config{Console: &b})
	one, two := boot(t, first, "hello"), boot(t, second, "hello")
	awaitEnd(t, first, one)
	awaitEnd(t, second, two)
	require.Equal(t, a.String(), b.String())
	require.Contains(t, a.String(), "good-bye")
}

func TestMemoryBudgetIsAnErrorNotADeath(t *testing.T) {
	var out safeBuffer
	k := start(t, Config{Console: &out, Memory: 4 << 20})
	task := boot(t, k, "cow", "64M")
	awaitEnd(t, k, task)
	require.NotNil(t, task.Report(), "the client writes more than there is")
	require.Equal(t, ExcBadAccess, task.Report().Exception.Kind)
	require.EqualValues(t, 6, task.Report().Exception.Code) // KERN_RESOURCE_SHORTAGE
}
