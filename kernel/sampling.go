package kernel

import (
	"sync"
	"sync/atomic"

	"machkernel/mach"
	"machkernel/mig"
)

// What a sample can be taken for (C: SAMPLED_PC_*), one bit each.
const (
	sampledPeriodic = 0x1   // a clock interrupt
	sampledZeroFill = 0x10  // a page fault that made a zero page
	sampledCopied   = 0x80  // one that made a private copy
	sampledFault    = 0x100 // any page fault
	sampledFaults   = sampledZeroFill | sampledCopied | sampledFault
)

const (
	maxSamples  = 512 // C: MAX_PC_SAMPLES
	sampleWords = 3   // of a sampled_pc_t in a message
)

// sample is one user program counter (C: sampled_pc_t).
type sample struct {
	id   uint64 // which thread: a number that is only good to tell threads apart
	pc   uint64
	kind uint32
}

// sampling is how a task or a thread is sampled (C: struct sample_control). Its
// lock is a leaf.
type sampling struct {
	wanted atomic.Uint32 // bits of what to sample; 0 without a ring

	mu    sync.Mutex
	ring  *[maxSamples]sample // by sequence number; nil when it is not enabled
	seqno uint32              // of the last sample
}

// enable keeps the samples there are, if it is enabled already. tick is the
// clock's, in microseconds.
func (s *sampling) enable(flavors uint32) (tick int32, kr mach.KernReturn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring == nil {
		s.ring, s.seqno = new([maxSamples]sample), 0
	}
	s.wanted.Store(flavors)
	return tickMicros, mach.KernSuccess
}

// disable forgets the samples. Of their number, which the interface has it answer,
// the real kernel sets nothing, and what its callers see is left over from other
// things; here it is 0.
func (s *sampling) disable() (count int32, kr mach.KernReturn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted.Store(0)
	s.ring, s.seqno = nil, 0
	return 0, mach.KernSuccess
}

// take takes a sample if one of that kind is wanted.
func (s *sampling) take(x sample) {
	if s.wanted.Load()&x.kind == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring != nil {
		s.seqno++
		s.ring[s.seqno%maxSamples] = x
	}
}

// get answers the samples after the one with number from, the oldest first, and
// the last one's number. Who is more than the ring behind gets the last 511 and
// one that is none: the packaged kernel, which promises 512, copies one less.
func (s *sampling) get(from uint32) (seqno uint32, samples []uint64, kr mach.KernReturn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring == nil {
		return 0, nil, mach.KernFailure
	}
	count := max(int32(s.seqno-from), 0)
	late := count > maxSamples
	if late {
		count, from = maxSamples-1, s.seqno-(maxSamples-1)
	}
	samples = make([]uint64, 0, sampleWords*maxSamples)
	for i := range uint32(count) {
		x := &s.ring[(from+1+i)%maxSamples]
		samples = append(samples, x.id, x.pc, uint64(x.kind))
	}
	if late {
		samples = append(samples, make([]uint64, sampleWords)...)
	}
	return s.seqno, samples, mach.KernSuccess
}

// sampled is what samples are wanted for of the thread, by itself or its task.
func (th *Thread) sampled() uint32 {
	return th.sampling.wanted.Load() | th.task.sampling.wanted.Load()
}

// sample takes a sample of the thread's machine code, for itself and for its
// task. The thread is in the kernel.
func (th *Thread) sample(kind uint32) {
	x := sample{th.id, th.regs.RIP, kind}
	th.sampling.take(x)
	th.task.sampling.take(x)
}

// mach4Service serves subsystem mach4.
type mach4Service struct{}

// sampleByClock starts the clock for who wants samples by it.
func (k *Kernel) sampleByClock(flavors uint32) {
	if flavors&sampledPeriodic != 0 {
		k.sampler.start(k)
	}
}

// TaskEnablePCSampling is task_enable_pc_sampling (4000). tick is in
// microseconds.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
func (mach4Service) TaskEnablePCSampling(_ *mig.Call, t *Task, flavors uint32) (tick int32, kr mach.KernReturn) {
	if t == nil {
		return 0, mach.KernInvalidArgument
	}
	tick, kr = t.sampling.enable(flavors)
	t.k.sampleByClock(flavors)
	return tick, kr
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

// TaskGetSampledPcs is task_get_sampled_pcs (4002): the samples of all the
// task's threads.
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           sampling is not enabled
func (mach4Service) TaskGetSampledPcs(_ *mig.Call, t *Task, from uint32) (seqno uint32, samples []uint64, kr mach.KernReturn) {
	if t == nil {
		return 0, nil, mach.KernInvalidArgument
	}
	return t.sampling.get(from)
}

// ThreadEnablePCSampling is thread_enable_pc_sampling (4003). tick is in
// microseconds.
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (mach4Service) ThreadEnablePCSampling(_ *mig.Call, th *Thread, flavors uint32) (tick int32, kr mach.KernReturn) {
	if th == nil {
		return 0, mach.KernInvalidArgument
	}
	tick, kr = th.sampling.enable(flavors)
	th.k.sampleByClock(flavors)
	return tick, kr
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
func (mach4Service) ThreadGetSampledPcs(_ *mig.Call, th *Thread, from uint32) (seqno uint32, samples []uint64, kr mach.KernReturn) {
	if th == nil {
		return 0, nil, mach.KernInvalidArgument
	}
	return th.sampling.get(from)
}
