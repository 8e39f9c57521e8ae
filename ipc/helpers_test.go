package ipc

import (
	"flag"
	"fmt"
	"sort"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"machkernel/mach"
	"machkernel/ports"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(bothWays{m}) }

// longWay turns the fast ways off in the worlds of tests.
var longWay bool

// bothWays runs all tests twice, with the fast ways and without. Fuzzing, benchmarks
// and lists are left as they are.
type bothWays struct{ m *testing.M }

func (b bothWays) Run() int {
	code := b.m.Run()
	for _, name := range []string{"test.fuzz", "test.bench", "test.list"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return code
		}
	}
	longWay = true
	return max(code, b.m.Run())
}

// fakeMemory is a task's memory made of pages in a map.
type fakeMemory struct {
	w     *world
	mu    sync.Mutex
	pages map[mach.Addr]*[mach.PageSize]byte
	next  mach.Addr
	// failures to provoke
	copyoutFails mach.KernReturn
	readOnly     bool
}

// fakeRegion is a copy on its way; the world counts those alive.
type fakeRegion struct {
	w    *world
	data []byte
	off  uint64
	gone bool
}

func (r *fakeRegion) Size() uint64 { return uint64(len(r.data)) }

func (r *fakeRegion) ReadAt(p []byte, off uint64) mach.KernReturn {
	if off > r.Size() || uint64(len(p)) > r.Size()-off {
		return mach.KernInvalidAddress
	}
	copy(p, r.data[off:])
	return mach.KernSuccess
}

func (r *fakeRegion) Discard() {
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if r.gone {
		panic("region ended twice")
	}
	r.gone = true
	r.w.regions--
}

func (w *world) newRegion(data []byte, off uint64) Region {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.regions++
	return &fakeRegion{w: w, data: append([]byte(nil), data...), off: off}
}

// access copies between p and memory; it changes nothing unless all is there.
func (m *fakeMemory) access(a mach.Addr, p []byte, write bool) mach.KernReturn {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a+mach.Addr(len(p)) < a {
		return mach.KernInvalidAddress
	}
	for at := a.TruncPage(); at < a+mach.Addr(len(p)); at += mach.PageSize {
		if m.pages[at] == nil {
			return mach.KernInvalidAddress
		}
	}
	if write && m.readOnly {
		return mach.KernProtectionFailure
	}
	for len(p) > 0 {
		page := m.pages[a.TruncPage()][a.PageOffset():]
		n := 0
		if write {
			n = copy(page, p)
		} else {
			n = copy(p, page)
		}
		p, a = p[n:], a+mach.Addr(n)
	}
	return mach.KernSuccess
}

func (m *fakeMemory) ReadBytes(a mach.Addr, p []byte) mach.KernReturn { return m.access(a, p, false) }

func (m *fakeMemory) WriteBytes(a mach.Addr, p []byte) mach.KernReturn {
	return m.access(a, p, true)
}

func (m *fakeMemory) CopyinRegion(a mach.Addr, size uint64, dealloc bool) (Region, mach.KernReturn) {
	if size > 1<<24 {
		return nil, mach.KernInvalidAddress
	}
	data := make([]byte, size)
	if kr := m.ReadBytes(a, data); kr != mach.KernSuccess {
		return nil, kr
	}
	if dealloc {
		m.Deallocate(a, size)
	}
	return m.w.newRegion(data, a.PageOffset()), mach.KernSuccess
}

func (m *fakeMemory) CopyoutRegion(r Region) (mach.Addr, mach.KernReturn) {
	if m.copyoutFails != mach.KernSuccess {
		return 0, m.copyoutFails
	}
	f := r.(*fakeRegion)
	at := m.allocate(f.off+f.Size()) + mach.Addr(f.off)
	m.access(at, f.data, true)
	r.Discard()
	return at, mach.KernSuccess
}

func (m *fakeMemory) NewRegion(data []byte) (Region, mach.KernReturn) {
	return m.w.newRegion(data, 0), mach.KernSuccess
}

func (m *fakeMemory) Deallocate(a mach.Addr, size uint64) mach.KernReturn {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := a.TruncPage(); at < (a + mach.Addr(size)).RoundPage(); at += mach.PageSize {
		delete(m.pages, at)
	}
	return mach.KernSuccess
}

func (m *fakeMemory) allocate(size uint64) mach.Addr {
	m.mu.Lock()
	defer m.mu.Unlock()
	start := m.next
	for end := start + mach.Addr(size); m.next < end; m.next += mach.PageSize {
		m.pages[m.next] = new([mach.PageSize]byte)
	}
	return start
}

