package kernel

import (
	"sync"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/vm"
	"machkernel/vmsvc"
)

// memoryObjects are the kernel's own ports of memory objects: names, which tell
// memory from other memory, and proxies, which can be mapped. mu is taken with no
// other lock held, and none is taken under it.
type memoryObjects struct {
	mu      sync.Mutex
	names   map[*objectName]struct{}
	proxies map[*proxy]struct{}
	loose   []ports.Right // of ended proxies, to be released by
	looser  bool          // whoever set this
}

func (o *memoryObjects) addName(n *objectName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.names[n] = struct{}{}
}

func (o *memoryObjects) dropName(n *objectName) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.names, n)
}

// dropProxy reports whether the proxy was there: whoever gets true ends it.
func (o *memoryObjects) dropProxy(p *proxy) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, there := o.proxies[p]
	delete(o.proxies, p)
	return there
}

// held are the ports, and the rights behind proxies, for an audit.
func (o *memoryObjects) held() (receive []*ports.Port, rights []ports.Right) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for n := range o.names {
		receive = append(receive, n.port)
	}
	for p := range o.proxies {
		receive = append(receive, p.port)
		rights = append(rights, p.object)
	}
	return receive, rights
}

// objectName is what is behind the name port of memory (C: the memory object
// name port). It is the vm.Label of that memory.
type objectName struct {
	k    *Kernel
	port *ports.Port
}

// Dead implements vm.Label: the memory is gone, and so is its name.
func (n *objectName) Dead() {
	n.k.objects.dropName(n)
	n.k.zone.DestroyPort(n.port)
}

// vmObjectLookupName (C: vm_object_lookup_name).
func vmObjectLookupName(object any) *objectName {
	n, _ := object.(*objectName)
	return n
}

// nameOf makes a send right to the memory's name port, null for memory that
// nobody has touched. The port is made when it is first asked for.
func (k *Kernel) nameOf(o *vm.Object) ports.Right {
	if o == nil {
		return ports.Right{}
	}
	l := o.Label()
	if l == nil {
		n := &objectName{k: k}
		n.port = k.zone.NewKernelPort(n)
		k.objects.addName(n)
		if l = o.SetLabel(n); l != vm.Label(n) {
			n.Dead()
		}
	}
	n, _ := l.(*objectName)
	if n == nil { // the memory died meanwhile
		return ports.Right{}
	}
	return unlessDead(k.zone.MakeSend(n.port))
}

// VMObjectSync is vm_object_sync (4208). What was asked to be returned goes
// nowhere, for the memory has no pager; flushed, it is lost: see vm.Map.Flush.
// The real kernel waits for ever to flush a wired page; here those stay.
//
//	KERN_INVALID_ARGUMENT  the port is no memory object's name
func (gnumachService) VMObjectSync(_ *mig.Call, n *objectName, offset, size uint64, flush, _, _ bool) mach.KernReturn {
	if n == nil {
		return mach.KernInvalidArgument
	}
	if flush {
		lo, hi := mach.Addr(offset).TruncPage(), mach.Addr(offset+size).RoundPage()
		for _, t := range n.k.Tasks() {
			t.vmap.Flush(n, uint64(lo), uint64(hi))
		}
	}
	return mach.KernSuccess
}

// VMPagesPhys is vm_pages_phys (4212): where pages lie in physical memory, 0 for
// those that are nowhere. As in the real kernel the number of pages is counted
// in 32 bits.
//
//	KERN_INVALID_HOST       the request port is not the privileged host port
//	KERN_INVALID_TASK       task is no task's
//	KERN_INVALID_ARGUMENT   the address or the size is not page aligned
//	KERN_RESOURCE_SHORTAGE  more pages than maxPhys
//
// The codes are found in this order.
func (gnumachService) VMPagesPhys(_ *mig.Call, h *hostPriv, m *vm.Map, addr mach.Addr, size uint64) ([]uint64, mach.KernReturn) {
	switch {
	case h == nil:
		return nil, mach.KernInvalidHost
	case m == nil:
		return nil, mach.KernInvalidTask
	case !addr.PageAligned() || size&mach.PageMask != 0:
		return nil, mach.KernInvalidArgument
	}
	n := uint32(size >> mach.PageShift)
	if n > maxPhys {
		return nil, mach.KernResourceShortage
	}
	return m.Physical(addr, int(n)), mach.KernSuccess
}

// maxPhys bounds an answer of vm_pages_phys to 16 MiB; the real kernel answers
// what its memory for messages holds.
const maxPhys = 2 << 20

// VMAllocateContiguous is vm_allocate_contiguous (4210): wired memory in one
// piece that ends at or below the physical address pmax. See
// vm.Map.EnterContiguous.
//
//	KERN_INVALID_HOST       the request port is not the privileged host port
//	KERN_INVALID_TASK       task is no task's
//	KERN_INVALID_ARGUMENT   pmin is not 0; palign is not 0, the page size, or a
//	                        divisor of it; the size is 0, or rounds to it
//	KERN_RESOURCE_SHORTAGE  there is no such piece (the real kernel panics where
//	                        pmax is less than what it found, or the size more
//	                        than its allocator knows)
//	KERN_NO_SPACE           no room in the task
//
// The codes are found in this order.
func (gnumachService) VMAllocateContiguous(_ *mig.Call, h *hostPriv, m *vm.Map, size, pmin, pmax, palign uint64) (mach.Addr, uint64, mach.KernReturn) {
	switch {
	case h == nil:
		return 0, 0, mach.KernInvalidHost
	case m == nil:
		return 0, 0, mach.KernInvalidTask
	case pmin != 0 || palign > mach.PageSize || palign != 0 && mach.PageSize%palign != 0:
		return 0, 0, mach.KernInvalidArgument
	}
	return m.EnterContiguous(uint64(mach.Addr(size).RoundPage()), pmax)
}

