package mach

import (
	"fmt"
	"strings"
)

// MsgBits is the msgh_bits word of a message header (C: mach_msg_bits_t).
//
//	31       30        29..16            15..8             7..0
//	complex  circular  internal, unused  local disposition remote disposition
type MsgBits uint32

// Bits of msgh_bits.
const (
	BitsRemoteMask MsgBits = 0x000000ff // C: MACH_MSGH_BITS_REMOTE_MASK
	BitsLocalMask  MsgBits = 0x0000ff00 // C: MACH_MSGH_BITS_LOCAL_MASK
	BitsPortsMask          = BitsRemoteMask | BitsLocalMask
	BitsComplex    MsgBits = 0x80000000 // C: MACH_MSGH_BITS_COMPLEX
	BitsCircular   MsgBits = 0x40000000 // C: MACH_MSGH_BITS_CIRCULAR, internal
)

// Bits combines the two dispositions of a header (C: MACH_MSGH_BITS).
func Bits(remote, local TypeName) MsgBits { return MsgBits(remote) | MsgBits(local)<<8 }

// Remote is the disposition of msgh_remote_port.
func (b MsgBits) Remote() TypeName { return TypeName(b & BitsRemoteMask) }

// Local is the disposition of msgh_local_port.
func (b MsgBits) Local() TypeName { return TypeName(b & BitsLocalMask >> 8) }

// Complex reports whether the body holds rights or out-of-line memory.
func (b MsgBits) Complex() bool { return b&BitsComplex != 0 }

// TypeName is the type of a message item, and the disposition of a right
// (C: mach_msg_type_name_t).
type TypeName uint8

// Item types. A right is sent with one of the six dispositions and received
// as one of the first three.
const (
	TypeUnstructured     TypeName = 0  // C: MACH_MSG_TYPE_UNSTRUCTURED, _BIT, _BOOLEAN
	TypeBoolean          TypeName = 0  // C: MACH_MSG_TYPE_BOOLEAN
	TypeInteger16        TypeName = 1  // C: MACH_MSG_TYPE_INTEGER_16
	TypeInteger32        TypeName = 2  // C: MACH_MSG_TYPE_INTEGER_32
	TypeChar             TypeName = 8  // C: MACH_MSG_TYPE_CHAR
	TypeByte             TypeName = 9  // C: MACH_MSG_TYPE_BYTE, _INTEGER_8
	TypeReal             TypeName = 10 // C: MACH_MSG_TYPE_REAL
	TypeInteger64        TypeName = 11 // C: MACH_MSG_TYPE_INTEGER_64
	TypeString           TypeName = 12 // C: MACH_MSG_TYPE_STRING
	TypePortName         TypeName = 15 // C: MACH_MSG_TYPE_PORT_NAME, data, never translated
	TypeMoveReceive      TypeName = 16 // C: MACH_MSG_TYPE_MOVE_RECEIVE, _PORT_RECEIVE
	TypeMoveSend         TypeName = 17 // C: MACH_MSG_TYPE_MOVE_SEND, _PORT_SEND
	TypeMoveSendOnce     TypeName = 18 // C: MACH_MSG_TYPE_MOVE_SEND_ONCE, _PORT_SEND_ONCE
	TypeCopySend         TypeName = 19 // C: MACH_MSG_TYPE_COPY_SEND
	TypeMakeSend         TypeName = 20 // C: MACH_MSG_TYPE_MAKE_SEND
	TypeMakeSendOnce     TypeName = 21 // C: MACH_MSG_TYPE_MAKE_SEND_ONCE
	TypeProtectedPayload TypeName = 23 // C: MACH_MSG_TYPE_PROTECTED_PAYLOAD

	TypePortReceive  = TypeMoveReceive  // C: MACH_MSG_TYPE_PORT_RECEIVE
	TypePortSend     = TypeMoveSend     // C: MACH_MSG_TYPE_PORT_SEND
	TypePortSendOnce = TypeMoveSendOnce // C: MACH_MSG_TYPE_PORT_SEND_ONCE
)

// IsPort reports whether items of this type are rights
// (C: MACH_MSG_TYPE_PORT_ANY).
func (t TypeName) IsPort() bool { return t >= TypeMoveReceive && t <= TypeMakeSendOnce }

// IsSend reports whether t sends a send or send-once right
// (C: MACH_MSG_TYPE_PORT_ANY_SEND).
func (t TypeName) IsSend() bool { return t >= TypeMoveSend && t <= TypeMakeSendOnce }

