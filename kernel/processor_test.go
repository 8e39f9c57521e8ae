package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// names reads an array of names that came out of line.
func names(t *testing.T, g *GoThread, at mach.Addr, n uint32) (list []mach.Name) {
	t.Helper()
	b := read(t, g, at, int(4*n))
	for ; len(b) > 0; b = b[4:] {
		list = append(list, mach.Name(le.Uint32(b)))
	}
	return list
}

// Codes, counts and words are those recorded on the packaged kernel.
func TestClientsSeeOneProcessor(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		host, priv := hostPorts(g)
		at, n, kr := gnumach.HostProcessors(g, priv)
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, 1, n)
		processor := names(t, g, at, n)[0]

		who, words, kr := gnumach.ProcessorInfo(g, processor, 1, 7)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, []uint32{21, 1, 1, 0, 1}, words)
		require.Equal(t, host, who)
		for _, c := range [][2]int{{1, 4}, {0, 5}, {2, 5}} {
			_, _, kr = gnumach.ProcessorInfo(g, processor, int32(c[0]), uint32(c[1]))
			require.Equal(t, mach.KernFailure, kr)
		}
		_, _, kr = gnumach.ProcessorInfo(g, host, 1, 5)
		require.Equal(t, mach.KernInvalidArgument, kr)

		for name, command := range map[string]func(mach.Name) mach.KernReturn{
			"start":   func(p mach.Name) mach.KernReturn { return gnumach.ProcessorStart(g, p) },
			"exit":    func(p mach.Name) mach.KernReturn { return gnumach.ProcessorExit(g, p) },
			"control": func(p mach.Name) mach.KernReturn { return gnumach.ProcessorControl(g, p, []uint32{1, 2}) },
		} {
			require.Equal(t, mach.KernFailure, command(processor), name)
			require.Equal(t, mach.KernInvalidArgument, command(host), name)
		}
	})
}

func TestEverythingIsInTheDefaultSet(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		host, priv := hostPorts(g)
		set, kr := gnumach.ProcessorSetDefault(g, host)
		require.Equal(t, mach.KernSuccess, kr)
		processor, thread := nameOf(g, k.processor.self), mach.Name(g.Trap(-27))

		at, n, kr := gnumach.HostProcessorSets(g, host)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, []mach.Name{set}, names(t, g, at, n))
		for _, get := range []func() (mach.Name, mach.KernReturn){
			func() (mach.Name, mach.KernReturn) { return gnumach.ProcessorGetAssignment(g, processor) },
			func() (mach.Name, mach.KernReturn) { return gnumach.TaskGetAssignment(g, g.TaskSelf()) },
			func() (mach.Name, mach.KernReturn) { return gnumach.ThreadGetAssignment(g, thread) },
		} {
			in, kr := get()
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, set, in)
		}
		control, kr := gnumach.HostProcessorSetPriv(g, priv, set)
		require.Equal(t, mach.KernSuccess, kr)
		require.NotEqual(t, set, control)
		again, kr := gnumach.HostProcessorSetPriv(g, priv, control)
		require.Equal(t, mach.KernSuccess, kr, "the control port names the set, too")
		require.Equal(t, control, again)
		_, kr = gnumach.HostProcessorSetPriv(g, priv, host)
		require.Equal(t, mach.KernInvalidArgument, kr)

		for what, kr := range map[string]mach.KernReturn{
			"processor_set_destroy": gnumach.ProcessorSetDestroy(g, control),
			"processor_assign":      gnumach.ProcessorAssign(g, processor, control, true),
			"thread_assign":         gnumach.ThreadAssign(g, thread, control),
			"thread_assign_default": gnumach.ThreadAssignDefault(g, thread),
			"task_assign":           gnumach.TaskAssign(g, g.TaskSelf(), control, true),
			"task_assign_default":   gnumach.TaskAssignDefault(g, g.TaskSelf(), false),
			"task_assign of none":   gnumach.TaskAssign(g, host, mach.NameNull, false),
		} {
			require.Equal(t, mach.KernFailure, kr, what)
		}
		_, _, kr = gnumach.ProcessorSetCreate(g, host)
		require.Equal(t, mach.KernFailure, kr)
	})
}

