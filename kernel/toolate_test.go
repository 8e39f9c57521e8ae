package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// A request looks at its task before another ends it: what finds it ended says
// so, for a special port only once it is known that there is such a one.
func TestRequestsOfTheDying(t *testing.T) {
	k := start(t, Config{})
	task := newTask(t, k)
	caller := newThread(t, newTask(t, k))
	caller.holds = 0 // as if it ran
	victim := newThread(t, task)
	call := &mig.Call{Caller: caller}
	const noSuchPort = 99
	inside(k, func() {
		require.Equal(t, mach.KernSuccess, machService{}.TaskTerminate(call, task))

		_, kr := machService{}.TaskThreads(call, task)
		require.Equal(t, mach.KernFailure, kr)
		_, kr = hostService{}.TaskGetAssignment(call, task)
		require.Equal(t, mach.KernFailure, kr)
		require.Equal(t, mach.KernFailure, machService{}.TaskSuspend(call, task))
		_, kr = gsyncMap(task)
		require.Equal(t, mach.KernInvalidAddress, kr)

		_, kr = machService{}.TaskGetSpecialPort(call, task, mach.TaskBootstrapPort)
		require.Equal(t, mach.KernFailure, kr)
		_, kr = machService{}.TaskGetSpecialPort(call, task, noSuchPort)
		require.Equal(t, mach.KernInvalidArgument, kr)
		require.Equal(t, mach.KernFailure, machService{}.TaskSetSpecialPort(call, task, mach.TaskBootstrapPort, ports.Right{}))
		require.Equal(t, mach.KernInvalidArgument, machService{}.MachPortsRegister(call, task, make([]ports.Right, 1)))
		_, kr = machService{}.MachPortsLookup(call, task)
		require.Equal(t, mach.KernInvalidArgument, kr)

		_, kr = machService{}.ThreadGetSpecialPort(call, victim, mach.ThreadExceptionPort)
		require.Equal(t, mach.KernFailure, kr)
		_, kr = machService{}.ThreadGetSpecialPort(call, victim, noSuchPort)
		require.Equal(t, mach.KernInvalidArgument, kr)
		require.Equal(t, mach.KernFailure, machService{}.ThreadSetSpecialPort(call, victim, mach.ThreadExceptionPort, ports.Right{}))
		_, kr = machService{}.ThreadGetState(call, victim, flavorThreadState, mach.ThreadStateCount)
		require.Equal(t, mach.KernFailure, kr)
	})
}

// unreadable is an emulation vector whose memory cannot be read.
type unreadable struct{ ipc.Region }

func (unreadable) ReadAt([]byte, uint64) mach.KernReturn { return mach.KernResourceShortage }

func TestEmulationVectorThatCannotBe(t *testing.T) {
	k := start(t, Config{})
	task := newTask(t, k)
	set := func(task *Task, n uint32) mach.KernReturn {
		return machService{}.TaskSetEmulationVector(nil, task, 0, unreadable{}, n)
	}
	require.Equal(t, mach.EmlBadTask, set(nil, maxEmulation+1), "the task is looked at first")
	require.Equal(t, mach.KernResourceShortage, set(task, maxEmulation+1))
	require.Equal(t, mach.KernResourceShortage, set(task, 1))
	require.Nil(t, task.emulated())
}
