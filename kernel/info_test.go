package kernel

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/mig/gnumach"
)

// The counts are those that the real kernel answered (testdata/golden).
func TestInfoAnswersAsManyWordsAsTheRealKernel(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task, thread := g.TaskSelf(), mach.Name(g.Trap(-27))
		for _, c := range []struct {
			ask    func(m mig.Messenger, port mach.Name, flavor int32, n uint32) ([]uint32, mach.KernReturn)
			port   mach.Name
			flavor int32
			n      uint32
			want   int // words; 0 is KERN_INVALID_ARGUMENT
		}{
			{gnumach.TaskInfo, task, mach.TaskBasicInfoFlavor, 17, 0},
			{gnumach.TaskInfo, task, mach.TaskBasicInfoFlavor, 18, 18},
			{gnumach.TaskInfo, task, mach.TaskBasicInfoFlavor, 29, 29},
			{gnumach.TaskInfo, task, mach.TaskBasicInfoFlavor, 1024, 30},
			{gnumach.TaskInfo, task, mach.TaskEventsInfoFlavor, 13, 0},
			{gnumach.TaskInfo, task, mach.TaskEventsInfoFlavor, 1024, 14},
			{gnumach.TaskInfo, task, mach.TaskThreadTimesInfoFlavor, 7, 0},
			{gnumach.TaskInfo, task, mach.TaskThreadTimesInfoFlavor, 15, 15},
			{gnumach.TaskInfo, task, mach.TaskThreadTimesInfoFlavor, 1024, 16},
			{gnumach.TaskInfo, task, 0, 1024, 0},
			{gnumach.TaskInfo, task, 4, 1024, 0},
			{gnumach.TaskInfo, thread, mach.TaskBasicInfoFlavor, 30, 0},
			{gnumach.ThreadInfo, thread, mach.ThreadBasicInfoFlavor, 19, 0},
			{gnumach.ThreadInfo, thread, mach.ThreadBasicInfoFlavor, 20, 20},
			{gnumach.ThreadInfo, thread, mach.ThreadBasicInfoFlavor, 1024, 32},
			{gnumach.ThreadInfo, thread, mach.ThreadSchedInfoFlavor, 6, 0},
			{gnumach.ThreadInfo, thread, mach.ThreadSchedInfoFlavor, 8, 8},
			{gnumach.ThreadInfo, thread, 3, 1024, 0},
			{gnumach.ThreadInfo, task, mach.ThreadBasicInfoFlavor, 32, 0},
		} {
			words, kr := c.ask(g, c.port, c.flavor, c.n)
			require.Len(t, words, c.want, "flavor %d, %d words", c.flavor, c.n)
			require.Equal(t, c.want == 0, kr == mach.KernInvalidArgument, "flavor %d, %d words: %v", c.flavor, c.n, kr)
		}
	})
}

func basicInfo(t testing.TB, g *GoThread, task mach.Name) (info mach.TaskBasicInfo) {
	t.Helper()
	words, kr := gnumach.TaskInfo(g, task, mach.TaskBasicInfoFlavor, mach.TaskBasicInfoCount)
	require.Equal(t, mach.KernSuccess, kr)
	structOf(words, &info)
	return info
}

func structOf(words []uint32, v any) {
	b := make([]byte, 4*len(words))
	mig.PutElements(b, 0, words)
	mig.GetStruct(b, 0, v)
}

func TestTaskInfoTellsTheSizes(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task := child(t, g, g.TaskSelf())
		require.Zero(t, basicInfo(t, g, task).VirtualSize)
		at := allocate(t, g, task, 4*mach.PageSize)
		info := basicInfo(t, g, task)
		require.EqualValues(t, 4*mach.PageSize, info.VirtualSize)
		require.Zero(t, info.ResidentSize)
		mine := allocate(t, g, g.TaskSelf(), mach.PageSize)
		require.Equal(t, mach.KernSuccess, g.Write(mine, []byte("text")))
		require.Equal(t, mach.KernSuccess, gnumach.VMWrite(g, task, at, mine, mach.PageSize))
		require.EqualValues(t, mach.PageSize, basicInfo(t, g, task).ResidentSize)
		require.Equal(t, mach.KernSuccess, gnumach.VMDeallocate(g, task, at, 3*mach.PageSize))
		info = basicInfo(t, g, task)
		require.EqualValues(t, mach.PageSize, info.VirtualSize)
		require.Zero(t, info.ResidentSize)
		require.EqualValues(t, 25, info.BasePriority)
	})
}

