package vm

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
)

// cell is the contents of a page in the model; sharers point to one cell.
type cell [page]byte

type modelPage struct {
	*cell
	prot, max mach.Prot
	inherit   mach.Inherit
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

// world is random operations on real maps and on the model, compared.
type world struct {
	*bed
	rng    *rand.Rand
	tasks  []*model
	copies []*modelCopy
	log    []string
}

const (
	worldPages  = 40 // operations happen in these many pages from base on
	worldTasks  = 4
	worldCopies = 5
)

func TestRandomOperationsAgainstTheModel(t *testing.T) {
	seed := time.Now().UnixNano()
	if s := os.Getenv("VM_SEED"); s != "" {
		seed, _ = strconv.ParseInt(s, 10, 64)
	}
	t.Logf("VM_SEED=%d", seed)
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) { runWorld(t, seed+int64(i), 400) })
	}
}

func FuzzOperationsAgainstTheModel(f *testing.F) {
	f.Add(int64(1))
	f.Fuzz(func(t *testing.T, seed int64) { runWorld(t, seed, 200) })
}

func runWorld(t *testing.T, seed int64, steps int) {
	w := &world{bed: newBed(t, 8192), rng: rand.New(rand.NewSource(seed))}
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
			for _, l := range w.log[max(0, len(w.log)-60):] {
				t.Log(l)
			}
		}
	}()
	w.tasks = []*model{w.task(NewMap(w.fr, w.pmap()))}
	for i := range steps {
		w.step()
		if i%4 == 0 {
			w.bed.audit()
			w.compare()
		}
	}
	w.compare()
}

func (w *world) pmap() Pmap {
	if w.rng.Intn(2) == 0 {
		return NewSoftPmap(w.fr)
	}
	return newRecorder()
}

func (w *world) task(m *Map) *model {
	return &model{real: w.adopt(m), pages: map[uint64]*modelPage{}}
}

func (w *world) say(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// span picks a range; aligned now and then.
func (w *world) span() (mach.Addr, uint64) {
	addr := base + mach.Addr(w.rng.Intn(worldPages*page))
	size := uint64(w.rng.Intn(6 * page))
	if w.rng.Intn(2) == 0 {
		addr, size = addr.TruncPage(), (size+page)&^(page-1)
	}
	return addr, size
}

func (w *world) step() {
	k := w.rng.Intn(len(w.tasks))
	m := w.tasks[k]
	switch w.rng.Intn(14) {
	case 0, 1:
		w.allocate(m)
	case 2:
		w.deallocate(m)
	case 3:
		w.protect(m)
	case 4:
		addr, size := w.span()
		in := mach.Inherit(w.rng.Intn(3))
		w.say("%d inherit %v %#x %v", k, addr, size, in)
		require.Equal(w, ok, m.real.Inherit(addr, size, in))
		m.each(addr, size, func(p *modelPage) { p.inherit = in })
	case 5, 6, 7:
		w.write(m)
	case 8:
		w.copyin(m)
	case 9:
		w.copyout(m)
	case 10, 11:
		w.overwrite(m)
	case 12:
		w.fork(m)
	case 13:
		w.discardOrTerminate(k)
	}
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
	w.say("allocate %v %#x", addr, size)
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
		m.pages[p] = &modelPage{new(cell), mach.ProtDefault, mach.ProtAll, mach.InheritCopy}
	}
}

func (w *world) deallocate(m *model) {
	addr, size := w.span()
	w.say("deallocate %v %#x", addr, size)
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
	prot := mach.Prot(w.rng.Intn(8))
	if w.rng.Intn(2) == 0 {
		prot = mach.ProtDefault
	}
	setMax := w.rng.Intn(12) == 0
	w.say("protect %v %#x %v %v", addr, size, setMax, prot)
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
	data := make([]byte, size)
	w.rng.Read(data)
	want := m.check(addr, size, mach.ProtDefault)
	if size == 0 {
		want = ok
	}
	if w.rng.Intn(2) == 0 {
		w.say("kernel write %v %#x", addr, size)
		require.Equal(w, want, m.real.WriteBytes(addr, data))
		if want == ok {
			m.write(addr, data)
		}
		return
	}
	w.say("task write %v %#x", addr, size)
	at, kr := storeAs(m.real, addr, data)
	require.Equal(w, want, kr)
	m.write(addr, data[:at-addr])
}

func (w *world) copyin(m *model) {
	if len(w.copies) >= worldCopies {
		return
	}
	addr, size := w.span()
	destroy := w.rng.Intn(4) == 0
	w.say("copyin %v %#x %v", addr, size, destroy)
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
	i := w.rng.Intn(len(w.copies))
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
	w.say("copyout %#x -> %v", c.size, a)
	require.Equal(w, ok, kr)
	if c.size == 0 {
		require.Zero(w, a)
		return
	}
	require.Equal(w, c.in, a.PageOffset())
	for i := 0; i < len(c.data); i += page {
		p := &modelPage{new(cell), mach.ProtDefault, mach.ProtAll, mach.InheritCopy}
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
	if w.rng.Intn(2) == 0 {
		addr = addr.TruncPage() + mach.Addr(c.in)
	}
	w.say("overwrite %v %#x", addr, c.size)
	want := m.check(addr, c.size, mach.ProtWrite)
	if c.size == 0 {
		want = ok
	}
	require.Equal(w, want, m.real.Overwrite(addr, c.real))
	if want != ok {
		w.copies = append(w.copies, c)
		return
	}
	m.write(addr, c.data[c.in:][:c.size])
}

func (w *world) fork(m *model) {
	if len(w.tasks) >= worldTasks {
		return
	}
	w.say("fork")
	child, kr := m.real.Fork(w.pmap())
	require.Equal(w, ok, kr)
	mc := w.task(child)
	for at, p := range m.pages {
		q := *p
		switch p.inherit {
		case mach.InheritNone:
			continue
		case mach.InheritCopy:
			q.cell = new(cell)
			*q.cell = *p.cell
		}
		mc.pages[at] = &q
	}
	w.tasks = append(w.tasks, mc)
}

func (w *world) discardOrTerminate(k int) {
	if c := w.takeCopy(); c != nil {
		w.say("discard")
		c.real.Discard()
	}
	if len(w.tasks) > 1 && w.rng.Intn(3) == 0 {
		w.say("terminate %d", k)
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
				require.Equal(w, modelPage{p.cell, r.Prot, r.MaxProt, r.Inherit}, *p, "task %d at %v", k, a)
			}
		}
		require.Equal(w, len(m.pages), pages, "task %d", k)
		for at, p := range m.pages {
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
	if w.rng.Intn(3) == 0 {
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
