package kernel

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig/gnumach"
	"machkernel/ports"
)

// hostPorts are the names of the host's two ports in a thread's task.
func hostPorts(g *GoThread) (host, priv mach.Name) {
	return mach.Name(g.Trap(-29)), nameOf(g, g.th.k.hostPriv)
}

// nameOf gives the thread's task a send right to p and names it.
func nameOf(g *GoThread, p *ports.Port) mach.Name {
	g.th.k.gate.Enter()
	defer g.th.k.gate.Leave()
	return g.th.copyout(g.th.k.zone.MakeSend(p))
}

// Codes, counts and words as recorded on the packaged kernel, but the memory and
// the load.
func TestHostInfo(t *testing.T) {
	const memory = 5<<32 + 3*mach.PageSize
	k := start(t, Config{Memory: memory})
	idle := []uint32{0, 0, 0, 1000, 0, 1000}
	basic := []uint32{1, 1, memory & 0xffffffff, memory >> 32, 21, 1}
	inTask(t, k, func(g *GoThread) {
		host, priv := hostPorts(g)
		for _, c := range []struct {
			flavor int32
			count  uint32
			kr     mach.KernReturn
			words  []uint32
		}{
			{1, 5, mach.KernFailure, nil},
			{1, 6, mach.KernSuccess, basic},
			{1, 1024, mach.KernSuccess, basic},
			{2, 0, mach.KernInvalidArgument, nil},
			{2, 1, mach.KernSuccess, []uint32{0}},
			{2, 9, mach.KernSuccess, []uint32{0}},
			{3, 1, mach.KernFailure, nil},
			{3, 2, mach.KernSuccess, []uint32{10, 30}},
			{3, 5, mach.KernSuccess, []uint32{10, 30}},
			{4, 5, mach.KernFailure, nil},
			{4, 6, mach.KernSuccess, idle},
			{4, 20, mach.KernSuccess, idle},
			{0, 9, mach.KernInvalidArgument, nil},
			{5, 9, mach.KernInvalidArgument, nil},
			{-1, 9, mach.KernInvalidArgument, nil},
		} {
			for _, name := range []mach.Name{host, priv} {
				words, kr := gnumach.HostInfo(g, name, c.flavor, c.count)
				require.Equal(t, c.kr, kr, "flavor %d in %d words", c.flavor, c.count)
				require.Equal(t, c.words, words, "flavor %d in %d words", c.flavor, c.count)
			}
		}
		_, kr := gnumach.HostInfo(g, g.TaskSelf(), 1, 6)
		require.Equal(t, mach.KernInvalidArgument, kr)
	})
}

func TestKernelVersionNamesTheKernelToBe(t *testing.T) {
	for version, want := range map[mach.Version]string{
		0:                     "GNU Mach 1.8+git20250702-up-amd64", // as recorded
		mach.VersionSizeLimit: "GNU Mach 1.8+git20251228-up-amd64",
	} {
		inTask(t, start(t, Config{Version: version}), func(g *GoThread) {
			host, _ := hostPorts(g)
			got, kr := gnumach.HostGetKernelVersion(g, host)
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, want, got)
			_, kr = gnumach.HostGetKernelVersion(g, g.TaskSelf())
			require.Equal(t, mach.KernInvalidArgument, kr)
		})
	}
}

// What needs the privileged port, and what no host answers.
func TestHostPortsOpenWhatTheyShould(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		host, priv := hostPorts(g)
		set, kr := gnumach.ProcessorSetDefault(g, host)
		require.Equal(t, mach.KernSuccess, kr)
		type call func(mach.Name) mach.KernReturn
		for _, c := range []struct {
			name   string
			call   call
			refuse mach.KernReturn
			open   bool // to the unprivileged port
		}{
			{"host_processors", func(n mach.Name) mach.KernReturn { _, _, kr := gnumach.HostProcessors(g, n); return kr }, mach.KernInvalidArgument, false},
			{"host_processor_set_priv", func(n mach.Name) mach.KernReturn { _, kr := gnumach.HostProcessorSetPriv(g, n, set); return kr }, mach.KernInvalidArgument, false},
			{"host_set_time", func(n mach.Name) mach.KernReturn { return gnumach.HostSetTime(g, n, [2]uint64{1}) }, mach.KernInvalidHost, false},
			{"host_adjust_time", func(n mach.Name) mach.KernReturn {
				_, kr := gnumach.HostAdjustTime(g, n, [2]uint64{})
				return kr
			}, mach.KernInvalidHost, false},
			{"host_adjust_time64", func(n mach.Name) mach.KernReturn {
				_, kr := gnumach.HostAdjustTime64(g, n, [2]uint64{})
				return kr
			}, mach.KernInvalidHost, false},
			{"thread_wire", func(n mach.Name) mach.KernReturn {
				return gnumach.ThreadWire(g, n, mach.Name(g.Trap(-27)), true)
			}, mach.KernInvalidArgument, false},
			{"host_set_time64", func(n mach.Name) mach.KernReturn { return gnumach.HostSetTime64(g, n, [2]uint64{1}) }, mach.KernInvalidHost, true},
			{"host_get_time", func(n mach.Name) mach.KernReturn { _, kr := gnumach.HostGetTime(g, n); return kr }, mach.KernInvalidHost, true},
			{"host_get_time64", func(n mach.Name) mach.KernReturn { _, kr := gnumach.HostGetTime64(g, n); return kr }, mach.KernInvalidHost, true},
			{"host_get_uptime64", func(n mach.Name) mach.KernReturn { _, kr := gnumach.HostGetUptime64(g, n); return kr }, mach.KernInvalidHost, true},
			{"host_processor_sets", func(n mach.Name) mach.KernReturn { _, _, kr := gnumach.HostProcessorSets(g, n); return kr }, mach.KernInvalidArgument, true},
			{"processor_set_default", func(n mach.Name) mach.KernReturn { _, kr := gnumach.ProcessorSetDefault(g, n); return kr }, mach.KernInvalidArgument, true},
		} {
			require.Equal(t, mach.KernSuccess, c.call(priv), c.name)
			require.Equal(t, c.refuse, c.call(g.TaskSelf()), c.name)
			want := c.refuse
			if c.open {
				want = mach.KernSuccess
			}
			require.Equal(t, want, c.call(host), c.name)
		}
	})
}

