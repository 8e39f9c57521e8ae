package mig

import (
	"machkernel/ipc"
	"machkernel/mach"
)

// Messenger is a thread that can trap, for a caller of routines. Buffers are
// the thread's own memory.
type Messenger interface {
	// MachMsg is mach_msg: it sends the first sendSize bytes of buf and
	// receives at most rcvSize into it, as option says; timeout is in
	// milliseconds. It repeats interrupted calls the way the C library does.
	MachMsg(buf []byte, option mach.MsgOption, sendSize, rcvSize int, rcvName mach.Name, timeout uint32) mach.MsgReturn

	// MigBuffer is a buffer of size bytes for one message and its reply. The
	// next call may give the same memory.
	MigBuffer(size int) []byte

	// MigReplyPort is the thread's reply port (C: mig_get_reply_port), and
	// MigDropReplyPort forgets it after a failure (C: mig_dealloc_reply_port).
	MigReplyPort() mach.Name
	MigDropReplyPort(mach.Name)
}

// Outgoing is the header of a request, and how it is sent.
type Outgoing struct {
	ID       mach.MsgID
	Dest     mach.Name
	DestType mach.TypeName
	Complex  bool

	// Option is added to send, or to send and receive; Timeout belongs to it.
	Option  mach.MsgOption
	Timeout uint32

	// Reply is the port the reply goes to, where the caller names one: then
	// nothing is received.
	Reply     mach.Name
	ReplyType mach.TypeName
}

func (o *Outgoing) put(b []byte, n int, reply mach.Name, replyType mach.TypeName) {
	h := ipc.Header{Bits: mach.Bits(o.DestType, replyType), Size: uint32(n), Remote: o.Dest, Local: reply, ID: o.ID}
	if o.Complex {
		h.Bits |= mach.BitsComplex
	}
	h.Put(b)
}

// Send sends the request in b[:n] and waits for no reply: a simpleroutine.
// The answer is mach_msg's.
func (o *Outgoing) Send(m Messenger, b []byte, n int) mach.KernReturn {
	o.put(b, n, o.Reply, o.ReplyType)
	return mach.KernReturn(m.MachMsg(b[:n], mach.SendMsg|o.Option, n, 0, mach.NameNull, o.Timeout))
}

// Call sends the request in b[:n], receives a reply of at most room bytes into
// b, and returns it. The answer is mach_msg's if it failed, or
//
//	MIG_SERVER_DIED     a send-once notification came in place of a reply
//	MIG_REPLY_MISMATCH  the reply has another id
func (o *Outgoing) Call(m Messenger, b []byte, n, room int) ([]byte, mach.KernReturn) {
	reply := m.MigReplyPort()
	o.put(b, n, reply, mach.TypeMakeSendOnce)
	if mr := m.MachMsg(b, mach.SendMsg|mach.RcvMsg|o.Option, n, room, reply, o.Timeout); mr != mach.MsgSuccess {
		m.MigDropReplyPort(reply)
		return nil, mach.KernReturn(mr)
	}
	h, _ := ipc.ParseHeader(b)
	switch h.ID {
	case o.ID + mach.ReplyIDOffset:
	case mach.NotifySendOnce:
		return nil, mach.MigServerDied
	default:
		m.MigDropReplyPort(reply)
		return nil, mach.MigReplyMismatch
	}
	return b[:max(headerSize, min(int(h.Size), len(b)))], mach.KernSuccess
}

// Carry says whether a message must, must not or may be complex.
type Carry uint8

// Values of Carry.
const (
	CarryNothing Carry = iota // data inline only
	CarrySome                 // rights or out-of-line memory
	CarryAny                  // depends on what is sent
)

// CheckReply makes a client stub's checks of a reply, in their order: complex
// bit and size (exact, or at least size), with the exemption of the plain error
// reply; the item of the code; the code. The answer is the code, or
//
//	MIG_TYPE_ERROR  the reply is not laid out as declared
func CheckReply(r []byte, size int, exact bool, carry Carry) mach.KernReturn {
	if len(r) < errorReplySize {
		return mach.MigTypeError
	}
	code := mach.KernReturn(Get32(r, headerSize+descriptorSize))
	plain := len(r) == errorReplySize && !isComplex(r) && code != mach.KernSuccess
	fits := len(r) == size || !exact && len(r) > size
	fits = fits && (carry == CarryAny || isComplex(r) == (carry == CarrySome))
	if !fits && !plain || Get64(r, headerSize) != retCodeType {
		return mach.MigTypeError
	}
	return code
}
