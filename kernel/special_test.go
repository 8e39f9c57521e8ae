package kernel

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// port makes a port of which the task has the receive and one send right.
func port(t testing.TB, g *GoThread) mach.Name {
	t.Helper()
	name := g.ReplyPort()
	self := g.TaskSelf()
	kr := gnumach.MachPortInsertRight(g, self, name, name, mach.TypeMakeSend)
	require.Equal(t, mach.KernSuccess, kr)
	return name
}

// privileged gives the thread's task the privileged host port.
func privileged(g *GoThread) mach.Name {
	g.th.k.gate.Enter()
	defer g.th.k.gate.Leave()
	return g.th.copyout(g.th.k.zone.MakeSend(g.th.k.hostPriv))
}

func child(t testing.TB, g *GoThread, parent mach.Name) mach.Name {
	t.Helper()
	name, kr := gnumach.TaskCreate(g, parent, false)
	require.Equal(t, mach.KernSuccess, kr)
	return name
}

// putNames writes names where mach_ports_register takes them.
func putNames(t testing.TB, g *GoThread, names ...mach.Name) mach.Addr {
	t.Helper()
	b, err := binary.Append(nil, le, names)
	require.NoError(t, err)
	a := allocate(t, g, g.TaskSelf(), mach.PageSize)
	require.Equal(t, mach.KernSuccess, g.Write(a, b))
	return a
}

func lookup(t testing.TB, g *GoThread, task mach.Name) []mach.Name {
	t.Helper()
	at, n, kr := gnumach.MachPortsLookup(g, task)
	require.Equal(t, mach.KernSuccess, kr)
	names := make([]mach.Name, n)
	_, err := binary.Decode(read(t, g, at, 4*int(n)), le, names)
	require.NoError(t, err)
	require.Equal(t, mach.KernSuccess, gnumach.VMDeallocate(g, g.TaskSelf(), at, uint64(4*n)))
	return names
}

func TestSpecialPortsOfATaskAndOfItsChild(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self, p := g.TaskSelf(), port(t, g)
		for _, which := range []int32{mach.TaskExceptionPort, mach.TaskBootstrapPort} {
			got, kr := gnumach.TaskGetSpecialPort(g, self, which)
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, mach.NameNull, got)
			require.Equal(t, mach.KernSuccess, gnumach.TaskSetSpecialPort(g, self, which, p))
		}
		below := child(t, g, self)
		for _, which := range []int32{mach.TaskExceptionPort, mach.TaskBootstrapPort} {
			got, kr := gnumach.TaskGetSpecialPort(g, below, which)
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, p, got)
		}
		own, kr := gnumach.TaskGetSpecialPort(g, below, mach.TaskKernelPort)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, below, own, "the kernel port is a task's own")
		for _, which := range []int32{-1, 0, 2, 5} {
			_, kr = gnumach.TaskGetSpecialPort(g, self, which)
			require.Equal(t, mach.KernInvalidArgument, kr)
			require.Equal(t, mach.KernInvalidArgument, gnumach.TaskSetSpecialPort(g, self, which, p))
		}
		require.Equal(t, mach.KernSuccess, gnumach.MachPortDestroy(g, self, p))
		got, kr := gnumach.TaskGetSpecialPort(g, below, mach.TaskBootstrapPort)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, mach.NameDead, got)
	})
}

func TestTheKernelPortIsWhatSelfTrapsAnswer(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task, thread, p := g.TaskSelf(), mach.Name(g.Trap(-27)), port(t, g)
		for _, c := range []struct {
			trap int32
			own  mach.Name
			set  func(mach.Name) mach.KernReturn
		}{
			{-28, task, func(n mach.Name) mach.KernReturn {
				return gnumach.TaskSetSpecialPort(g, task, mach.TaskKernelPort, n)
			}},
			{-27, thread, func(n mach.Name) mach.KernReturn {
				return gnumach.ThreadSetSpecialPort(g, thread, mach.ThreadKernelPort, n)
			}},
		} {
			for _, n := range []mach.Name{p, mach.NameNull, mach.NameDead, c.own} {
				require.Equal(t, mach.KernSuccess, c.set(n))
				require.EqualValues(t, n, g.Trap(c.trap))
			}
		}
	})
}

func TestSpecialPortsGoWithWhoHadThem(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self, p := g.TaskSelf(), port(t, g)
		senders := func() bool {
			g.th.k.gate.Enter()
			defer g.th.k.gate.Leave()
			status, kr := g.th.task.space.ReceiveStatus(p)
			require.Equal(t, mach.KernSuccess, kr)
			return status.SRights
		}
		below := child(t, g, self)
		thread, kr := gnumach.ThreadCreate(g, below)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, mach.KernSuccess, gnumach.ThreadSetSpecialPort(g, thread, mach.ThreadExceptionPort, p))
		require.Equal(t, mach.KernSuccess, gnumach.TaskSetSpecialPort(g, below, mach.TaskBootstrapPort, p))
		require.Equal(t, mach.KernSuccess, gnumach.MachPortsRegister(g, below, putNames(t, g, p, p), 2))
		require.Equal(t, mach.KernSuccess, gnumach.MachPortDeallocate(g, self, p))
		require.True(t, senders())
		require.Equal(t, mach.KernSuccess, gnumach.ThreadTerminate(g, thread))
		require.True(t, senders())
		require.Equal(t, mach.KernSuccess, gnumach.TaskTerminate(g, below))
		require.False(t, senders())
	})
}