func TestAnyRebootEndsTheRun(t *testing.T) {
	for _, options := range []int32{0, 8, 0x1000} { // reboot, RB_HALT, RB_DEBUGGER
		k := start(t, Config{})
		inTask(t, k, func(g *GoThread) {
			_, priv := hostPorts(g)
			gnumach.HostReboot(g, priv, options)
			<-g.Dying()
		})
		<-k.Halted()
	}
}

// timeOf reads the time of day, which both routines must tell alike, and the
// uptime. The clock of the bubble stands still meanwhile.
func timeOf(t *testing.T, g *GoThread, host mach.Name) (now, up [2]uint64) {
	t.Helper()
	now, kr := gnumach.HostGetTime64(g, host)
	require.Equal(t, mach.KernSuccess, kr)
	old, kr := gnumach.HostGetTime(g, host)
	require.Equal(t, mach.KernSuccess, kr)
	require.Equal(t, [2]uint64{now[0], now[1] / 1000}, old)
	up, kr = gnumach.HostGetUptime64(g, host)
	require.Equal(t, mach.KernSuccess, kr)
	return now, up
}

func TestTimeGoesOnFromWhatItWasSetTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boot := time.Now()
		inTask(t, start(t, Config{}), func(g *GoThread) {
			host, priv := hostPorts(g)
			now, up := timeOf(t, g, host)
			require.Equal(t, [2]uint64{uint64(boot.Unix()), 0}, now, "it starts with the host's")
			require.Equal(t, [2]uint64{}, up)

			time.Sleep(90*time.Minute + 250*time.Millisecond)
			now, up = timeOf(t, g, host)
			require.Equal(t, [2]uint64{uint64(boot.Unix()) + 5400, 250e6}, now)
			require.Equal(t, [2]uint64{5400, 250e6}, up)

			require.Equal(t, mach.KernSuccess, gnumach.HostSetTime(g, priv, [2]uint64{1000, 5}))
			time.Sleep(time.Second)
			now, up = timeOf(t, g, host)
			require.Equal(t, [2]uint64{1001, 5000}, now)
			require.Equal(t, [2]uint64{5401, 250e6}, up, "setting the time leaves the uptime alone")

			before := int64(-5)
			require.Equal(t, mach.KernSuccess, gnumach.HostSetTime64(g, priv, [2]uint64{uint64(before), 999999999}))
			time.Sleep(time.Nanosecond)
			now, _ = timeOf(t, g, host)
			require.Equal(t, [2]uint64{uint64(before + 1), 0}, now)

			minus := int64(-1)
			for _, wrong := range []uint64{1e9, uint64(minus)} {
				require.Equal(t, mach.KernInvalidArgument, gnumach.HostSetTime64(g, priv, [2]uint64{7, wrong}))
			}
			require.Equal(t, mach.KernInvalidArgument, gnumach.HostSetTime(g, priv, [2]uint64{7, 1e6}))
			still, _ := timeOf(t, g, host)
			require.Equal(t, now, still)
		})
	})
}

// What is left of an adjustment, as recorded on the packaged kernel, whose clock
// ticks every 10 ms.
func TestAdjustment(t *testing.T) {
	for _, c := range []struct {
		name   string
		micros int64
		ticks  int
		left   int64
		moved  time.Duration
	}{
		{"slow", 10_000, 0, 10_000, 0},
		{"a second is still slow", 1_000_000, 5, 999_975, 25 * time.Microsecond},
		{"fast", 2_000_000, 3, 1_999_850, 150 * time.Microsecond},
		{"cut to the step", 1003, 0, 1000, 0},
		{"done", 7, 5, 0, 5 * time.Microsecond},
		{"negative, cut away from zero", -1000, 0, -1016, 0},
		{"negative", -1000, 10, -516, -500 * time.Microsecond},
		{"negative, before its end", -1000, 20, -16, -1000 * time.Microsecond},
		{"negative, past its end", -1000, 21, 34, -1050 * time.Microsecond},
		{"negative, back again", -1000, 40, -16, -1000 * time.Microsecond},
		{"negative, past it once more", -1000, 1041, 34, -1050 * time.Microsecond},
		{"more than 32 bits of microseconds", 1 << 32, 0, -46, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inTask(t, start(t, Config{}), func(g *GoThread) {
					_, priv := hostPorts(g)
					sec := c.micros / 1e6
					old, kr := gnumach.HostAdjustTime64(g, priv, [2]uint64{uint64(sec), uint64(c.micros % 1e6 * 1000)})
					require.Equal(t, mach.KernSuccess, kr)
					require.Equal(t, [2]uint64{}, old)
					slept := time.Duration(c.ticks) * 10 * time.Millisecond
					time.Sleep(slept)
					_, up := timeOf(t, g, priv)
					require.Equal(t, slept+c.moved, time.Duration(up[0]*1e9+up[1]))
					old, kr = gnumach.HostAdjustTime(g, priv, [2]uint64{})
					require.Equal(t, mach.KernSuccess, kr)
					require.Equal(t, c.left, int64(old[0])*1e6+int64(int32(old[1])))
				})
			})
		})
	}
}
