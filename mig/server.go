package mig

import (
	"encoding/binary"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/ports"
)

// callArgs is how many arguments a routine may have; vm_map has ten.
const callArgs = 12

// Call is one request on its way through its server. It lives in the thread
// that serves it, until the reply is made.
//
// Arguments are numbered as in Routine.Args. What a request carried (a right,
// out-of-line memory) stays the request's until the server takes it; what the
// server puts into the reply is the reply's from then on. So a server that
// fails halfway leaves nothing behind.
type Call struct {
	Routine *Routine
	Caller  ipc.Caller // the sending thread
	Object  any        // the kernel object behind the request port, nil if it is gone

	items [callArgs]*ipc.Item // of the In arguments
	out   [callArgs]result    // of the Out arguments
}

// result is the value of an Out argument.
type result struct {
	word   uint64
	data   []byte
	right  ports.Right
	region ipc.Region
	number uint32
}

// Serve answers a request: the routine that the id names is found, the
// arguments are checked as the C server stub checks them, the server is
// called, the reply is built. It consumes k and returns the reply, nil for a
// routine that has none. The reply right of k is the reply's.
//
//	MIG_BAD_ID         no routine of that id is served
//	MIG_BAD_ARGUMENTS  wrong size, complex bit or item
//
// A request that is not answered KERN_SUCCESS is destroyed with all it
// carried; one that is, too, without what the server took.
func (t *Table) Serve(c ipc.Caller, object any, k *ipc.Kmsg) *ipc.Kmsg {
	call := Call{Routine: t.byID[k.ID], Caller: c, Object: object}
	kr := mach.MigBadID
	if call.Routine != nil && call.Routine.Serve != nil {
		kr = mach.MigBadArguments
		if call.accept(k) {
			kr = call.Routine.Serve(&call)
		}
	}
	if kr == mach.MigNoReply || call.Routine != nil && call.Routine.Simple {
		call.discardResults()
		k.Destroy()
		return nil
	}
	reply := k.NewReply()
	k.Destroy()
	var code [4]byte
	binary.LittleEndian.PutUint32(code[:], uint32(kr))
	reply.AddData(mach.TypeInteger32, 32, 1, code[:])
	if kr != mach.KernSuccess {
		call.discardResults()
		return reply
	}
	call.marshal(reply)
	return reply
}

// accept makes a server stub's checks: the size, which is the sum of what the
// arguments take, the complex bit, then each descriptor.
func (c *Call) accept(k *ipc.Kmsg) bool {
	r := c.Routine
	if size := int(k.Size); size != r.RequestSize() && (size < r.RequestSize() || !r.hasVariable(In)) {
		return false
	}
	if !r.hasPoly() && k.Complex() != r.complex(In) {
		return false
	}
	if !k.Parse() {
		return false
	}
	next := 0
	for i := range r.Args {
		t := &r.Args[i].Type
		if r.Args[i].Dir&In == 0 {
			continue
		}
		if next == len(k.Items) || !accepts(t, &k.Items[next]) {
			return false
		}
		c.items[i] = &k.Items[next]
		next++
	}
	return next == len(k.Items)
}

// accepts is a stub's test of one item.
func accepts(t *Type, it *ipc.Item) bool {
	if it.Inline == (t.Form == OutLine) || it.Long != (t.Form == OutLine) || it.SizeBits != t.Bits {
		return false
	}
	if !t.Poly && it.Name != t.Name {
		return false
	}
	// The bound of a variable array is the client stub's affair.
	return t.Form == OutLine || t.Form == Variable || it.Number == t.Number
}

func (r *Routine) hasVariable(dir Dir) bool {
	for i := range r.Args {
		if r.Args[i].Dir&dir != 0 && r.Args[i].Type.Form == Variable {
			return true
		}
	}
	return false
}

func (r *Routine) hasPoly() bool {
	for i := range r.Args {
		if r.Args[i].Type.Poly {
			return true
		}
	}
	return false
}

