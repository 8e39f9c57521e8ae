package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/conform"
)

func TestConform(t *testing.T) {
	code, out, errs := run("conform", "vm_read")
	require.Zero(t, code, out)
	require.Empty(t, errs)
	require.Regexp(t, `\d+ cases: \d+ agree with GNU Mach 1\.8[^,]*, .* 0 fail, in [\d.]+m?s\n$`, out)

	code, out, _ = run("conform", "--list", "vm_read/*hole*")
	require.Zero(t, code)
	for name := range strings.Lines(out) {
		require.Regexp(t, `^vm_read/.*hole.*\n$`, name)
	}

	code, out, _ = run("conform", "--edition", "documented", "vm_read")
	require.Zero(t, code, out)
	require.Regexp(t, `\d+ cases: \d+ answer as the manual promises, .* 0 fail, in`, out)

	code, out, _ = run("conform", "-v", "vm_read/unaligned-size")
	require.Zero(t, code)
	require.Contains(t, out, "    manual  vm_read: KERN_INVALID_ARGUMENT\n    real    vm_read: KERN_SUCCESS\n")
	require.Contains(t, out, "    ours    vm_read: KERN_SUCCESS\n")

	code, out, _ = run("conform", "--json", "vm_protect/*")
	require.Zero(t, code)
	var rep conform.Report
	require.NoError(t, json.Unmarshal([]byte(out), &rep))
	require.NotEmpty(t, rep.Results)
}

// A suite of a user's own: one client, whose recording says something else.
func TestConformJudgesASuiteOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("../../testdata/conformance")))
	for _, name := range []string{"bin", "golden"} {
		require.NoError(t, os.RemoveAll(filepath.Join(dir, name)))
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "deviations.tsv")))
	image, err := os.ReadFile("../../testdata/conformance/bin/taskmem")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bin", "mine"), image, 0o600))
	code, out, _ := run("conform", "--suite", dir)
	require.Equal(t, exitException, code)
	require.Contains(t, out, "no recording has this case")

	golden, err := os.ReadFile("../../testdata/golden/taskmem.txt")
	require.NoError(t, err)
	changed := strings.Replace(string(golden), "KERN_SUCCESS", "KERN_FAILURE", 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "golden", "mine.txt"), []byte(changed), 0o600))
	code, out, errs := run("conform", "--suite", dir)
	require.Equal(t, exitException, code)
	require.Contains(t, out, "real  ")
	require.Contains(t, errs, "1 of ")
}

func TestConformRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"nothing_like_this"}, "no case matches"},
		{[]string{"["}, "pattern"},
		{[]string{"--suite", "/nonexistent"}, "--suite"},
		{[]string{"--suite", t.TempDir()}, "bin/"},
		{[]string{"--edition", "manual"}, "--edition"},
		{[]string{"--kernel-version", "1.8+git20200101"}, "--kernel-version"},
		{[]string{"--kernel-version", "latest"}, "--kernel-version"},
		{[]string{"--json", "--junit"}, "json junit"},
	} {
		code, _, errs := run(append([]string{"conform"}, c.args...)...)
		require.Equal(t, exitUsage, code, errs)
		require.Contains(t, errs, c.want)
		require.Equal(t, 1, strings.Count(errs, "\n"))
	}
}
