package gnumach

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Request and reply sizes as the C stubs of GNU Mach's mach.defs have them.
func TestMessageSizes(t *testing.T) {
	sizes := map[string][2]int{
		"vm_allocate":   {80, 64},
		"vm_deallocate": {64, 48},
		"vm_protect":    {96, 48},
		"vm_inherit":    {80, 48},
		"vm_read":       {64, 64},
		"vm_write":      {64, 48},
		"vm_copy":       {80, 48},
		"vm_region":     {48, 176},
		"vm_statistics": {32, 112},
	}
	for i := range Mach.Routines {
		r := &Mach.Routines[i]
		if want, ok := sizes[r.Name]; ok {
			require.Equal(t, want, [2]int{r.RequestSize(), r.ReplySize()}, r.Name)
			delete(sizes, r.Name)
		}
	}
	require.Empty(t, sizes)
}

// A tracer looks a message up by its id alone.
func TestNoTwoRoutinesShareAnID(t *testing.T) {
	seen := map[mach.MsgID]string{}
	for _, s := range Subsystems() {
		for i := range s.Routines {
			r := &s.Routines[i]
			require.Empty(t, seen[r.ID], "%s and %s", seen[r.ID], r.Name)
			seen[r.ID] = r.Name
		}
	}
	require.Equal(t, "exception_raise", seen[2400])
}
