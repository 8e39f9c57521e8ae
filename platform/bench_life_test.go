//go:build linux && amd64

package platform

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Benchmarks of life and stopping, each beside what the host takes for the like
// of it without any of our work.

// BenchmarkProcess starts and ends a process. Beside it: executing and reaping
// the smallest program there is, the same way.
func BenchmarkProcess(b *testing.B) {
	_, m, _ := openTest(b)
	for b.Loop() {
		p, err := m.NewProcess()
		require.NoError(b, err)
		p.Destroy()
	}
	b.ReportMetric(execFloor(b, m), "exec-floor-ns")
}

// smallestELF is a static program that exits at once.
func smallestELF() []byte {
	const at, headers = 0x400000, 64 + 56
	code := []byte{0xb8, unix.SYS_EXIT, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05}
	le := binary.LittleEndian
	b := make([]byte, headers, headers+len(code))
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 2)  // ET_EXEC
	le.PutUint16(b[18:], 62) // EM_X86_64
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[24:], at+headers) // entry
	le.PutUint64(b[32:], 64)         // program headers: offset, size, number
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[54:], 56)
	le.PutUint16(b[56:], 1)
	ph := b[64:]
	le.PutUint32(ph, 1)     // PT_LOAD
	le.PutUint32(ph[4:], 5) // read, execute
	le.PutUint64(ph[16:], at)
	le.PutUint64(ph[32:], uint64(headers+len(code)))
	le.PutUint64(ph[40:], uint64(headers+len(code)))
	le.PutUint64(ph[48:], 0x1000)
	return append(b, code...)
}

func execFloor(b *testing.B, m *Machine) float64 {
	const rounds = 300
	fd, err := unix.MemfdCreate("test-smallest", unix.MFD_CLOEXEC)
	require.NoError(b, err)
	defer unix.Close(fd)
	_, err = unix.Write(fd, smallestELF())
	require.NoError(b, err)
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 100)
	require.NoError(b, err)
	defer unix.Close(high)
	path := fmt.Sprintf("/proc/self/fd/%d", high)
	began := time.Now()
	for range rounds {
		_, pidfd, err := m.launcher.fork(path, []uintptr{uintptr(fd)})
		require.NoError(b, err)
		var info unix.Siginfo
		require.NoError(b, unix.Waitid(unix.P_PIDFD, pidfd, &info, unix.WEXITED, nil))
		unix.Close(pidfd)
	}
	return float64(time.Since(began).Nanoseconds()) / rounds
}

// BenchmarkThread makes and ends a thread. Beside it: a host thread of this
// program that does nothing.
func BenchmarkThread(b *testing.B) {
	k := newTask(openTest(b))
	for b.Loop() {
		k.thread().Exit()
	}
	const rounds = 2000
	done := make(chan struct{})
	began := time.Now()
	for range rounds {
		go func() {
			runtime.LockOSThread() // never unlocked: the host thread ends
			done <- struct{}{}
		}()
		<-done
	}
	b.ReportMetric(float64(time.Since(began).Nanoseconds())/rounds, "clone-floor-ns")
}

// BenchmarkInterrupt stops a spinning thread and lets it go on. Beside it: two
// processes that send each other a signal, there and back.
func BenchmarkInterrupt(b *testing.B) {
	k := newTask(openTest(b))
	th, r := k.thread(), k.regs("trap_once")
	k.next(th, r) // the text is mapped
	r.RIP = k.at("stay")
	turns := make(chan struct{})
	go func() {
		for range turns {
			for !th.armed.Load() {
				runtime.Gosched()
			}
			th.Interrupt()
		}
	}()
	for b.Loop() {
		turns <- struct{}{}
		if ev := th.Run(r); ev.Kind != EventInterrupted {
			b.Fatal(ev)
		}
	}
	close(turns)
	b.ReportMetric(signalFloor(b), "signal-floor-ns")
}

// Exceptions beside the same floor: the host sends itself a signal for each.
func benchmarkException(b *testing.B, piece string, flags uint64, vector uint8) {
	k := newTask(openTest(b))
	th, r := k.thread(), k.regs("trap_once")
	k.next(th, r)
	at := k.at(piece)
	for b.Loop() {
		r.RIP, r.RFLAGS = at, flagsInitial|flags
		if ev := th.Run(r); ev.Kind != EventException || ev.Vector != vector {
			b.Fatal(ev)
		}
	}
	b.ReportMetric(signalFloor(b), "signal-floor-ns")
}

func BenchmarkBreakpoint(b *testing.B) { benchmarkException(b, "breakpoint", 0, VectorBreakpoint) }
func BenchmarkSingleStep(b *testing.B) { benchmarkException(b, "stay", 0x100, VectorDebug) }

// BenchmarkExtendedState reads a thread's extended state and sets it.
func BenchmarkExtendedState(b *testing.B) {
	k := newTask(openTest(b))
	th, r := k.thread(), k.regs("trap_once")
	k.next(th, r)
	for b.Loop() {
		state, err := th.ExtendedState()
		if err == nil {
			err = th.SetExtendedState(state)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

const floorSignal = unix.SIGUSR2

// signalEnd keeps the calling goroutine on its host thread and takes
// floorSignal, sent to that thread only, from a descriptor.
type signalEnd int

func newSignalEnd() (signalEnd, error) {
	runtime.LockOSThread() // never unlocked: the thread ends with its mask
	var set unix.Sigset_t
	set.Val[0] = 1 << (floorSignal - 1)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil); err != nil {
		return -1, err
	}
	fd, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC)
	return signalEnd(fd), err
}

func (s signalEnd) take() error {
	var info [128]byte
	for {
		if _, err := unix.Read(int(s), info[:]); err != unix.EINTR {
			return err
		}
	}
}

// signalFloor is the time of a signal round trip with another process (this
// binary again).
func signalFloor(b *testing.B) float64 {
	result := make(chan float64)
	var failed error
	go func() {
		took, err := signalRounds()
		failed = err
		result <- took
	}()
	took := <-result
	require.NoError(b, failed)
	return took
}

func signalRounds() (float64, error) {
	const rounds = 3000
	end, err := newSignalEnd()
	if err != nil {
		return 0, err
	}
	defer unix.Close(int(end))
	cmd, err := again(childSignal, fmt.Sprint(os.Getpid()), fmt.Sprint(unix.Gettid()))
	if err != nil {
		return 0, err
	}
	defer cmd.ExtraFiles[0].Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var tid int
	if _, err := fmt.Fscan(out, &tid); err != nil {
		return 0, err
	}
	began := time.Now()
	for range rounds {
		if err := unix.Tgkill(cmd.Process.Pid, tid, floorSignal); err != nil {
			return 0, err
		}
		if err := end.take(); err != nil {
			return 0, err
		}
	}
	took := time.Since(began)
	cmd.Process.Kill()
	cmd.Wait()
	return float64(took.Nanoseconds()) / rounds, nil
}

// answerSignals is the other side of signalFloor.
func answerSignals() {
	end, err := newSignalEnd()
	var pid, tid int
	if err == nil {
		_, err = fmt.Sscan(os.Args[1]+" "+os.Args[2], &pid, &tid)
	}
	if err != nil {
		panic(err)
	}
	fmt.Println(unix.Gettid())
	for end.take() == nil {
		if unix.Tgkill(pid, tid, floorSignal) != nil {
			break
		}
	}
	os.Exit(0)
}
