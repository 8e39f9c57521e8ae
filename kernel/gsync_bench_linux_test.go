package kernel

import (
	"encoding/binary"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"machkernel/mach"
	"machkernel/mig"
)

// handOver is one side of two that hand a word to and fro: set and wake, then
// wait until the other side has set it. lastTurn ends it.
type handOver interface {
	get() uint32
	set(uint32)
	wake()
	wait(old uint32) // until woken, if the word is old
}

const lastTurn = ^uint32(0)

func await(h handOver, old uint32) uint32 {
	for {
		if v := h.get(); v != old {
			return v
		}
		h.wait(old)
	}
}

func ping(b *testing.B, h handOver) {
	turn := uint32(0)
	b.ReportAllocs()
	for b.Loop() {
		turn = serve(h, turn)
	}
	h.set(lastTurn)
	h.wake()
}

// serve is one round: the word is handed over and comes back.
func serve(h handOver, turn uint32) uint32 {
	h.set(turn + 1)
	h.wake()
	return await(h, turn+1)
}

func pong(h handOver) {
	for turn := await(h, 0); turn != lastTurn; turn = await(h, turn+1) {
		h.set(turn + 1)
		h.wake()
	}
}

// gsyncWord is a word of a task's memory, and a thread that uses it.
type gsyncWord struct {
	g              *GoThread
	task           mach.Name
	at             mach.Addr
	toWait, toWake *mig.Routine
}

func newGsyncWord(g *GoThread, at mach.Addr) *gsyncWord {
	table := g.Thread().k.Table()
	return &gsyncWord{g, g.TaskSelf(), at, &table.ByName("gsync_wait").Routine, &table.ByName("gsync_wake").Routine}
}

func (w *gsyncWord) get() uint32 {
	var p [4]byte
	w.g.Read(w.at, p[:])
	return binary.LittleEndian.Uint32(p[:])
}

func (w *gsyncWord) set(v uint32) {
	var p [4]byte
	binary.LittleEndian.PutUint32(p[:], v)
	w.g.Write(w.at, p[:])
}

func (w *gsyncWord) wake() {
	_, _ = mig.Invoke(w.g, w.task, w.toWake, addr(w.at), word(0), word(0)) // nobody may wait yet
}

func (w *gsyncWord) wait(old uint32) {
	_, _ = mig.Invoke(w.g, w.task, w.toWait, addr(w.at), word(uint64(old)), word(0), word(0), word(0))
}

// A round trip: two wake-ups and two waits, four calls by message.
func BenchmarkGsyncRoundTrip(b *testing.B) {
	k := start(b, Config{})
	task := newTask(b, k)
	var at mach.Addr
	require.NoError(b, task.Run(func(g *GoThread) { at = allocate(b, g, g.TaskSelf(), mach.PageSize) }))
	other, err := task.Go(func(g *GoThread) { pong(newGsyncWord(g, at)) })
	require.NoError(b, err)
	require.NoError(b, task.Run(func(g *GoThread) { ping(b, newGsyncWord(g, at)) }))
	<-other.Done()
	beside(b, futexFloor)
}

const (
	futexWait = 0 | 128 // C: FUTEX_WAIT | FUTEX_PRIVATE_FLAG
	futexWake = 1 | 128 // C: FUTEX_WAKE | FUTEX_PRIVATE_FLAG
)

type futexWord struct{ v atomic.Uint32 }

func (w *futexWord) get() uint32     { return w.v.Load() }
func (w *futexWord) set(v uint32)    { w.v.Store(v) }
func (w *futexWord) wake()           { w.futex(futexWake, 1) }
func (w *futexWord) wait(old uint32) { w.futex(futexWait, old) }

func (w *futexWord) futex(op int, val uint32) {
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&w.v)), uintptr(op), uintptr(val), 0, 0, 0)
}

// futexFloor is the same by two threads of the host, with its futex.
func futexFloor() time.Duration {
	const rounds = 20000
	w, done := &futexWord{}, make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the host thread ends
		pong(w)
	}()
	took := make(chan time.Duration)
	go func() {
		runtime.LockOSThread()
		turn := uint32(0)
		took <- average(rounds, func() { turn = serve(w, turn) })
		w.set(lastTurn)
		w.wake()
	}()
	defer func() { <-done }()
	return <-took
}
