//go:build linux && amd64

package platform

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"machkernel/mach"
)

// Each benchmark also measures, in the same run, the floor of everything that
// passes control to another process and back: a futex round trip, reported as
// floor-ns. What a machine charges for waking a processor is most of any
// number here.
func withFloor(b *testing.B, f func()) {
	f()
	b.StopTimer()
	b.ReportMetric(futexFloor(b), "floor-ns")
}

// futexFloor is the time of a futex round trip with another process (this
// binary again), both sides sleeping.
func futexFloor(b *testing.B) float64 {
	const rounds = 3000
	fd, words, err := newShared("test-floor", mach.PageSize)
	require.NoError(b, err)
	defer words.unmap()
	cmd, err := again(childPong)
	require.NoError(b, err)
	cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "words"))
	require.NoError(b, cmd.Start())
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	words.await(floorTurn, floorOurs)
	began := time.Now()
	for range rounds {
		words.store32(floorTurn, floorTheirs)
		words.wake(floorTurn)
		words.await(floorTurn, floorOurs)
	}
	spent := time.Since(began)
	words.store32(floorTurn, floorEnd)
	words.wake(floorTurn)
	require.NoError(b, cmd.Wait())
	return float64(spent.Nanoseconds()) / rounds
}

// The word that the two sides of futexFloor pass to each other.
const (
	floorTurn   = 0
	floorTheirs = 1
	floorOurs   = 2
	floorEnd    = 3
)

// await sleeps until the word is one of those values, and returns it.
func (m shared) await(off int, values ...uint32) uint32 {
	for {
		v := m.load32(off)
		if slices.Contains(values, v) {
			return v
		}
		m.sleep(off, v)
	}
}

// pong is the other side of futexFloor.
func pong() {
	const wordsFD = 4
	m, err := unix.Mmap(wordsFD, 0, mach.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	words := shared(m)
	for {
		words.store32(floorTurn, floorOurs)
		words.wake(floorTurn)
		if words.await(floorTurn, floorTheirs, floorEnd) == floorEnd {
			os.Exit(0)
		}
	}
}

func BenchmarkTrap(b *testing.B) {
	k := newTask(openTest(b))
	th, r := k.thread(), k.regs("trap_loop")
	k.trap(th, r, -25)
	withFloor(b, func() {
		for b.Loop() {
			if ev := th.Run(r); ev.Kind != EventTrap {
				b.Fatal(ev)
			}
		}
	})
}

func benchmarkFaults(b *testing.B, around int) {
	const pages = 512
	k := newTask(openTest(b))
	k.around = around
	k.add(dataAt, pages, mach.ProtDefault)
	th, r := k.thread(), k.regs("touch")
	r.RDI, r.RSI = uint64(dataAt), pages
	k.trap(th, r, -101)
	n := 0
	withFloor(b, func() {
		b.ResetTimer()
		for n = 0; n < b.N; {
			b.StopTimer()
			k.p.Remove(dataAt, dataAt+pages*mach.PageSize)
			before := k.faults
			b.StartTimer()
			k.next(th, r)
			n += k.faults - before
		}
	})
}

func BenchmarkPageFault1(b *testing.B)  { benchmarkFaults(b, 1) }
func BenchmarkPageFault16(b *testing.B) { benchmarkFaults(b, 16) }

func BenchmarkRemoveOfOnePage(b *testing.B) {
	k := newTask(openTest(b))
	frame := k.frames.take(1)
	withFloor(b, func() {
		for b.Loop() {
			k.enter(dataAt, frame, 1, mach.ProtDefault)
			k.p.Remove(dataAt, dataAt+mach.PageSize)
		}
	})
}