// world is a message system with tasks, and the audit at its end.
type world struct {
	testing.TB
	z     *ports.Zone
	sys   *System
	tasks []*task
	held  []ports.Right
	serve func(c Caller, k *Kmsg) *Kmsg

	mu      sync.Mutex
	regions int
}

func newWorld(t testing.TB) *world {
	w := &world{TB: t, z: ports.NewZone()}
	w.sys = NewSystem(w.z, w)
	if longWay {
		w.sys.LongWay()
	}
	t.Cleanup(w.audit)
	return w
}

func (w *world) Serve(c Caller, k *Kmsg) *Kmsg { return w.serve(c, k) }

func (w *world) audit() {
	w.Helper()
	roots := ports.Roots{Held: func(yield func(ports.Right) bool) {
		for _, r := range w.held {
			yield(r)
		}
	}}
	for _, t := range w.tasks {
		roots.Spaces = append(roots.Spaces, t.space)
	}
	require.NoError(w, w.z.Audit(roots))
	for _, t := range w.tasks {
		t.space.Destroy()
	}
	for _, r := range w.held {
		w.z.DestroyPort(r.Port)
	}
	w.held = nil
	require.Zero(w, w.z.LivePorts())
	require.Zero(w, w.regions, "regions leaked")
	require.Zero(w, w.sys.MemoryInUse(), "messages are counted that are gone")
}

// kernelPort is a kernel object port, audited as held.
func (w *world) kernelPort(obj any) *ports.Port {
	p := w.z.NewKernelPort(obj)
	w.held = append(w.held, ports.Right{Port: p, Type: mach.TypePortReceive})
	return p
}

// task is a Caller: a space, memory, and one thread's waiter. Its buffer is at
// bufAddr.
type task struct {
	w      *world
	space  *ports.Space
	mem    *fakeMemory
	waiter *ports.Waiter
}

const (
	bufAddr mach.Addr = 0x10000
	bufSize           = 16 * mach.PageSize
)

func (w *world) task() *task {
	t := &task{w: w, space: w.z.NewSpace(), waiter: ports.NewWaiter(w.z, nil)}
	t.mem = &fakeMemory{w: w, pages: map[mach.Addr]*[mach.PageSize]byte{}, next: bufAddr}
	t.mem.allocate(bufSize)
	t.mem.next = 0x1000000
	w.tasks = append(w.tasks, t)
	w.Cleanup(t.waiter.Close)
	return t
}

func (t *task) Space() *ports.Space     { return t.space }
func (t *task) Memory() Memory          { return t.mem }
func (t *task) Waiter() *ports.Waiter   { return t.waiter }
func (t *task) thread() *task           { c := *t; c.waiter = ports.NewWaiter(t.w.z, nil); return &c }
func (t *task) receiveRight() mach.Name { return t.allocate(mach.RightReceive) }

func (t *task) allocate(r mach.Right) mach.Name {
	t.w.Helper()
	n, kr := t.space.Allocate(r)
	require.Equal(t.w, mach.KernSuccess, kr)
	return n
}

// give moves a right made from n into another task.
func (t *task) give(n mach.Name, disposition mach.TypeName, to *task) mach.Name {
	t.w.Helper()
	r, kr := t.space.ExtractRight(n, disposition)
	require.Equal(t.w, mach.KernSuccess, kr)
	got, kr := to.space.Copyout(r)
	require.Equal(t.w, mach.KernSuccess, kr)
	return got
}

// pattern puts size bytes somewhere in the task's memory, off into a page.
func (t *task) pattern(size int, off mach.Addr) (mach.Addr, []byte) {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + size)
	}
	a := t.mem.allocate(uint64(size)+uint64(off)) + off
	require.Equal(t.w, mach.KernSuccess, t.mem.WriteBytes(a, p))
	return a, p
}

func (t *task) bytes(a mach.Addr, n int) []byte {
	t.w.Helper()
	p := make([]byte, n)
	require.Equal(t.w, mach.KernSuccess, t.mem.ReadBytes(a, p))
	return p
}

// hdr is a message header as tests write and read it.
type hdr struct {
	bits          mach.MsgBits
	size          uint32
	remote, local mach.Name
	seqno         uint32
	id            mach.MsgID
}

// message lays out a message with items, each from one of the helpers below.
func message(h hdr, items ...[]byte) []byte {
	b := make([]byte, HeaderSize)
	le.PutUint32(b[offBits:], uint32(h.bits))
	le.PutUint32(b[offSize:], 0xdead) // the kernel goes by the size given to the call
	le.PutUint64(b[offRemote:], uint64(h.remote)|0xabcd<<32)
	le.PutUint64(b[offLocal:], uint64(h.local)|0xabcd<<32)
	le.PutUint32(b[offID:], uint32(h.id))
	for _, i := range items {
		b = append(b, i...)
	}
	return b
}

