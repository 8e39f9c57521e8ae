package vm

import (
	"sort"

	"machkernel/mach"
)

// Copy is a copy object (C: vm_map_copy_t): a snapshot of a range of memory
// on its way from one map to another, or made by the kernel. It holds pages,
// shared copy-on-write with their source, and belongs to one owner at a time,
// who ends it with Discard, Copyout or Overwrite; it is not safe for
// concurrent use.
//
// States: full (segs cover trunc(offset) to round(offset+size)), empty (size
// 0, no segs), spent (consumed: no segs).
type Copy struct {
	fr     *Frames
	offset mach.Addr // where the first byte was in the source; 0 if the kernel made it
	size   uint64
	segs   []segment
	spent  bool
	buffer bool      // its bytes were copied when it was made,
	source mach.Addr // from here; 0 if the kernel made it
}

// segment is a run of pages of a Copy: pages of an object from page first on,
// or zeroes if the object is nil. Only segments of one copy use the object.
type segment struct {
	object   *Object
	first    uint64 // page number in the object
	at       uint64 // page number in the copy
	pages    uint64
	offset   uint64 // what the entry that gets it tells as its offset
	origin   uint64 // see Entry
	lazyCopy bool   // see Entry
}

// Size is the number of bytes copied.
func (c *Copy) Size() uint64 { return c.size }

// Offset is the address of the first byte in the source map, 0 for a copy the
// kernel made. What GNU Mach's vm_write and vm_copy want page aligned.
func (c *Copy) Offset() mach.Addr {
	if c.buffer {
		return c.source
	}
	return c.offset
}

// InPageOffset is the offset of the first byte in its page; Copyout keeps it.
func (c *Copy) InPageOffset() uint64 { return c.offset.PageOffset() }

// pages is the number of pages the copy touches.
func (c *Copy) pages() uint64 {
	if c.size == 0 {
		return 0
	}
	return (c.InPageOffset() + c.size + mach.PageMask) >> mach.PageShift
}

// add appends a segment, whose use of its object passes to the copy.
func (c *Copy) add(s segment) {
	if n := len(c.segs); n > 0 {
		s.at = c.segs[n-1].at + c.segs[n-1].pages
	}
	c.segs = append(c.segs, s)
}

// Discard ends the copy. It may be called on a copy that Copyout or Overwrite
// consumed, and on nil; then it does nothing. Locks: none may be held.
func (c *Copy) Discard() {
	if c == nil {
		return
	}
	var dead reaper
	c.drop(&dead)
	c.fr.bury(&dead)
}

// drop ends the copy's hold of its memory.
func (c *Copy) drop(dead *reaper) {
	for _, s := range c.segs {
		if s.object != nil {
			s.object.discard(dead)
		}
	}
	c.segs, c.spent = nil, true
}

// seg is the index of the segment that holds a page of the copy.
func (c *Copy) seg(page uint64) int {
	return sort.Search(len(c.segs), func(i int) bool {
		return c.segs[i].at+c.segs[i].pages > page
	})
}

// ReadAt copies bytes of the copy from offset off on into p and returns how
// many: less than len(p) where the copy ends. Absent pages read as zero and
// stay absent. Locks: takes object locks, one page at a time.
func (c *Copy) ReadAt(p []byte, off uint64) int {
	if c == nil || c.spent || off >= c.size {
		return 0
	}
	p = p[:min(uint64(len(p)), c.size-off)]
	at := c.InPageOffset() + off
	for n := 0; n < len(p); {
		page, in := at>>mach.PageShift, at&mach.PageMask
		k := min(len(p)-n, int(mach.PageSize-in))
		s := &c.segs[c.seg(page)]
		if s.object == nil {
			clear(p[n : n+k])
		} else {
			s.object.readPage(s.first+page-s.at, int(in), p[n:n+k])
		}
		n += k
		at += uint64(k)
	}
	return len(p)
}