// Received is the type with which the receiver gets a right that was sent
// with disposition t; other types stay what they are.
func (t TypeName) Received() TypeName {
	switch t {
	case TypeCopySend, TypeMakeSend:
		return TypePortSend
	case TypeMakeSendOnce:
		return TypePortSendOnce
	}
	return t
}

func (t TypeName) String() string {
	switch t {
	case TypeUnstructured:
		return "boolean"
	case TypeInteger16:
		return "integer_16"
	case TypeInteger32:
		return "integer_32"
	case TypeChar:
		return "char"
	case TypeByte:
		return "byte"
	case TypeReal:
		return "real"
	case TypeInteger64:
		return "integer_64"
	case TypeString:
		return "string"
	case TypePortName:
		return "port_name"
	case TypeMoveReceive:
		return "move_receive"
	case TypeMoveSend:
		return "move_send"
	case TypeMoveSendOnce:
		return "move_send_once"
	case TypeCopySend:
		return "copy_send"
	case TypeMakeSend:
		return "make_send"
	case TypeMakeSendOnce:
		return "make_send_once"
	case TypeProtectedPayload:
		return "protected_payload"
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// MsgOption is the option word of mach_msg (C: mach_msg_option_t).
type MsgOption uint32

// Options of mach_msg.
const (
	SendMsg       MsgOption = 0x0001 // C: MACH_SEND_MSG
	RcvMsg        MsgOption = 0x0002 // C: MACH_RCV_MSG
	SendTimeout   MsgOption = 0x0010 // C: MACH_SEND_TIMEOUT
	SendNotify    MsgOption = 0x0020 // C: MACH_SEND_NOTIFY
	SendInterrupt MsgOption = 0x0040 // C: MACH_SEND_INTERRUPT, libmach's
	SendCancel    MsgOption = 0x0080 // C: MACH_SEND_CANCEL
	RcvTimeout    MsgOption = 0x0100 // C: MACH_RCV_TIMEOUT
	RcvNotify     MsgOption = 0x0200 // C: MACH_RCV_NOTIFY
	RcvInterrupt  MsgOption = 0x0400 // C: MACH_RCV_INTERRUPT, libmach's
	RcvLarge      MsgOption = 0x0800 // C: MACH_RCV_LARGE
)

func (o MsgOption) String() string {
	if o == 0 {
		return "0"
	}
	var s []string
	for _, n := range [...]struct {
		bit  MsgOption
		name string
	}{
		{SendMsg, "SEND_MSG"},
		{RcvMsg, "RCV_MSG"},
		{SendTimeout, "SEND_TIMEOUT"},
		{SendNotify, "SEND_NOTIFY"},
		{SendInterrupt, "SEND_INTERRUPT"},
		{SendCancel, "SEND_CANCEL"},
		{RcvTimeout, "RCV_TIMEOUT"},
		{RcvNotify, "RCV_NOTIFY"},
		{RcvInterrupt, "RCV_INTERRUPT"},
		{RcvLarge, "RCV_LARGE"},
	} {
		if o&n.bit != 0 {
			s = append(s, n.name)
			o &^= n.bit
		}
	}
	if o != 0 {
		s = append(s, fmt.Sprintf("%#x", uint32(o)))
	}
	return strings.Join(s, "|")
}

// MsgID is the msgh_id of a message (C: mach_msg_id_t). A MIG reply carries
// its request's id plus ReplyIDOffset.
type MsgID int32

// ReplyIDOffset is what MIG adds to a request's id for the reply.
const ReplyIDOffset MsgID = 100

// Ids of notifications (C: MACH_NOTIFY_*).
const (
	NotifyPortDeleted   MsgID = 0o101 // C: MACH_NOTIFY_PORT_DELETED
	NotifyMsgAccepted   MsgID = 0o102 // C: MACH_NOTIFY_MSG_ACCEPTED
	NotifyPortDestroyed MsgID = 0o105 // C: MACH_NOTIFY_PORT_DESTROYED
	NotifyNoSenders     MsgID = 0o106 // C: MACH_NOTIFY_NO_SENDERS
	NotifySendOnce      MsgID = 0o107 // C: MACH_NOTIFY_SEND_ONCE
	NotifyDeadName      MsgID = 0o110 // C: MACH_NOTIFY_DEAD_NAME
	NotifyNewTask       MsgID = 4400  // C: mach_notify_new_task
)
