package defs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func needCC(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("cc"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI must have cc")
		t.Skip("cc is not installed")
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Names and ids may exist only after preprocessing; positions are those of
// the files that people wrote.
func TestPreprocess(t *testing.T) {
	needCC(t)
	dir := t.TempDir()
	write(t, dir, "types.defs", "/* types */\ntype port_t = MACH_MSG_TYPE_COPY_SEND;\n")
	file := write(t, dir, "s.defs", "subsystem NAME BASE;\n#include \"types.defs\"\n"+
		"#if WITH\nroutine r(p : port_t);\n#endif\n")
	text, err := Preprocess(t.Context(), file, []string{"-DNAME=s", "-DBASE=40", "-DWITH="})
	require.ErrorContains(t, err, "s.defs:3:9: error: #if with no expression")
	require.Nil(t, text)

	text, err = Preprocess(t.Context(), file, []string{"-DNAME=s", "-DBASE=40", "-DWITH=1"})
	require.NoError(t, err)
	s, err := Parse("-", text, GNU64)
	require.NoError(t, err)
	require.Equal(t, "s", s.Name)
	require.Equal(t, Pos{filepath.Join(dir, "types.defs"), 2, 6}, s.Types[0].Pos)
	require.Equal(t, Pos{file, 4, 9}, s.Routines[0].Pos)
	require.Equal(t, 40, s.Routines[0].ID)
}

// CPP in the environment replaces the preprocessor, CC the compiler.
func TestPreprocessorIsOfTheEnvironment(t *testing.T) {
	needCC(t)
	dir := t.TempDir()
	file := write(t, dir, "s.defs", "subsystem s __LINE__;\n")
	t.Setenv("CC", "")
	t.Setenv("CPP", "cat")
	text, err := Preprocess(t.Context(), file, nil)
	require.NoError(t, err)
	require.Equal(t, "subsystem s __LINE__;\n", string(text))

	t.Setenv("CPP", "")
	t.Setenv("CC", "cc -DX=7")
	text, err = Preprocess(t.Context(), file, []string{"-P"})
	require.NoError(t, err)
	require.Equal(t, "subsystem s 1;\n", string(text))

	t.Setenv("CC", "/nowhere/cc")
	_, err = Preprocess(t.Context(), file, nil)
	require.EqualError(t, err, "preprocessing "+file+" with /nowhere/cc: fork/exec /nowhere/cc: no such file or directory")
}

func TestPreprocessEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Preprocess(ctx, "s.defs", nil)
	require.EqualError(t, err, "preprocessing s.defs: context canceled")
}

// A file's name that looks like a flag is a file's name.
func TestPreprocessTakesAFlagForAFile(t *testing.T) {
	needCC(t)
	t.Chdir(t.TempDir())
	write(t, ".", "-v.defs", "subsystem s 1;\n")
	text, err := Preprocess(t.Context(), "-v.defs", []string{"-P"})
	require.NoError(t, err)
	require.Equal(t, "subsystem s 1;\n", string(text))
}