// readPage copies bytes of one page, zeroes if it is absent.
func (o *Object) readPage(page uint64, in int, p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if x, _ := o.pages.lookup(page); x != NoFrame {
		copy(p, o.fr.Bytes(x)[in:])
	} else {
		clear(p)
	}
}

// NewCopy makes a copy of bytes of the kernel: out-of-line data of a reply.
// It starts at a page boundary; the rest of its last page is zero. The caller
// owns it.
//
// Locks: none may be held. Returns
//   - KernSuccess.
//   - KernResourceShortage: no frame is left; nothing was kept.
func NewCopy(fr *Frames, data []byte) (*Copy, mach.KernReturn) {
	c, kr := newCopyAt(fr, 0, uint64(len(data)), func(p []byte, off uint64) { copy(p, data[off:]) })
	if kr == mach.KernSuccess {
		c.buffer = true
	}
	return c, kr
}

// newCopyAt makes a copy of size bytes that starts at the given in-page
// offset, whose bytes read delivers page by page. Other bytes are zero.
func newCopyAt(fr *Frames, in mach.Addr, size uint64, read func(p []byte, off uint64)) (*Copy, mach.KernReturn) {
	c := &Copy{fr: fr, offset: in, size: size}
	n := c.pages()
	if n == 0 {
		return c, mach.KernSuccess
	}
	o := newObject(fr)
	o.carry()
	c.add(segment{object: o, pages: n, origin: o.id})
	for page, off := uint64(0), uint64(0); page < n; {
		r, ok := fr.alloc(o.hint(page), page, int(min(n-page, chunkFrames)))
		if !ok {
			c.Discard()
			return nil, mach.KernResourceShortage
		}
		for i := range r.n {
			b := fr.Bytes(fr.zeroed(r, i))
			if page == 0 {
				b = b[in:]
			}
			b = b[:min(uint64(len(b)), size-off)]
			read(b, off)
			off += uint64(len(b))
			var none reaper
			o.pages.set(fr, page, r.first+Frame(i), &none)
			page++
		}
	}
	return c, mach.KernSuccess
}

// Copyin takes a copy-on-write snapshot of [addr, addr+size), which need not
// be aligned (vm_map_copyin: vm_read, vm_copy, out-of-line send). addr and
// size are untrusted. With srcDestroy all pages that the range touches leave
// the map afterwards. No byte is copied but of wired memory; the cost grows with
// the number of entries, not of pages or earlier copies.
//
// Locks: takes the map's and object locks; the caller holds none. Write access is withdrawn from every pmap before a
// page is shared, so a thread that writes meanwhile never changes the copy.
//
// Returns the copy, which the caller owns, or nil and
//   - KernSuccess; for size 0 too, with an empty copy, whatever the address.
//   - KernInvalidAddress: the range wraps (its rounded end may not be 0
//     either); its first page is not allocated; a gap, or the end of memory,
//     follows an entry.
//   - KernProtectionFailure: an entry's current protection lacks READ.
//   - KernResourceShortage: no frame is left for a copy of wired memory.
//
// Of several faults the lowest address wins; in an entry, protection before the
// gap behind it. On failure no byte changed. Source: GNU Mach's observed behaviour; its manual demands page alignment.
func (m *Map) Copyin(addr mach.Addr, size uint64, srcDestroy bool) (*Copy, mach.KernReturn) {
	c := &Copy{fr: m.fr, offset: addr, size: size}
	if size == 0 {
		return c, mach.KernSuccess
	}
	end := addr + mach.Addr(size)
	lo, hi := addr.TruncPage(), end.RoundPage()
	if end <= addr || hi == 0 {
		return nil, mach.KernInvalidAddress
	}
	var dead reaper
	m.mu.Lock()
	kr := m.copyin(c, lo, hi, srcDestroy)
	if kr == mach.KernSuccess && srcDestroy {
		m.deleteRange(lo, hi, &dead)
	}
	m.mu.Unlock()
	m.fr.bury(&dead)
	if kr != mach.KernSuccess {
		c.Discard()
		return nil, kr
	}
	return c, kr
}