// marshal appends the results to the reply, which takes them over.
func (c *Call) marshal(reply *ipc.Kmsg) {
	for i := range c.Routine.Args {
		a := &c.Routine.Args[i]
		if a.Dir&Out == 0 {
			continue
		}
		t, v := &a.Type, &c.out[i]
		switch {
		case t.Form == OutLine:
			reply.AddRegion(t.Name, t.Bits, v.number, v.region)
		case t.Form == PortArg:
			reply.AddRights(t.Name, v.right)
		case v.data != nil:
			reply.AddData(t.Name, t.Bits, uint32(len(v.data)/t.ElemSize()), v.data)
		default:
			var b [8]byte
			binary.LittleEndian.PutUint64(b[:], v.word)
			reply.AddData(t.Name, t.Bits, 1, b[:t.ElemSize()])
		}
	}
}

// discardResults releases what a server that failed had put into its results.
func (c *Call) discardResults() {
	for i := range c.out {
		if r := c.out[i].region; r != nil {
			r.Discard()
		}
		if r := c.out[i].right; r.Valid() {
			r.Port.Zone().Release(r)
		}
		c.out[i] = result{}
	}
}

// Uint64 is scalar argument i.
func (c *Call) Uint64(i int) uint64 {
	if d := c.items[i].Data; len(d) == 8 {
		return binary.LittleEndian.Uint64(d)
	}
	return uint64(c.Uint32(i))
}

// Uint32 is scalar argument i of 32 bits.
func (c *Call) Uint32(i int) uint32 { return binary.LittleEndian.Uint32(c.items[i].Data) }

// Int32 is scalar argument i of 32 bits, signed.
func (c *Call) Int32(i int) int32 { return int32(c.Uint32(i)) }

// Bool is argument i as C takes it: true if not zero.
func (c *Call) Bool(i int) bool { return c.Uint32(i) != 0 }

// Addr is argument i as an address.
func (c *Call) Addr(i int) mach.Addr { return mach.Addr(c.Uint64(i)) }

// PortName is argument i as a port name.
func (c *Call) PortName(i int) mach.Name { return mach.Name(c.Uint32(i)) }

// Data is the bytes of inline array argument i. They are the request's.
func (c *Call) Data(i int) []byte { return c.items[i].Data }

// Right is argument i, a right, which stays the request's, and the type it
// came with. Data of another type in a polymorphic place is no right: the type
// tells.
func (c *Call) Right(i int) (ports.Right, mach.TypeName) {
	it := c.items[i]
	if !it.IsPort() {
		return ports.Right{}, it.Name
	}
	return it.Rights[0], it.Name
}

// TakeRight takes argument i, a right, out of the request.
func (c *Call) TakeRight(i int) ports.Right { return c.items[i].TakeRight(0) }

// Region is argument i, out-of-line memory, which stays the request's. It is
// nil where there are no bytes.
func (c *Call) Region(i int) ipc.Region { return c.items[i].Region }

// TakeRegion takes argument i, out-of-line memory, out of the request.
func (c *Call) TakeRegion(i int) ipc.Region { return c.items[i].TakeRegion() }

// SetUint64 sets scalar result i; a result of 32 bits takes the lower ones.
func (c *Call) SetUint64(i int, v uint64) { c.out[i].word = v }

// SetUint32 sets scalar result i.
func (c *Call) SetUint32(i int, v uint32) { c.out[i].word = uint64(v) }

// SetInt32 sets scalar result i.
func (c *Call) SetInt32(i int, v int32) { c.out[i].word = uint64(uint32(v)) }

// SetBool sets scalar result i.
func (c *Call) SetBool(i int, v bool) {
	c.out[i].word = 0
	if v {
		c.out[i].word = 1
	}
}

// SetStruct sets inline result i to the bytes of v, a structure of fixed size.
func (c *Call) SetStruct(i int, v any) {
	b, err := binary.Append(nil, binary.LittleEndian, v)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	c.out[i].data = b
}

// SetRight sets result i, a right, which the reply takes over.
func (c *Call) SetRight(i int, r ports.Right) { c.out[i].right = r }

// SetRegion sets result i, number elements out of line in r, which the reply
// takes over.
func (c *Call) SetRegion(i int, r ipc.Region, number uint32) {
	c.out[i].region, c.out[i].number = r, number
}
