package kernel

import (
	"cmp"
	"slices"
	"sync/atomic"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
)

// processor is the one processor that clients see, however many the host has:
// the real kernel is one for one processor, too. It is always on line.
type processor struct {
	k    *Kernel
	self *ports.Port // immutable, as is name
	name *ports.Port // that of processorName
}

type processorName struct{ processor *processor }

// processorSet is the one set. Its control port is the object's, its name port
// that of processorSetName.
//
// What a set allows is changed first, and then the threads that are listed are
// gone through; a thread that is made is listed first, and asks then. So none
// slips through.
type processorSet struct {
	k        *Kernel
	self     *ports.Port // immutable, as is nameSelf
	nameSelf *ports.Port

	policies    atomic.Int32 // allowed: a set of policies
	maxPriority atomic.Int32 // the best of a new thread
}

type processorSetName struct{ set *processorSet }

// makeProcessor makes the processor and its set, at the start.
func (k *Kernel) makeProcessor() {
	k.processor = &processor{k: k}
	k.processor.self = k.zone.NewKernelPort(k.processor)
	k.processor.name = k.zone.NewKernelPort(&processorName{k.processor})
	k.pset = &processorSet{k: k}
	k.pset.policies.Store(policyTimeshare)
	k.pset.maxPriority.Store(priorityUser)
	k.pset.self = k.zone.NewKernelPort(k.pset)
	k.pset.nameSelf = k.zone.NewKernelPort(&processorSetName{k.pset})
}

// convertPortToProcessor (C: convert_port_to_processor).
func convertPortToProcessor(object any) *processor {
	p, _ := object.(*processor)
	return p
}

// convertPortToProcessorName (C: convert_port_to_processor_name): of either port.
func convertPortToProcessorName(object any) *processor {
	if n, ok := object.(*processorName); ok {
		return n.processor
	}
	return convertPortToProcessor(object)
}

// convertPortToPset (C: convert_port_to_pset): of a control port.
func convertPortToPset(object any) *processorSet {
	s, _ := object.(*processorSet)
	return s
}

// convertPortToPsetName (C: convert_port_to_pset_name): of either port.
func convertPortToPsetName(object any) *processorSet {
	if n, ok := object.(*processorSetName); ok {
		return n.set
	}
	return convertPortToPset(object)
}

// convertPsetToPort (C: convert_pset_to_port) makes a send right to control s.
func convertPsetToPort(s *processorSet) ports.Right { return s.k.zone.MakeSend(s.self) }

// convertPsetNameToPort (C: convert_pset_name_to_port) makes a send right to
// ask about s.
func convertPsetNameToPort(s *processorSet) ports.Right { return s.k.zone.MakeSend(s.nameSelf) }

// threads are the set's threads in the order they were made.
func (s *processorSet) threads() []*Thread {
	var list []*Thread
	for _, t := range s.k.Tasks() {
		list = append(list, t.threadList()...)
	}
	slices.SortFunc(list, func(a, b *Thread) int { return cmp.Compare(a.id, b.id) })
	return list
}

// load is the number of threads that could run now, without the caller, in
// thousandths (C: load_average), and how much of a processor a thread more would
// get, in thousandths (C: mach_factor). The formulas are the real kernel's; it
// gives averages over the last seconds, this is the moment.
func (s *processorSet) load(c *mig.Call) (load, factor uint32) {
	const scale = 1000 // C: LOAD_SCALE
	var n uint32
	for _, th := range s.threads() {
		if th != caller(c) && th.runnable() {
			n++
		}
	}
	if n > 1 {
		return n * scale, scale / (n + 1)
	}
	return n * scale, (1 - n) * scale
}

// runnable reports whether the thread has something to do: it is started, and
// waits for no message.
func (th *Thread) runnable() bool {
	th.mu.Lock()
	ready := th.started && !th.dead
	th.mu.Unlock()
	waiting, _ := th.waiter.Waiting()
	return ready && !waiting
}

