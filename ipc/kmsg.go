package ipc

import (
	"machkernel/mach"
	"machkernel/ports"
)

// Item is one typed item of a message body, as the kernel holds it.
//
//	kind               Inline  Data           Rights           Region
//	data inline        true    the bytes      nil              nil
//	rights inline      true    nil            Number of them   nil
//	data out of line   false   nil            nil              the memory; nil if empty
//	rights out of line false   nil            Number of them   nil
//
// Rights and Region belong to the message until somebody takes them.
type Item struct {
	Name     mach.TypeName // of a right: 16 receive, 17 send, 18 send-once
	SizeBits uint16        // of one element
	Number   uint32        // of elements
	Inline   bool
	Long     bool
	Dealloc  bool // the sender's deallocate bit
	Data     []byte
	Rights   []ports.Right
	Region   Region

	off int // of the descriptor in the message
}

// IsPort reports whether the item is rights.
func (it *Item) IsPort() bool { return it.Name.IsPort() }

// Bytes is the size of the item's data.
func (it *Item) Bytes() uint64 {
	return (uint64(it.Number)*uint64(it.SizeBits) + 7) >> 3
}

// TakeRight takes right i out of the message; the caller owns it.
func (it *Item) TakeRight(i int) ports.Right {
	r := it.Rights[i]
	it.Rights[i] = ports.Right{}
	return r
}

// TakeRegion takes the out-of-line memory out of the message; the caller owns
// it. It is nil for an item without.
func (it *Item) TakeRegion() Region {
	r := it.Region
	it.Region = nil
	return r
}

// Kmsg is a message inside the kernel: names have become rights, addresses
// have become regions. Who owns a Kmsg owns everything in it, and ends it by
// sending it, copying it out or Destroy.
//
//	state       who has it         Remote               names in the body
//	copied in   a sending thread   the destination      zero
//	queued      a port, a set      the destination      zero
//	received    a receiver         the destination      zero
//	served      a kernel server    null; see Dest       zero
//	copied out  nobody: only bytes null                 the receiver's
//	destroyed   nobody             null                 -
//
// The zero value is not usable: see System.NewKmsg. A Kmsg is not copied: a short
// one's bytes lie in it.
type Kmsg struct {
	ports.MsgBase // Remote is the destination right; Size counts the header

	Local ports.Right  // the reply right
	Bits  mach.MsgBits // dispositions as received, complex, and what the user set
	ID    mach.MsgID
	Items []Item // of a complex message; of a simple one only after Parse

	sys    *System
	buf    []byte // the message as on the wire, room for the header first
	parsed bool
	dest   *ports.Port // the port a kernel server got the message from
	frame  frame
	cost   int64 // bytes that the system's account has for it
	few    [3]Item
	room   [shortMessage]byte // buf of a short message
}

// frame is what a thread holds while it has the kernel serve a message.
type frame struct {
	k    *Kmsg
	dest ports.Right
}

// Rights implements ports.Holder.
func (f *frame) Rights(yield func(ports.Right) bool) { yield(f.dest) }

// Message implements ports.MessageHolder.
func (f *frame) Message() ports.Message { return f.k }

// NewKmsg makes a simple message with an empty body from the kernel to dest.
// Append items, then send it.
//
// Consumes dest, a send or send-once right.
func (s *System) NewKmsg(dest ports.Right, id mach.MsgID) *Kmsg {
	k := &Kmsg{sys: s, ID: id, Bits: mach.Bits(dest.Type, 0), parsed: true}
	k.buf = k.room[:HeaderSize]
	k.Remote = dest
	k.Size = HeaderSize
	k.Items = k.few[:0]
	return k
}

// NewReply makes the reply to k: to k's reply right, which it takes, with id +
// 100. Without a reply right the reply goes nowhere when it is sent.
func (k *Kmsg) NewReply() *Kmsg {
	reply := k.sys.NewKmsg(k.Local, k.ID+mach.ReplyIDOffset)
	reply.Bits = mach.Bits(k.Bits.Local(), 0)
	k.Local = ports.Right{}
	return reply
}

