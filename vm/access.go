package vm

import "machkernel/mach"

// ReadBytes copies len(p) bytes at addr into p for the kernel: all of them,
// or an error. addr is untrusted. Absent pages read as zero and stay absent.
// Threads that write meanwhile may be seen in part, as on hardware.
//
// Locks: takes the map's for reading and object locks; the caller holds none.
//
// Returns
//   - KernSuccess; for no bytes too, whatever the address.
//   - KernInvalidAddress: the range wraps or a page is not allocated.
//   - KernProtectionFailure: a page's current protection lacks READ.
func (m *Map) ReadBytes(addr mach.Addr, p []byte) mach.KernReturn {
	if len(p) == 0 {
		return mach.KernSuccess
	}
	end := addr + mach.Addr(len(p)) // wraps only from where no map has a page
	m.mu.RLock()
	defer m.mu.RUnlock()
	if kr := m.check(addr, end, mach.ProtRead); kr != mach.KernSuccess {
		return kr
	}
	m.at(addr).read(addr, p)
	return mach.KernSuccess
}

// read reads bytes at addr, which is in e, and on in the entries behind it.
// Precondition: the map's lock held, range checked.
func (e *Entry) read(addr mach.Addr, p []byte) {
	for len(p) > 0 {
		if addr >= e.end {
			e = e.next
		}
		n := min(len(p), int(mach.PageSize-addr.PageOffset()))
		if e.object == nil {
			clear(p[:n])
		} else {
			e.object.readPage(e.page(addr), int(addr.PageOffset()), p[:n])
		}
		p, addr = p[n:], addr+mach.Addr(n)
	}
}

// WriteBytes copies p to addr for the kernel. addr is untrusted. It writes as
// a fault of the task would: pages shared copy-on-write get a private frame
// first. The whole range is checked and all frames are got before a byte is
// written; only a copy taken by another map in between can make it stop
// halfway for want of frames.
//
// Locks: takes the map's and object locks; the caller holds none.
//
// Returns
//   - KernSuccess; for no bytes too, whatever the address.
//   - KernInvalidAddress: the range wraps or a page is not allocated.
//   - KernProtectionFailure: a page's current protection lacks WRITE, or READ:
//     a write fault on x86 asks for both.
//   - KernResourceShortage: no frame is left.
func (m *Map) WriteBytes(addr mach.Addr, p []byte) mach.KernReturn {
	return m.writeBytes(addr, p, mach.ProtDefault)
}

// writeBytes is WriteBytes where each page must allow the access need.
func (m *Map) writeBytes(addr mach.Addr, p []byte, need mach.Prot) mach.KernReturn {
	if len(p) == 0 {
		return mach.KernSuccess
	}
	end := addr + mach.Addr(len(p)) // wraps only from where no map has a page
	for {
		m.mu.RLock()
		if kr := m.check(addr, end, need); kr != mach.KernSuccess {
			m.mu.RUnlock()
			return kr
		}
		if m.writable(addr, end) {
			kr := m.write(addr, p)
			m.mu.RUnlock()
			return kr
		}
		m.mu.RUnlock()
		m.touch(addr, end, mach.ProtWrite)
	}
}

// writable reports whether all entries in [lo, hi) are ready to be written.
// Precondition: m.mu held.
func (m *Map) writable(lo, hi mach.Addr) bool {
	for e := m.at(lo); e != nil && e.start < hi; e = e.next {
		if !e.ready(mach.ProtWrite) {
			return false
		}
	}
	return true
}

// write writes p at addr. Precondition: m.mu held, range checked and writable.
func (m *Map) write(addr mach.Addr, p []byte) mach.KernReturn {
	if int(addr.PageOffset())+len(p) > mach.PageSize {
		if !m.eachPage(addr, len(p), func(o *Object, page uint64, _, _, _ int) bool {
			return o.writePage(page, 0, nil)
		}) {
			return mach.KernResourceShortage
		}
	}
	if !m.eachPage(addr, len(p), func(o *Object, page uint64, in, at, n int) bool {
		return o.writePage(page, in, p[at:at+n])
	}) {
		return mach.KernResourceShortage
	}
	return mach.KernSuccess
}

// eachPage calls fn for each page of [addr, addr+size) until it returns
// false: the object and page number, the offset in the page, the offset from
// addr, and the number of bytes. Precondition: m.mu held, range backed.
func (m *Map) eachPage(addr mach.Addr, size int, fn func(o *Object, page uint64, in, at, n int) bool) bool {
	e := m.at(addr)
	for at := 0; at < size; {
		if addr >= e.end {
			e = e.next
		}
		in := int(addr.PageOffset())
		n := min(size-at, mach.PageSize-in)
		if !fn(e.object, e.page(addr), in, at, n) {
			return false
		}
		at, addr = at+n, addr+mach.Addr(n)
	}
	return true
}

