package kernel

import (
	"time"

	"machkernel/mach"
	"machkernel/mig"
)

// The kernel objects behind the host's ports. They are different objects, so
// that the unprivileged port does not open what needs the privileged one.
type (
	host         struct{ k *Kernel }
	hostPriv     struct{ *host }
	deviceMaster struct{}
)

// hostService serves subsystem mach_host: the host and its time here,
// processors and sets of them in processor.go, priorities in sched.go.
type hostService struct{}

// Flavors of host_info.
const (
	flavorHostBasic = 1 // C: HOST_BASIC_INFO
	flavorHostSlots = 2 // C: HOST_PROCESSOR_SLOTS
	flavorHostSched = 3 // C: HOST_SCHED_INFO
	flavorHostLoad  = 4 // C: HOST_LOAD_INFO
)

// HostInfo is host_info (2638). BASIC: processors at most and there, memory in
// two words, type, subtype; SLOTS: the processors' numbers; SCHED: the shortest
// time-out and quantum, in milliseconds; LOAD: load averages and Mach factors.
//
//	KERN_INVALID_ARGUMENT  the port is no host's; an unknown flavor; SLOTS with
//	                       too few words
//	KERN_FAILURE           too few words for another flavor
func (hostService) HostInfo(c *mig.Call, h *host, flavor int32, count uint32) ([]uint32, mach.KernReturn) {
	if h == nil {
		return nil, mach.KernInvalidArgument
	}
	var words []uint32
	short := mach.KernFailure
	switch flavor {
	case flavorHostBasic:
		memory := uint64(h.k.frames.Stats().Total) * mach.PageSize
		words = []uint32{1, 1, uint32(memory), uint32(memory >> 32), cpuX8664, cpuAT386}
	case flavorHostSlots:
		words, short = []uint32{0}, mach.KernInvalidArgument
	case flavorHostSched:
		words = []uint32{uint32(tick / time.Millisecond), uint32(minQuantum / time.Millisecond)}
	case flavorHostLoad:
		// The packaged kernel lays 64-bit averages over the 32-bit ones of the
		// interface, the factors over the end of the loads. Ours are three times
		// the same: see processorSet.load.
		load, factor := h.k.pset.load(c)
		words = []uint32{load, 0, load, factor, 0, factor}
	default:
		return nil, mach.KernInvalidArgument
	}
	if int(count) < len(words) {
		return nil, short
	}
	return words, mach.KernSuccess
}

// HostGetKernelVersion is host_get_kernel_version (2646): the name of the
// kernel this one is, as that one says it ("GNU Mach 1.8+git20250702-up-amd64").
// Clients take it apart to find out what they may ask for, and that is what
// the named kernel serves.
//
//	KERN_INVALID_ARGUMENT  the port is no host's
func (hostService) HostGetKernelVersion(_ *mig.Call, h *host) (string, mach.KernReturn) {
	if h == nil {
		return "", mach.KernInvalidArgument
	}
	return "GNU Mach " + h.k.version.String() + "-up-amd64", mach.KernSuccess
}

// HostReboot is host_reboot (2635): it ends the run, whatever the options. The
// machine that was to reboot or to halt is gone; with RB_DEBUGGER the packaged
// kernel, which has no debugger, panics. The caller's thread does not come back.
//
//	KERN_INVALID_HOST  the port is not the privileged host port
func (hostService) HostReboot(c *mig.Call, h *hostPriv, _ int32) mach.KernReturn {
	if h == nil {
		return mach.KernInvalidHost
	}
	h.k.halt()
	th := caller(c)
	h.k.terminate(th.task)
	return mach.KernSuccess
}

// Times on the wire are two words: seconds, and nanoseconds (time_value64_t) or
// microseconds in 32 bits (time_value_t).

func micros(v [2]uint64) timeValue { return timeValue{int64(v[0]), int64(int32(v[1]) * 1000)} }

func nanos(v [2]uint64) timeValue { return timeValue{int64(v[0]), int64(v[1])} }

