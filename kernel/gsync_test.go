package kernel

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"machkernel/gsync"
	"machkernel/mach"
	"machkernel/mig"
)

// gsyncWait waits while the word at a is 0.
func gsyncWait(g *GoThread, task mach.Name, a mach.Addr, flags gsync.Flags) mach.KernReturn {
	_, kr := g.Call("gsync_wait", task, addr(a), word(0), word(0), word(0), word(uint64(flags)))
	return kr
}

// gsyncWaiter starts a thread of the task that waits at a, and returns when it
// does.
func gsyncWaiter(t *testing.T, task *Task, a mach.Addr, flags gsync.Flags) (*Thread, <-chan mach.KernReturn) {
	t.Helper()
	end := make(chan mach.KernReturn, 1)
	th, err := task.Go(func(g *GoThread) { end <- gsyncWait(g, g.TaskSelf(), a, flags) })
	require.NoError(t, err)
	synctest.Wait()
	waiting, _ := th.waiter.Waiting()
	require.True(t, waiting)
	require.NoError(t, task.k.Audit(), "while a thread waits")
	return th, end
}

// ask sends a simpleroutine with a reply port, and answers the code that comes
// there: the real kernel gives one to those who want it.
func ask(t *testing.T, g *GoThread, dest mach.Name, routine string, in ...mig.Value) mach.KernReturn {
	t.Helper()
	r := g.Thread().k.Table().ByName(routine).Routine
	require.True(t, r.Simple)
	r.Simple = false
	_, kr := mig.Invoke(g, dest, &r, in...)
	return kr
}

func TestGsyncBetweenThreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, Config{})
		task := newTask(t, k)
		var a mach.Addr
		require.NoError(t, task.Run(func(g *GoThread) { a = allocate(t, g, g.TaskSelf(), mach.PageSize) }))
		_, one := gsyncWaiter(t, task, a, 0)
		_, two := gsyncWaiter(t, task, a, 0)
		require.NoError(t, task.Run(func(g *GoThread) {
			self := g.TaskSelf()
			wake := func(v uint64, flags gsync.Flags) mach.KernReturn {
				return ask(t, g, self, "gsync_wake", addr(a), word(v), word(uint64(flags)))
			}
			require.Equal(t, mach.KernSuccess, ask(t, g, self, "gsync_requeue",
				addr(a), addr(a+16), word(1), word(0)))
			require.Equal(t, mach.KernSuccess, <-one)
			require.Equal(t, mach.KernInvalidArgument, wake(0, 0), "the other one was moved")
			_, kr := g.Call("gsync_wake", self, addr(a), word(0), word(0))
			require.Equal(t, mach.KernSuccess, kr, "the stub only sends")
			_, kr = g.Call("gsync_wake", self, addr(a+16), word(7), word(uint64(gsync.Mutate)))
			require.Equal(t, mach.KernSuccess, kr)
			require.Equal(t, mach.KernSuccess, <-two)
			require.Equal(t, []byte{7, 0, 0, 0}, read(t, g, a+16, 4))
			require.Equal(t, mach.KernInvalidArgument, gsyncWait(g, self, a+16, 0))
		}))
	})
}

// A wait for another task's word: the caller sleeps, and whoever has the task's
// port can wake it.
func TestGsyncInAnotherTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, Config{})
		inTask(t, k, func(g *GoThread) {
			self := g.TaskSelf()
			a := allocate(t, g, self, mach.PageSize)
			_, kr := g.Call("vm_inherit", self, addr(a), word(mach.PageSize), word(uint64(mach.InheritShare)))
			require.Equal(t, mach.KernSuccess, kr)
			out, kr := g.Call("task_create", self, word(1))
			require.Equal(t, mach.KernSuccess, kr)
			child := out[0].Name
			for _, c := range []struct {
				flags gsync.Flags
				task  mach.Name // of the wake-up
				want  mach.KernReturn
			}{
				{0, self, mach.KernInvalidArgument},
				{0, child, mach.KernSuccess},
				{gsync.Shared, self, mach.KernSuccess},
				{gsync.Shared, child, mach.KernSuccess},
			} {
				end := make(chan mach.KernReturn, 1)
				_, err := g.Thread().Task().Go(func(g *GoThread) { end <- gsyncWait(g, child, a, c.flags) })
				require.NoError(t, err)
				synctest.Wait()
				require.Equal(t, c.want, ask(t, g, c.task, "gsync_wake", addr(a), word(0), word(uint64(c.flags))))
				if c.want != mach.KernSuccess {
					require.Equal(t, mach.KernSuccess, ask(t, g, child, "gsync_wake", addr(a), word(0), word(uint64(c.flags))))
				}
				require.Equal(t, mach.KernSuccess, <-end)
			}
			_, kr = g.Call("task_terminate", child)
			require.Equal(t, mach.KernSuccess, kr)
			require.EqualValues(t, mach.SendInvalidDest, gsyncWait(g, child, a, 0))
		})
	})
}

func TestGsyncWantsATask(t *testing.T) {
	k := start(t, Config{})
	inTask(t, k, func(g *GoThread) {
		host := mach.Name(g.Trap(-29))
		require.Equal(t, mach.KernInvalidTask, gsyncWait(g, host, 2, 0), "before it looks at the address")
		require.Equal(t, mach.KernInvalidTask, ask(t, g, host, "gsync_wake", word(2), word(0), word(0)))
		require.Equal(t, mach.KernInvalidTask, ask(t, g, host, "gsync_requeue", word(2), word(2), word(0), word(0)))
	})
}

// What ends a thread ends its wait.
func TestGsyncWaitEndsWithTheThread(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Kernel, *Task, *Thread){
		"thread_abort":     func(t *testing.T, _ *Kernel, _ *Task, th *Thread) { require.True(t, th.waiter.Abort()) },
		"thread_terminate": func(_ *testing.T, k *Kernel, _ *Task, th *Thread) { th.kill() },
		"task_terminate":   func(_ *testing.T, _ *Kernel, task *Task, _ *Thread) { task.Terminate() },
		"the kernel's end": func(t *testing.T, k *Kernel, _ *Task, _ *Thread) { require.NoError(t, k.Close()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := start(t, Config{})
				task := newTask(t, k)
				var a mach.Addr
				require.NoError(t, task.Run(func(g *GoThread) { a = allocate(t, g, g.TaskSelf(), mach.PageSize) }))
				th, _ := gsyncWaiter(t, task, a, 0)
				end(t, k, task, th)
				<-th.Done()
			})
		})
	}
}

func TestAnAbortedGsyncWaitAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, Config{})
		task := newTask(t, k)
		var a mach.Addr
		require.NoError(t, task.Run(func(g *GoThread) { a = allocate(t, g, g.TaskSelf(), mach.PageSize) }))
		th, end := gsyncWaiter(t, task, a, 0)
		require.True(t, th.waiter.Abort())
		require.Equal(t, mach.KernInterrupted, <-end)
	})
}
