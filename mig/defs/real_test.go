package defs

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// toolchain is what scripts/mig-toolchain.sh fetched: the directory of the
// headers and the real generator.
func toolchain(t testing.TB) (include, migcom string) {
	t.Helper()
	cache := os.Getenv("MACHKERNEL_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		require.NoError(t, err)
		cache = filepath.Join(dir, "machkernel")
	}
	root := filepath.Join(cache, "toolchain", "usr")
	migcom = filepath.Join(root, "lib", "mig", "x86_64-gnu-migcom")
	if _, err := os.Stat(migcom); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI fetches the real MIG")
		t.Skip("needs the real MIG: run scripts/mig-toolchain.sh")
	}
	if _, err := exec.LookPath("cc"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI must have cc")
		t.Skip("cc is not installed")
	}
	return filepath.Join(root, "include", "x86_64-linux-gnu"), migcom
}

// packaged lists the packaged .defs files that have a subsystem.
func packaged(t testing.TB, include string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(include, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".defs" {
			return err
		}
		text, err := os.ReadFile(path)
		if regexp.MustCompile(`(?mi)^\s*subsystem\b`).Match(text) {
			files = append(files, path)
		}
		return err
	})
	require.NoError(t, err)
	require.Len(t, files, 17)
	return files
}

// variants are the ways in which GNU Mach and the Hurd use its .defs.
var variants = map[string][]string{
	"user":          nil,
	"kernel server": {"-DKERNEL", "-DKERNEL_SERVER=1"},
	"kernel user":   {"-DKERNEL", "-DKERNEL_USER=1"},
	"simple user":   {"-DMACH_IPC_COMPAT=0", "-DUSERPREFIX=x_", "-DSERVERPREFIX=S_"},
	"payload":       {"-DMACH_PAYLOAD_TO_PORT=payload_to_port"},
}

// generated is what the real generator says and writes about a text.
type generated struct {
	said, list, server string
}

// generate runs the real generator; ok is false where it refuses the text.
func generate(t *testing.T, migcom string, text []byte) (g generated, ok bool) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(migcom, "-v", "-q", "-n", "-list", "list", "-server", "server.c", "-user", "user.c")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(text)
	var said bytes.Buffer
	cmd.Stdout = &said
	if cmd.Run() != nil {
		return g, false
	}
	list, err := os.ReadFile(filepath.Join(dir, "list"))
	require.NoError(t, err)
	server, err := os.ReadFile(filepath.Join(dir, "server.c"))
	require.NoError(t, err)
	return generated{said.String(), string(list), string(server)}, true
}

// What the packaged .defs files mean to us is what they mean to the real
// generator: types, flags, arguments, ids, names, message sizes.
func TestRealMIGAgrees(t *testing.T) {
	include, migcom := toolchain(t)
	for variant, flags := range variants {
		for _, file := range packaged(t, include) {
			t.Run(variant+"/"+filepath.Base(file), func(t *testing.T) {
				text, err := Preprocess(t.Context(), file, append([]string{"-nostdinc", "-I" + include}, flags...))
				require.NoError(t, err)
				s, err := Parse(file, text, GNU64)
				require.NoError(t, err)
				requireAgreement(t, migcom, s, text)
			})
		}
	}
}

// The same for the files that show features, but for what is not GNU's today.
func TestRealMIGAgreesOnFeatures(t *testing.T) {
	_, migcom := toolchain(t)
	for name, text := range texts(t, "good/*.defs") {
		if bytes.HasPrefix(text, []byte("// not GNU's")) {
			_, ok := generate(t, migcom, uncommented(text))
			require.False(t, ok, name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			text := regexp.MustCompile(`(?m)^#line`).ReplaceAll(uncommented(text), []byte("#"))
			s, err := Parse(name, text, GNU64)
			require.NoError(t, err)
			requireAgreement(t, migcom, s, text)
		})
	}
}

// What we refuse of GNU's dialect the real generator refuses as well, but for
// the files that end with a reason why it does not.
func TestRealMIGRefusesToo(t *testing.T) {
	_, migcom := toolchain(t)
	for name, text := range texts(t, "bad/*.defs") {
		if strings.HasPrefix(filepath.Base(name), "xnu_") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			_, ok := generate(t, migcom, uncommented(text))
			require.Equal(t, len(marked(text, "// real MIG:")) > 0, ok)
		})
	}
}

func requireAgreement(t *testing.T, migcom string, s *Subsystem, text []byte) {
	t.Helper()
	g, ok := generate(t, migcom, text)
	require.True(t, ok, "the real MIG refuses the text")
	settings := regexp.MustCompile(`(?m)^(Writing|Import|UImport|SImport|RCSId|Server(Prefix|Demux)|UserPrefix|(No)?WaitTime|MsgOption:?)\b.*\n`)
	said := settings.ReplaceAllString(g.said, "")
	require.Equal(t, words(said), words(verbose(s)))

	var list strings.Builder
	for _, r := range s.Routines {
		fmt.Fprintf(&list, "%s %d %s %d %d %d\n", s.Name, s.Base, r.Name, r.Number, r.ID, r.ReplyID)
	}
	require.Equal(t, g.list, list.String())
	requireSizes(t, s, g.server)
}

// words has a text's lines that are not empty, with single blanks.
func words(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 {
			b.WriteString(strings.Join(f, " ") + "\n")
		}
	}
	return b.String()
}

// requireSizes compares the smallest messages with the sizes that the real
// server stubs check and set.
func requireSizes(t *testing.T, s *Subsystem, server string) {
	t.Helper()
	stubs := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)mig_internal void _X(\w+).*?\n\}\n`).FindAllStringSubmatch(server, -1) {
		stubs[m[1]] = m[0]
	}
	request := regexp.MustCompile(`msgh_size (?:!=|<) (\d+)\)`)
	reply := regexp.MustCompile(`OutP->Head.msgh_size = (\d+)\b`)
	for _, r := range s.Routines {
		m := request.FindStringSubmatch(stubs[r.Name])
		require.NotNil(t, m, r.Name)
		require.Equal(t, m[1], strconv.Itoa(r.RequestSize), r.Name)
		if m = reply.FindStringSubmatch(stubs[r.Name]); m != nil {
			require.Equal(t, m[1], strconv.Itoa(r.ReplySize), r.Name)
		}
	}
}
