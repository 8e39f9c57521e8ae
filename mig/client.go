package mig

import (
	"encoding/binary"

	"machkernel/ipc"
	"machkernel/mach"
)

// Messenger is a thread that can trap, for a caller of routines. Buf is the
// message buffer, in the thread's own memory.
type Messenger interface {
	// MachMsg is mach_msg: it sends the first sendSize bytes of buf and
	// receives into buf, as option says. It retries interrupted calls the way
	// the C library does.
	MachMsg(buf []byte, option mach.MsgOption, sendSize int, rcvName mach.Name) mach.MsgReturn

	// MigReplyPort is the thread's reply port (C: mig_get_reply_port), and
	// MigDropReplyPort forgets it after a failure (C: mig_dealloc_reply_port).
	MigReplyPort() mach.Name
	MigDropReplyPort(mach.Name)
}

// maxReply bounds the buffer of a reply with a Variable argument, in bytes.
const maxReply = 8192

// Invoke calls routine r on the object behind dest, as the C stub that MIG
// generates for it does: in are the values of the In and InOut arguments in
// their order, and the result those of the Out and InOut ones.
//
// The answer is the routine's own code, or, as with a C stub, the code of the
// failed mach_msg, or
//
//	MIG_SERVER_DIED     a send-once notification came in place of a reply
//	MIG_REPLY_MISMATCH  the reply has another id
//	MIG_TYPE_ERROR      it is not laid out as the routine says
//
// Names and memory in the result are the caller's task's.
func Invoke(m Messenger, dest mach.Name, r *Routine, in ...Value) ([]Value, mach.KernReturn) {
	buf := make([]byte, headerSize, max(r.RequestSize(), r.ReplySize())+r.slack())
	hdr := ipc.Header{Remote: dest, ID: r.ID}
	local, option := mach.TypeName(0), mach.SendMsg
	if !r.Simple {
		hdr.Local, local = m.MigReplyPort(), mach.TypeMakeSendOnce
		option |= mach.RcvMsg
	}
	hdr.Bits = mach.Bits(mach.TypeCopySend, local)
	if r.complex(In) {
		hdr.Bits |= mach.BitsComplex
	}
	buf = r.AppendArgs(buf, In, in...)
	hdr.Size = uint32(len(buf))
	hdr.Put(buf)
	sent := len(buf)
	if mr := m.MachMsg(buf[:cap(buf)], option, sent, hdr.Local); mr != mach.MsgSuccess {
		if !r.Simple && mr.Base() != mach.SendTimedOut {
			m.MigDropReplyPort(hdr.Local)
		}
		return nil, mach.KernReturn(mr)
	}
	if r.Simple {
		return nil, mach.KernSuccess
	}
	out, kr := r.ParseReply(buf[:cap(buf)])
	if kr == mach.MigReplyMismatch || kr == mach.MigServerDied {
		m.MigDropReplyPort(hdr.Local)
	}
	return out, kr
}

// AppendArgs appends the arguments of direction dir to a message, as a C stub
// lays them out; vs are their values in order.
func (r *Routine) AppendArgs(b []byte, dir Dir, vs ...Value) []byte {
	next := 0
	for i := range r.Args {
		if a := &r.Args[i]; a.Dir&dir != 0 {
			b = appendArg(b, &a.Type, vs[next])
			next++
		}
	}
	return b
}

// slack is what a reply may be longer than its smallest size, in bytes.
func (r *Routine) slack() int {
	for i := range r.Args {
		if r.Args[i].Type.Form == Variable {
			return maxReply
		}
	}
	return 0
}

// ParseReply reads a reply as its receiver sees it, with a client stub's checks
// in their order: id, complex bit and size (with the exemption of the plain
// error reply), the RetCode item, the code, then the arguments.
func (r *Routine) ParseReply(b []byte) ([]Value, mach.KernReturn) {
	h, ok := ipc.ParseHeader(b)
	if !ok || int(h.Size) > len(b) {
		return nil, mach.MigTypeError
	}
	b = b[:h.Size]
	if h.ID != r.ID+mach.ReplyIDOffset {
		if h.ID == mach.NotifySendOnce {
			return nil, mach.MigServerDied
		}
		return nil, mach.MigReplyMismatch
	}
	if len(b) < errorReplySize {
		return nil, mach.MigTypeError
	}
	code := mach.KernReturn(binary.LittleEndian.Uint32(b[headerSize+descriptorSize:]))
	plainError := len(b) == errorReplySize && !h.Bits.Complex() && code != mach.KernSuccess
	if !plainError && (!r.replyFits(len(b)) || h.Bits.Complex() != r.replyComplex()) {
		return nil, mach.MigTypeError
	}
	if !matches(&Int, ipc.ParseDescriptor(b[headerSize:])) {
		return nil, mach.MigTypeError
	}
	if code != mach.KernSuccess {
		return nil, code
	}
	return r.parseArgs(b, errorReplySize, Out)
}

func (r *Routine) replyFits(n int) bool {
	if r.slack() > 0 {
		return n >= r.ReplySize()
	}
	return n == r.ReplySize()
}

func (r *Routine) replyComplex() bool { return r.complex(Out) }

// complex reports whether the message with the arguments of direction dir
// carries rights or out-of-line memory.
func (r *Routine) complex(dir Dir) bool {
	for i := range r.Args {
		if a := &r.Args[i]; a.Dir&dir != 0 && (a.Type.Form == OutLine || a.Type.Form == PortArg) {
			return true
		}
	}
	return false
}

// parseArgs reads the arguments of direction dir at b[off:] to its end.
func (r *Routine) parseArgs(b []byte, off int, dir Dir) ([]Value, mach.KernReturn) {
	var vs []Value
	for i := range r.Args {
		if r.Args[i].Dir&dir == 0 {
			continue
		}
		v, next, ok := parseArg(&r.Args[i].Type, b, off)
		if !ok {
			return nil, mach.MigTypeError
		}
		vs, off = append(vs, v), next
	}
	return vs, mach.KernSuccess
}

// ParseRequest reads the arguments of a request as its sender laid it out;
// ok is false where it is not one of r's.
func (r *Routine) ParseRequest(msg []byte) (vs []Value, ok bool) {
	if len(msg) < headerSize {
		return nil, false
	}
	vs, kr := r.parseArgs(msg, headerSize, In)
	return vs, kr == mach.KernSuccess
}
