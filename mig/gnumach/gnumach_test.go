package gnumach

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
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
