package defs

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func parsed(t *testing.T, name, text string) *Subsystem {
	t.Helper()
	s, err := Parse(name, []byte(text), GNU64)
	require.NoError(t, err)
	return s
}

// Two subsystems must not share an id, be it a request's or a reply's.
func TestOverlap(t *testing.T) {
	const port = "type p = MACH_MSG_TYPE_COPY_SEND; "
	first := parsed(t, "a", "subsystem a 100; "+port+"routine r(p : p); simpleroutine s(p : p);")
	behind := parsed(t, "b", "subsystem b 102; "+port+"routine t(p : p);")
	same := parsed(t, "c", "subsystem c 101; "+port+"routine u(p : p);")
	replies := parsed(t, "d", "subsystem d 200; "+port+"routine v(p : p);")

	require.NoError(t, CheckOverlap())
	require.NoError(t, CheckOverlap(first, behind, first))
	require.EqualError(t, CheckOverlap(first, same),
		"c:1:60: routine u has the id 101 of simpleroutine s of subsystem a, at a:1:84")
	require.EqualError(t, CheckOverlap(first, replies),
		"d:1:60: routine v has the id 200 of the reply to r of subsystem a, at a:1:60")
}
