package defs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// uncommented replaces // comments of the test files, which the language does
// not have, by nothing; places stay what they are.
func uncommented(text []byte) []byte {
	lines := bytes.Split(text, []byte("\n"))
	for i, l := range lines {
		if bytes.HasPrefix(l, []byte("//")) {
			lines[i] = nil
		}
	}
	return bytes.Join(lines, []byte("\n"))
}

// marked has what stands behind a mark in the lines of a test file.
func marked(text []byte, mark string) []string {
	found := []string{}
	for line := range strings.Lines(string(text)) {
		if w, ok := strings.CutPrefix(line, mark); ok {
			found = append(found, strings.TrimSpace(w))
		}
	}
	return found
}

// messages has a line for each error, without the file's name where it is this.
func messages(list ErrorList, file string) []string {
	all := []string{}
	for _, e := range list {
		all = append(all, strings.TrimPrefix(e.Error(), file+":"))
	}
	return all
}

// Each file of testdata/good shows a feature; the text beside it says what it
// means. The real MIG agrees, see TestRealMIGAgrees.
func TestGood(t *testing.T) {
	for pattern, target := range map[string]Target{"good/*.defs": GNU64, "xnu/*.defs": XNU64} {
		for name, text := range texts(t, pattern) {
			t.Run(name, func(t *testing.T) {
				s, err := Parse(name, uncommented(text), target)
				require.NoError(t, err)
				require.Equal(t, marked(text, "// warn: "), messages(s.Warnings, name))
				want, err := os.ReadFile(strings.TrimSuffix(name, ".defs") + ".txt")
				require.NoError(t, err)
				require.Equal(t, string(want), s.String())
			})
		}
	}
}

// Each file of testdata/bad is refused with the message in its first line; a
// file's name says which dialect it is in.
func TestBad(t *testing.T) {
	for name, text := range texts(t, "bad/*.defs") {
		t.Run(name, func(t *testing.T) {
			target := GNU64
			if strings.HasPrefix(filepath.Base(name), "xnu_") {
				target = XNU64
			}
			_, err := Parse("f", uncommented(text), target)
			var list ErrorList
			require.ErrorAs(t, err, &list)
			require.Equal(t, marked(text, "// want: "), messages(list, "f"))
		})
	}
}

// What was understood, written as .defs again, means the same.
func TestDefsMeansTheSame(t *testing.T) {
	for pattern, target := range map[string]Target{"good/*.defs": GNU64, "xnu/*.defs": XNU64} {
		for name, text := range texts(t, pattern) {
			s, err := Parse(name, uncommented(text), target)
			require.NoError(t, err)
			again, err := Parse("again", []byte(s.Defs()), target)
			require.NoError(t, err, s.Defs())
			require.Equal(t, s.String(), again.String(), name)
		}
	}
}