func (v timeValue) micros() [2]uint64 { return [2]uint64{uint64(v.sec), uint64(uint32(v.nsec / 1000))} }

func (v timeValue) nanos() [2]uint64 { return [2]uint64{uint64(v.sec), uint64(v.nsec)} }

// HostGetTime is host_get_time (2634).
//
//	KERN_INVALID_HOST  the port is no host's
func (s hostService) HostGetTime(_ *mig.Call, h *host) ([2]uint64, mach.KernReturn) {
	if h == nil {
		return [2]uint64{}, mach.KernInvalidHost
	}
	return h.k.clock.now().micros(), mach.KernSuccess
}

// HostGetTime64 is host_get_time64 (2643).
//
//	KERN_INVALID_HOST  the port is no host's
func (hostService) HostGetTime64(_ *mig.Call, h *host) ([2]uint64, mach.KernReturn) {
	if h == nil {
		return [2]uint64{}, mach.KernInvalidHost
	}
	return h.k.clock.now().nanos(), mach.KernSuccess
}

// HostGetUptime64 is host_get_uptime64 (2647). Setting the time leaves it alone.
//
//	KERN_INVALID_HOST  the port is no host's
func (hostService) HostGetUptime64(_ *mig.Call, h *host) ([2]uint64, mach.KernReturn) {
	if h == nil {
		return [2]uint64{}, mach.KernInvalidHost
	}
	return timeValue{}.add(h.k.clock.uptime()).nanos(), mach.KernSuccess
}

// HostSetTime is host_set_time (2632).
//
//	KERN_INVALID_HOST      the port is not the privileged host port
//	KERN_INVALID_ARGUMENT  see setTime
func (hostService) HostSetTime(_ *mig.Call, h *hostPriv, v [2]uint64) mach.KernReturn {
	if h == nil {
		return mach.KernInvalidHost
	}
	return h.setTime(micros(v))
}

// HostSetTime64 is host_set_time64 (2644). The unprivileged port will do: the
// real interface asks for no more.
//
//	KERN_INVALID_HOST      the port is no host's
//	KERN_INVALID_ARGUMENT  see setTime
func (hostService) HostSetTime64(_ *mig.Call, h *host, v [2]uint64) mach.KernReturn {
	if h == nil {
		return mach.KernInvalidHost
	}
	return h.setTime(nanos(v))
}

// setTime sets the time of day.
//
//	KERN_INVALID_ARGUMENT  a part of a second that is none: the real kernel
//	                       panics on it
func (h *host) setTime(v timeValue) mach.KernReturn {
	if v.nsec < 0 || v.nsec >= int64(time.Second) {
		return mach.KernInvalidArgument
	}
	h.k.clock.set(v)
	return mach.KernSuccess
}

// HostAdjustTime is host_adjust_time (2633); see clock.adjust. Its answer is
// what was left of the last adjustment.
//
//	KERN_INVALID_HOST  the port is not the privileged host port
func (hostService) HostAdjustTime(_ *mig.Call, h *hostPriv, v [2]uint64) ([2]uint64, mach.KernReturn) {
	if h == nil {
		return [2]uint64{}, mach.KernInvalidHost
	}
	return h.adjustTime(micros(v)).micros(), mach.KernSuccess
}

// HostAdjustTime64 is host_adjust_time64 (2645): the same, to the microsecond.
//
//	KERN_INVALID_HOST  the port is not the privileged host port
func (hostService) HostAdjustTime64(_ *mig.Call, h *hostPriv, v [2]uint64) ([2]uint64, mach.KernReturn) {
	if h == nil {
		return [2]uint64{}, mach.KernInvalidHost
	}
	return h.adjustTime(nanos(v)).nanos(), mach.KernSuccess
}

// adjustTime adjusts the clock; both numbers of an adjustment may be negative.
func (h *host) adjustTime(v timeValue) timeValue {
	old := time.Duration(h.k.clock.adjust(uint64(v.sec)*1e6+uint64(v.nsec/1000))) * time.Microsecond
	return timeValue{int64(old / time.Second), int64(old % time.Second)}
}
