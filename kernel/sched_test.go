package kernel

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// threadIn makes a thread in the task that name denotes.
func threadIn(t *testing.T, g *GoThread, task mach.Name) (mach.Name, *Thread) {
	t.Helper()
	name, kr := gnumach.ThreadCreate(g, task)
	require.Equal(t, mach.KernSuccess, kr)
	return name, g.th.threadNamed(name)
}

// controlPort is the name of the processor set's control port.
func controlPort(t *testing.T, g *GoThread) mach.Name {
	t.Helper()
	host, priv := hostPorts(g)
	name, kr := gnumach.ProcessorSetDefault(g, host)
	require.Equal(t, mach.KernSuccess, kr)
	control, kr := gnumach.HostProcessorSetPriv(g, priv, name)
	require.Equal(t, mach.KernSuccess, kr)
	return control
}

// fresh is a new thread's scheduling on the packaged kernel (thread_info, THREAD_SCHED_INFO).
var fresh = mach.ThreadSchedInfo{Policy: 1, BasePriority: 25, MaxPriority: 25, CurPriority: 25, DepressPriority: -1}

func TestThreadPriority(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		for _, c := range []struct {
			priority int32
			setMax   bool
			kr       mach.KernReturn
			now, max int32
		}{
			{-1, false, mach.KernInvalidArgument, 25, 25},
			{64, false, mach.KernInvalidArgument, 25, 25},
			{24, true, mach.KernFailure, 25, 25},
			{40, false, mach.KernSuccess, 40, 25},
			{63, true, mach.KernSuccess, 63, 63},
		} {
			name, th := threadIn(t, g, g.TaskSelf())
			require.Equal(t, fresh, th.scheduling())
			require.Equal(t, c.kr, gnumach.ThreadPriority(g, name, c.priority, c.setMax))
			want := fresh
			want.BasePriority, want.CurPriority, want.MaxPriority = c.now, c.now, c.max
			require.Equal(t, want, th.scheduling(), "priority %d", c.priority)
		}
		require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadPriority(g, g.TaskSelf(), 30, false))
	})
}

func TestThreadMaxPriorityNeedsTheControlPort(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		control := controlPort(t, g)
		name, th := threadIn(t, g, g.TaskSelf())
		require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadMaxPriority(g, name, nameOf(g, k.pset.nameSelf), 10))
		require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadMaxPriority(g, name, control, 64))
		require.Equal(t, fresh, th.scheduling())
		require.Equal(t, mach.KernSuccess, gnumach.ThreadMaxPriority(g, name, control, 10))
		require.Equal(t, mach.KernSuccess, gnumach.ThreadPriority(g, name, 10, false), "a better one is allowed now")
		require.Equal(t, mach.KernSuccess, gnumach.ThreadMaxPriority(g, name, control, 40))
		s := th.scheduling()
		require.Equal(t, [2]int32{40, 40}, [2]int32{s.BasePriority, s.MaxPriority}, "what is too good becomes the best there is")
	})
}

func TestTaskPriority(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		task, kr := gnumach.TaskCreate(g, g.TaskSelf(), false)
		require.Equal(t, mach.KernSuccess, kr)
		name, first := threadIn(t, g, task)
		require.Equal(t, mach.KernSuccess, gnumach.ThreadPriority(g, name, 35, true))
		_, second := threadIn(t, g, task)

		require.Equal(t, mach.KernInvalidArgument, gnumach.TaskPriority(g, task, 64, true))
		require.Equal(t, mach.KernFailure, gnumach.TaskPriority(g, task, 30, true), "the first may not be better than 35")
		require.EqualValues(t, 35, first.scheduling().BasePriority)
		require.EqualValues(t, 30, second.scheduling().BasePriority)
		_, third := threadIn(t, g, task)
		require.EqualValues(t, 30, third.scheduling().BasePriority, "the task's priority stays changed")

		child, kr := gnumach.TaskCreate(g, task, false)
		require.Equal(t, mach.KernSuccess, kr)
		_, inherited := threadIn(t, g, child)
		require.EqualValues(t, 30, inherited.scheduling().BasePriority)

		require.Equal(t, mach.KernSuccess, gnumach.TaskPriority(g, task, 10, false))
		_, fourth := threadIn(t, g, task)
		require.Equal(t, fresh, fourth.scheduling(), "no thread is made better than the set allows")
		require.EqualValues(t, 30, third.scheduling().BasePriority)
	})
}

