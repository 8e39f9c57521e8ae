package defs

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: whatever the text, Parse ends; it returns a subsystem or a list
// of errors whose positions lie in the text; and what was understood can be
// written as .defs again and means the same.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"good/*.defs", "bad/*.defs", "xnu/*.defs"} {
		for _, text := range texts(f, pattern) {
			f.Add(uncommented(text), uint8(GNU64))
			f.Add(uncommented(text), uint8(XNU64))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, target uint8) {
		s, err := Parse("f", text, Target(target%3))
		if err != nil {
			require.Nil(t, s)
			requireInside(t, text, err)
			return
		}
		again, err := Parse("again", []byte(s.Defs()), s.Target)
		require.NoError(t, err, s.Defs())
		require.Equal(t, s.String(), again.String())
		require.Equal(t, s.Defs(), again.Defs())
	})
}

func requireInside(t *testing.T, text []byte, err error) {
	t.Helper()
	var list ErrorList
	require.True(t, errors.As(err, &list))
	require.NotEmpty(t, list)
	if bytes.Contains(text, []byte("#")) {
		return // line markers put positions anywhere
	}
	lines := strings.Split(string(text), "\n")
	for _, e := range list {
		require.Equal(t, "f", e.Pos.File)
		require.True(t, e.Pos.Line >= 1 && e.Pos.Line <= len(lines), "%v", e)
		require.True(t, e.Pos.Col >= 1 && e.Pos.Col <= len(lines[e.Pos.Line-1])+1, "%v", e)
	}
}
