package vm

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"machkernel/mach"
)

// cell is the contents of a page in the model; sharers point to one cell.
type cell [page]byte

type modelPage struct {
	*cell
	prot, max mach.Prot
	inherit   mach.Inherit
	shared    bool // by inheritance
}

// model is a map as a naive array of pages: every copy copies all bytes.
type model struct {
	real  *Map
	pages map[uint64]*modelPage
}

type modelCopy struct {
	real *Copy
	in   uint64
	size uint64
	data []byte // whole pages
}

// world is operations on real maps and on the model, compared. rapid chooses the
// operations, and finds a short history where a long one fails.
type world struct {
	*bed
	t      *rapid.T
	tasks  []*model
	copies []*modelCopy
}

const (
	worldPages  = 40 // operations happen in these many pages from base on
	worldTasks  = 4
	worldCopies = 5
)

// A longer run: go test ./vm -run Histories -rapid.checks=1000 -rapid.steps=100
func TestHistoriesAgainstTheModel(t *testing.T) { rapid.Check(t, history) }

func FuzzHistoriesAgainstTheModel(f *testing.F) { f.Fuzz(rapid.MakeFuzz(history)) }

func history(t *rapid.T) {
	w := &world{bed: newBed(t, 8192), t: t}
	w.tasks = []*model{w.task(NewMap(w.fr, w.pmap()))}
	ops := map[string]func(*rapid.T){
		"":          func(*rapid.T) { w.bed.audit(); w.compare() },
		"fork":      func(*rapid.T) { w.fork(w.any()) },
		"terminate": func(*rapid.T) { w.terminate() },
		"discard":   func(*rapid.T) { w.discard() },
	}
	for name, op := range map[string]func(*model){
		"allocate": w.allocate, "deallocate": w.deallocate, "protect": w.protect, "inherit": w.inherit,
		"write": w.write, "write again": w.write, "copyin": w.copyin, "copyout": w.copyout,
		"overwrite": w.overwrite, "overwrite again": w.overwrite, "wire": w.wire, "offer": w.offer,
	} {
		ops[name] = func(*rapid.T) { op(w.any()) }
	}
	t.Repeat(ops)
}

// intn draws a number below n.
func (w *world) intn(n int) int { return rapid.IntRange(0, n-1).Draw(w.t, "n") }

// any draws a task.
func (w *world) any() *model { return w.tasks[w.intn(len(w.tasks))] }

func (w *world) pmap() Pmap {
	if w.intn(2) == 0 {
		return NewSoftPmap(w.fr)
	}
	return newRecorder()
}

func (w *world) task(m *Map) *model {
	return &model{real: w.adopt(m), pages: map[uint64]*modelPage{}}
}

// span picks a range; aligned now and then.
func (w *world) span() (mach.Addr, uint64) {
	addr := base + mach.Addr(w.intn(worldPages*page))
	size := uint64(w.intn(6 * page))
	if w.intn(2) == 0 {
		addr, size = addr.TruncPage(), (size+page)&^(page-1)
	}
	return addr, size
}

// each calls fn for the existing pages that [addr, addr+size) touches.
func (m *model) each(addr mach.Addr, size uint64, fn func(*modelPage)) {
	for p := pageOf(addr); p < pageOf((addr + mach.Addr(size)).RoundPage()); p++ {
		if x := m.pages[p]; x != nil {
			fn(x)
		}
	}
}

// check is what an access to all of the range answers.
func (m *model) check(addr mach.Addr, size uint64, want mach.Prot) mach.KernReturn {
	for p := pageOf(addr); p < pageOf((addr + mach.Addr(size)).RoundPage()); p++ {
		switch x := m.pages[p]; {
		case x == nil:
			return mach.KernInvalidAddress
		case !x.prot.Has(want):
			return mach.KernProtectionFailure
		}
	}
	return ok
}

func (m *model) write(addr mach.Addr, data []byte) {
	for i, c := range data {
		a := addr + mach.Addr(i)
		m.pages[pageOf(a)].cell[a.PageOffset()] = c
	}
}

func (w *world) allocate(m *model) {
	addr, size := w.span()
	size = max(size, 1)
	free := true
	lo, n := pageOf(addr), pageOf(mach.Addr(size).RoundPage())
	for p := lo; p < lo+n; p++ {
		free = free && m.pages[p] == nil
	}
	_, kr := m.real.Allocate(addr, size, false)
	if !free {
		require.Equal(w, mach.KernNoSpace, kr)
		return
	}
	require.Equal(w, ok, kr)
	for p := lo; p < lo+n; p++ {
		m.pages[p] = &modelPage{new(cell), mach.ProtDefault, mach.ProtAll, mach.InheritCopy, false}
	}
}