// writePage writes bytes of one page, which gets a frame of its own first. It
// fails only for want of frames.
func (o *Object) writePage(page uint64, in int, p []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	var dead reaper
	x, _, ok := o.own(page, NoFrame, nil, &dead)
	if ok {
		copy(o.fr.Bytes(x)[in:], p)
	}
	o.fr.bury(&dead)
	return ok
}

// MapSegment makes memory for a part of a program file: the pages that
// [addr, addr+size) touches, with data at addr and zeroes around it, and the
// given protections, inherited by copy. The task can never see it half done.
//
// Locks: takes the map's; the caller holds none. data is copied.
//
// Returns
//   - KernSuccess.
//   - KernInvalidArgument: size is 0 or less than len(data); the map is dead.
//   - KernInvalidAddress: the range wraps or leaves the map's bounds.
//   - KernNoSpace: a page is in use.
//   - KernResourceShortage: no frame is left.
//
// On failure nothing changed.
func (m *Map) MapSegment(addr mach.Addr, size uint64, data []byte, prot, maxProt mach.Prot) mach.KernReturn {
	if size == 0 || uint64(len(data)) > size {
		return mach.KernInvalidArgument
	}
	lo, end := addr.TruncPage(), addr+mach.Addr(size)
	if end <= addr || end > m.layout.Max {
		return mach.KernInvalidAddress
	}
	c, kr := newCopyAt(m.fr, mach.Addr(addr.PageOffset()), uint64(len(data)),
		func(p []byte, off uint64) { copy(p, data[off:]) })
	if kr != mach.KernSuccess {
		return kr
	}
	defer c.Discard()
	m.mu.Lock()
	defer m.mu.Unlock()
	prev, _, kr := m.place(Spot{Addr: lo}, uint64(end.RoundPage()-lo))
	if kr != mach.KernSuccess {
		return kr
	}
	e := &Entry{start: lo, end: end.RoundPage(), prot: prot, maxProt: maxProt, inherit: mach.InheritCopy}
	if len(c.segs) > 0 {
		e.back(m, c.segs[0].object, 0)
		c.segs = nil
	}
	m.enter(prev, e)
	return mach.KernSuccess
}

// Load reads len(p) bytes at addr into p as an instruction of a Go thread of
// the task would: through the pmap if it is a SoftPmap, faulting pages in.
// Pages before a fault may have been read.
//
// Locks: as Fault; the caller holds none. Returns KernSuccess, or Fault's
// code and the address that faulted.
func (m *Map) Load(addr mach.Addr, p []byte) (mach.Addr, mach.KernReturn) {
	return m.instruction(addr, p, mach.ProtRead)
}

// Store writes p at addr as an instruction of a Go thread of the task would,
// which on x86 needs READ and WRITE.
// Pages before a fault may have been written. Otherwise as Load.
func (m *Map) Store(addr mach.Addr, p []byte) (mach.Addr, mach.KernReturn) {
	return m.instruction(addr, p, mach.ProtDefault)
}

func (m *Map) instruction(addr mach.Addr, p []byte, access mach.Prot) (mach.Addr, mach.KernReturn) {
	s, _ := m.pm.(*SoftPmap)
	for len(p) > 0 {
		n := min(len(p), int(mach.PageSize-addr.PageOffset()))
		if kr := m.softAccess(s, addr, p[:n], access); kr != mach.KernSuccess {
			return addr, kr
		}
		p, addr = p[n:], addr+mach.Addr(n)
	}
	return addr, mach.KernSuccess
}

// softTries is how often an access is tried through the translation cache
// before it goes through the map, which other threads cannot push aside.
const softTries = 4

// softAccess reads or writes bytes of one page.
func (m *Map) softAccess(s *SoftPmap, addr mach.Addr, p []byte, access mach.Prot) mach.KernReturn {
	if s != nil {
		for range softTries {
			if s.access(addr, p, access) {
				return mach.KernSuccess
			}
			if kr, err := m.Fault(addr, access); kr != mach.KernSuccess || err != nil {
				return kr
			}
		}
	}
	if access == mach.ProtRead {
		return m.ReadBytes(addr, p)
	}
	return m.WriteBytes(addr, p)
}
