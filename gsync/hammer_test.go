package gsync

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// Two threads in two tasks hand a word to and fro. One wake-up lost, and they
// wait for ever.
func TestNoWakeUpIsLost(t *testing.T) {
	for _, how := range []Flags{0, Mutate} {
		w := newWorld(t)
		maps := [2]*vm.Map{w.m, w.child()}
		const turns = 5000
		var g sync.WaitGroup
		for me, m := range maps {
			wt := w.waiter()
			g.Go(func() {
				for turn := uint32(me); turn < turns; turn += 2 {
					for now := w.get(m, base); now != turn; now = w.get(m, base) {
						kr := w.Wait(wt, m, base, now, 0, 0, Shared)
						require.Contains(t, []mach.KernReturn{ok, mach.KernInvalidArgument}, kr)
					}
					if how == 0 {
						w.set(m, base, turn+1)
					}
					w.Wake(m, base, turn+1, Shared|how)
				}
			})
		}
		g.Wait()
		require.EqualValues(t, turns, w.get(w.m, base))
	}
}

// Each wake-up that was a success ends one wait as a success, whatever else
// ends waits and moves them meanwhile.
func TestWakeUpsAreConserved(t *testing.T) {
	w := newWorld(t)
	maps := [2]*vm.Map{w.m, w.child()}
	const waits, words = 500, 3
	var slept, woke, asleep atomic.Int64
	var sleepers, wakers sync.WaitGroup
	var all []*ports.Waiter
	for i := range 8 {
		wt := w.waiter()
		all = append(all, wt)
		asleep.Add(1)
		sleepers.Go(func() {
			defer asleep.Add(-1)
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range waits {
				switch w.Wait(wt, maps[i%2], base+4*mach.Addr(r.IntN(words)), 0, 0, uint32(r.IntN(2)), Shared|Timed) {
				case ok:
					slept.Add(1)
				case mach.KernTimedOut, mach.KernInterrupted:
				default:
					t.Error("no other code can be")
				}
			}
		})
	}
	for i := range 3 {
		wakers.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(i)))
			for asleep.Load() > 0 {
				a, b := base+4*mach.Addr(r.IntN(words)), base+4*mach.Addr(r.IntN(words))
				switch r.IntN(8) {
				case 0:
					all[r.IntN(len(all))].Abort()
				case 1, 2:
					w.Requeue(maps[i%2], a, b, false, Shared|Broadcast)
				case 3:
					if w.Requeue(maps[i%2], a, b, true, Shared) == ok {
						woke.Add(1)
					}
				default:
					if w.Wake(maps[i%2], a, 0, Shared) == ok {
						woke.Add(1)
					}
				}
			}
		})
	}
	sleepers.Wait()
	wakers.Wait()
	require.Equal(t, woke.Load(), slept.Load())
	require.NotZero(t, woke.Load())
}
