package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeReal puts a kernel into a cache of the test's own and a script in QEMU's
// place, which writes its arguments to the returned file.
func fakeReal(t *testing.T, body string) (log string) {
	t.Helper()
	cache, bin := t.TempDir(), t.TempDir()
	image := []byte("GNU Mach 9.9-test")
	entry := filepath.Join(cache, "gnumach-1.8-amd64-up")
	require.NoError(t, os.Mkdir(entry, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(entry, "kernel.elf32"), image, 0o600))
	sum := fmt.Sprintf("%x  kernel.elf32\n", sha256.Sum256(image))
	require.NoError(t, os.WriteFile(filepath.Join(entry, "kernel.sha256"), []byte(sum), 0o600))
	log = filepath.Join(bin, "log")
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >\"$FAKE_LOG\"\n" + body
	require.NoError(t, os.WriteFile(filepath.Join(bin, "qemu-system-x86_64"), []byte(script), 0o700))
	t.Setenv("MACHKERNEL_CACHE", cache)
	t.Setenv("FAKE_LOG", log)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return log
}

func TestRunRealShowsTheConsole(t *testing.T) {
	const console = "GNU Mach 9.9-test\\r\\n\\rboot\\r\\n\\rstart hello: one\\r\\n\\rtwo\\r\\n"
	log := fakeReal(t, "printf '"+console+"'\n")
	raw := filepath.Join(t.TempDir(), "raw")
	code, out, errs := run("run", "--real", "--raw", raw, writeFile(t, "hello", builtin(t, "hello")), "word", "--flag")
	require.Zero(t, code, errs)
	require.Equal(t, "one\ntwo\n", out)
	require.Equal(t, "machkernel: on GNU Mach 9.9-test\n", errs)
	args, err := os.ReadFile(log)
	require.NoError(t, err)
	require.Contains(t, string(args), "\nhello word --flag $(task-create) $(task-resume)\n")
	require.Contains(t, string(args), "\n2047\n")
	whole, err := os.ReadFile(raw)
	require.NoError(t, err)
	require.Equal(t, strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(console), string(whole))
}

func TestRunRealExitCodes(t *testing.T) {
	for _, c := range []struct {
		name, body string
		code       int
		want       string
	}{
		{"the time is over", "echo 'start hello: '; exec tail -f /dev/null\n", exitTimeout, "still running after 300ms"},
		{"a panic", "echo 'start hello: panic ../kern/x.c:1: f: why'; exec tail -f /dev/null\n", exitException, "the real kernel panicked: panic ../kern/x.c:1: f: why"},
		{"QEMU fails", "echo no >&2; exit 1\n", exitUsage, "QEMU failed: no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeReal(t, c.body)
			timeout := "1m"
			if c.code == exitTimeout {
				timeout = "300ms"
			}
			code, out, errs := run("run", "--real", "--timeout", timeout, writeFile(t, "hello", builtin(t, "hello")))
			require.Equal(t, c.code, code, errs)
			require.Empty(t, out)
			require.Contains(t, errs, c.want)
			require.Equal(t, 2, strings.Count(errs, "\n"), errs)
		})
	}
}

func TestRunRealAtTheUsersInterrupt(t *testing.T) {
	fakeReal(t, "kill -TERM $PPID\nexec tail -f /dev/null\n")
	code, _, errs := run("run", "--real", writeFile(t, "hello", builtin(t, "hello")))
	require.Equal(t, 128+15, code)
	require.Contains(t, errs, "machkernel: ended by terminated\n")
}

func TestRunRealRefuses(t *testing.T) {
	fakeReal(t, "exit 9\n")
	path := writeFile(t, "hello", builtin(t, "hello"))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a trace", []string{"run", "--real", "--trace", path}, "--trace"},
		{"an accelerator", []string{"run", "--real", "--accel", "warp", path}, "--accel warp: must be tcg, kvm or auto"},
		{"an accelerator of ours", []string{"run", "--accel", "tcg", path}, "--accel and --raw need --real"},
		{"a time-out", []string{"run", "--real", "--timeout", "-1s", path}, "--timeout"},
		{"no such file", []string{"run", "--real", "/nonexistent/client"}, "no such file"},
		{"text", []string{"run", "--real", writeFile(t, "c", []byte("text"))}, "ELF"},
		{"two words in one", []string{"run", "--real", path, "a b"}, `argument "a b"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := run(c.args...)
			require.Equal(t, exitUsage, code, errs)
			require.Empty(t, out)
			require.Contains(t, errs, c.want)
		})
	}
	t.Run("QEMU missing", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		code, _, errs := run("run", "--real", path)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "install the package qemu-system-x86\n")
	})
	t.Run("everything missing", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		t.Setenv("MACHKERNEL_CACHE", t.TempDir())
		code, _, errs := run("run", "--real", path)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "apt-get not found")
		require.Equal(t, 1, strings.Count(errs, "\n"))
	})
}
