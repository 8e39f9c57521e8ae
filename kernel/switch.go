package kernel

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"machkernel/mach"
	"machkernel/ports"
)

// trapSwtch is the trap swtch (-60): the thread offers its processor to others
// that are as good. The answer is TRUE if there is another thread that can run.
func trapSwtch(th *Thread, _ *[maxArgs]uint64) uint64 {
	th.outside(runtime.Gosched)
	return th.othersRun()
}

// trapSwtchPri is the trap swtch_pri (-59): the thread offers its processor to
// all others, for a moment. The answer is swtch's.
func trapSwtchPri(th *Thread, _ *[maxArgs]uint64) uint64 {
	th.depress(tick)
	th.k.givers.next().letGo()
	th.outside(runtime.Gosched)
	th.depressAbort()
	return th.othersRun()
}

// Options of thread_switch (C: SWITCH_OPTION_*).
const (
	switchNone    = 0
	switchDepress = 1
	switchWait    = 2
)

// trapThreadSwitch is the trap thread_switch (-61): the thread offers its
// processor, to a certain thread if a[0] names one (a bad name does not matter),
// gives way for a[2] milliseconds with DEPRESS, and with WAIT sleeps for so long
// or until it is aborted.
//
//	KERN_INVALID_ARGUMENT  unknown option
func trapThreadSwitch(th *Thread, a *[maxArgs]uint64) uint64 {
	option := uint32(a[1])
	if option > switchWait {
		return uint64(mach.KernInvalidArgument)
	}
	th.threadNamed(mach.Name(a[0])).letGo()
	switch option {
	case switchNone:
		th.outside(runtime.Gosched)
	case switchDepress:
		th.giveWay(time.Duration(uint32(a[2])) * time.Millisecond)
	case switchWait:
		th.k.zone.NewEvent().Wait(th.waiter, ports.Millis(true, uint32(a[2])))
	}
	return uint64(mach.KernSuccess)
}

// othersRun is what swtch answers: whether a thread other than th could use a
// processor.
func (th *Thread) othersRun() uint64 {
	if th.k.anyThread(func(other *Thread) bool { return other != th && other.canRun() }) {
		return 1
	}
	return 0
}

// anyThread reports whether f is true of a thread.
func (k *Kernel) anyThread(f func(*Thread) bool) bool {
	for _, t := range k.Tasks() {
		if slices.ContainsFunc(t.threadList(), f) {
			return true
		}
	}
	return false
}

func (th *Thread) canRun() bool {
	state, _ := th.runState()
	return state == runStateRunning
}

// givers are the threads that give way, the longest first: the lowest queue of
// the real kernel's scheduler. The lock is a leaf.
type givers struct {
	mu   sync.Mutex
	list []*Thread
}

// next takes the thread whose turn it is off the list; it is nil if there is none.
func (g *givers) next() *Thread {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.list) == 0 {
		return nil
	}
	th := g.list[0]
	g.list = g.list[1:]
	return th
}

func (g *givers) add(th *Thread) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = append(g.list, th)
}

func (g *givers) remove(th *Thread) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list = slices.DeleteFunc(g.list, func(other *Thread) bool { return other == th })
}

// giveWay depresses the thread and lets others run, as the real kernel does on
// its one processor: until no thread with a better priority can, the thread is
// let go, or its priority is back, by itself after d or by thread_depress_abort.
// A d of 0 is no limit. It comes back with its own priority.
//
// That nobody else can run any more is seen at the next tick only.
func (th *Thread) giveWay(d time.Duration) {
	if d%tick != 0 {
		d += tick - d%tick
	}
	event := th.k.zone.NewEvent()
	th.depress(d)
	th.setGiving(event)
	th.k.givers.next().letGo()
	th.k.givers.add(th)
	for th.isDepressed() && th.k.anyThread(func(other *Thread) bool { return other != th && other.goesFirst() }) {
		if event.Wait(th.waiter, ports.Limit{Timed: true, After: tick}) != ports.WaitTimedOut {
			break
		}
	}
	th.k.givers.remove(th)
	th.setGiving(nil)
	th.depressAbort()
}

// goesFirst reports whether the thread runs before one that gives way.
func (th *Thread) goesFirst() bool {
	better := false
	th.schedule(func(s *sched) { better = s.giving == nil && s.priority < priorityLeast })
	return better && th.canRun()
}

func (th *Thread) isDepressed() (is bool) {
	th.schedule(func(s *sched) { is = s.depressed != notDepressed })
	return is
}

func (th *Thread) setGiving(event *ports.Event) {
	th.schedule(func(s *sched) { s.giving = event })
}

// letGo lets a thread that gives way go on, with its own priority. On any other,
// and on nil, it does nothing.
func (th *Thread) letGo() {
	if th == nil {
		return
	}
	th.schedule(func(s *sched) {
		if s.giving != nil {
			s.undepress()
		}
	})
}
