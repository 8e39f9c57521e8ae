package mig

import (
	"machkernel/ipc"
	"machkernel/mach"
)

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
	room := r.ReplySize() + r.slack()
	buf := m.MigBuffer(max(r.RequestSize()+r.slack(), room))
	b := r.AppendArgs(buf[:headerSize], In, in...)
	o := Outgoing{ID: r.ID, Dest: dest, DestType: mach.TypeCopySend, Complex: r.complex(In)}
	if r.Simple {
		return nil, o.Send(m, b, len(b))
	}
	sent := len(b)
	if sent > len(buf) {
		return nil, mach.MigArrayTooLarge
	}
	reply, kr := o.Call(m, buf, sent, room)
	if kr != mach.KernSuccess {
		return nil, kr
	}
	return r.ParseReply(append([]byte(nil), reply...))
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
		if f := r.Args[i].Type.Form; f == Variable || f == Anywhere {
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
	carry := CarryNothing
	if r.complex(Out) {
		carry = CarrySome
	}
	if r.anywhere(Out) {
		carry = CarryAny
	}
	if kr := CheckReply(b, r.ReplySize(), r.slack() == 0, carry); kr != mach.KernSuccess {
		return nil, kr
	}
	return r.parseArgs(b, errorReplySize, Out)
}

// anywhere reports whether a message of direction dir may be complex or not.
func (r *Routine) anywhere(dir Dir) bool {
	for i := range r.Args {
		if a := &r.Args[i]; a.Dir&dir != 0 && a.Type.Form == Anywhere {
			return true
		}
	}
	return false
}

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

// parseArgs reads the arguments of direction dir at b[off:] to its end; those in as
// a sender lays them out, who says of a right what is to be done for the one that
// the server gets.
func (r *Routine) parseArgs(b []byte, off int, dir Dir) ([]Value, mach.KernReturn) {
	var vs []Value
	for i := range r.Args {
		if r.Args[i].Dir&dir == 0 {
			continue
		}
		t := r.Args[i].Type
		if dir == In && t.Name.IsPort() && off < len(b) && mach.TypeName(b[off]).Received() == t.Name {
			t.Name = mach.TypeName(b[off])
		}
		v, next, ok := parseArg(&t, b, off)
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