// proxy is what is behind the port of a memory object that stands for a part of
// another (C: memory_object_proxy). It is immutable.
type proxy struct {
	k          *Kernel
	port       *ports.Port
	prot       mach.Prot // what a mapping may have at most
	start, len uint64    // bytes of the object
	object     ports.Right
	memory     *vm.Object // in place of object: a task's memory; not held
}

// newProxy makes the port of a proxy, which takes over its object's right. It
// ends when nobody has a right to it any more.
func (k *Kernel) newProxy(p *proxy) ports.Right {
	p.k = k
	p.port = k.zone.NewKernelPort(p)
	k.objects.mu.Lock()
	k.objects.proxies[p] = struct{}{}
	k.objects.mu.Unlock()
	right := k.zone.MakeSend(p.port)
	k.zone.RequestNoSenders(p.port)
	return right
}

// end destroys the proxy. Ended twice it is ended once.
func (p *proxy) end() {
	if p.k.objects.dropProxy(p) {
		p.k.zone.DestroyPort(p.port)
		p.k.objects.release(p.k.zone, p.object)
	}
}

// release releases the right of a proxy that ended, which may end another, and so
// on along a chain of any length: one after the other, and not one in the other.
func (o *memoryObjects) release(z *ports.Zone, right ports.Right) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.loose = append(o.loose, right)
	if o.looser {
		return
	}
	o.looser = true
	for len(o.loose) > 0 {
		last := len(o.loose) - 1
		right, o.loose = o.loose[last], o.loose[:last]
		o.mu.Unlock()
		z.Release(right)
		o.mu.Lock()
	}
	o.loose, o.looser = nil, false
}

// ServeNotification implements ipc.NotificationServer: a proxy without senders
// ends.
func (k *Kernel) ServeNotification(m *ipc.Kmsg) {
	if p, ok := m.Dest().KObject().(*proxy); ok && m.ID == mach.NotifyNoSenders {
		p.end()
	}
	m.Destroy()
}

// memoryObject says what part of which memory a memory object stands for, and
// reports false if the port is none that can be mapped. Through a chain of
// proxies the part shrinks; the protection is the outermost's.
func (k *Kernel) memoryObject(r ports.Right) (part vmsvc.Part, ok bool) {
	k.frames.Counters().Lookups.Add(1)
	p, _ := r.Port.KObject().(*proxy)
	if p == nil {
		return part, false
	}
	k.frames.Counters().Lookups.Add(1)
	part = vmsvc.Part{Prot: p.prot, Len: ^uint64(0)}
	for p != nil {
		left := uint64(0)
		if p.len > part.Start {
			left = p.len - part.Start
		}
		part.Len = min(part.Len, left)
		part.Start += p.start
		part.Object = p.memory
		if p.object.Port == nil {
			k.frames.Counters().Hits.Add(1)
			break
		}
		p, _ = p.object.Port.KObject().(*proxy)
	}
	return part, true
}

// MemoryObjectCreateProxy is memory_object_create_proxy (4010): a memory object
// that stands for the len bytes from start on of another, with no more access
// than maxProt. The protection is not checked, nor what the port is.
//
//	KERN_INVALID_TASK       the port is no task's
//	KERN_INVALID_ARGUMENT   not one object, with one number of each; the offset
//	                        is not 0; start and length wrap
//	KERN_INVALID_NAME       the object is null or dead
//
// The codes are found in the order: task, numbers, object, offset and range.
func (s mach4Service) MemoryObjectCreateProxy(c *mig.Call, task *ports.Space, maxProt mach.Prot, object []ports.Right, offset, start, length []uint64) (ports.Right, mach.KernReturn) {
	switch {
	case task == nil:
		return ports.Right{}, mach.KernInvalidTask
	case len(object) != 1 || len(offset) != 1 || len(start) != 1 || len(length) != 1:
		return ports.Right{}, mach.KernInvalidArgument
	case !object[0].Valid():
		return ports.Right{}, mach.KernInvalidName
	case offset[0] != 0 || start[0]+length[0] < start[0]:
		return ports.Right{}, mach.KernInvalidArgument
	}
	k := caller(c).task.k
	return k.newProxy(&proxy{prot: maxProt, start: start[0], len: length[0], object: object[0]}), mach.KernSuccess
}

// VMRegionCreateProxy is vm_region_create_proxy (4011): a memory object that
// stands for the len bytes from addr on of a task's memory, with no more access
// than the entry's maximum protection and maxProt allow. The real kernel panics
// where nobody has touched the memory.
//
//	KERN_INVALID_ARGUMENT  the port is no task's; len is more than the entry's
//	                       size, wherever in it addr is; addr, from the start of
//	                       its object, and len wrap
//	KERN_NO_SPACE          nothing is allocated at or after addr
func (s mach4Service) VMRegionCreateProxy(c *mig.Call, t *Task, addr mach.Addr, maxProt mach.Prot, length uint64) (ports.Right, mach.KernReturn) {
	if t == nil {
		return ports.Right{}, mach.KernInvalidArgument
	}
	r, kr := t.vmap.Offer(addr, length)
	switch {
	case kr != mach.KernSuccess:
		return ports.Right{}, kr
	case r.Offset+length < r.Offset:
		return ports.Right{}, mach.KernInvalidArgument
	}
	return t.k.newProxy(&proxy{
		prot: maxProt & r.MaxProt, start: r.Offset, len: length, memory: r.Object,
	}), mach.KernSuccess
}