// copyin fills c with copies of [lo, hi). As on GNU Mach it goes from entry to
// entry, so that those before a fault are split, and count as copied, also when
// the copy is then refused: vm_region shows it afterwards, unless it succeeds and the
// map's layout has Rejoin.
// Precondition: m.mu held for writing.
func (m *Map) copyin(c *Copy, lo, hi mach.Addr, srcDestroy bool) mach.KernReturn {
	e := m.at(lo)
	if e == nil {
		return mach.KernInvalidAddress
	}
	m.clipStart(e, lo)
	from := copier{steal: srcDestroy}
	for {
		if !e.prot.Has(mach.ProtRead) {
			return mach.KernProtectionFailure
		}
		m.clipEnd(e, hi)
		s, kr := from.copy(e, hi)
		if kr != mach.KernSuccess {
			return kr
		}
		c.add(s)
		if e.end == hi {
			if m.layout.Rejoin {
				m.coalesce(m.at(hi))
				m.coalesce(m.at(lo))
			}
			m.fr.stats.Copyins.Add(1)
			return mach.KernSuccess
		}
		if e.next == nil || e.next.start != e.end {
			return mach.KernInvalidAddress
		}
		e = e.next
	}
}

// check reports whether all of [lo, hi) is allocated and allows the access.
// Entries are judged in address order: each for its protection, then for the
// gap behind it. Precondition: m.mu held; lo < hi.
func (m *Map) check(lo, hi mach.Addr, access mach.Prot) mach.KernReturn {
	e := m.at(lo)
	if e == nil {
		return mach.KernInvalidAddress
	}
	for {
		if !e.prot.Has(access) {
			return mach.KernProtectionFailure
		}
		if e.end >= hi {
			return mach.KernSuccess
		}
		if e.next == nil || e.next.start != e.end {
			return mach.KernInvalidAddress
		}
		e = e.next
	}
}

// Copyout maps the copy at a place the kernel chooses, at its in-page offset
// (vm_map_copyout). The memory has the attributes of newly allocated memory.
// The bytes around the data in the first and last page are the source's.
//
// Locks: takes the map's and object locks; the caller holds none. Consumes c
// on success; on failure the caller still owns it.
//
// Returns the address of the first byte and
//   - KernSuccess; for an empty or nil copy too, with address 0.
//   - KernNoSpace: no gap is large enough, or the map's limit would be passed.
//   - KernInvalidArgument: the map is dead.
func (m *Map) Copyout(c *Copy) (mach.Addr, mach.KernReturn) {
	if c == nil || c.size == 0 {
		c.Discard()
		return 0, mach.KernSuccess
	}
	if c.spent {
		panic("BUG: copyout of a consumed copy")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	prev, start, kr := m.place(Spot{Anywhere: true}, c.pages()<<mach.PageShift)
	if kr == mach.KernSuccess {
		kr = m.charge(c.pages() << mach.PageShift)
	}
	if kr != mach.KernSuccess {
		return 0, kr
	}
	raise := m.firstFree == prev
	at := start
	for _, s := range c.segs {
		e := &Entry{
			start: at, end: at + mach.Addr(s.pages<<mach.PageShift),
			prot: m.fresh, maxProt: mach.ProtAll, inherit: mach.InheritCopy,
		}
		if m.wireNew {
			e.wired.access = mach.ProtDefault
		}
		e.fill(m, s)
		m.link(prev, e)
		prev, at = e, e.end
	}
	if raise {
		m.firstFree = prev
	}
	m.pack()
	if m.wireNew {
		m.wire(start, at)
	}
	c.segs, c.spent = nil, true
	return start + mach.Addr(c.InPageOffset()), mach.KernSuccess
}
