package platform

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"machkernel/mach"
	"machkernel/vm"
)

var _ vm.Pmap = (*Process)(nil)

// pmap is the memory half of a Process.
//
// Each request is planned from the record, performed by the control thread,
// and what was performed goes into the record; if the host refused something,
// mappings are dropped and the rest is planned anew. So whatever is dropped on
// the way, plan and host agree.
type pmap struct {
	mu     sync.Mutex // held while the control thread works: decide and map are one step
	record record     // guarded by mu
	kept   []extent   // ranges the host would not give up at start; immutable
}

// change is one step on a range: map it from frame on, lower it to prot, or
// unmap it.
type change struct {
	kind  changeKind
	at    extent
	frame vm.Frame
	prot  mach.Prot
}

type changeKind int

const (
	changeMap changeKind = iota
	changeProtect
	changeUnmap
)

// maxChange bounds one change: the filter refuses lengths of 4 GiB and more.
const maxChange mach.Addr = 1 << 31

// Enter implements vm.Pmap. Runs are populated at once, for a fault that the
// host resolves later costs as much as several pages here.
func (p *Process) Enter(runs []vm.Mapping) error {
	for _, run := range runs {
		if err := p.mappable(run); err != nil {
			p.drop(runs)
			return err
		}
	}
	if !p.use.enter() {
		<-p.done
		return nil
	}
	p.pmap.mu.Lock()
	err := p.carryOut(func() []change { return p.pmap.planEnter(runs) })
	p.pmap.mu.Unlock()
	p.use.leave()
	if errors.Is(err, ErrDead) {
		p.kill("") // if it is only deaf
		<-p.done   // until then its threads may use what was mapped
		return nil
	}
	if err == nil {
		return nil
	}
	p.drop(runs)
	if errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EAGAIN) {
		return nil // short of memory: not mapped, the next access asks again
	}
	return fmt.Errorf("platform: the host refuses the mapping: %w", err)
}

// drop removes what was mapped where runs could not be: the pages have other
// frames now.
func (p *Process) drop(runs []vm.Mapping) {
	for _, run := range runs {
		p.Remove(run.VA, run.VA+mach.Addr(run.Pages)*mach.PageSize)
	}
}

// Protect implements vm.Pmap.
func (p *Process) Protect(start, end mach.Addr, prot mach.Prot) {
	p.lower(func() []change { return p.pmap.planProtect(start, end, reachable(prot)) })
}

// Remove implements vm.Pmap.
func (p *Process) Remove(start, end mach.Addr) {
	p.lower(func() []change { return p.pmap.planRemove(start, end) })
}

// lower carries out a plan that takes access away. It returns only when no
// thread of the process has that access: at worst because there is no process.
func (p *Process) lower(plan func() []change) {
	if p.use.enter() {
		p.pmap.mu.Lock()
		err := p.carryOut(plan)
		p.pmap.mu.Unlock()
		p.use.leave()
		switch {
		case err == nil:
			return
		case errors.Is(err, ErrDead):
			p.kill("") // it is dying; how, its exit status tells
		default:
			p.kill(fmt.Sprintf("its memory could not be taken away: %v", err))
		}
	}
	<-p.done
}

// mappable checks one run against what can never be mapped.
func (p *Process) mappable(run vm.Mapping) error {
	start, end := run.VA, run.VA+mach.Addr(run.Pages)*mach.PageSize
	if run.Pages <= 0 || !start.PageAligned() || end < start {
		panic(fmt.Sprintf("BUG: platform: Enter of %d pages at %v", run.Pages, start))
	}
	if start < p.m.minAddr {
		return fmt.Errorf("platform: address %v is below the host's lowest for programs, %v", start, p.m.minAddr)
	}
	if why := unreachable(end - 1); why != "" {
		return errors.New("platform: " + why)
	}
	x := extent{start, end}
	if x.meets(extent{HoleStart, HoleEnd}) {
		return errors.New("platform: " + unreachable(max(start, HoleStart)))
	}
	for _, k := range p.pmap.kept {
		if x.meets(k) {
			return fmt.Errorf("platform: the host keeps addresses %v to %v for itself", k.start, k.end)
		}
	}
	return nil
}

// reachable is the access that the host gives with prot: writable and
// executable pages are readable too.
func reachable(prot mach.Prot) mach.Prot {
	if prot &= mach.ProtAll; prot != mach.ProtNone {
		prot |= mach.ProtRead
	}
	return prot
}

// planEnter is what is missing for runs to be mapped. Runs that are mapped so
// already, because another thread was first, are left out; what has the right
// frames is only given the access.
func (m *pmap) planEnter(runs []vm.Mapping) []change {
	var plan []change
	for _, run := range runs {
		prot := reachable(run.Prot)
		x := extent{run.VA, run.VA + mach.Addr(run.Pages)*mach.PageSize}
		if prot == mach.ProtNone {
			plan = append(plan, m.planRemove(x.start, x.end)...)
			continue
		}
		frame := func(a mach.Addr) vm.Frame {
			return run.Frame + vm.Frame((a-run.VA)>>mach.PageShift)
		}
		same := func(a mach.Addr) bool { return m.record.at(a) == pageEntry{frame(a), prot} }
		for x.start < x.end && same(x.start) {
			x.start += mach.PageSize
		}
		for x.start < x.end && same(x.end-mach.PageSize) {
			x.end -= mach.PageSize
		}
		kind := changeProtect
		for a := x.start; a < x.end && kind == changeProtect; a += mach.PageSize {
			if e := m.record.at(a); e.prot == mach.ProtNone || e.frame != frame(a) {
				kind = changeMap
			}
		}
		for _, part := range x.split() {
			plan = append(plan, change{kind, part, frame(part.start), prot})
		}
	}
	return plan
}