func TestProcessorSetMaxPriority(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		control := controlPort(t, g)
		_, old := threadIn(t, g, g.TaskSelf())
		worse, low := threadIn(t, g, g.TaskSelf())
		require.Equal(t, mach.KernSuccess, gnumach.ThreadPriority(g, worse, 50, true))
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetMaxPriority(g, control, 30, false))
		_, recent := threadIn(t, g, g.TaskSelf())
		require.Equal(t, fresh, old.scheduling())
		require.EqualValues(t, 30, recent.scheduling().MaxPriority)
		require.EqualValues(t, 30, recent.scheduling().BasePriority)
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetMaxPriority(g, control, 40, true))
		require.EqualValues(t, 40, old.scheduling().MaxPriority)
		require.EqualValues(t, 50, low.scheduling().MaxPriority)
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetMaxPriority(g, control, 10, true))
		_, best := threadIn(t, g, g.TaskSelf())
		require.Equal(t, fresh, best.scheduling(), "a set makes a thread's best worse only")
		require.Equal(t, mach.KernInvalidArgument, gnumach.ProcessorSetMaxPriority(g, control, -1, true))
	})
}

func TestThreadPolicy(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		control := controlPort(t, g)
		name, th := threadIn(t, g, g.TaskSelf())
		for _, wrong := range []int32{-1, 0, 3} {
			require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadPolicy(g, name, wrong, 10))
			require.Equal(t, mach.KernInvalidArgument, gnumach.ProcessorSetPolicyEnable(g, control, wrong))
			require.Equal(t, mach.KernInvalidArgument, gnumach.ProcessorSetPolicyDisable(g, control, wrong, true))
		}
		require.Equal(t, mach.KernSuccess, gnumach.ThreadPolicy(g, name, policyTimeshare, 10))
		require.Equal(t, mach.KernFailure, gnumach.ThreadPolicy(g, name, policyFixed, 10), "not allowed at first")
		require.Equal(t, fresh, th.scheduling())

		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetPolicyEnable(g, control, policyFixed))
		for data, told := range map[int32]int32{0: 0, 10: 10, 15: 20, 100: 100} { // whole ticks
			require.Equal(t, mach.KernSuccess, gnumach.ThreadPolicy(g, name, policyFixed, data))
			require.EqualValues(t, policyFixed, th.scheduling().Policy)
			require.Equal(t, told, th.scheduling().Data, "%d ms", data)
		}
		require.Equal(t, mach.KernInvalidArgument, gnumach.ProcessorSetPolicyDisable(g, control, policyTimeshare, true))
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetPolicyDisable(g, control, policyFixed, false))
		require.EqualValues(t, policyFixed, th.scheduling().Policy, "it keeps what it has")
		require.Equal(t, mach.KernSuccess, gnumach.ThreadPolicy(g, name, policyFixed, 20))
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetPolicyDisable(g, control, policyFixed, true))
		require.EqualValues(t, policyFixed, th.scheduling().Policy, "it was not allowed any more")
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetPolicyEnable(g, control, policyFixed))
		require.Equal(t, mach.KernSuccess, gnumach.ProcessorSetPolicyDisable(g, control, policyFixed, true))
		require.EqualValues(t, policyTimeshare, th.scheduling().Policy)
	})
}

func TestDepressionEnds(t *testing.T) {
	const abortTrap = -76
	synctest.Test(t, func(t *testing.T) {
		inTask(t, start(t, Config{}), func(g *GoThread) {
			name, th := threadIn(t, g, g.TaskSelf())
			ends := map[string]func(){
				"by its time":  func() { time.Sleep(time.Second) },
				"by a routine": func() { require.Equal(t, mach.KernSuccess, gnumach.ThreadDepressAbort(g, name)) },
				"by a trap":    func() { require.EqualValues(t, mach.KernSuccess, g.Trap(abortTrap, uint64(name))) },
			}
			for what, end := range ends {
				th.depress(time.Second)
				time.Sleep(time.Second - 1)
				require.Equal(t, [2]int32{63, 25}, [2]int32{th.scheduling().BasePriority, th.scheduling().DepressPriority})
				end()
				require.Equal(t, fresh, th.scheduling(), what)
			}
			th.depress(0)
			time.Sleep(time.Hour)
			require.Equal(t, mach.KernSuccess, gnumach.ThreadPriority(g, name, 40, false))
			require.EqualValues(t, 63, th.scheduling().BasePriority)
			th.depressAbort()
			require.EqualValues(t, 40, th.scheduling().BasePriority, "what was set meanwhile comes afterwards")

			require.EqualValues(t, mach.KernSuccess, g.Trap(abortTrap, uint64(name)), "not depressed")
			require.EqualValues(t, mach.SendInterrupted, g.Trap(abortTrap, uint64(g.TaskSelf())))
			require.EqualValues(t, mach.SendInterrupted, g.Trap(abortTrap, 0))
			require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadDepressAbort(g, g.TaskSelf()))
		})
	})
}

func TestThreadWireIsForTheCaller(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		_, priv := hostPorts(g)
		other, _ := threadIn(t, g, g.TaskSelf())
		for _, wired := range []bool{true, false} {
			require.Equal(t, mach.KernSuccess, gnumach.ThreadWire(g, priv, mach.Name(g.Trap(-27)), wired))
			require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadWire(g, priv, other, wired))
			require.Equal(t, mach.KernInvalidArgument, gnumach.ThreadWire(g, priv, mach.NameNull, wired))
		}
	})
}