// Dest is the port the message was sent to.
func (k *Kmsg) Dest() *ports.Port {
	if k.dest != nil {
		return k.dest
	}
	return k.Remote.Port
}

// Complex reports whether the message carries rights or out-of-line memory.
func (k *Kmsg) Complex() bool { return k.Bits.Complex() }

// Body is the body's bytes as on the wire, without names and addresses. It
// belongs to the message.
func (k *Kmsg) Body() []byte { return k.buf[HeaderSize:] }

// Destroy ends the message with everything in it: rights are destroyed as if
// their owner had, so send-once rights owe their notifications; memory is
// discarded. A message is destroyed once.
//
// Locks: none held; takes the IPC lock. Consumes k.
func (k *Kmsg) Destroy() {
	switch {
	case k == nil:
	case k.empty() && !k.sys.longWay:
		k.sys.observeDestroyed(k)
		k.refund()
	default:
		k.sys.zone.Destroy(k)
	}
}

// empty reports whether the message, which no queue has or had last, holds nothing.
func (k *Kmsg) empty() bool {
	for i := range k.Items {
		if it := &k.Items[i]; len(it.Rights) > 0 || it.Region != nil {
			return false
		}
	}
	return !k.Remote.Valid() && !k.Local.Valid()
}

// abandon is Destroy for a message of which the kernel has only a part: see
// ports.Zone.Abandon.
func (k *Kmsg) abandon() { k.sys.zone.Abandon(k) }

// ReleaseTo implements ports.Message.
func (k *Kmsg) ReleaseTo(r *ports.Reaper) {
	k.sys.observeDestroyed(k)
	k.refund()
	local := k.Local
	k.Local = ports.Right{}
	r.Discard(local)
	for i := range k.Items {
		k.Items[i].release(r)
	}
}

func (it *Item) release(r *ports.Reaper) {
	for i := range it.Rights {
		r.Discard(it.TakeRight(i))
	}
	if region := it.TakeRegion(); region != nil {
		region.Discard()
	}
}

// Rights implements ports.Message: it lists every right but the destination's.
func (k *Kmsg) Rights(yield func(ports.Right) bool) {
	if !yield(k.Local) {
		return
	}
	for i := range k.Items {
		for _, r := range k.Items[i].Rights {
			if !yield(r) {
				return
			}
		}
	}
}

// Regions calls yield for each region of out-of-line memory that the message
// holds. It is for audits.
func (k *Kmsg) Regions(yield func(Region)) {
	for i := range k.Items {
		if r := k.Items[i].Region; r != nil {
			yield(r)
		}
	}
}

// grow adds an item with n bytes of data behind its descriptor, and returns
// it and them.
func (k *Kmsg) grow(d Descriptor, n int) (*Item, []byte) {
	off := len(k.buf)
	size := off + align(DescriptorSize+n)
	if size > cap(k.buf) {
		bigger := make([]byte, off, max(size, 2*cap(k.buf)))
		copy(bigger, k.buf)
		k.buf = bigger
		for i := range k.Items {
			if it := &k.Items[i]; it.Data != nil {
				it.Data = k.buf[it.off+DescriptorSize:][:len(it.Data)]
			}
		}
	}
	k.buf = k.buf[:size]
	clear(k.buf[off:])
	k.Size = uint32(size)
	d.Put(k.buf[off:])
	k.Items = append(k.Items, Item{
		Name: d.Name, SizeBits: d.Size, Number: d.Number, Inline: d.Inline, Long: d.Long, Dealloc: d.Dealloc, off: off,
	})
	return &k.Items[len(k.Items)-1], k.buf[off+DescriptorSize : off+DescriptorSize+n]
}

