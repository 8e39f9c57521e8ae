package mig

import (
	"machkernel/ipc"
	"machkernel/mach"
)

// TaskStub serves one routine of a task's server. MIG generates it.
type TaskStub func(*Incoming) mach.KernReturn

// TaskDemux is what MIG generates for a task's server of a subsystem: a stub
// for each id from the base on, nil for one that is skipped.
type TaskDemux struct {
	Subsystem *Subsystem
	Stubs     []TaskStub
}

// Incoming is a request that a task received, and the reply that grows from
// it. Names and addresses are the task's, and stay with its server.
type Incoming struct {
	// Header is as received: Local is the port it was sent to, or Payload its
	// protected payload; Remote is the reply right.
	Header ipc.Header

	in    []byte
	reply []byte
	carry bool // the reply is complex
}

// Serve answers the request in msg, a message as it was received: the routine
// that the id names is called, and the reply built in buf, or elsewhere if that
// is too small. It returns the reply, ready to be sent to the request's reply
// right, and its code; one whose code is MIG_NO_REPLY is not to be sent.
//
//	MIG_BAD_ID         no routine of that id
//	MIG_BAD_ARGUMENTS  wrong size, complex bit or item
func (d *TaskDemux) Serve(msg, buf []byte) ([]byte, mach.KernReturn) {
	h, whole := ipc.ParseHeader(msg)
	if !whole {
		return nil, mach.MigBadArguments
	}
	c := Incoming{Header: h, in: msg[headerSize:max(headerSize, min(int(h.Size), len(msg)))]}
	c.reply = append(buf[:0], make([]byte, headerSize)...)
	c.Put64(retCodeType, 0)
	kr := mach.MigBadID
	if n := int(h.ID - d.Subsystem.Base); n >= 0 && n < len(d.Stubs) && d.Stubs[n] != nil {
		kr = d.Stubs[n](&c)
	}
	if kr != mach.KernSuccess {
		c.reply, c.carry = c.reply[:errorReplySize], false
	}
	Put64(c.reply, headerSize+descriptorSize, uint64(uint32(kr)))
	out := ipc.Header{
		Bits: mach.Bits(h.Bits.Remote(), 0), Size: uint32(len(c.reply)), Remote: h.Remote, ID: h.ID + mach.ReplyIDOffset,
	}
	if c.carry {
		out.Bits |= mach.BitsComplex
	}
	out.Put(c.reply)
	return c.reply, kr
}

// Body is the request behind its header.
func (c *Incoming) Body() []byte { return c.in }

// Complex reports whether the request carries rights or out-of-line memory.
func (c *Incoming) Complex() bool { return c.Header.Bits.Complex() }

// Put64 appends a result whose bytes, with their padding, are v; d is its
// descriptor.
func (c *Incoming) Put64(d, v uint64) { c.reply = le.AppendUint64(le.AppendUint64(c.reply, d), v) }

// Place appends an inline result of n bytes, zero, and gives them to be filled,
// with their padding.
func (c *Incoming) Place(d uint64, n int) []byte {
	c.reply = le.AppendUint64(c.reply, d)
	at := len(c.reply)
	c.reply = append(c.reply, make([]byte, pad(n))...)
	return c.reply[at:]
}

// PutName appends a right by its name.
func (c *Incoming) PutName(d uint64, name mach.Name) {
	c.carry = c.carry || mach.TypeName(d).IsPort()
	c.Put64(d, uint64(name))
}

// PutNames appends rights inline, as many as there are.
func (c *Incoming) PutNames(d uint64, list []mach.Name) {
	c.carry = true
	PutNames(c.Place(d|Number(uint32(len(list))), 8*len(list)), 0, list)
}

// PutMemory appends elements out of line, by their address.
func (c *Incoming) PutMemory(d uint64, a mach.Addr) {
	c.carry = true
	c.Put64(d, uint64(a))
}

// PutRights appends an array of rights that may be inline or out of line.
func (c *Incoming) PutRights(d uint64, a Array) {
	if a.OutLine() {
		c.PutMemory(outOfLineRights(d)|Number(a.Number), a.Addr)
		return
	}
	c.carry = true
	at := len(c.reply)
	c.Place(d, 8*int(a.Number))
	PutRights(c.reply, at, d, a)
}

// PutArray appends an array that may be inline or out of line; d is its
// descriptor inline, without a number.
func (c *Incoming) PutArray(d uint64, a Array) {
	if a.OutLine() {
		c.PutMemory(d&^descInline|Number(a.Number), a.Addr)
		return
	}
	copy(c.Place(d&^descDealloc|Number(a.Number), len(a.Inline)), a.Inline)
}
