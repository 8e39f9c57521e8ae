package kernel

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// taskRecord is what a task's threads did, for task_info.
type taskRecord struct {
	created  time.Duration // on the kernel's clock; immutable
	user     atomic.Int64  // time in the code of threads that have ended, ns
	system   atomic.Int64  // of the kernel for them, ns
	sent     atomic.Uint64 // messages queued
	received atomic.Uint64 // messages taken from a queue
}

// countMessages notes what a mach_msg did. What the kernel serves in the
// sender's thread is on no queue, and neither is its reply.
func (t *Task) countMessages(option mach.MsgOption, mr mach.MsgReturn, served bool) {
	if served {
		return
	}
	sent := mr == mach.MsgSuccess || mr == mach.SendWillNotify || mr.Base() >= mach.RcvInProgress
	if option&mach.SendMsg != 0 && sent {
		t.record.sent.Add(1)
	}
	if base := mr.Base(); option&mach.RcvMsg != 0 && (base == mach.MsgSuccess || base == mach.RcvBodyError) {
		t.record.received.Add(1)
	}
}

// sinceBoot is the time of day at an uptime; it moves when the clock is set
// (C: read_time_stamp).
func (c *clock) sinceBoot(up time.Duration) timeValue {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.zero.add(up)
}

func (v timeValue) coarse() mach.TimeValue {
	return mach.TimeValue{Seconds: v.sec, Microseconds: int32(v.nsec / int64(time.Microsecond))}
}

func (v timeValue) fine() mach.TimeValue64 {
	return mach.TimeValue64{Seconds: v.sec, Nanoseconds: v.nsec}
}

// infoWords are the first n 32-bit words of an information structure, v being a
// pointer to it. What a client wants beyond is not there.
func infoWords(v any, n uint32) []uint32 {
	b := make([]byte, binary.Size(v))
	mig.PutStruct(b, 0, v)
	return mig.Elements[uint32](b, 0, min(n, uint32(len(b)/4)))
}

// TaskThreads is task_threads (2011): the threads in the order in which they
// were made.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated
func (machService) TaskThreads(_ *mig.Call, t *Task) ([]ports.Right, mach.KernReturn) {
	if t == nil {
		return nil, mach.KernInvalidArgument
	}
	if t.VMMap() == nil {
		return nil, mach.KernFailure
	}
	return living(t.threadList(), convertThreadToPort), mach.KernSuccess
}

// How many words of an information structure a client must want: those before
// the 64-bit times, which were added later.
const (
	taskBasicLeast   = 18
	taskTimesLeast   = 8
	threadBasicLeast = 20
	threadSchedLeast = 7
)

// TaskInfo is task_info (2012).
//
//	KERN_INVALID_ARGUMENT  the port is no task's; no such flavor; too few words
//	                       wanted
func (machService) TaskInfo(_ *mig.Call, t *Task, flavor int32, n uint32) ([]uint32, mach.KernReturn) {
	switch {
	case t == nil:
	case flavor == mach.TaskBasicInfoFlavor && n >= taskBasicLeast:
		return t.basicInfo(n), mach.KernSuccess
	case flavor == mach.TaskEventsInfoFlavor && n >= mach.TaskEventsInfoCount:
		return t.eventsInfo(n), mach.KernSuccess
	case flavor == mach.TaskThreadTimesInfoFlavor && n >= taskTimesLeast:
		return t.timesInfo(n), mach.KernSuccess
	}
	return nil, mach.KernInvalidArgument
}

// basicInfo is the flavor TASK_BASIC_INFO. Its times are those of threads that
// have ended. Who does not want all of it gets no 64-bit times, as on the real
// kernel. Resident is what has page frames, whether or not the task has touched
// it since.
func (t *Task) basicInfo(n uint32) []uint32 {
	var info mach.TaskBasicInfo
	info.SuspendCount = int32(t.suspends())
	t.mu.Lock()
	info.BasePriority = t.priority
	t.mu.Unlock()
	info.VirtualSize, info.ResidentSize = t.vmap.Sizes()
	user := timeValue{}.add(time.Duration(t.record.user.Load()))
	system := timeValue{}.add(time.Duration(t.record.system.Load()))
	created := t.k.clock.sinceBoot(t.record.created)
	info.UserTime, info.SystemTime, info.CreationTime = user.coarse(), system.coarse(), created.coarse()
	if n >= mach.TaskBasicInfoCount {
		info.UserTime64, info.SystemTime64, info.CreationTime64 = user.fine(), system.fine(), created.fine()
	}
	return infoWords(&info, n)
}