// HostProcessors is host_processors (2600): the control port of each.
//
//	KERN_INVALID_ARGUMENT  the port is not the privileged host port
func (hostService) HostProcessors(_ *mig.Call, h *hostPriv) ([]ports.Right, mach.KernReturn) {
	if h == nil {
		return nil, mach.KernInvalidArgument
	}
	return []ports.Right{h.k.zone.MakeSend(h.k.processor.self)}, mach.KernSuccess
}

// ProcessorSetProcessors is processor_set_processors (2648): the name port of
// each processor of the set. It follows the sources only; see Since.
//
//	KERN_INVALID_ARGUMENT  the port is no processor set's
func (hostService) ProcessorSetProcessors(_ *mig.Call, s *processorSet) ([]ports.Right, mach.KernReturn) {
	if s == nil {
		return nil, mach.KernInvalidArgument
	}
	return []ports.Right{s.k.zone.MakeSend(s.k.processor.name)}, mach.KernSuccess
}

// ProcessorStart is processor_start (2603).
//
//	KERN_INVALID_ARGUMENT  the port is no processor's
//	KERN_FAILURE           it cannot be started
func (hostService) ProcessorStart(_ *mig.Call, p *processor) mach.KernReturn { return p.command() }

// ProcessorExit is processor_exit (2604).
//
//	KERN_INVALID_ARGUMENT  the port is no processor's
//	KERN_FAILURE           the only processor stays
func (hostService) ProcessorExit(_ *mig.Call, p *processor) mach.KernReturn { return p.command() }

// ProcessorControl is processor_control (2641).
//
//	KERN_INVALID_ARGUMENT  the port is no processor's
//	KERN_FAILURE           a processor of this kind takes no commands
func (hostService) ProcessorControl(_ *mig.Call, p *processor, _ []uint32) mach.KernReturn {
	return p.command()
}

// command is what the only processor answers to whoever wants it to do
// something else than it does.
func (p *processor) command() mach.KernReturn {
	if p == nil {
		return mach.KernInvalidArgument
	}
	return mach.KernFailure
}

// Flavors of processor_info and processor_set_info, and what the processor is.
const (
	flavorProcessorBasic = 1  // C: PROCESSOR_BASIC_INFO
	flavorSetBasic       = 1  // C: PROCESSOR_SET_BASIC_INFO
	flavorSetSched       = 2  // C: PROCESSOR_SET_SCHED_INFO
	cpuX8664             = 21 // C: CPU_TYPE_X86_64
	cpuAT386             = 1  // C: CPU_SUBTYPE_AT386
)

// ProcessorInfo is processor_info (2639): type, subtype, running, slot, is
// master; and the unprivileged host port.
//
//	KERN_INVALID_ARGUMENT  the port is no processor's
//	KERN_FAILURE           an unknown flavor, or too few words
func (hostService) ProcessorInfo(_ *mig.Call, p *processor, flavor int32, count uint32) (*host, []uint32, mach.KernReturn) {
	if p == nil {
		return nil, nil, mach.KernInvalidArgument
	}
	words := []uint32{cpuX8664, cpuAT386, 1, 0, 1}
	if flavor != flavorProcessorBasic || int(count) < len(words) {
		return nil, nil, mach.KernFailure
	}
	return &host{p.k}, words, mach.KernSuccess
}

// ProcessorSetInfo is processor_set_info (2640). BASIC: processors, tasks,
// threads, load average, Mach factor; SCHED: policies, best priority.
//
//	KERN_INVALID_ARGUMENT  the port is no processor set's; an unknown flavor
//	KERN_FAILURE           too few words
func (hostService) ProcessorSetInfo(c *mig.Call, s *processorSet, flavor int32, count uint32) (*host, []uint32, mach.KernReturn) {
	if s == nil {
		return nil, nil, mach.KernInvalidArgument
	}
	var words []uint32
	switch flavor {
	case flavorSetBasic:
		load, factor := s.load(c)
		words = []uint32{1, uint32(len(s.k.Tasks())), uint32(len(s.threads())), load, factor}
	case flavorSetSched:
		words = []uint32{uint32(s.policies.Load()), uint32(s.maxPriority.Load())}
	default:
		return nil, nil, mach.KernInvalidArgument
	}
	if int(count) < len(words) {
		return nil, nil, mach.KernFailure
	}
	return &host{s.k}, words, mach.KernSuccess
}

