package realmach

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// recording reads a raw console of the real kernel; hello's has lines of the
// kernel's own added in its middle.
func recording(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return raw
}

// show runs raw through a console in pieces of n bytes.
func show(raw []byte, name string, n int) (out string, r Result, why error) {
	var b bytes.Buffer
	c := newConsole(name, &b, func(err error) { why = err })
	for len(raw) > 0 {
		n = min(n, len(raw))
		_, _ = c.Write(raw[:n])
		raw = raw[n:]
	}
	c.end()
	c.report(&r)
	return b.String(), r, why
}

const helloLines = `hello from a Mach task
vm_allocate of 4 pages: KERN_SUCCESS
fresh memory: 0 of 16384 bytes are not zero
written memory: 0 of 4 pages read back wrong
vm_deallocate: KERN_SUCCESS
thread one: KERN_SUCCESS
thread two: KERN_SUCCESS
thread one: turn 1
thread two: turn 1
thread one: turn 2
thread two: turn 2
thread one: turn 3
thread two: turn 3
both threads are done
good-bye
`

func TestConsoleShowsTheClientsLinesOnly(t *testing.T) {
	raw := recording(t, "hello.console")
	for _, n := range []int{1, 2, 7, 1 << 20} {
		out, r, why := show(raw, "hello", n)
		require.Equal(t, helloLines, out, "pieces of %d", n)
		require.NoError(t, why)
		require.True(t, r.Started)
		require.False(t, r.Panicked)
		require.Equal(t, "GNU Mach 1.8+git20250702-up-amd64", r.Version)
		require.Equal(t, raw, r.Raw)
	}
}

func TestConsoleOfAnotherClientShowsNothing(t *testing.T) {
	out, r, _ := show(recording(t, "hello.console"), "other", 100)
	require.Empty(t, out)
	require.False(t, r.Started)
}

func TestConsoleTellsAPanic(t *testing.T) {
	for _, n := range []int{1, 1 << 20} {
		out, r, why := show(recording(t, "panic.console"), "panic", n)
		require.Equal(t, "before\nkr 3\n", out)
		require.ErrorIs(t, why, errPanic)
		require.True(t, r.Panicked)
		require.Equal(t, "../vm/vm_map.c:256: vm_map_lock: Assertion `current_thread()->vm_privilege != 0' failed."+
			"panic ../kern/debug.c:103: Debugger: Debugger invoked, but there isn't one!", r.Panic)
	}
}

func TestConsoleLines(t *testing.T) {
	for _, c := range []struct{ name, raw, want string }{
		{"nothing", "", ""},
		{"not started", "GNU Mach 1\r\nsomething", ""},
		{"no line's end", "start c: word", "word\n"},
		{"an empty first line is the kernel's", "start c: \r\n\rx\r\n", "x\n"},
		{"empty lines", "start c: a\r\n\r\r\n\rb\n\r", "a\n\nb\n"},
		{"started once", "start c: a\nstart c: b\n", "a\nstart c: b\n"},
		{"the word panic", "start c: panic now\ndo not panic: x\n", "panic now\ndo not panic: x\n"},
		{"panic in a line", "start c: half a lipanic ../a/b.c:1: f: no\nmore", "half a li\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, _, _ := show([]byte(c.raw), "c", 3)
			require.Equal(t, c.want, out)
		})
	}
}

func TestConsoleIsBounded(t *testing.T) {
	flood := []byte("start c: " + strings.Repeat(strings.Repeat("0", 1023)+"\n", maxConsole/512))
	out, r, why := show(flood, "c", 4096)
	require.ErrorIs(t, why, errFlood)
	require.Len(t, r.Raw, maxConsole)
	require.LessOrEqual(t, len(out), maxConsole)
	_, r, why = show([]byte("start c: "+strings.Repeat("x", 2*maxConsole)), "c", 1<<16)
	require.ErrorIs(t, why, errFlood)
	require.Len(t, r.Raw, maxConsole)
}

func TestConsoleSaysThatItsReaderFailed(t *testing.T) {
	var why error
	w := iotestWriter{}
	c := newConsole("c", w, func(err error) { why = err })
	_, err := c.Write([]byte("start c: a\nb\n"))
	require.NoError(t, err)
	var out *outputError
	require.True(t, errors.As(why, &out))
	require.ErrorIs(t, why, iotest.ErrTimeout)
}

// iotestWriter takes nothing.
type iotestWriter struct{}

func (iotestWriter) Write([]byte) (int, error) { return 0, iotest.ErrTimeout }