func (w *world) deallocate(m *model) {
	addr, size := w.span()
	require.Equal(w, ok, m.real.Deallocate(addr, size))
	if size > 0 {
		m.remove(addr, size)
	}
}

func (m *model) remove(addr mach.Addr, size uint64) {
	for p := pageOf(addr); p < pageOf((addr + mach.Addr(size)).RoundPage()); p++ {
		delete(m.pages, p)
	}
}

func (w *world) protect(m *model) {
	addr, size := w.span()
	prot := mach.Prot(w.intn(8))
	if w.intn(2) == 0 {
		prot = mach.ProtDefault
	}
	setMax := w.intn(12) == 0
	want := ok
	m.each(addr, size, func(p *modelPage) {
		if !p.max.Has(prot) {
			want = mach.KernProtectionFailure
		}
	})
	require.Equal(w, want, m.real.Protect(addr, size, setMax, prot))
	if want != ok {
		return
	}
	m.each(addr, size, func(p *modelPage) {
		if setMax {
			p.max, p.prot = prot, p.prot&prot
		} else {
			p.prot = prot
		}
	})
}

// write writes as the task (which may stop halfway) or as the kernel.
func (w *world) write(m *model) {
	addr, size := w.span()
	data, seed := make([]byte, size), w.intn(256)
	for i := range data {
		data[i] = byte(i*7 + i/page*13 + seed)
	}
	want := m.check(addr, size, mach.ProtDefault)
	if size == 0 {
		want = ok
	}
	if w.intn(2) == 0 {
		require.Equal(w, want, m.real.WriteBytes(addr, data))
		if want == ok {
			m.write(addr, data)
		}
		return
	}
	at, kr := storeAs(m.real, addr, data)
	require.Equal(w, want, kr)
	m.write(addr, data[:at-addr])
}

func (w *world) copyin(m *model) {
	if len(w.copies) >= worldCopies {
		return
	}
	addr, size := w.span()
	destroy := w.intn(4) == 0
	want := m.check(addr, size, mach.ProtRead)
	if size == 0 {
		want = ok
	}
	c, kr := m.real.Copyin(addr, size, destroy)
	require.Equal(w, want, kr)
	if kr != ok {
		return
	}
	mc := &modelCopy{real: c, in: addr.PageOffset(), size: size}
	w.bed.copies = append(w.bed.copies, c)
	w.copies = append(w.copies, mc)
	if size == 0 {
		return
	}
	m.each(addr, size, func(p *modelPage) { mc.data = append(mc.data, p.cell[:]...) })
	if destroy {
		m.remove(addr, size)
	}
}

// takeCopy removes a random copy from the world, or returns nil.
func (w *world) takeCopy() *modelCopy {
	if len(w.copies) == 0 {
		return nil
	}
	i := w.intn(len(w.copies))
	c := w.copies[i]
	w.copies = append(w.copies[:i], w.copies[i+1:]...)
	return c
}

func (w *world) copyout(m *model) {
	c := w.takeCopy()
	if c == nil {
		return
	}
	a, kr := m.real.Copyout(c.real)
	require.Equal(w, ok, kr)
	if c.size == 0 {
		require.Zero(w, a)
		return
	}
	require.Equal(w, c.in, a.PageOffset())
	for i := 0; i < len(c.data); i += page {
		p := &modelPage{new(cell), mach.ProtDefault, mach.ProtAll, mach.InheritCopy, false}
		copy(p.cell[:], c.data[i:])
		at := pageOf(a) + uint64(i/page)
		require.Nil(w, m.pages[at], "copyout onto existing memory")
		m.pages[at] = p
	}
}

func (w *world) overwrite(m *model) {
	c := w.takeCopy()
	if c == nil {
		return
	}
	addr, _ := w.span()
	if w.intn(2) == 0 {
		addr = addr.TruncPage() + mach.Addr(c.in)
	}
	want := m.check(addr, c.size, mach.ProtWrite)
	if c.size == 0 {
		want = ok
	}
	require.Equal(w, want, m.real.Overwrite(addr, c.real))
	if want != ok {
		w.copies = append(w.copies, c)
		return
	}
	if c.size == 0 {
		return
	}
	// Whole pages of private memory are replaced, so that they are no more those
	// of another mapping.
	for p := pageOf(addr.RoundPage()); p < pageOf(addr+mach.Addr(c.size)); p++ {
		if x := m.pages[p]; !x.shared {
			x.cell = new(cell)
		}
	}
	m.write(addr, c.data[c.in:][:c.size])
}

