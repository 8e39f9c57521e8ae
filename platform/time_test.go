//go:build linux && amd64

package platform

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func TestTimeOfAThreadGrowsUntilItsProcessIsDead(t *testing.T) {
	k := newTask(openTest(t))
	k.add(dataAt, 1, mach.ProtDefault)
	th, r := k.thread(), k.regs("load")
	r.RDI = uint64(dataAt)
	k.trap(th, r, -100)
	spent := func() time.Duration {
		d, ok := th.CPUTime()
		require.True(t, ok)
		return d
	}
	first := spent()
	require.Positive(t, first)
	within(t, "growing", func() { // the host counts in steps of its own
		for spent() == first {
			r.RIP, r.RDI = k.at("load"), uint64(dataAt)
			k.trap(th, r, -100)
		}
	})
	require.Greater(t, spent(), first)
	k.p.Destroy()
	<-k.p.Done()
	_, ok := th.CPUTime()
	require.False(t, ok)
}
