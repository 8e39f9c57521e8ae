package kernel

import (
	"runtime"

	"machkernel/mach"
	"machkernel/ports"
)

// trapSwtch is the traps swtch (-60) and swtch_pri (-59): the thread offers its
// processor to others. The answer is TRUE if there is another thread that can
// run.
func trapSwtch(th *Thread, _ *[maxArgs]uint64) uint64 {
	th.outside(runtime.Gosched)
	if th.k.anotherRuns(th) {
		return 1
	}
	return 0
}

// Options of thread_switch (C: SWITCH_OPTION_*).
const (
	switchNone    = 0
	switchDepress = 1
	switchWait    = 2
)

// trapThreadSwitch is the trap thread_switch (-61): the thread offers its
// processor, to a certain thread if a[0] names one (the host's scheduler knows
// better, and a bad name does not matter), and with WAIT sleeps for a[2]
// milliseconds or until it is aborted.
//
//	KERN_INVALID_ARGUMENT  unknown option
func trapThreadSwitch(th *Thread, a *[maxArgs]uint64) uint64 {
	switch uint32(a[1]) {
	case switchNone, switchDepress:
		th.outside(runtime.Gosched)
	case switchWait:
		th.k.zone.NewEvent().Wait(th.waiter, ports.Millis(true, uint32(a[2])))
	default:
		return uint64(mach.KernInvalidArgument)
	}
	return uint64(mach.KernSuccess)
}

// anotherRuns reports whether a thread other than th could use a processor.
func (k *Kernel) anotherRuns(th *Thread) bool {
	for _, t := range k.Tasks() {
		for _, other := range t.threadList() {
			if other == th {
				continue
			}
			if state, _ := other.runState(); state == runStateRunning {
				return true
			}
		}
	}
	return false
}