func TestTaskInfoCountsMessagesThatWereQueued(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self, p := g.TaskSelf(), port(t, g)
		events := func() (info mach.TaskEventsInfo) {
			words, kr := gnumach.TaskInfo(g, self, mach.TaskEventsInfoFlavor, mach.TaskEventsInfoCount)
			require.Equal(t, mach.KernSuccess, kr)
			structOf(words, &info)
			return info
		}
		before := events()
		require.Equal(t, before, events(), "a call of the kernel is on no queue")
		msg := make([]byte, 64)
		mig.PutStruct(msg, 0, &mach.MsgHeader{Bits: mach.Bits(mach.TypeCopySend, 0), Remote: p})
		for range 3 {
			require.Equal(t, mach.MsgSuccess, g.Msg(msg, mach.SendMsg, 32, 0, 0, 0, 0))
		}
		require.Equal(t, mach.MsgSuccess, g.Msg(msg, mach.RcvMsg, 0, 64, p, 0, 0))
		require.Equal(t, mach.RcvTooLarge, g.Msg(msg, mach.RcvMsg|mach.RcvLarge, 0, 8, p, 0, 0))
		after := events()
		require.EqualValues(t, 3, after.MessagesSent-before.MessagesSent)
		require.EqualValues(t, 1, after.MessagesReceived-before.MessagesReceived)
	})
}

func TestTaskThreadsAreInTheOrderOfTheirMaking(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task := child(t, g, g.TaskSelf())
		_, n, kr := gnumach.TaskThreads(g, task)
		require.Equal(t, mach.KernSuccess, kr)
		require.Zero(t, n)
		var made []mach.Name
		for range 5 {
			th, kr := gnumach.ThreadCreate(g, task)
			require.Equal(t, mach.KernSuccess, kr)
			made = append(made, th)
		}
		require.Equal(t, mach.KernSuccess, gnumach.ThreadTerminate(g, made[2]))
		made = append(made[:2], made[3:]...)
		at, n, kr := gnumach.TaskThreads(g, task)
		require.Equal(t, mach.KernSuccess, kr)
		names := mig.Elements[uint32](read(t, g, at, 4*int(n)), 0, n)
		require.Len(t, names, len(made))
		for i := range made {
			require.EqualValues(t, made[i], names[i])
		}
	})
}

func TestAThreadIsCalledAsItsTaskWas(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task := child(t, g, g.TaskSelf())
		long := strings.Repeat("0123456789", 6)
		for _, c := range []struct{ name, want string }{
			{"one", "one"}, {"", ""}, {long[:31], long[:31]}, {long, long[:31]},
		} {
			require.Equal(t, mach.KernSuccess, gnumach.TaskSetName(g, task, c.name))
			th, kr := gnumach.ThreadCreate(g, task)
			require.Equal(t, mach.KernSuccess, kr)
			got, kr := gnumach.ThreadGetName(g, th)
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, c.want, got)
			require.Equal(t, mach.KernSuccess, gnumach.ThreadSetName(g, th, "other"))
			got, _ = gnumach.ThreadGetName(g, th)
			require.Equal(t, "other", got)
		}
		th, kr := gnumach.ThreadCreate(g, child(t, g, task))
		require.Equal(t, mach.KernSuccess, kr)
		got, _ := gnumach.ThreadGetName(g, th)
		require.Equal(t, "("+long[:29]+")", got)
		_, kr = gnumach.ThreadGetName(g, task)
		require.Equal(t, mach.KernInvalidArgument, kr)
	})
}

func TestNewsOfNewTasks(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		self, priv, p, other := g.TaskSelf(), privileged(g), port(t, g), port(t, g)
		register := func(host, name mach.Name, disposition mach.TypeName) mach.KernReturn {
			return gnumach.RegisterNewTaskNotification(g, host, name, disposition)
		}
		require.Equal(t, mach.KernInvalidHost, register(mach.Name(g.Trap(-29)), p, mach.TypeCopySend))
		require.Equal(t, mach.MigBadArguments, register(priv, other, mach.TypeMakeSendOnce))
		require.Equal(t, mach.KernSuccess, register(priv, mach.NameNull, mach.TypeCopySend))
		require.Equal(t, mach.KernSuccess, register(priv, p, mach.TypeCopySend))
		require.Equal(t, mach.KernNoAccess, register(priv, other, mach.TypeCopySend))
		const more = 2 * mach.QLimitDefault
		parent := child(t, g, self)
		var made []mach.Name
		for range more {
			made = append(made, child(t, g, parent))
		}
		msg := make([]byte, 128)
		for i := range more + 1 {
			require.Equal(t, mach.MsgSuccess, g.Msg(msg, mach.RcvMsg|mach.RcvTimeout, 0, len(msg), p, 0, 0))
			require.EqualValues(t, mach.NotifyNewTask, le.Uint32(msg[28:]))
			news, by := mach.Name(le.Uint32(msg[40:])), mach.Name(le.Uint32(msg[56:]))
			if i == 0 {
				require.Equal(t, []mach.Name{parent, self}, []mach.Name{news, by})
			} else {
				require.Equal(t, []mach.Name{made[i-1], parent}, []mach.Name{news, by})
			}
		}
		require.Equal(t, mach.KernSuccess, gnumach.MachPortDestroy(g, self, p))
		child(t, g, self) // nobody to be told
		require.Equal(t, mach.KernNoAccess, register(priv, other, mach.TypeCopySend), "for ever")
	})
}

