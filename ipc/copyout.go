package ipc

import (
	"machkernel/mach"
	"machkernel/ports"
)

// putHeader writes the header as the user sees it.
func (k *Kmsg) putHeader(b []byte, remote mach.Name, local ports.Local) {
	bits := k.Bits
	if local.Protected {
		bits = bits&^mach.BitsLocalMask | mach.Bits(0, mach.TypeProtectedPayload)
	}
	h := Header{Bits: bits, Size: k.Size, Remote: remote, Local: local.Name, Payload: local.Payload, Seqno: k.Seqno, ID: k.ID}
	h.Put(b)
}

// reverse gives the header bits of a received message: the reply right in the
// remote place, and locally how the message was sent.
func (k *Kmsg) reverse() {
	k.Bits = k.Bits&^mach.BitsPortsMask | mach.Bits(k.Bits.Local(), k.Bits.Remote())
}

// copyout gives a received message to the receiver and writes it to its
// memory. The message is gone afterwards.
//
//	MsgSuccess
//	RcvInvalidNotify, RcvHeaderError + special bits: the header's rights could
//	    not be given; the header alone is written, all else is destroyed
//	RcvBodyError + special bits: written, with what could not be given missing
//	RcvInvalidData: the memory is not writable, what was given stays
func (k *Kmsg) copyout(c Caller, msg mach.Addr, notify mach.Name) mach.MsgReturn {
	local, remote, mr := c.Space().CopyoutHeader(k.Remote, k.Local, notify)
	if mr != mach.MsgSuccess {
		k.copyoutDest(c, msg)
		return mr
	}
	k.Remote, k.Local = ports.Right{}, ports.Right{}
	k.reverse()
	if k.Complex() {
		if bits := k.copyoutBody(c); bits != 0 {
			mr = mach.RcvBodyError | bits
		}
	}
	if !k.put(c.Memory(), msg, remote, local) && mr == mach.MsgSuccess {
		mr = mach.RcvInvalidData
	}
	k.refund()
	return mr
}

// put writes the whole message.
func (k *Kmsg) put(mem Memory, msg mach.Addr, remote mach.Name, local ports.Local) bool {
	k.putHeader(k.buf, remote, local)
	return write(mem, msg, k.buf)
}

// write copies b to a task's memory. Where the memory ends, so does the copy:
// what is before its end has been written.
func write(mem Memory, a mach.Addr, b []byte) bool {
	if mem.WriteBytes(a, b) == mach.KernSuccess {
		return true
	}
	for len(b) > 0 {
		n := min(len(b), mach.PageSize-int(a.PageOffset()))
		if mem.WriteBytes(a, b[:n]) != mach.KernSuccess {
			return false
		}
		a, b = a+mach.Addr(n), b[n:]
	}
	return true
}

// copyoutDest delivers only the header of a received message, with the
// receiver's name of the port, and destroys the rest. The message is gone
// afterwards.
func (k *Kmsg) copyoutDest(c Caller, msg mach.Addr) {
	local := c.Space().CopyoutDest(k.Remote)
	remote := mach.NameNull
	if k.Local.Dead {
		remote = mach.NameDead
	}
	k.Remote = ports.Right{}
	k.reverse()
	var h [HeaderSize]byte
	k.putHeader(h[:], remote, ports.Local{Name: local})
	k.abandon()
	write(c.Memory(), msg, h[:])
}

// pseudoReceive gives a message that was not accepted back to its sender:
// every right moves back into the sender's space, memory is mapped again, and
// the buffer says where, with dispositions as received. Remote and local stay
// in place. The message is gone afterwards.
//
//	0 or special bits: what could not be given back
func (k *Kmsg) pseudoReceive(c Caller, msg mach.Addr) mach.MsgReturn {
	header := [2]ports.Right{k.Remote, k.Local}
	var names [2]mach.Name
	bits := c.Space().CopyoutRights(header[:], names[:])
	k.Remote, k.Local = ports.Right{}, ports.Right{}
	if k.Complex() {
		bits |= k.copyoutBody(c)
	}
	k.put(c.Memory(), msg, names[0], ports.Local{Name: names[1]})
	k.refund()
	return bits
}

// copyoutBody gives the items of a body to the receiver and writes names and
// addresses into the body. It goes on after an error.
func (k *Kmsg) copyoutBody(c Caller) (bits mach.MsgReturn) {
	for i := range k.Items {
		it := &k.Items[i]
		d := ParseDescriptor(k.buf[it.off:])
		data := k.buf[it.off+DescriptorSize:]
		d.Dealloc = !it.Inline
		switch {
		case it.Inline && it.IsPort():
			bits |= copyoutRights(c, it, data, 8)
		case !it.Inline:
			addr, mr := mach.Addr(0), mach.MsgReturn(0)
			ok := true
			if it.IsPort() {
				addr, ok, mr = k.copyoutOOLRights(c, it)
			} else if it.Region != nil {
				addr, ok, mr = copyoutRegion(c.Memory(), it.TakeRegion())
			}
			if !ok {
				d.Size = 0
			}
			le.PutUint64(data, uint64(addr))
			bits |= mr
		}
		d.Put(k.buf[it.off:])
	}
	return bits
}

// vmBits is the special bit for memory that could not be given.
func vmBits(kr mach.KernReturn) mach.MsgReturn {
	if kr == mach.KernResourceShortage {
		return mach.MsgVMKernel
	}
	return mach.MsgVMSpace
}

func copyoutRegion(mem Memory, r Region) (mach.Addr, bool, mach.MsgReturn) {
	addr, kr := mem.CopyoutRegion(r)
	if kr != mach.KernSuccess {
		r.Discard()
		return 0, false, vmBits(kr)
	}
	return addr, true, 0
}

// copyoutRights names the item's rights in b, each stride bytes apart.
func copyoutRights(c Caller, it *Item, b []byte, stride int) (bits mach.MsgReturn) {
	var batch [64]mach.Name
	for done := 0; done < len(it.Rights); {
		n := min(len(it.Rights)-done, len(batch))
		bits |= c.Space().CopyoutRights(it.Rights[done:done+n], batch[:n])
		for i := range n {
			if stride == 8 {
				le.PutUint64(b[(done+i)*stride:], uint64(batch[i]))
			} else {
				le.PutUint32(b[(done+i)*stride:], uint32(batch[i]))
			}
		}
		done += n
	}
	return bits
}

// copyoutOOLRights names the item's rights in an array in the receiver's
// memory. The memory comes first: without it the rights are destroyed, so that
// no right has a name its owner never learns.
func (k *Kmsg) copyoutOOLRights(c Caller, it *Item) (mach.Addr, bool, mach.MsgReturn) {
	if len(it.Rights) == 0 {
		return 0, true, 0
	}
	names := make([]byte, 4*len(it.Rights))
	region, kr := c.Memory().NewRegion(names)
	var addr mach.Addr
	if kr == mach.KernSuccess {
		if addr, kr = c.Memory().CopyoutRegion(region); kr != mach.KernSuccess {
			region.Discard()
		}
	}
	if kr != mach.KernSuccess {
		for i := range it.Rights {
			k.sys.zone.Release(it.TakeRight(i))
		}
		return 0, false, vmBits(kr)
	}
	bits := copyoutRights(c, it, names, 4)
	if kr := c.Memory().WriteBytes(addr, names); kr != mach.KernSuccess {
		return 0, false, bits | vmBits(kr)
	}
	return addr, true, bits
}
