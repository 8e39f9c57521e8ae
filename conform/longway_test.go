package conform

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/testdata"
)

// No client can tell the fast ways of messages from the long way: each case that
// concerns messages and rights prints the same with both.
func TestFastWaysAreTheLongWay(t *testing.T) {
	s, err := Load(testdata.Conformance())
	require.NoError(t, err)
	want := func(name string) bool {
		return strings.HasPrefix(name, "mach_msg/") || strings.HasPrefix(name, "mach_port_") || strings.HasPrefix(name, "kernel/")
	}
	answers := func(long bool) map[string][]string {
		rep, err := Judge(context.Background(), s, Options{Target: Target{LongWay: long}, Want: want})
		require.NoError(t, err)
		all := map[string][]string{}
		for _, r := range rep.Results {
			all[r.Case] = r.Ours
		}
		return all
	}
	fast, long := answers(false), answers(true)
	require.NotEmpty(t, fast)
	require.Len(t, long, len(fast))
	for name := range fast {
		require.Equal(t, long[name], fast[name], name)
	}
}