// ProcessorSetDefault is processor_set_default (2606): the name port.
//
//	KERN_INVALID_ARGUMENT  the port is no host's
func (hostService) ProcessorSetDefault(_ *mig.Call, h *host) (*processorSet, mach.KernReturn) {
	if h == nil {
		return nil, mach.KernInvalidArgument
	}
	return h.k.pset, mach.KernSuccess
}

// HostProcessorSets is host_processor_sets (2629): the name port of each.
//
//	KERN_INVALID_ARGUMENT  the port is no host's
func (hostService) HostProcessorSets(_ *mig.Call, h *host) ([]ports.Right, mach.KernReturn) {
	if h == nil {
		return nil, mach.KernInvalidArgument
	}
	return []ports.Right{convertPsetNameToPort(h.k.pset)}, mach.KernSuccess
}

// HostProcessorSetPriv is host_processor_set_priv (2630): who has the
// privileged host port gets from a set's name to its control port.
//
//	KERN_INVALID_ARGUMENT  the port is not the privileged host port; name is no
//	                       processor set's
func (hostService) HostProcessorSetPriv(_ *mig.Call, h *hostPriv, name *processorSet) (*processorSet, mach.KernReturn) {
	if h == nil || name == nil {
		return nil, mach.KernInvalidArgument
	}
	return name, mach.KernSuccess
}

// A kernel for one processor has one set, which is never made or destroyed and
// out of which nothing is assigned. The packaged kernel answers KERN_FAILURE to
// these without looking at what it is given.

// ProcessorSetCreate is processor_set_create (2608): KERN_FAILURE.
func (hostService) ProcessorSetCreate(*mig.Call, *host) (set, name *processorSet, kr mach.KernReturn) {
	return nil, nil, mach.KernFailure
}

// ProcessorSetDestroy is processor_set_destroy (2609): KERN_FAILURE.
func (hostService) ProcessorSetDestroy(*mig.Call, *processorSet) mach.KernReturn {
	return mach.KernFailure
}

// ProcessorAssign is processor_assign (2611): KERN_FAILURE.
func (hostService) ProcessorAssign(*mig.Call, *processor, *processorSet, bool) mach.KernReturn {
	return mach.KernFailure
}

// ThreadAssign is thread_assign (2613): KERN_FAILURE.
func (hostService) ThreadAssign(*mig.Call, *Thread, *processorSet) mach.KernReturn {
	return mach.KernFailure
}

// ThreadAssignDefault is thread_assign_default (2614): KERN_FAILURE.
func (hostService) ThreadAssignDefault(*mig.Call, *Thread) mach.KernReturn { return mach.KernFailure }

// TaskAssign is task_assign (2616): KERN_FAILURE.
func (hostService) TaskAssign(*mig.Call, *Task, *processorSet, bool) mach.KernReturn {
	return mach.KernFailure
}

// TaskAssignDefault is task_assign_default (2617): KERN_FAILURE.
func (hostService) TaskAssignDefault(*mig.Call, *Task, bool) mach.KernReturn {
	return mach.KernFailure
}

// Which set something is in; the answer is the name port.

// ProcessorGetAssignment is processor_get_assignment (2612).
//
//	KERN_INVALID_ARGUMENT  the port is no processor's
func (hostService) ProcessorGetAssignment(_ *mig.Call, p *processor) (*processorSet, mach.KernReturn) {
	if p == nil {
		return nil, mach.KernInvalidArgument
	}
	return p.k.pset, mach.KernSuccess
}

// ThreadGetAssignment is thread_get_assignment (2615).
//
//	KERN_INVALID_ARGUMENT  the port is no thread's
func (hostService) ThreadGetAssignment(_ *mig.Call, th *Thread) (*processorSet, mach.KernReturn) {
	if th == nil {
		return nil, mach.KernInvalidArgument
	}
	return th.k.pset, mach.KernSuccess
}

