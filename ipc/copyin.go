package ipc

import (
	"machkernel/mach"
	"machkernel/ports"
)

const (
	// maxMessage is the largest message the kernel takes, in bytes.
	maxMessage = 64 << 20
	// shortMessage is the size of a message whose bytes need no memory of their
	// own, in bytes: a header and four words with their descriptors.
	shortMessage = HeaderSize + 4*16
	// readChunk bounds what is allocated for bytes not yet known to be there.
	readChunk = 256 << 10

	// callAlignment and maxCall are of the recorded kernel's short way for
	// calls: a message of at most so many bytes that is sent with SEND and RCV
	// and no other option may be any multiple of 4. (2028 bytes are taken, 2036
	// are not. It does so when it has a buffer at hand, which is nearly always:
	// not after a request that it refused.)
	callAlignment = 4
	maxCall       = 2032
)

// get reads a message from a task's memory, once.
//
//	SendMsgTooSmall  size is less than a header or no multiple of 8 (of 4 in a
//	                 short call)
//	SendNoBuffer     the message is larger than the kernel takes, or has memory
//	                 for
//	SendInvalidData  the bytes are not readable
func (s *System) get(mem Memory, msg mach.Addr, option mach.MsgOption, size uint32) (*Kmsg, mach.Name, mach.Name, mach.MsgReturn) {
	unit := uint32(Alignment)
	if option == mach.SendMsg|mach.RcvMsg && size <= maxCall {
		unit = callAlignment
	}
	if size < HeaderSize || size%unit != 0 {
		return nil, 0, 0, mach.SendMsgTooSmall
	}
	if size > maxMessage {
		return nil, 0, 0, mach.SendNoBuffer
	}
	k := &Kmsg{sys: s}
	if !k.charge(int64(size)) {
		return nil, 0, 0, mach.SendNoBuffer
	}
	var ok bool
	if size <= shortMessage {
		k.buf = k.room[:size]
		ok = mem.ReadBytes(msg, k.buf) == mach.KernSuccess
	} else {
		k.buf, ok = readAll(mem, msg, int(size))
	}
	if !ok {
		k.refund()
		return nil, 0, 0, mach.SendInvalidData
	}
	h, _ := ParseHeader(k.buf)
	k.Bits, k.ID, k.Size, k.Seqno = h.Bits&^mach.BitsCircular, h.ID, size, h.Seqno
	return k, h.Remote, h.Local, mach.MsgSuccess
}

// readAll reads n bytes at a, and allocates no more than it has found to be
// there, but for a chunk.
func readAll(mem Memory, a mach.Addr, n int) ([]byte, bool) {
	buf := make([]byte, min(n, readChunk))
	if mem.ReadBytes(a, buf) != mach.KernSuccess {
		return nil, false
	}
	for len(buf) < n {
		done := len(buf)
		buf = append(buf, make([]byte, min(n-done, max(done, readChunk)))...)
		if mem.ReadBytes(a+mach.Addr(done), buf[done:]) != mach.KernSuccess {
			return nil, false
		}
	}
	return buf, true
}

// copyin turns the names and addresses of a message just read into rights and
// memory. When the header fails nothing has happened; when the body fails all
// that was taken is destroyed, the header's rights included. Either way k is
// gone.
//
//	SendInvalidHeader, SendInvalidDest, SendInvalidNotify, SendInvalidReply:
//	                   the header, see ports.Space.CopyinHeader
//	SendMsgTooSmall, SendInvalidType, SendInvalidMemory, SendInvalidRight:
//	                   the body, see copyinItem
func (k *Kmsg) copyin(c Caller, remote, local, notify mach.Name) (mr mach.MsgReturn) {
	h := ports.Header{Remote: remote, RemoteType: k.Bits.Remote(), Local: local, LocalType: k.Bits.Local()}
	k.Remote, k.Local, mr = c.Space().CopyinHeader(h, notify)
	if mr != mach.MsgSuccess {
		k.refund()
		return mr
	}
	k.Bits = k.Bits&^mach.BitsPortsMask | mach.Bits(h.RemoteType.Received(), h.LocalType.Received())
	if !k.Complex() {
		return mach.MsgSuccess
	}
	k.parsed = true
	k.Items = k.few[:0]
	complexBody := false
	for off := HeaderSize; off < len(k.buf); {
		it, next, mr := k.scan(off)
		if mr == mach.MsgSuccess {
			mr = k.copyinItem(c, &it)
		}
		if mr != mach.MsgSuccess {
			k.abandon()
			return mr
		}
		complexBody = complexBody || it.IsPort() || !it.Inline
		off = next
	}
	if !complexBody {
		k.Bits &^= mach.BitsComplex
	}
	return mach.MsgSuccess
}

// copyinItem converts one item and appends it to the message, also when it
// fails half way: the message then holds what was converted.
//
//	SendInvalidMemory  out-of-line memory is not readable, or not to be
//	                   deallocated; the kernel has no memory for the rights
//	SendInvalidRight   a name does not denote the right to be sent
func (k *Kmsg) copyinItem(c Caller, it *Item) mach.MsgReturn {
	if it.Inline && !it.IsPort() {
		k.Items = append(k.Items, *it)
		return mach.MsgSuccess
	}
	slot := it.Data
	it.Data = nil
	mr := mach.MsgSuccess
	switch {
	case it.Inline:
		mr = k.copyinRights(c, it, slot, 8)
	case it.IsPort():
		var names []byte
		if names, mr = k.readNames(c.Memory(), mach.Addr(le.Uint64(slot)), it); mr == mach.MsgSuccess {
			mr = k.copyinRights(c, it, names, 4)
		}
	case it.Bytes() > 0:
		var kr mach.KernReturn
		if it.Region, kr = c.Memory().CopyinRegion(mach.Addr(le.Uint64(slot)), it.Bytes(), it.Dealloc); kr != mach.KernSuccess {
			it.Region, mr = nil, mach.SendInvalidMemory
		}
	}
	clear(slot)
	it.Name = it.Name.Received()
	k.buf[it.off] = byte(it.Name)
	k.Items = append(k.Items, *it)
	return mr
}

// readNames reads the names of an array out of line, and gives the sender's
// pages back if it says so.
func (k *Kmsg) readNames(mem Memory, a mach.Addr, it *Item) ([]byte, mach.MsgReturn) {
	if it.Number == 0 {
		return nil, mach.MsgSuccess
	}
	if !k.charge(rightCost * int64(it.Number)) {
		return nil, mach.SendInvalidMemory
	}
	names, ok := readAll(mem, a, 4*int(it.Number))
	if !ok {
		return nil, mach.SendInvalidMemory
	}
	if it.Dealloc {
		mem.Deallocate(a, uint64(len(names)))
	}
	return names, mach.MsgSuccess
}

// copyinRights turns names, each stride bytes apart, into the item's rights.
// On failure the item holds those converted, the rest are null.
func (k *Kmsg) copyinRights(c Caller, it *Item, names []byte, stride int) mach.MsgReturn {
	it.Rights = make([]ports.Right, it.Number)
	var batch [64]mach.Name
	for done := 0; done < len(it.Rights); {
		n := min(len(it.Rights)-done, len(batch))
		for i := range n {
			batch[i] = mach.Name(le.Uint32(names[(done+i)*stride:]))
		}
		got, circular, kr := c.Space().CopyinRights(batch[:n], it.Name, k.Remote.Port, it.Rights[done:])
		k.Circular = k.Circular || circular
		if done += got; kr != mach.KernSuccess {
			return mach.SendInvalidRight
		}
	}
	return mach.MsgSuccess
}
