package kernel

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"machkernel/mach"
	"machkernel/mig/gnumach"
)

// Clients of machine code beside what the host takes for the like of it without
// any of our work, in the same run: the metric "floors" is how many times that.

// beside reports what an operation took beside its floor, both measured here.
func beside(b *testing.B, floor func() time.Duration) {
	b.StopTimer()
	took := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	f := float64(floor().Nanoseconds())
	b.ReportMetric(f, "floor-ns")
	b.ReportMetric(took/f, "floors")
}

// average is the time of one f among rounds of them.
func average(rounds int, f func()) time.Duration {
	began := time.Now()
	for range rounds {
		f()
	}
	return time.Since(began) / time.Duration(rounds)
}

// A task with a process and a thread whose code ends the task at once. Its floor
// is the execution of the smallest program there is.
func BenchmarkMachineTask(b *testing.B) {
	end := []byte{
		0xb8, 0xe4, 0xff, 0xff, 0xff, 0x0f, 0x05, // mov $-28,%eax; syscall: mach_task_self
		0x89, 0xc7, // mov %eax,%edi
		0xb8, 0xbb, 0xff, 0xff, 0xff, 0x0f, 0x05, // mov $-69,%eax; syscall: task_terminate
		0xcc, // int3
	}
	k := start(b, Config{})
	for b.Loop() {
		task := bootRaw(b, k, end...)
		<-task.Done()
		require.Nil(b, task.Report())
	}
	beside(b, func() time.Duration { return execFloor(b) })
}

func execFloor(b *testing.B) time.Duration {
	path := b.TempDir() + "/exit"
	exit := []byte{0xb8, unix.SYS_EXIT, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05}
	require.NoError(b, os.WriteFile(path, rawELF(b, exit...), 0o700))
	return average(200, func() {
		p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{})
		require.NoError(b, err)
		_, err = p.Wait()
		require.NoError(b, err)
	})
}

// A thread of machine code, made, started and ended. Its floor is a host thread.
func BenchmarkMachineThread(b *testing.B) {
	k := start(b, Config{})
	task := bootRaw(b, k, spin...)
	inTask(b, k, func(g *GoThread) {
		first := threadName(g, task.threadList()[0])
		require.Equal(b, mach.KernSuccess, gnumach.ThreadSuspend(g, first))
		state, kr := gnumach.ThreadGetState(g, first, flavorThreadState, mach.ThreadStateCount)
		require.Equal(b, mach.KernSuccess, kr)
		target := nameOf(g, task.self)
		for b.Loop() {
			th, kr := gnumach.ThreadCreate(g, target)
			require.Equal(b, mach.KernSuccess, kr)
			require.Equal(b, mach.KernSuccess, gnumach.ThreadSetState(g, th, flavorThreadState, state))
			require.Equal(b, mach.KernSuccess, gnumach.ThreadResume(g, th))
			require.Equal(b, mach.KernSuccess, gnumach.ThreadTerminate(g, th))
			require.Equal(b, mach.KernSuccess, gnumach.MachPortDeallocate(g, g.TaskSelf(), th))
		}
		beside(b, cloneFloor)
	})
}

func cloneFloor() time.Duration {
	done := make(chan struct{})
	return average(1000, func() {
		go func() {
			runtime.LockOSThread() // never unlocked: the host thread ends
			done <- struct{}{}
		}()
		<-done
	})
}

// signalPeer is a host thread that takes one signal of its own.
type signalPeer struct{ tid, fd int }

// newSignalPeer makes the calling goroutine's host thread one, for good.
func newSignalPeer() (signalPeer, error) {
	runtime.LockOSThread() // never unlocked: the host thread ends with its mask
	var set unix.Sigset_t
	set.Val[0] = 1 << (unix.SIGUSR2 - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil); err != nil {
		return signalPeer{}, err
	}
	fd, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC)
	return signalPeer{unix.Gettid(), fd}, err
}

func (p signalPeer) take() error {
	var info [128]byte
	for {
		if _, err := unix.Read(p.fd, info[:]); err != unix.EINTR {
			return err
		}
	}
}

func (p signalPeer) send() error { return unix.Tgkill(os.Getpid(), p.tid, unix.SIGUSR2) }

// signalFloor is a signal from one host thread to another and one back.
func signalFloor(b *testing.B) time.Duration {
	const rounds = 3000
	peers, done := make(chan signalPeer), make(chan time.Duration)
	play := func(first bool) {
		me, err := newSignalPeer()
		var other signalPeer
		if first {
			other = <-peers
			peers <- me
		} else {
			peers <- me
			other = <-peers
		}
		took := average(rounds, func() {
			if err == nil && first {
				err = other.send()
			}
			if err == nil {
				err = me.take()
			}
			if err == nil && !first {
				err = other.send()
			}
		})
		unix.Close(me.fd)
		if err != nil {
			b.Error(err)
		}
		done <- took
	}
	go play(true)
	go play(false)
	<-done
	return <-done
}