// TaskGetAssignment is task_get_assignment (2618).
//
//	KERN_INVALID_ARGUMENT  the port is no task's
//	KERN_FAILURE           the task is being terminated
func (hostService) TaskGetAssignment(_ *mig.Call, t *Task) (*processorSet, mach.KernReturn) {
	switch {
	case t == nil:
		return nil, mach.KernInvalidArgument
	case t.VMMap() == nil:
		return nil, mach.KernFailure
	}
	return t.k.pset, mach.KernSuccess
}

// ProcessorSetMaxPriority is processor_set_max_priority (2623): the best that a
// new thread may have. With changeThreads it is the best for all there are.
//
//	KERN_INVALID_ARGUMENT  the port is no control port of a processor set; there
//	                       is no such priority
func (hostService) ProcessorSetMaxPriority(_ *mig.Call, s *processorSet, most int32, changeThreads bool) mach.KernReturn {
	if s == nil || invalidPriority(most) {
		return mach.KernInvalidArgument
	}
	s.maxPriority.Store(most)
	if !changeThreads {
		return mach.KernSuccess
	}
	for _, th := range s.threads() {
		th.schedule(func(s *sched) {
			if s.max < most {
				s.setMax(most)
			}
		})
	}
	return mach.KernSuccess
}

// ProcessorSetPolicyEnable is processor_set_policy_enable (2625).
//
//	KERN_INVALID_ARGUMENT  the port is no control port of a processor set; there
//	                       is no such policy
func (hostService) ProcessorSetPolicyEnable(_ *mig.Call, s *processorSet, policy int32) mach.KernReturn {
	if s == nil || invalidPolicy(policy) {
		return mach.KernInvalidArgument
	}
	s.policies.Or(policy)
	return mach.KernSuccess
}

// ProcessorSetPolicyDisable is processor_set_policy_disable (2626). With
// changeThreads the threads that have the policy share time from now on, unless
// it was disabled already.
//
//	KERN_INVALID_ARGUMENT  the port is no control port of a processor set; there
//	                       is no such policy, or it is time sharing
func (hostService) ProcessorSetPolicyDisable(_ *mig.Call, s *processorSet, policy int32, changeThreads bool) mach.KernReturn {
	if s == nil || policy == policyTimeshare || invalidPolicy(policy) {
		return mach.KernInvalidArgument
	}
	if was := s.policies.And(^policy); was&policy == 0 || !changeThreads {
		return mach.KernSuccess
	}
	for _, th := range s.threads() {
		th.schedule(func(s *sched) {
			if s.policy == policy {
				s.setPolicy(policyTimeshare, 0)
			}
		})
	}
	return mach.KernSuccess
}

// ProcessorSetTasks is processor_set_tasks (2627): the tasks in the order they
// were made. The real kernel's first is itself; this one is no task.
//
//	KERN_INVALID_ARGUMENT  the port is no control port of a processor set
func (hostService) ProcessorSetTasks(_ *mig.Call, s *processorSet) ([]ports.Right, mach.KernReturn) {
	if s == nil {
		return nil, mach.KernInvalidArgument
	}
	tasks := s.k.Tasks()
	slices.SortFunc(tasks, func(a, b *Task) int { return cmp.Compare(a.id, b.id) })
	return living(tasks, convertTaskToPort), mach.KernSuccess
}

// ProcessorSetThreads is processor_set_threads (2628): the threads of all tasks
// in the order they were made.
//
//	KERN_INVALID_ARGUMENT  the port is no control port of a processor set
func (hostService) ProcessorSetThreads(_ *mig.Call, s *processorSet) ([]ports.Right, mach.KernReturn) {
	if s == nil {
		return nil, mach.KernInvalidArgument
	}
	return living(s.threads(), convertThreadToPort), mach.KernSuccess
}

// living are rights to the ports of those whose port is not dead.
func living[T any](list []T, port func(T) ports.Right) (rs []ports.Right) {
	for _, x := range list {
		if r := port(x); r.Valid() {
			rs = append(rs, r)
		}
	}
	return rs
}