func (w *world) inherit(m *model) {
	addr, size := w.span()
	in := mach.Inherit(w.intn(3))
	require.Equal(w, ok, m.real.Inherit(addr, size, in))
	m.each(addr, size, func(p *modelPage) { p.inherit = in })
}

// wire wires memory, or takes that back; what it holds stays the same.
func (w *world) wire(m *model) {
	addr, size := w.span()
	access := []mach.Prot{mach.ProtNone, mach.ProtRead, mach.ProtDefault}[w.intn(3)]
	want := ok
	if m.check(addr, max(size, 1), access) != ok {
		want = mach.KernNoSpace
	}
	if size == 0 && addr.PageAligned() && m.pages[pageOf(addr)] != nil {
		want = ok
	}
	require.Equal(w, want, m.real.Wire(addr, size, access, Unlimited))
}

// offer maps memory of one task in another, or in the same one.
func (w *world) offer(from *model) {
	to, at := w.any(), base+mach.Addr(w.intn(worldPages))*page
	addr := base + mach.Addr(w.intn(worldPages))*page
	r, kr := from.real.Offer(addr, page)
	if from.pages[pageOf(addr)] == nil {
		return // another entry's
	}
	require.Equal(w, ok, kr)
	copied := w.intn(3) == 0
	_, kr = to.real.EnterBacked(Spot{Addr: at}, page, Backing{Object: r.Object, Offset: r.Offset, Copy: copied},
		Attributes{Prot: mach.ProtDefault, MaxProt: mach.ProtAll, Inherit: mach.InheritCopy})
	if to.pages[pageOf(at)] != nil {
		require.Equal(w, mach.KernNoSpace, kr)
		return
	}
	require.Equal(w, ok, kr)
	p := &modelPage{from.pages[pageOf(addr)].cell, mach.ProtDefault, mach.ProtAll, mach.InheritCopy, false}
	if copied {
		p.cell = new(cell)
		*p.cell = *from.pages[pageOf(addr)].cell
	}
	to.pages[pageOf(at)] = p
}

func (w *world) fork(m *model) {
	if len(w.tasks) >= worldTasks {
		return
	}
	child, kr := m.real.Fork(w.pmap())
	require.Equal(w, ok, kr)
	mc := w.task(child)
	for at, p := range m.pages {
		q := *p
		switch p.inherit {
		case mach.InheritNone:
			continue
		case mach.InheritCopy:
			q.cell, q.shared = new(cell), false
			*q.cell = *p.cell
		case mach.InheritShare:
			p.shared, q.shared = true, true
		}
		mc.pages[at] = &q
	}
	w.tasks = append(w.tasks, mc)
}

func (w *world) discard() {
	if c := w.takeCopy(); c != nil {
		c.real.Discard()
	}
}

func (w *world) terminate() {
	if len(w.tasks) > 1 {
		k := w.intn(len(w.tasks))
		w.tasks[k].real.Terminate()
		w.tasks = append(w.tasks[:k], w.tasks[k+1:]...)
	}
}

// compare checks all memory, attributes and copies against the model.
func (w *world) compare() {
	for k, m := range w.tasks {
		pages := 0
		for _, r := range m.real.Entries() {
			for a := r.Start; a < r.Start+mach.Addr(r.Size); a += page {
				pages++
				p := m.pages[pageOf(a)]
				require.NotNil(w, p, "task %d has memory at %v", k, a)
				require.Equal(w, modelPage{p.cell, r.Prot, r.MaxProt, r.Inherit, r.Shared}, *p, "task %d at %v", k, a)
			}
		}
		require.Equal(w, len(m.pages), pages, "task %d", k)
		for _, at := range slices.Sorted(maps.Keys(m.pages)) {
			p := m.pages[at]
			if got := w.peek(m.real, at); !bytes.Equal(got, p.cell[:]) {
				require.Fail(w, "contents differ", "task %d at %#x", k, at<<mach.PageShift)
			}
		}
	}
	for _, c := range w.copies {
		got := make([]byte, c.size)
		c.real.ReadAt(got, 0)
		if c.size > 0 && !bytes.Equal(got, c.data[c.in:][:c.size]) {
			require.Fail(w, "a copy's contents differ")
		}
	}
}

// peek reads a page of a map: as the task where that is allowed, now and then,
// else behind its back.
func (w *world) peek(m *Map, at uint64) []byte {
	got, addr := make([]byte, page), mach.Addr(at<<mach.PageShift)
	if w.intn(3) == 0 {
		if _, kr := loadAs(m, addr, got); kr == ok {
			return got
		}
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	clear(got)
	if e := m.at(addr); e != nil && e.object != nil {
		e.object.readPage(e.page(addr), 0, got)
	}
	return got
}