func item(d Descriptor, data []byte) []byte {
	b := make([]byte, align(DescriptorSize+len(data)))
	d.Put(b)
	copy(b[DescriptorSize:], data)
	return b
}

func words(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = le.AppendUint32(b, x)
	}
	return b
}

func longs(v ...uint64) []byte {
	var b []byte
	for _, x := range v {
		b = le.AppendUint64(b, x)
	}
	return b
}

func ints(v ...uint32) []byte {
	return item(Descriptor{Name: mach.TypeInteger32, Size: 32, Number: uint32(len(v)), Inline: true}, words(v...))
}

func rights(disposition mach.TypeName, names ...mach.Name) []byte {
	var b []byte
	for _, n := range names {
		b = le.AppendUint64(b, uint64(n)|0x77<<32)
	}
	return item(Descriptor{Name: disposition, Size: 64, Number: uint32(len(names)), Inline: true}, b)
}

func ool(a mach.Addr, size int, dealloc bool) []byte {
	return item(Descriptor{Name: mach.TypeByte, Size: 8, Number: uint32(size), Dealloc: dealloc}, longs(uint64(a)))
}

func oolRights(disposition mach.TypeName, a mach.Addr, number int, dealloc bool) []byte {
	return item(Descriptor{Name: disposition, Size: 32, Number: uint32(number), Dealloc: dealloc}, longs(uint64(a)))
}

// trap writes msg into the task's buffer and traps.
func (t *task) trap(msg []byte, option mach.MsgOption, rcvSize uint32, rcv mach.Name, timeout uint32, notify mach.Name) mach.MsgReturn {
	t.w.Helper()
	require.Equal(t.w, mach.KernSuccess, t.mem.WriteBytes(bufAddr, msg))
	return t.w.sys.MsgTrap(t, bufAddr, option, uint32(len(msg)), rcvSize, rcv, timeout, notify)
}

// send sends without waiting.
func (t *task) send(msg []byte) mach.MsgReturn {
	t.w.Helper()
	return t.trap(msg, mach.SendMsg|mach.SendTimeout, 0, 0, 0, 0)
}

// receive receives without waiting.
func (t *task) receive(n mach.Name) mach.MsgReturn {
	return t.w.sys.MsgTrap(t, bufAddr, mach.RcvMsg|mach.RcvTimeout, 0, bufSize, n, 0, 0)
}

// got is the header and body in the task's buffer.
func (t *task) got() (hdr, []byte) {
	t.w.Helper()
	b := t.bytes(bufAddr, HeaderSize)
	h := hdr{
		bits: mach.MsgBits(le.Uint32(b[offBits:])), size: le.Uint32(b[offSize:]),
		remote: mach.Name(le.Uint64(b[offRemote:])), local: mach.Name(le.Uint64(b[offLocal:])),
		seqno: le.Uint32(b[offSeqno:]), id: mach.MsgID(le.Uint32(b[offID:])),
	}
	require.Equal(t.w, uint64(h.remote), le.Uint64(b[offRemote:]), "upper half of the remote slot")
	if h.size < HeaderSize {
		return h, nil
	}
	return h, t.bytes(bufAddr, int(h.size))[HeaderSize:]
}

// ids drains a port and lists the ids received.
func (t *task) ids(n mach.Name) []mach.MsgID {
	t.w.Helper()
	var ids []mach.MsgID
	for {
		mr := t.receive(n)
		if mr == mach.RcvTimedOut {
			return ids
		}
		require.Equal(t.w, mach.MsgSuccess, mr)
		h, _ := t.got()
		ids = append(ids, h.id)
	}
}

// snapshot is all a client can ask about the spaces of the world.
func (w *world) snapshot() string {
	out := fmt.Sprintf("regions %d\n", w.regions)
	for i, t := range w.tasks {
		list, kr := t.space.Names()
		out += fmt.Sprintf("task %d %v\n", i, kr)
		for _, n := range list {
			urefs := [mach.RightNumber]uint32{}
			for r := range urefs {
				urefs[r], _ = t.space.GetRefs(n.Name, mach.Right(r))
			}
			st, _ := t.space.ReceiveStatus(n.Name)
			out += fmt.Sprintf(" %d %v %v %+v\n", n.Name, n.Type, urefs, st)
		}
		var pages []int
		for a := range t.mem.pages {
			pages = append(pages, int(a))
		}
		sort.Ints(pages)
		out += fmt.Sprintf(" pages %x\n", pages)
	}
	return out
}
