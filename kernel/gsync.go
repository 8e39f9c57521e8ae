package kernel

import (
	"machkernel/gsync"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/vm"
)

// The codes of the three are the gsync room's, after the task's own.

// gsyncMap is the memory of the task a call names.
//
//	KERN_INVALID_TASK     the port is no task's
//	KERN_INVALID_ADDRESS  the task is dying, and has no memory any more
func gsyncMap(t *Task) (*vm.Map, mach.KernReturn) {
	if t == nil {
		return nil, mach.KernInvalidTask
	}
	m := t.VMMap()
	if m == nil {
		return nil, mach.KernInvalidAddress
	}
	return m, mach.KernSuccess
}

// GsyncWait is gsync_wait (4204): the calling thread waits, whichever task it
// names. The codes are gsyncMap's and gsync.Table.Wait's.
func (gnumachService) GsyncWait(c *mig.Call, t *Task, addr mach.Addr, lo, hi, msec uint32, flags int32) mach.KernReturn {
	m, kr := gsyncMap(t)
	if kr != mach.KernSuccess {
		return kr
	}
	th := caller(c)
	return th.k.gsync.Wait(th.waiter, m, addr, lo, hi, msec, gsync.Flags(flags))
}

// GsyncWake is gsync_wake (4205). The codes are gsyncMap's and
// gsync.Table.Wake's.
func (gnumachService) GsyncWake(_ *mig.Call, t *Task, addr mach.Addr, val uint32, flags int32) mach.KernReturn {
	m, kr := gsyncMap(t)
	if kr != mach.KernSuccess {
		return kr
	}
	return t.k.gsync.Wake(m, addr, val, gsync.Flags(flags))
}

// GsyncRequeue is gsync_requeue (4206). The codes are gsyncMap's and
// gsync.Table.Requeue's.
func (gnumachService) GsyncRequeue(_ *mig.Call, t *Task, src, dst mach.Addr, wakeOne bool, flags int32) mach.KernReturn {
	m, kr := gsyncMap(t)
	if kr != mach.KernSuccess {
		return kr
	}
	return t.k.gsync.Requeue(m, src, dst, wakeOne, gsync.Flags(flags))
}
