package kernel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/mig"
)

// What only a race with the end of a task, thread or kernel brings about, a
// shortage, or a bound of our own: no client can ask for it.

// inside runs f as a trap would run.
func inside(k *Kernel, f func()) {
	k.gate.Enter()
	defer k.gate.Leave()
	f()
}

// newThread makes a thread that never runs.
func newThread(t *testing.T, task *Task) *Thread {
	t.Helper()
	th, kr := task.newThread()
	require.Equal(t, mach.KernSuccess, kr)
	return th
}

func TestWhoComesTooLate(t *testing.T) {
	k := start(t, Config{})
	task := newTask(t, k)
	caller := newThread(t, newTask(t, k))
	caller.holds = 0 // as if it ran
	victim := newThread(t, task)
	call := &mig.Call{Caller: caller}
	inside(k, func() {
		require.Equal(t, mach.KernSuccess, caller.terminateThread(victim))
		require.Equal(t, mach.KernFailure, caller.terminateThread(victim), "a thread ends once")
		require.Equal(t, mach.KernFailure, machService{}.ThreadSetState(call, victim, flavorThreadState, make([]uint32, mach.ThreadStateCount)))
		require.Equal(t, mach.KernSuccess, machService{}.TaskTerminate(call, task))
		require.Equal(t, mach.KernFailure, machService{}.TaskTerminate(call, task), "a task ends once")
		_, kr := task.newThread()
		require.Equal(t, mach.KernFailure, kr, "a dying task has no new thread")
	})
}

// A closing kernel and a dying task refuse before anybody counts.
func TestClosingComesBeforeLimits(t *testing.T) {
	full := &Kernel{tasks: map[*Task]struct{}{}}
	for range maxTasks - 1 {
		full.tasks[new(Task)] = struct{}{}
	}
	require.Equal(t, mach.KernSuccess, full.admit(new(Task)))
	require.Equal(t, mach.KernResourceShortage, full.admit(new(Task)))
	full.closed = true
	require.Equal(t, mach.KernFailure, full.admit(new(Task)))
	clear(full.tasks)
	require.Equal(t, mach.KernFailure, full.admit(new(Task)))

	k := start(t, Config{})
	task := newTask(t, k)
	for range maxThreads {
		newThread(t, task)
	}
	task.mu.Lock()
	task.active = false
	task.mu.Unlock()
	_, dying := task.newThread()
	task.mu.Lock()
	task.active = true
	task.mu.Unlock()
	_, living := task.newThread()
	require.Equal(t, mach.KernFailure, dying)
	require.Equal(t, mach.KernResourceShortage, living)
}

func TestWhatTheHostCannotGive(t *testing.T) {
	k := start(t, Config{})
	task := newTask(t, k)
	th := newThread(t, task)
	call := &mig.Call{Caller: th}
	inside(k, func() {
		require.Equal(t, mach.KernResourceShortage, machService{}.ThreadResume(call, th), "no process for a task of Go threads")
		task.vmap.Terminate()
		_, kr := machService{}.TaskCreate(call, task, true)
		require.Equal(t, mach.KernResourceShortage, kr, "no memory to inherit")
	})
}

// The answer of mach_port_names needs two pages.
func TestNamesWithoutMemory(t *testing.T) {
	k := start(t, Config{Memory: 1 << 20})
	task := newTask(t, k)
	call := &mig.Call{Caller: newThread(t, task)}
	_, kr := task.space.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernSuccess, kr)
	at, kr := task.vmap.Allocate(0, 2<<20, true)
	require.Equal(t, mach.KernSuccess, kr)
	end := at
	for ; task.vmap.WriteBytes(end, []byte("x")) == mach.KernSuccess; end += mach.PageSize {
		require.Less(t, end, at+2<<20)
	}
	for free := range 3 {
		names, _, types, _, kr := portService{}.MachPortNames(call, task.space)
		if free < 2 {
			require.Equal(t, mach.KernResourceShortage, kr, "%d pages free", free)
		} else {
			require.Equal(t, mach.KernSuccess, kr)
			names.Discard()
			types.Discard()
		}
		end -= mach.PageSize
		require.Equal(t, mach.KernSuccess, task.vmap.Deallocate(end, mach.PageSize))
	}
}