func TestRegisteredPorts(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self, a, b := g.TaskSelf(), port(t, g), port(t, g)
		require.Equal(t, make([]mach.Name, 4), lookup(t, g, self))
		at := putNames(t, g, a, mach.NameNull, mach.NameDead, b, a)
		for _, c := range []struct {
			n    uint32
			kr   mach.KernReturn
			want []mach.Name
		}{
			{0, mach.MigBadArguments, make([]mach.Name, 4)},
			{5, mach.KernInvalidArgument, make([]mach.Name, 4)},
			{4, mach.KernSuccess, []mach.Name{a, mach.NameNull, mach.NameDead, b}},
			{5, mach.KernInvalidArgument, []mach.Name{a, mach.NameNull, mach.NameDead, b}},
			{1, mach.KernSuccess, []mach.Name{a, 0, 0, 0}},
		} {
			require.Equal(t, c.kr, gnumach.MachPortsRegister(g, self, at, c.n), "%d ports", c.n)
			require.Equal(t, c.want, lookup(t, g, self))
		}
		require.Equal(t, []mach.Name{a, 0, 0, 0}, lookup(t, g, child(t, g, self)))
		thread := mach.Name(g.Trap(-27))
		_, _, kr := gnumach.MachPortsLookup(g, thread)
		require.Equal(t, mach.KernInvalidArgument, kr, "a thread has none")
	})
}

func TestTrapTaskSetSpecialPort(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self, p := g.TaskSelf(), port(t, g)
		set := func(task mach.Name, which int32, name mach.Name) mach.KernReturn {
			return mach.KernReturn(g.Trap(-71, uint64(task), uint64(uint32(which)), uint64(name)))
		}
		receive := g.ReplyPort()
		for _, c := range []struct {
			task  mach.Name
			which int32
			name  mach.Name
			kr    mach.KernReturn
		}{
			{self, mach.TaskBootstrapPort, p, mach.KernSuccess},
			{self, mach.TaskBootstrapPort, mach.NameNull, mach.KernSuccess},
			{self, mach.TaskBootstrapPort, mach.NameDead, mach.KernSuccess},
			{self, mach.TaskBootstrapPort, 0x1234, mach.KernInvalidName},
			{self, mach.TaskBootstrapPort, receive, mach.KernInvalidRight},
			{self, 2, 0x1234, mach.KernInvalidName},
			{self, 2, p, mach.KernInvalidArgument},
			{p, 2, 0x1234, mach.KernReturn(mach.SendInterrupted)},
		} {
			require.Equal(t, c.kr, set(c.task, c.which, c.name), "%+v", c)
		}
	})
}

func TestTrapsThatMakeAndEndATask(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self := g.TaskSelf()
		at := allocate(t, g, self, mach.PageSize)
		require.EqualValues(t, mach.SendInterrupted, g.Trap(-68, 0, 0, uint64(at)))
		require.EqualValues(t, mach.KernSuccess, g.Trap(-68, uint64(self), 0, uint64(at)))
		task := mach.Name(le.Uint32(read(t, g, at, 4)))
		p := port(t, g)
		require.EqualValues(t, mach.KernSuccess, g.Trap(-75, uint64(task), uint64(mach.RightReceive), 0x777))
		require.EqualValues(t, mach.KernNameExists, g.Trap(-75, uint64(task), uint64(mach.RightReceive), 0x777))
		require.EqualValues(t, mach.KernInvalidValue, g.Trap(-74, uint64(task), 0x778, uint64(p), 99))
		require.EqualValues(t, mach.KernInvalidName, g.Trap(-74, uint64(task), 0x778, 0x1234, uint64(mach.TypeCopySend)))
		require.EqualValues(t, mach.KernInvalidCapability, g.Trap(-74, uint64(task), 0x778, 0, uint64(mach.TypeCopySend)))
		require.EqualValues(t, mach.KernNameExists, g.Trap(-74, uint64(task), 0x777, uint64(p), uint64(mach.TypeCopySend)))
		require.EqualValues(t, mach.KernSuccess, g.Trap(-74, uint64(task), 0x778, uint64(p), uint64(mach.TypeCopySend)))
		typ, kr := gnumach.MachPortType(g, task, 0x778)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, mach.TypeSend, typ)
		require.EqualValues(t, mach.KernSuccess, g.Trap(-70, uint64(task)))
		require.EqualValues(t, 1, basicInfo(t, g, task).SuspendCount)
		require.Equal(t, mach.KernSuccess, gnumach.TaskResume(g, task))
		require.EqualValues(t, mach.SendInterrupted, g.Trap(-70, uint64(p)))
		require.EqualValues(t, mach.KernSuccess, g.Trap(-69, uint64(task)))
		require.EqualValues(t, mach.SendInterrupted, g.Trap(-69, uint64(task)))
	})
}
