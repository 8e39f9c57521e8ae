package kernel

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// A thread that gives way comes back when its time is over, when it is let go, or
// when nobody else can run; then it has its priority again.
func TestGivingWayEnds(t *testing.T) {
	const depressAbort, threadSwitch, swtchPri = -76, -61, -59
	for what, c := range map[string]struct {
		millis uint64
		end    func(g *GoThread, giver mach.Name)
		after  time.Duration
	}{
		"by its time":      {95, nil, 100 * time.Millisecond},
		"by depress_abort": {0, func(g *GoThread, giver mach.Name) { g.Trap(depressAbort, uint64(giver)) }, time.Second},
		"by a hint":        {0, func(g *GoThread, giver mach.Name) { g.Trap(threadSwitch, uint64(giver), switchNone, 0) }, time.Second},
		"by swtch_pri":     {0, func(g *GoThread, _ mach.Name) { g.Trap(swtchPri, 0) }, time.Second},
		"by another":       {0, func(g *GoThread, _ mach.Name) { g.Trap(threadSwitch, 0, switchDepress, 10) }, time.Second},
		"by others' sleep": {0, func(g *GoThread, _ mach.Name) { g.Trap(threadSwitch, 0, switchWait, 100) }, time.Second + tick},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := start(t, Config{})
			task := newTask(t, k)
			name, came := make(chan mach.Name, 1), make(chan time.Duration, 1)
			require.NoError(t, task.Run(func(g *GoThread) {
				_, err := task.Go(func(g *GoThread) {
					name <- mach.Name(g.Trap(-27))
					began := time.Now()
					if g.Trap(threadSwitch, 0, switchDepress, c.millis) != uint64(mach.KernSuccess) {
						t.Error(what)
					}
					came <- time.Since(began)
				})
				require.NoError(t, err)
				giver := <-name
				synctest.Wait()
				th := g.th.threadNamed(giver)
				s := th.scheduling()
				require.Equal(t, []int32{priorityLeast, priorityUser, 1}, []int32{s.BasePriority, s.DepressPriority, s.Depressed})
				state, _ := th.runState()
				require.EqualValues(t, runStateRunning, state)
				if c.end != nil {
					time.Sleep(time.Second)
					c.end(g, giver)
				}
				require.LessOrEqual(t, <-came, c.after, what)
				require.Equal(t, fresh, th.scheduling())
			}))
		})
	}
}
