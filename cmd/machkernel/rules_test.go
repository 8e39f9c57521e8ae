package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/rules"
)

var update = flag.Bool("update", false, "write what is generated")

func runRules(t *testing.T, args ...string) string {
	var out, errs bytes.Buffer
	require.Equal(t, exitOK, execute(append([]string{"rules"}, args...), &out, &errs), errs.String())
	return out.String()
}

// The document holds what the command prints.
func TestRulesDocument(t *testing.T) {
	const name, open, end = "../../docs/rules.md", "<!-- rules -->\n", "<!-- /rules -->\n"
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(b), open)
	require.True(t, ok)
	_, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := head + open + runRules(t, "--markdown") + end + tail
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(b), "run the test with -update")
}

func TestRulesFilters(t *testing.T) {
	lines := func(args ...string) []string {
		all := strings.Split(strings.TrimSpace(runRules(t, args...)), "\n")
		return all[1:]
	}
	require.Len(t, lines(), len(rules.All()))
	for _, line := range lines("vm_read") {
		require.True(t, strings.HasPrefix(line, "vm_read/"), line)
	}
	require.Equal(t, lines("vm_read"), lines("vm_read/*"))
	xnu := strings.Join(lines("--family", "xnu"), "\n")
	require.NotContains(t, xnu, "task_create/")
	require.Contains(t, xnu, "vm_read_overwrite/unwritable")
	require.NotContains(t, strings.Join(lines("--family", "gnumach"), "\n"), "vm_read_overwrite/")
	for _, line := range lines("--family", "gnumach", "--disagree") {
		require.NotContains(t, line, "silent")
	}
	differ := strings.Join(lines("--families"), "\n")
	require.Contains(t, differ, "vm_region/past-the-end")
	require.NotContains(t, differ, "vm_read/unaligned")
}

func TestRulesVerbose(t *testing.T) {
	require.Regexp(t, `^vm_region/past-the-end: nothing is allocated at or above the address
    XNU documented       KERN_INVALID_ADDRESS
    XNU observed         KERN_INVALID_ADDRESS
    .*xnu osfmk/vm/vm_map.c: vm_map_region
$`, runRules(t, "-v", "--family", "xnu", "vm_region"))
}

func TestRulesJSON(t *testing.T) {
	var rows []map[string]*string
	require.NoError(t, json.Unmarshal([]byte(runRules(t, "--json", "vm_read/unaligned")), &rows))
	require.Len(t, rows, 1)
	require.Equal(t, "KERN_INVALID_ARGUMENT", *rows[0]["gnumach_documented"])
	require.Equal(t, "KERN_SUCCESS", *rows[0]["gnumach_observed"])
	require.Nil(t, rows[0]["xnu_documented"])
	require.Equal(t, "KERN_SUCCESS", *rows[0]["xnu_observed"])
}

func TestRulesRefusals(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"nothing"}, "no rule matches"},
		{[]string{"["}, "pattern"},
		{[]string{"--family", "mach"}, "must be gnumach or xnu"},
		{[]string{"--json", "--markdown"}, "none of the others"},
		{[]string{"a", "b"}, "at most 1"},
	} {
		var out, errs bytes.Buffer
		require.Equal(t, exitUsage, execute(append([]string{"rules"}, c.args...), &out, &errs))
		require.Contains(t, errs.String(), c.want)
		require.Empty(t, out.String())
	}
}