func TestProcessorSetInfo(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		host, _ := hostPorts(g)
		for _, set := range []mach.Name{controlPort(t, g), nameOf(g, k.pset.nameSelf)} {
			for _, c := range []struct {
				flavor int32
				count  uint32
				kr     mach.KernReturn
				words  []uint32
			}{
				{1, 4, mach.KernFailure, nil},
				{1, 5, mach.KernSuccess, []uint32{1, 1, 1, 0, 1000}}, // this task, its thread, and nothing else to do
				{2, 1, mach.KernFailure, nil},
				{2, 6, mach.KernSuccess, []uint32{1, 25}},
				{0, 6, mach.KernInvalidArgument, nil},
				{3, 6, mach.KernInvalidArgument, nil},
			} {
				who, words, kr := gnumach.ProcessorSetInfo(g, set, c.flavor, c.count)
				require.Equal(t, c.kr, kr)
				require.Equal(t, c.words, words)
				if kr == mach.KernSuccess {
					require.Equal(t, host, who)
				}
			}
		}
		_, _, kr := gnumach.ProcessorSetInfo(g, host, 2, 2)
		require.Equal(t, mach.KernInvalidArgument, kr)
	})
}

// The formulas are GNU Mach's (compute_mach_factor): n threads are a load of n,
// and one more of them gets a share of 1/(n+1).
func TestLoadIsWhatWantsToRun(t *testing.T) {
	k := start(t, Config{})
	stop := make(chan struct{})
	others := newTask(t, k)
	for range 3 {
		_, err := others.Go(func(*GoThread) { <-stop }) // busy, for all the kernel knows
		require.NoError(t, err)
	}
	inTask(t, k, func(g *GoThread) {
		threadIn(t, g, g.TaskSelf()) // suspended: no load
		host, _ := hostPorts(g)
		words, kr := gnumach.HostInfo(g, host, 4, 6)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, []uint32{3000, 0, 3000, 250, 0, 250}, words)
	})
	close(stop)
}

func TestProcessorSetListsWhatIsInIt(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		control, host := controlPort(t, g), mach.Name(g.Trap(-29))
		child, kr := gnumach.TaskCreate(g, g.TaskSelf(), false)
		require.Equal(t, mach.KernSuccess, kr)
		one, _ := threadIn(t, g, child)
		two, _ := threadIn(t, g, g.TaskSelf())

		at, n, kr := gnumach.ProcessorSetTasks(g, control)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, []mach.Name{g.TaskSelf(), child}, names(t, g, at, n))
		at, n, kr = gnumach.ProcessorSetThreads(g, control)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, []mach.Name{mach.Name(g.Trap(-27)), one, two}, names(t, g, at, n))

		for _, port := range []mach.Name{host, nameOf(g, k.pset.nameSelf)} {
			_, _, kr = gnumach.ProcessorSetTasks(g, port)
			require.Equal(t, mach.KernInvalidArgument, kr, "only the control port opens the tasks")
			_, _, kr = gnumach.ProcessorSetThreads(g, port)
			require.Equal(t, mach.KernInvalidArgument, kr)
		}
	})
}

// processor_set_processors is newer than the packaged kernel: what it gives are
// names, good for asking only.
func TestProcessorSetProcessors(t *testing.T) {
	inTask(t, start(t, Config{}), func(g *GoThread) {
		_, _, kr := gnumach.ProcessorSetProcessors(g, controlPort(t, g))
		require.Equal(t, mach.MigBadID, kr)
	})
	inTask(t, start(t, Config{Version: mach.VersionSetProcessors}), func(g *GoThread) {
		at, n, kr := gnumach.ProcessorSetProcessors(g, controlPort(t, g))
		require.Equal(t, mach.KernSuccess, kr)
		require.EqualValues(t, 1, n)
		var b [4]byte
		require.Equal(t, mach.KernSuccess, g.Read(at, b[:]))
		name := mach.Name(le.Uint32(b[:]))
		_, info, kr := gnumach.ProcessorInfo(g, name, 1, 5)
		require.Equal(t, mach.KernSuccess, kr)
		require.Len(t, info, 5)
		require.Equal(t, mach.KernInvalidArgument, gnumach.ProcessorStart(g, name))
		_, _, kr = gnumach.ProcessorSetProcessors(g, g.TaskSelf())
		require.Equal(t, mach.KernInvalidArgument, kr)
	})
}