func TestEmulationVectors(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task := child(t, g, g.TaskSelf())
		get := func(task mach.Name) (int32, []uint64) {
			first, at, n, kr := gnumach.TaskGetEmulationVector(g, task)
			require.Equal(t, mach.KernSuccess, kr)
			if n == 0 {
				return first, nil
			}
			return first, mig.Elements[uint64](read(t, g, at, 8*int(n)), 0, n)
		}
		first, list := get(task)
		require.Zero(t, first)
		require.Empty(t, list)
		require.Equal(t, mach.KernSuccess, gnumach.TaskSetEmulation(g, task, 0x5000, 5))
		below := child(t, g, task)
		require.Equal(t, mach.KernSuccess, gnumach.TaskSetEmulation(g, task, 0x2000, -2))
		first, list = get(task)
		require.EqualValues(t, -2, first)
		require.Equal(t, []uint64{0x2000, 0, 0, 0, 0, 0, 0, 0x5000}, list)
		first, list = get(below)
		require.EqualValues(t, 5, first)
		require.Equal(t, []uint64{0x5000}, list, "a child's is what the parent's was")

		at := allocate(t, g, g.TaskSelf(), mach.PageSize)
		b := make([]byte, 16)
		mig.PutElements(b, 0, []uint64{0x6000, 0x7000})
		require.Equal(t, mach.KernSuccess, g.Write(at, b))
		require.Equal(t, mach.KernSuccess, gnumach.TaskSetEmulationVector(g, below, 4, at, 2))
		first, list = get(below)
		require.EqualValues(t, 4, first)
		require.Equal(t, []uint64{0x6000, 0x7000}, list)

		require.Equal(t, mach.KernResourceShortage, gnumach.TaskSetEmulation(g, below, 0, 1<<31-1))
		thread := mach.Name(g.Trap(-27))
		require.Equal(t, mach.EmlBadTask, gnumach.TaskSetEmulation(g, thread, 0, 1))
		require.Equal(t, mach.KernFailure, gnumach.TaskRASControl(g, thread, 0, 0, 0))
	})
}

func TestSamplingIsSwitched(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		task, thread := g.TaskSelf(), mach.Name(g.Trap(-27))
		_, _, kr := gnumach.TaskGetSampledPcs(g, task, 0, 512)
		require.Equal(t, mach.KernFailure, kr)
		step, kr := gnumach.TaskEnablePCSampling(g, task, 1)
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, 10000, step)
		seqno, samples, kr := gnumach.TaskGetSampledPcs(g, task, 7, 512)
		require.Equal(t, mach.KernSuccess, kr)
		require.Zero(t, seqno, "a number beyond the last is set to the last")
		require.Empty(t, samples)
		_, _, kr = gnumach.ThreadGetSampledPcs(g, thread, 0, 512)
		require.Equal(t, mach.KernFailure, kr, "a task's threads are not sampled one by one")
		for range 2 {
			_, kr = gnumach.TaskDisablePCSampling(g, task)
			require.Equal(t, mach.KernSuccess, kr)
		}
		_, _, kr = gnumach.TaskGetSampledPcs(g, task, 0, 512)
		require.Equal(t, mach.KernFailure, kr)
		_, kr = gnumach.ThreadEnablePCSampling(g, task, 1)
		require.Equal(t, mach.KernInvalidArgument, kr)
	})
}

func TestExtendedStateNeedsAMachine(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		_, kr := gnumach.I386GetXstateSize(g, g.TaskSelf())
		require.Equal(t, mach.KernInvalidArgument, kr)
		_, kr = gnumach.I386GetXstateSize(g, mach.Name(g.Trap(-29)))
		require.Equal(t, mach.KernFailure, kr)
	})
}