// planProtect is one change for each run of neighbouring pages in [start, end)
// that have more access than prot and are to end up with the same.
func (m *pmap) planProtect(start, end mach.Addr, prot mach.Prot) []change {
	var plan []change
	m.record.each(start, end, func(a mach.Addr, e pageEntry) {
		left := reachable(e.prot & prot)
		if left == e.prot {
			return
		}
		kind := changeProtect
		if left == mach.ProtNone {
			kind = changeUnmap
		}
		if n := len(plan) - 1; n >= 0 && plan[n].at.end == a && plan[n].prot == left &&
			a-plan[n].at.start < maxChange {
			plan[n].at.end += mach.PageSize
			return
		}
		plan = append(plan, change{kind: kind, at: extent{a, a + mach.PageSize}, prot: left})
	})
	return plan
}

// planRemove unmaps all mapped pages in [start, end), in as few changes as
// their length and what may not be unmapped allow: gaps between them are free.
func (m *pmap) planRemove(start, end mach.Addr) []change {
	var plan []change
	m.record.each(start, end, func(a mach.Addr, _ pageEntry) {
		next := a + mach.PageSize
		if n := len(plan) - 1; n >= 0 && next-plan[n].at.start <= maxChange &&
			!m.reserved(extent{plan[n].at.end, a}) {
			plan[n].at.end = next
			return
		}
		plan = append(plan, change{kind: changeUnmap, at: extent{a, next}})
	})
	return plan
}

// reserved reports whether gap meets addresses that are not the task's.
func (m *pmap) reserved(gap extent) bool {
	if gap.meets(extent{HoleStart, HoleEnd}) {
		return true
	}
	for _, k := range m.kept {
		if gap.meets(k) {
			return true
		}
	}
	return false
}

func (x extent) meets(y extent) bool { return x.start < y.end && y.start < x.end }

// split cuts x into parts that one order may have.
func (x extent) split() []extent {
	var parts []extent
	for x.start < x.end {
		end := min(x.end, x.start+maxChange)
		parts = append(parts, extent{x.start, end})
		x.start = end
	}
	return parts
}

// carryOut performs plans until there is nothing left to do. When the host has
// no room for more mappings, ever larger neighbourhoods of the change that
// failed are dropped, and what is still to do is planned anew. Called with
// pmap.mu held.
func (p *Process) carryOut(plan func() []change) error {
	for level := 0; ; level++ {
		changes := plan()
		if len(changes) == 0 {
			return nil
		}
		n, err := p.perform(changes)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.ENOMEM) || level > len(shedSizes) {
			return err
		}
		if err := p.shed(changes[n].at, level); err != nil {
			return err
		}
	}
}

// perform has the control thread make the changes, records those that were
// made, and returns their number and the error of the next one.
func (p *Process) perform(changes []change) (n int, err error) {
	for n < len(changes) && err == nil {
		batch := changes[n:min(n+opsMax, len(changes))]
		orders := make([]order, len(batch))
		for i, c := range batch {
			orders[i] = c.order()
		}
		var done int
		done, err = p.control.run(orders)
		for _, c := range batch[:min(done, len(batch))] {
			p.pmap.record.apply(c)
		}
		n += done
	}
	return n, err
}

func (c change) order() order {
	start, size := uint64(c.at.start), uint64(c.at.end-c.at.start)
	switch c.kind {
	case changeMap:
		return order{
			unix.SYS_MMAP, start, size, hostProt(c.prot),
			unix.MAP_SHARED | unix.MAP_FIXED | unix.MAP_POPULATE, fdFrames,
			uint64(c.frame) << mach.PageShift,
		}
	case changeProtect:
		return order{unix.SYS_MPROTECT, start, size, hostProt(c.prot)}
	default:
		return order{unix.SYS_MUNMAP, start, size}
	}
}

func hostProt(prot mach.Prot) uint64 {
	var host uint64
	if prot.Has(mach.ProtRead) {
		host |= unix.PROT_READ
	}
	if prot.Has(mach.ProtWrite) {
		host |= unix.PROT_WRITE
	}
	if prot.Has(mach.ProtExecute) {
		host |= unix.PROT_EXEC
	}
	return host
}

// apply records a change that was made.
func (r *record) apply(c change) {
	if c.kind == changeUnmap {
		r.clear(c.at.start, c.at.end)
		return
	}
	frame := c.frame
	for a := c.at.start; a < c.at.end; a += mach.PageSize {
		if c.kind == changeProtect {
			frame = r.at(a).frame
		}
		r.set(a, pageEntry{frame, c.prot})
		frame++
	}
}

// shedSizes are the neighbourhoods dropped one after another when the host has
// no room for a mapping; after the last one, everything goes.
var shedSizes = [...]mach.Addr{1 << 21, 1 << 26, 1 << 31}

// shed drops the mappings around x: whole ones, because cutting one in two
// needs the very room that is missing. Called with pmap.mu held.
func (p *Process) shed(x extent, level int) error {
	rec := &p.pmap.record
	if level < len(shedSizes) {
		size := shedSizes[level]
		x = rec.widen(extent{x.start &^ (size - 1), (x.end + size - 1) &^ (size - 1)})
	} else {
		x = extent{0, UserEnd}
	}
	_, err := p.perform(p.pmap.planRemove(x.start, x.end))
	return err
}