// AddData appends inline data: number elements of sizeBits bits, copied from
// data. It returns where they lie in the message, so that data may be nil and
// the bytes written later, but before the next item is added.
func (k *Kmsg) AddData(name mach.TypeName, sizeBits uint16, number uint32, data []byte) []byte {
	b := k.AddInline(Descriptor{Name: name, Size: sizeBits, Number: number, Inline: true})
	copy(b, data)
	return b
}

// AddInline appends inline data, zero, as its descriptor says, and returns
// where it lies in the message, to be written before the next item is added.
func (k *Kmsg) AddInline(d Descriptor) []byte {
	it, b := k.grow(d, int(d.length()))
	it.Data = b
	return b
}

// AddRights appends rights inline, all of type name (16, 17 or 18). It
// consumes them.
func (k *Kmsg) AddRights(name mach.TypeName, rights ...ports.Right) {
	it, _ := k.grow(Descriptor{Name: name, Size: inlinePortBits, Number: uint32(len(rights)), Inline: true}, 8*len(rights))
	it.Rights = append([]ports.Right(nil), rights...)
	k.Bits |= mach.BitsComplex
}

// AddRegion appends out-of-line data: number elements of sizeBits bits. It
// consumes region, which may be nil when there are none.
func (k *Kmsg) AddRegion(name mach.TypeName, sizeBits uint16, number uint32, region Region) {
	it, _ := k.grow(Descriptor{Name: name, Size: sizeBits, Number: number, Long: true, Dealloc: true}, 8)
	it.Region = region
	k.Bits |= mach.BitsComplex
}

// AddOOLRights appends an out-of-line array of rights, all of type name. It
// consumes them, and keeps the slice.
func (k *Kmsg) AddOOLRights(name mach.TypeName, rights []ports.Right) {
	it, _ := k.grow(Descriptor{Name: name, Size: oolPortBits, Number: uint32(len(rights)), Long: true, Dealloc: true}, 8)
	it.Rights = rights
	k.Bits |= mach.BitsComplex
}

// Parse gives a simple message's body items, too, for a server that expects
// them: to copyin it is opaque bytes. It reports false when the bytes are not
// items, or say they carry rights or out-of-line memory, which a simple message
// cannot. A complex message is parsed already.
func (k *Kmsg) Parse() bool {
	if k.parsed {
		return true
	}
	k.Items = k.few[:0]
	for off := HeaderSize; off < len(k.buf); {
		it, next, mr := k.scan(off)
		if mr != mach.MsgSuccess || it.IsPort() || !it.Inline {
			k.Items = k.few[:0]
			return false
		}
		k.Items = append(k.Items, it)
		off = next
	}
	k.parsed = true
	return true
}

// scan reads the item at off: its descriptor, and where its data lies. It
// checks the type before the size, as Mach does, and changes nothing.
//
//	MsgSuccess       it.Data is the data or the address; next is the next item
//	SendMsgTooSmall  the descriptor or the data run past the end
//	SendInvalidType  the descriptor breaks a rule of the format
func (k *Kmsg) scan(off int) (it Item, next int, mr mach.MsgReturn) {
	rest := k.buf[off:]
	if len(rest) < DescriptorSize {
		return it, 0, mach.SendMsgTooSmall
	}
	d := ParseDescriptor(rest)
	if !d.legalType() {
		return it, 0, mach.SendInvalidType
	}
	n := uint64(8)
	if d.Inline {
		n = d.length()
	}
	rest = rest[DescriptorSize:]
	if n > uint64(len(rest)) {
		return it, 0, mach.SendMsgTooSmall
	}
	it = Item{
		Name: d.Name, SizeBits: d.Size, Number: d.Number, Inline: d.Inline, Long: d.Long, Dealloc: d.Dealloc,
		Data: rest[:n:n], off: off,
	}
	return it, align(off + DescriptorSize + int(n)), mach.MsgSuccess
}
