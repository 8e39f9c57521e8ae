package vm

import "machkernel/mach"

// graftPages is how many pages are transferred under one hold of an object's
// lock.
const graftPages = 64

// Overwrite replaces the bytes at addr with the copy's (vm_map_copy_overwrite:
// vm_write, vm_copy). addr is untrusted; any alignment is supported. Whole
// pages are transferred by reference where copy and destination have the same
// in-page offset, the ragged ends byte by byte; with different offsets all
// bytes are copied once. Memory shared by inheritance is seen changed by all
// who share it. The copy is a snapshot, so it may stem from the destination.
//
// Locks: takes the map's for writing and object locks; the caller holds none.
// Consumes c on success; on failure the caller still owns it and no byte of
// the destination changed.
//
// Returns
//   - KernSuccess; for an empty or nil copy too, whatever the address.
//   - KernInvalidAddress: the first page is not allocated; a gap follows an
//     entry; the range wraps.
//   - KernProtectionFailure: an entry's current protection lacks WRITE.
//   - KernResourceShortage: no frame is left.
//
// Of several faults the lowest address wins; in an entry, protection before
// the gap behind it. GNU Mach refuses anything not page aligned (that rule is
// the VM server's).
func (m *Map) Overwrite(addr mach.Addr, c *Copy) mach.KernReturn {
	if c == nil || c.size == 0 {
		c.Discard()
		return mach.KernSuccess
	}
	if c.spent {
		panic("BUG: overwrite with a consumed copy")
	}
	end := addr + mach.Addr(c.size)
	if end <= addr || end.RoundPage() == 0 {
		return mach.KernInvalidAddress
	}
	w := &overwrite{m: m, base: addr, addr: addr, end: end, c: c}
	kr := w.run()
	if kr == mach.KernSuccess {
		c.Discard()
	}
	return kr
}

// OverwriteInParts is Overwrite as XNU does it for many pages whose in-page
// offset is the destination's: the bytes of the first page, if it is not
// whole, then the whole pages, then those of the last page, each part checked by
// itself. A part that fails leaves what is before it written. Precondition: copy
// and addr have one in-page offset, and there is a whole page.
//
// Locks and return codes as Overwrite; on failure the caller still owns c.
func (m *Map) OverwriteInParts(addr mach.Addr, c *Copy) mach.KernReturn {
	end := addr + mach.Addr(c.size)
	lo, hi := addr.RoundPage(), end.TruncPage()
	if end <= addr || lo >= hi || c.InPageOffset() != addr.PageOffset() {
		panic("BUG: no parts to overwrite")
	}
	for _, part := range []struct{ from, to mach.Addr }{{addr, lo}, {lo, hi}, {hi, end}} {
		if part.from == part.to {
			continue
		}
		w := &overwrite{m: m, base: addr, addr: part.from, end: part.to, c: c}
		if kr := w.run(); kr != mach.KernSuccess {
			return kr
		}
	}
	c.Discard()
	return mach.KernSuccess
}

// overwrite is one Overwrite under way: first prepare, which can fail, then
// commit, which can fail only by its check of the destination.
type overwrite struct {
	m         *Map
	base      mach.Addr // where the copy's first byte goes
	addr, end mach.Addr // what is overwritten now
	c         *Copy
	aligned   *Copy    // c, or c's bytes moved to addr's in-page offset
	spare     [2]Frame // for the ragged pages
	dead      reaper
}

// part reports whether this is a part of a copy that has to stay whole: a later
// part may fail.
func (w *overwrite) part() bool { return w.base != w.addr || uint64(w.end-w.addr) != w.c.size }

func (w *overwrite) run() mach.KernReturn {
	defer w.release()
	if kr := w.prepare(); kr != mach.KernSuccess {
		return kr
	}
	return w.commit()
}

// prepare gets all frames that commit may need.
func (w *overwrite) prepare() mach.KernReturn {
	w.spare = [2]Frame{NoFrame, NoFrame}
	w.aligned = w.c
	if w.c.InPageOffset() != w.base.PageOffset() {
		// Check early: moving the bytes is work, and needs frames.
		w.m.mu.RLock()
		kr := w.check()
		w.m.mu.RUnlock()
		if kr != mach.KernSuccess {
			return kr
		}
		w.aligned, kr = newCopyAt(w.m.fr, mach.Addr(w.base.PageOffset()), w.c.size,
			func(p []byte, off uint64) { w.c.ReadAt(p, off) })
		if kr != mach.KernSuccess {
			w.aligned = nil
			return kr
		}
	}
	for i, ragged := range []bool{!w.addr.PageAligned(), !w.end.PageAligned()} {
		if ragged {
			r, ok := w.m.fr.alloc(NoFrame, 0, 1)
			if !ok {
				// The destination's own faults win over shortage.
				w.m.mu.RLock()
				defer w.m.mu.RUnlock()
				if kr := w.check(); kr != mach.KernSuccess {
					return kr
				}
				return mach.KernResourceShortage
			}
			w.spare[i] = r.first
		}
	}
	return mach.KernSuccess
}

func (w *overwrite) check() mach.KernReturn {
	return w.m.check(w.addr.TruncPage(), w.end.RoundPage(), mach.ProtWrite)
}

// release gives back what prepare got and commit did not need.
func (w *overwrite) release() {
	for _, x := range w.spare {
		if x != NoFrame {
			w.m.fr.decref(x, &w.dead)
		}
	}
	if w.aligned != w.c {
		w.aligned.Discard()
	}
	w.m.fr.bury(&w.dead)
}

