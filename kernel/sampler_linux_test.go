package kernel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

func (s *sampler) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// The clock interrupts those who are sampled as long as somebody is, and no
// longer.
func TestTheSamplingClockRunsWhileItIsWanted(t *testing.T) {
	k := start(t, Config{})
	sampled, other := bootRaw(t, k, 0xeb, 0xfe), bootRaw(t, k, 0xeb, 0xfe) // jmp .
	th := sampled.threadList()[0]
	enable := func(flavors uint32) {
		_, kr := mach4Service{}.ThreadEnablePCSampling(nil, th, flavors)
		require.Equal(t, mach.KernSuccess, kr)
	}
	comes := func(f func() bool) { require.Eventually(t, f, time.Minute, time.Millisecond) }

	enable(sampledFaults)
	require.False(t, k.sampler.runs(), "page faults need no clock")
	for range 2 {
		enable(sampledPeriodic)
		require.True(t, k.sampler.runs())
		comes(func() bool { seqno, _, _ := th.sampling.get(0); return seqno >= 3 })
		_, samples, kr := th.sampling.get(0)
		require.Equal(t, mach.KernSuccess, kr)
		for i := 0; i < len(samples); i += sampleWords {
			require.Equal(t, []uint64{th.id, rawEntry, sampledPeriodic}, samples[i:i+sampleWords])
		}
		_, kr = mach4Service{}.ThreadDisablePCSampling(nil, th)
		require.Equal(t, mach.KernSuccess, kr)
		comes(func() bool { return !k.sampler.runs() })
	}

	_, kr := mach4Service{}.TaskEnablePCSampling(nil, sampled, sampledPeriodic)
	require.Equal(t, mach.KernSuccess, kr)
	require.True(t, k.sampler.runs())
	sampled.Terminate()
	<-sampled.Done()
	comes(func() bool { return !k.sampler.runs() })

	// A kernel may be closed while it samples.
	_, kr = mach4Service{}.TaskEnablePCSampling(nil, other, sampledPeriodic)
	require.Equal(t, mach.KernSuccess, kr)
}

func TestSamplesAreInOrderAndTheOldestAreLost(t *testing.T) {
	var s sampling
	_, _, kr := s.get(0)
	require.Equal(t, mach.KernFailure, kr)
	s.enable(sampledFault)
	for pc := range uint64(1000) {
		s.take(sample{1, pc + 1, sampledFault})
		s.take(sample{1, 0, sampledPeriodic}) // not wanted
	}
	for _, c := range []struct {
		from        uint32
		count       int
		first, last uint64 // the last 0: none
	}{
		{1000, 0, 0, 0},
		{999, 1, 1000, 1000},
		{990, 10, 991, 1000},
		{488, 512, 489, 1000},
		{487, 512, 490, 0},
		{0, 512, 490, 0},
		{1001, 0, 0, 0},
		{0x80000000 + 999, 0, 0, 0},
		{0x80000000 + 1001, 512, 490, 0},
	} {
		seqno, samples, kr := s.get(c.from)
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, 1000, seqno)
		require.Len(t, samples, c.count*sampleWords, "from %d", c.from)
		if c.count > 0 {
			require.Equal(t, c.first, samples[1], "from %d", c.from)
			require.Equal(t, c.last, samples[len(samples)-2], "from %d", c.from)
		}
	}
}
