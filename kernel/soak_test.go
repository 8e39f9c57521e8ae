package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/ipc"
	"machkernel/mach"
)

// soakSize is how many times a soak does what it does.
func soakSize() int {
	if testing.Short() {
		return 10_000
	}
	return 100_000
}

// holdings is what a kernel at rest occupies: the Go heap and its frames.
func holdings(k *Kernel) (heap uint64, frames int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, k.MemoryUsed()
}

// soak does a tenth of the work, then the rest, and finds as much memory in use
// after the one as after the other.
func soak(t *testing.T, k *Kernel, run func(n int)) {
	run(soakSize() / 10)
	heap, frames := holdings(k)
	run(soakSize() - soakSize()/10)
	heapAfter, framesAfter := holdings(k)
	require.Equal(t, frames, framesAfter, "frames")
	require.LessOrEqual(t, heapAfter, heap+256<<10, "the heap grows by less than three bytes a message")
	require.NoError(t, k.Audit())
}

// together runs threads of the tasks at the same time, to their ends.
func together(t *testing.T, tasks []*Task, f func(g *GoThread, i int)) {
	var threads sync.WaitGroup
	for i, task := range tasks {
		threads.Add(1)
		_, err := task.Go(func(g *GoThread) {
			defer threads.Done()
			f(g, i)
		})
		require.NoError(t, err)
	}
	threads.Wait()
}

// Memory out of line, again and again: none is lost, none stays.
func TestSoakOutOfLine(t *testing.T) {
	k := start(t, Config{})
	sender, receiver := newTask(t, k), newTask(t, k)
	from, kr := receiver.space.Allocate(mach.RightReceive)
	require.Equal(t, mach.KernSuccess, kr)
	to, err := receiver.Share(from, sender)
	require.NoError(t, err)
	const size = 64
	page, kr := k.memory.Allocate(sender.VMMap(), 0, mach.PageSize, true)
	require.Equal(t, mach.KernSuccess, kr)
	var wrong atomic.Int64
	soak(t, k, func(n int) {
		together(t, []*Task{sender, receiver}, func(g *GoThread, i int) {
			buf := make([]byte, ipc.HeaderSize+16)
			self := uint64(g.TaskSelf())
			for j := range n {
				if i == 0 {
					g.Write(page, le.AppendUint64(nil, uint64(j)))
					h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, 0) | mach.BitsComplex, Remote: to, ID: mach.MsgID(j)}
					h.Put(buf)
					d := ipc.Descriptor{Name: mach.TypeByte, Size: 8, Number: size}
					d.Put(buf[ipc.HeaderSize:])
					le.PutUint64(buf[ipc.HeaderSize+8:], uint64(page))
					if g.Msg(buf, mach.SendMsg, len(buf), 0, 0, 0, 0) != mach.MsgSuccess {
						wrong.Add(1)
					}
					continue
				}
				if g.Msg(buf, mach.RcvMsg, 0, len(buf), from, 0, 0) != mach.MsgSuccess {
					wrong.Add(1)
					continue
				}
				var word [8]byte
				at := le.Uint64(buf[ipc.HeaderSize+8:])
				if g.Read(mach.Addr(at), word[:]) != mach.KernSuccess || le.Uint64(word[:]) != uint64(j) ||
					g.Trap(-66, self, at, size) != uint64(mach.KernSuccess) {
					wrong.Add(1)
				}
			}
		})
	})
	require.Zero(t, wrong.Load(), "messages lost, or with other memory than was sent")
}

// Several senders fill the ports of a set, several receivers wait at the set:
// each message wakes one of them and comes once.
func TestSoakPortSet(t *testing.T) {
	const ports, senders, receivers = 8, 4, 4
	const idStop = mach.MsgID(1 << 30)
	k := start(t, Config{})
	server := newTask(t, k)
	set, kr := server.space.Allocate(mach.RightPortSet)
	require.Equal(t, mach.KernSuccess, kr)
	tasks := make([]*Task, 0, senders+receivers)
	for range senders {
		tasks = append(tasks, newTask(t, k))
	}
	var to [senders][ports]mach.Name
	for p := range ports {
		name, kr := server.space.Allocate(mach.RightReceive)
		require.Equal(t, mach.KernSuccess, kr)
		require.Equal(t, mach.KernSuccess, server.space.MoveMember(name, set))
		for s := range senders {
			n, err := server.Share(name, tasks[s])
			require.NoError(t, err)
			to[s][p] = n
		}
	}
	for range receivers {
		tasks = append(tasks, server)
	}
	var failed atomic.Int64
	soak(t, k, func(n int) {
		n /= senders
		came := make([]atomic.Int32, n*senders)
		var sending atomic.Int32
		sending.Store(senders)
		together(t, tasks, func(g *GoThread, i int) {
			buf := make([]byte, ipc.HeaderSize)
			send := func(port int, id mach.MsgID) {
				h := ipc.Header{Bits: mach.Bits(mach.TypeCopySend, 0), Remote: to[i][port], ID: id}
				h.Put(buf)
				if g.Msg(buf, mach.SendMsg, len(buf), 0, 0, 0, 0) != mach.MsgSuccess {
					failed.Add(1)
				}
			}
			if i < senders {
				for j := range n {
					send((i+j*j)%ports, mach.MsgID(i*n+j))
				}
				if sending.Add(-1) == 0 { // the last sends the receivers home
					for range receivers {
						send(0, idStop)
					}
				}
				return
			}
			for {
				mr := g.Msg(buf, mach.RcvMsg, 0, len(buf), set, 0, 0)
				h, _ := ipc.ParseHeader(buf)
				switch {
				case mr != mach.MsgSuccess:
					failed.Add(1)
					return
				case h.ID == idStop:
					return
				}
				came[h.ID].Add(1)
			}
		})
		for id := range came {
			if came[id].Load() != 1 {
				failed.Add(1)
			}
		}
	})
	require.Zero(t, failed.Load(), "messages lost, or received twice, or refused")
}