// commit checks the destination and changes it.
func (w *overwrite) commit() mach.KernReturn {
	m := w.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if w.addr.PageAligned() {
		// GNU Mach splits the first entry before it looks further, so also
		// when it then refuses.
		if e := m.at(w.addr); e != nil {
			m.clipStart(e, w.addr)
		}
	}
	if kr := w.check(); kr != mach.KernSuccess {
		return kr
	}
	lo, hi := w.addr.RoundPage(), w.end.TruncPage()
	if !w.part() {
		// While the copy holds an object, an entry that leaves does not take its
		// pages along: so not longer than the lock is held.
		defer w.aligned.drop(&w.dead)
	}
	if w.addr.TruncPage() == w.end.TruncPage() {
		w.ragged(w.addr, w.end, 0) // inside one page
		return mach.KernSuccess
	}
	if w.addr < lo {
		w.ragged(w.addr, lo, 0)
	}
	if lo < hi {
		w.whole(lo, hi)
	}
	if hi < w.end {
		w.ragged(hi, w.end, 1)
	}
	return mach.KernSuccess
}

// ragged writes the bytes [from, to) of one page in place; spare number i
// becomes the page's frame if it needs one.
// Precondition: m.mu held for writing, range checked.
func (w *overwrite) ragged(from, to mach.Addr, i int) {
	if w.spare[i] == NoFrame {
		i = 1 - i // inside one page, starting at its boundary
	}
	e := w.m.at(from)
	w.m.touchEntry(e)
	e.shadow()
	var buf [mach.PageSize]byte
	b := buf[:to-from]
	w.aligned.ReadAt(b, uint64(from-w.base))
	if !w.part() {
		page := uint64(from.TruncPage()-w.base.TruncPage()) >> mach.PageShift
		s := w.aligned.segs[w.aligned.seg(page)]
		s.object.forget(span{s.first + page - s.at, s.first + page - s.at + 1}, &w.dead)
	}
	o := e.object
	o.mu.Lock()
	defer o.mu.Unlock()
	var dead reaper
	x, used, _ := o.own(e.page(from), w.spare[i], nil, &dead)
	if used {
		w.spare[i] = NoFrame
	}
	copy(o.fr.Bytes(x)[from.PageOffset():], b)
	o.fr.bury(&dead)
}

// whole transfers the pages [lo, hi), segment by segment and entry by entry.
// Precondition: m.mu held for writing, range checked.
func (w *overwrite) whole(lo, hi mach.Addr) {
	base := w.base.TruncPage()
	for lo < hi {
		page := uint64(lo-base) >> mach.PageShift
		s := w.aligned.segs[w.aligned.seg(page)]
		e := w.m.at(lo)
		to := min(hi, e.end, base+mach.Addr((s.at+s.pages)<<mach.PageShift))
		s.first += page - s.at
		s.offset += (page - s.at) << mach.PageShift
		s.pages = uint64(to-lo) >> mach.PageShift
		w.m.clipStart(e, lo)
		w.m.clipEnd(e, to)
		if e.shared {
			w.graft(e.object, e.page(lo), s.object, s.first, s.pages)
		} else {
			w.swap(e, s)
		}
		lo = to
	}
}

// swap gives a private entry what the segment holds, in place of its object: one
// object for all entries that the segment's pages go to, so that they can be one
// entry again, but for a part. As on GNU Mach its memory is not wired any more.
func (w *overwrite) swap(e *Entry, s segment) {
	m := w.m
	m.removeFromPmap(e)
	e.unback(&w.dead)
	e.wired.count = 0
	switch {
	case s.object == nil:
	case w.part():
		s.object = s.object.copyRange(span{s.first, s.first + s.pages})
	default:
		s.object.hold()
	}
	e.fill(m, s)
}

// graft makes n pages of dst, from page at on, the same frames as those of
// src from page first on (nil: absent).
func (w *overwrite) graft(dst *Object, at uint64, src *Object, first, n uint64) {
	f := w.m.fr
	f.stats.Grafts.Add(n)
	for done := uint64(0); done < n; done += graftPages {
		k := min(graftPages, n-done)
		var frames [graftPages]Frame
		src.share(first+done, frames[:k])
		dst.put(at+done, frames[:k], &w.dead)
	}
	if !w.part() {
		src.forget(span{first, first + n}, &w.dead)
	}
}

// forget drops pages of a copy's object, or of none, that went to another: the
// object may live on in an entry that does not show them.
func (o *Object) forget(s span, dead *reaper) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pages.remove(o.fr, s.lo, s.hi, dead)
}

// share fills frames with those of the pages from first on, one new reference
// each for those that are not NoFrame. Nobody can write them any more. o may be
// nil.
func (o *Object) share(first uint64, frames []Frame) {
	for i := range frames {
		frames[i] = NoFrame
	}
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.withdrawWrite(span{first, first + uint64(len(frames))})
	o.pages.each(first, first+uint64(len(frames)), func(page uint64, x Frame) {
		o.fr.incref(x)
		frames[page-first] = x
	})
}

// put replaces the pages from at on by frames, whose references it consumes;
// NoFrame makes a page absent.
func (o *Object) put(at uint64, frames []Frame, dead *reaper) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unmap(span{at, at + uint64(len(frames))}, nil)
	for i, x := range frames {
		page := at + uint64(i)
		if x == NoFrame {
			o.pages.remove(o.fr, page, page+1, dead)
		} else if old := o.pages.set(o.fr, page, x, dead); old != NoFrame {
			o.fr.decref(old, dead)
		}
	}
}
