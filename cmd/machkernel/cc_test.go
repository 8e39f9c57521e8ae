package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCCRefusesWhatIsNoSource(t *testing.T) {
	code, _, errs := run("cc", "-o", filepath.Join(t.TempDir(), "x"), "notes.txt")
	require.Equal(t, exitUsage, code)
	require.Contains(t, errs, "cc: notes.txt is neither C (.c) nor an interface definition (.defs)\n")
}

func TestCCKeepsItsSources(t *testing.T) {
	source := writeFile(t, "client.c", []byte("int main(int argc, char **argv) { return 0; }\n"))
	code, _, errs := run("cc", "-o", source, source)
	require.Equal(t, exitUsage, code)
	require.Equal(t, "machkernel: "+source+" would be written over itself\n", errs)
}

// The command builds what the tree's own script built, to the byte.
func TestCCBuildsAClient(t *testing.T) {
	if os.Getenv("MACHKERNEL_CLIENTS") == "" {
		require.Empty(t, os.Getenv("CI"), "CI must build the clients")
		t.Skip("needs the real MIG: set MACHKERNEL_CLIENTS, as CI does, where clients are built anyway")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Fatal("MACHKERNEL_CLIENTS is set, and gcc is not installed")
	}
	out := filepath.Join(t.TempDir(), "hello")
	code, _, errs := run("cc", "-o", out, "../../testdata/clients/hello.c")
	require.Zero(t, code, errs)
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join(os.Getenv("MACHKERNEL_CLIENTS"), "hello"))
	require.NoError(t, err)
	require.Equal(t, want, got)
}
