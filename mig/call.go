package mig

import (
	"encoding/binary"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/ports"
)

var le = binary.LittleEndian

// Call is one request on its way through a kernel's server, and the reply that
// grows from it. It lives in the thread that serves it.
//
// What a request carries (a right, out-of-line memory) is lent to the server.
// When it answers KERN_SUCCESS those arguments that have no destructor in the
// .defs file are its own: the stub says so with Took. So a server that fails
// leaves everything where it was. Results are the reply's once put.
type Call struct {
	Caller ipc.Caller // the sending thread
	Object any        // the kernel object behind the request port, nil if it is gone

	request *ipc.Kmsg
	reply   *ipc.Kmsg // nil until there is a result
}

// NewCall is a call of request k by c; object is what is behind its port. The
// request stays the caller's.
func NewCall(c ipc.Caller, object any, k *ipc.Kmsg) *Call {
	return &Call{Caller: c, Object: object, request: k}
}

// Body is the request's bytes behind the header, without names and addresses.
func (c *Call) Body() []byte { return c.request.Body() }

// Complex reports whether the request carries rights or out-of-line memory.
func (c *Call) Complex() bool { return c.request.Complex() }

// Seqno is the request's sequence number.
func (c *Call) Seqno() uint32 { return c.request.Seqno }

// item is item i of the request; nil if it is simple.
func (c *Call) item(i int) *ipc.Item {
	if i < len(c.request.Items) {
		return &c.request.Items[i]
	}
	return nil
}

// Right is the right in item i. It is null where data took the place of a
// polymorphic right.
func (c *Call) Right(i int) ports.Right {
	if it := c.item(i); it != nil && len(it.Rights) > 0 {
		return it.Rights[0]
	}
	return ports.Right{}
}

// KObject is the kernel object behind the right in item i, nil if there is
// none.
func (c *Call) KObject(i int) any {
	if r := c.Right(i); r.Valid() {
		return r.Port.KObject()
	}
	return nil
}

// Rights is the rights in item i, an array out of line.
func (c *Call) Rights(i int) []ports.Right {
	if it := c.item(i); it != nil {
		return it.Rights
	}
	return nil
}

// Region is the out-of-line memory of item i, nil where there are no bytes.
func (c *Call) Region(i int) ipc.Region {
	if it := c.item(i); it != nil {
		return it.Region
	}
	return nil
}

// Bytes are the n bytes of item i, an array that may be inline at b[at:] or out
// of line; ok is false where they cannot be read.
func (c *Call) Bytes(i, at int, n uint64) (b []byte, ok bool) {
	r := c.Region(i)
	if r == nil {
		return c.Body()[at : at+int(n)], true
	}
	b = make([]byte, n)
	return b, r.Size() == n && r.ReadAt(b, 0) == mach.KernSuccess
}

// ReplyRight is the request's reply right.
func (c *Call) ReplyRight() ports.Right { return c.request.Local }

// Took says that what item i carries is the server's now.
func (c *Call) Took(i int) {
	if it := c.item(i); it != nil {
		it.Rights, it.Region = nil, nil
	}
}

// TookReply says the same of the reply right.
func (c *Call) TookReply() { c.request.Local = ports.Right{} }

// start makes the reply, with its code.
func (c *Call) start(kr mach.KernReturn) {
	c.reply = c.request.NewReply()
	c.Put64(retCodeType, uint64(uint32(kr)))
}

// results is the reply of a call that succeeded.
func (c *Call) results() *ipc.Kmsg {
	if c.reply == nil {
		c.start(mach.KernSuccess)
	}
	return c.reply
}

// Put64 appends a result of one element in the low bits of v; d is its
// descriptor.
func (c *Call) Put64(d, v uint64) {
	var word [8]byte
	le.PutUint64(word[:], v)
	copy(c.results().AddInline(descriptorOf(d)), word[:])
}

// Place appends an inline result of n bytes, zero, and gives them to be
// filled, with their padding.
func (c *Call) Place(d uint64, n int) []byte {
	return c.results().AddInline(descriptorOf(d))[:pad(n)]
}

// Long makes memory of an array that has more than limit elements; nil stays
// inline.
//
//	KERN_RESOURCE_SHORTAGE  no memory
func Long[T uints](c *Call, list []T, limit int) (ipc.Region, mach.KernReturn) {
	if len(list) <= limit {
		return nil, mach.KernSuccess
	}
	n := binary.Size(list)
	b := make([]byte, pad(n))
	PutElements(b, 0, list)
	return c.Caller.Memory().NewRegion(b[:n])
}

// PutAnywhere appends an array: out of line if it is in long, else inline.
func PutAnywhere[T uints](c *Call, d uint64, list []T, long ipc.Region) {
	n := uint32(len(list))
	if long == nil {
		PutElements(c.Place(d|Number(n), binary.Size(list)), 0, list)
		return
	}
	t := descriptorOf(d)
	c.PutRegion(t.Name, t.Size, n, long)
}

// PutRight appends a right, which the reply takes over.
func (c *Call) PutRight(name mach.TypeName, r ports.Right) { c.results().AddRights(name, r) }

// PutNames appends rights inline, as many as there are, which the reply takes
// over.
func (c *Call) PutNames(d uint64, rs []ports.Right) {
	c.results().AddRights(mach.TypeName(d), rs...)
}

// PutRights appends an array of rights out of line, which the reply takes over.
func (c *Call) PutRights(name mach.TypeName, rs []ports.Right) { c.results().AddOOLRights(name, rs) }

// PutRegion appends number elements out of line in r, which the reply takes
// over; nil is none.
func (c *Call) PutRegion(name mach.TypeName, bits uint16, number uint32, r ipc.Region) {
	c.results().AddRegion(name, bits, number, r)
}

func descriptorOf(d uint64) ipc.Descriptor {
	var b [descriptorSize]byte
	le.PutUint64(b[:], d)
	return ipc.ParseDescriptor(b[:])
}

// RetCode is the code in a reply without results, as the kernel got it for its
// own request id; ok is false where it is anything else.
func RetCode(k *ipc.Kmsg, id mach.MsgID) (kr mach.KernReturn, ok bool) {
	b := k.Body()
	if k.ID != id+mach.ReplyIDOffset || k.Complex() || k.Local.Valid() || len(b) != errorReplySize-headerSize || Get64(b, 0) != retCodeType {
		return 0, false
	}
	return mach.KernReturn(Get32(b, descriptorSize)), true
}
