package kernel

import (
	"sync/atomic"

	"machkernel/mach"
	"machkernel/mig"
)

// mach4Service serves subsystem mach4. Sampling is switched on and off as on
// the real kernel; but no clock interrupts the threads of a stub process, so no
// sample is ever taken, and the sequence number stays 0.
type mach4Service struct{}

// sampling says whether a task or a thread is sampled.
type sampling struct{ on atomic.Bool }

func (s *sampling) enable() (tick int32, kr mach.KernReturn) {
	s.on.Store(true)
	return tickMicros, mach.KernSuccess
}

// disable answers the number of samples, which the real kernel forgets to set.
func (s *sampling) disable() (count int32, kr mach.KernReturn) {
	s.on.Store(false)
	return 0, mach.KernSuccess
}

// get answers the samples since a sequence number.
func (s *sampling) get() (seqno uint32, samples []uint64, kr mach.KernReturn) {
	if !s.on.Load() {
		return 0, nil, mach.KernFailure
	}
	return 0, nil, mach.KernSuccess
}

// TaskEnablePCSampling is task_enable_pc_sampling (4000). tick is in
// microseconds.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
func (mach4Service) TaskEnablePCSampling(_ *mig.Call, t *Task, _ uint32) (tick int32, kr mach.KernReturn) {
	if t == nil {
		return 0, mach.KernInvalidArgument
	}
	return t.sampling.enable()
}

// TaskDisablePCSampling is task_disable_pc_sampling (4001).
//
//	KERN_INVALID_ARGUMENT  the port is no task's
func (mach4Service) TaskDisablePCSampling(_ *mig.Call, t *Task) (count int32, kr mach.KernReturn) {
	if t == nil {
		return 0, mach.KernInvalidArgument
	}
	return t.sampling.disable()
}

// TaskGetSampledPcs is task_get_sampled_pcs (4002).
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           sampling is not enabled
func (mach4Service) TaskGetSampledPcs(_ *mig.Call, t *Task, _ uint32) (seqno uint32, samples []uint64, kr mach.KernReturn) {
	if t == nil {
		return 0, nil, mach.KernInvalidArgument
	}
	return t.sampling.get()
}

// ThreadEnablePCSampling is thread_enable_pc_sampling (4003). tick is in
// microseconds.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (mach4Service) ThreadEnablePCSampling(_ *mig.Call, th *Thread, _ uint32) (tick int32, kr mach.KernReturn) {
	if th == nil {
		return 0, mach.KernInvalidArgument
	}
	return th.sampling.enable()
}

// ThreadDisablePCSampling is thread_disable_pc_sampling (4004).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (mach4Service) ThreadDisablePCSampling(_ *mig.Call, th *Thread) (count int32, kr mach.KernReturn) {
	if th == nil {
		return 0, mach.KernInvalidArgument
	}
	return th.sampling.disable()
}

// ThreadGetSampledPcs is thread_get_sampled_pcs (4005).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
//	KERN_FAILURE           sampling is not enabled
func (mach4Service) ThreadGetSampledPcs(_ *mig.Call, th *Thread, _ uint32) (seqno uint32, samples []uint64, kr mach.KernReturn) {
	if th == nil {
		return 0, nil, mach.KernInvalidArgument
	}
	return th.sampling.get()
}