// eventsInfo is the flavor TASK_EVENTS_INFO: the faults of the task's machine
// code, and its messages. There is no pager to reactivate or page in.
func (t *Task) eventsInfo(n uint32) []uint32 {
	faults := t.vmap.Events()
	return infoWords(&mach.TaskEventsInfo{
		Faults:           faults.Faults.Load(),
		ZeroFills:        faults.ZeroFills.Load(),
		CowFaults:        faults.CowFaults.Load(),
		MessagesSent:     t.record.sent.Load(),
		MessagesReceived: t.record.received.Load(),
	}, n)
}

// timesInfo is the flavor TASK_THREAD_TIMES_INFO: the times of the threads that
// are there.
func (t *Task) timesInfo(n uint32) []uint32 {
	var user, system timeValue
	for _, th := range t.threadList() {
		u, s := th.runTimes()
		user, system = user.add(u), system.add(s)
	}
	info := mach.TaskThreadTimesInfo{UserTime: user.coarse(), SystemTime: system.coarse()}
	if n >= mach.TaskThreadTimesInfoCount {
		info.UserTime64, info.SystemTime64 = user.fine(), system.fine()
	}
	return infoWords(&info, n)
}

// ThreadInfo is thread_info (2019).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's; no such flavor; too few
//	                       words wanted
func (machService) ThreadInfo(_ *mig.Call, th *Thread, flavor int32, n uint32) ([]uint32, mach.KernReturn) {
	switch {
	case th == nil:
	case flavor == mach.ThreadBasicInfoFlavor && n >= threadBasicLeast:
		return th.basicInfo(n), mach.KernSuccess
	case flavor == mach.ThreadSchedInfoFlavor && n >= threadSchedLeast:
		return th.schedInfo(), mach.KernSuccess
	}
	return nil, mach.KernInvalidArgument
}

// basicInfo is the flavor THREAD_BASIC_INFO. The 64-bit system time is the user
// time, as on the real kernel. Nothing decays here: cpu_usage and sleep_time
// are 0.
func (th *Thread) basicInfo(n uint32) []uint32 {
	s := th.scheduling()
	info := mach.ThreadBasicInfo{
		BasePriority: s.BasePriority, CurPriority: s.CurPriority,
		SuspendCount: int32(th.suspends()),
	}
	info.RunState, info.Flags = th.runState()
	inCode, inKernel := th.runTimes()
	user, system := timeValue{}.add(inCode), timeValue{}.add(inKernel)
	created := th.k.clock.sinceBoot(th.created)
	info.UserTime, info.SystemTime, info.CreationTime = user.coarse(), system.coarse(), created.coarse()
	if n >= mach.ThreadBasicInfoCount {
		info.UserTime64, info.SystemTime64, info.CreationTime64 = user.fine(), user.fine(), created.fine()
	}
	return infoWords(&info, n)
}

// schedInfo is the flavor THREAD_SCHED_INFO: all of it, also for who wants a
// word less.
func (th *Thread) schedInfo() []uint32 {
	s := th.scheduling()
	return infoWords(&s, mach.ThreadSchedInfoCount)
}

// scheduling is how the thread is scheduled. Usage does not change a priority
// here, so that of now is the base.
func (th *Thread) scheduling() (info mach.ThreadSchedInfo) {
	th.schedule(func(s *sched) {
		info = mach.ThreadSchedInfo{
			Policy: s.policy, BasePriority: s.priority, MaxPriority: s.max,
			CurPriority: s.priority, DepressPriority: s.depressed,
		}
		if s.policy == policyFixed {
			info.Data = s.quantum * tickMicros / 1000
		}
		if s.depressed != notDepressed {
			info.Depressed = 1
		}
	})
	return info
}
