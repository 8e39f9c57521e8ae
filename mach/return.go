package mach

import (
	"fmt"
	"strings"
)

// KernReturn is the result of a kernel operation, and of the RetCode item in
// a MIG reply (C: kern_return_t). It is a different type from MsgReturn:
// a routine's answer and the fate of the message that carried it are two facts.
type KernReturn int32

// Return codes of kernel operations (C: KERN_*).
const (
	KernSuccess                KernReturn = 0  // C: KERN_SUCCESS
	KernInvalidAddress         KernReturn = 1  // C: KERN_INVALID_ADDRESS
	KernProtectionFailure      KernReturn = 2  // C: KERN_PROTECTION_FAILURE
	KernNoSpace                KernReturn = 3  // C: KERN_NO_SPACE
	KernInvalidArgument        KernReturn = 4  // C: KERN_INVALID_ARGUMENT
	KernFailure                KernReturn = 5  // C: KERN_FAILURE
	KernResourceShortage       KernReturn = 6  // C: KERN_RESOURCE_SHORTAGE
	KernNotReceiver            KernReturn = 7  // C: KERN_NOT_RECEIVER
	KernNoAccess               KernReturn = 8  // C: KERN_NO_ACCESS
	KernMemoryFailure          KernReturn = 9  // C: KERN_MEMORY_FAILURE
	KernMemoryError            KernReturn = 10 // C: KERN_MEMORY_ERROR
	KernNotInSet               KernReturn = 12 // C: KERN_NOT_IN_SET
	KernNameExists             KernReturn = 13 // C: KERN_NAME_EXISTS
	KernAborted                KernReturn = 14 // C: KERN_ABORTED
	KernInvalidName            KernReturn = 15 // C: KERN_INVALID_NAME
	KernInvalidTask            KernReturn = 16 // C: KERN_INVALID_TASK
	KernInvalidRight           KernReturn = 17 // C: KERN_INVALID_RIGHT
	KernInvalidValue           KernReturn = 18 // C: KERN_INVALID_VALUE
	KernUrefsOverflow          KernReturn = 19 // C: KERN_UREFS_OVERFLOW
	KernInvalidCapability      KernReturn = 20 // C: KERN_INVALID_CAPABILITY
	KernRightExists            KernReturn = 21 // C: KERN_RIGHT_EXISTS
	KernInvalidHost            KernReturn = 22 // C: KERN_INVALID_HOST
	KernMemoryPresent          KernReturn = 23 // C: KERN_MEMORY_PRESENT
	KernWriteProtectionFailure KernReturn = 24 // C: KERN_WRITE_PROTECTION_FAILURE
	KernTerminated             KernReturn = 26 // C: KERN_TERMINATED
	KernTimedOut               KernReturn = 27 // C: KERN_TIMEDOUT
	KernInterrupted            KernReturn = 28 // C: KERN_INTERRUPTED
	KernInvalidObject          KernReturn = 29 // C: KERN_INVALID_OBJECT, XNU's
)

// EmlBadTask is what the routines of emulation vectors answer for a port that
// is no task's (C: EML_BAD_TASK).
const EmlBadTask KernReturn = 0x8001

// Return codes of MIG-generated stubs and servers (C: MIG_*). -309 has two
// meanings; this is GNU Mach's.
const (
	MigTypeError      KernReturn = -300 // C: MIG_TYPE_ERROR
	MigReplyMismatch  KernReturn = -301 // C: MIG_REPLY_MISMATCH
	MigRemoteError    KernReturn = -302 // C: MIG_REMOTE_ERROR
	MigBadID          KernReturn = -303 // C: MIG_BAD_ID
	MigBadArguments   KernReturn = -304 // C: MIG_BAD_ARGUMENTS
	MigNoReply        KernReturn = -305 // C: MIG_NO_REPLY
	MigException      KernReturn = -306 // C: MIG_EXCEPTION
	MigArrayTooLarge  KernReturn = -307 // C: MIG_ARRAY_TOO_LARGE
	MigServerDied     KernReturn = -308 // C: MIG_SERVER_DIED
	MigDestroyRequest KernReturn = -309 // C: MIG_DESTROY_REQUEST
)

// String returns the C name.
func (kr KernReturn) String() string {
	switch kr {
	case EmlBadTask:
		return "EML_BAD_TASK"
	case KernSuccess:
		return "KERN_SUCCESS"
	case KernInvalidAddress:
		return "KERN_INVALID_ADDRESS"
	case KernProtectionFailure:
		return "KERN_PROTECTION_FAILURE"
	case KernNoSpace:
		return "KERN_NO_SPACE"
	case KernInvalidArgument:
		return "KERN_INVALID_ARGUMENT"
	case KernFailure:
		return "KERN_FAILURE"
	case KernResourceShortage:
		return "KERN_RESOURCE_SHORTAGE"
	case KernNotReceiver:
		return "KERN_NOT_RECEIVER"
	case KernNoAccess:
		return "KERN_NO_ACCESS"
	case KernMemoryFailure:
		return "KERN_MEMORY_FAILURE"
	case KernMemoryError:
		return "KERN_MEMORY_ERROR"
	case KernNotInSet:
		return "KERN_NOT_IN_SET"
	case KernNameExists:
		return "KERN_NAME_EXISTS"
	case KernAborted:
		return "KERN_ABORTED"
	case KernInvalidName:
		return "KERN_INVALID_NAME"
	case KernInvalidTask:
		return "KERN_INVALID_TASK"
	case KernInvalidRight:
		return "KERN_INVALID_RIGHT"
	case KernInvalidValue:
		return "KERN_INVALID_VALUE"
	case KernUrefsOverflow:
		return "KERN_UREFS_OVERFLOW"
	case KernInvalidCapability:
		return "KERN_INVALID_CAPABILITY"
	case KernRightExists:
		return "KERN_RIGHT_EXISTS"
	case KernInvalidHost:
		return "KERN_INVALID_HOST"
	case KernMemoryPresent:
		return "KERN_MEMORY_PRESENT"
	case KernWriteProtectionFailure:
		return "KERN_WRITE_PROTECTION_FAILURE"
	case KernTerminated:
		return "KERN_TERMINATED"
	case KernTimedOut:
		return "KERN_TIMEDOUT"
	case KernInterrupted:
		return "KERN_INTERRUPTED"
	case KernInvalidObject:
		return "KERN_INVALID_OBJECT"
	case MigTypeError:
		return "MIG_TYPE_ERROR"
	case MigReplyMismatch:
		return "MIG_REPLY_MISMATCH"
	case MigRemoteError:
		return "MIG_REMOTE_ERROR"
	case MigBadID:
		return "MIG_BAD_ID"
	case MigBadArguments:
		return "MIG_BAD_ARGUMENTS"
	case MigNoReply:
		return "MIG_NO_REPLY"
	case MigException:
		return "MIG_EXCEPTION"
	case MigArrayTooLarge:
		return "MIG_ARRAY_TOO_LARGE"
	case MigServerDied:
		return "MIG_SERVER_DIED"
	case MigDestroyRequest:
		return "MIG_DESTROY_REQUEST"
	}
	// A stub returns a failed message's code in place of a routine's.
	if uint32(kr)>>28 == 1 {
		return MsgReturn(kr).String()
	}
	return fmt.Sprintf("kern_return(%d)", int32(kr))
}

// MsgReturn is the result of mach_msg: what became of a message
// (C: mach_msg_return_t). A code may carry special bits, see MsgMask.
type MsgReturn uint32

// MsgSuccess is the message's success (C: MACH_MSG_SUCCESS).
const MsgSuccess MsgReturn = 0

// Special bits, or'ed into a send or receive code (C: MACH_MSG_MASK and its
// members): what the kernel could not hand to the user.
const (
	MsgMask      MsgReturn = 0x3c00
	MsgIPCSpace  MsgReturn = 0x2000 // C: MACH_MSG_IPC_SPACE, no room for a port name
	MsgVMSpace   MsgReturn = 0x1000 // C: MACH_MSG_VM_SPACE, no room for out-of-line memory
	MsgIPCKernel MsgReturn = 0x0800 // C: MACH_MSG_IPC_KERNEL, kernel shortage handling a right
	MsgVMKernel  MsgReturn = 0x0400 // C: MACH_MSG_VM_KERNEL, kernel shortage handling memory
)

// Send codes.
const (
	SendInProgress       MsgReturn = 0x10000001 // C: MACH_SEND_IN_PROGRESS, internal
	SendInvalidData      MsgReturn = 0x10000002 // C: MACH_SEND_INVALID_DATA
	SendInvalidDest      MsgReturn = 0x10000003 // C: MACH_SEND_INVALID_DEST
	SendTimedOut         MsgReturn = 0x10000004 // C: MACH_SEND_TIMED_OUT
	SendWillNotify       MsgReturn = 0x10000005 // C: MACH_SEND_WILL_NOTIFY
	SendNotifyInProgress MsgReturn = 0x10000006 // C: MACH_SEND_NOTIFY_IN_PROGRESS
	SendInterrupted      MsgReturn = 0x10000007 // C: MACH_SEND_INTERRUPTED
	SendMsgTooSmall      MsgReturn = 0x10000008 // C: MACH_SEND_MSG_TOO_SMALL
	SendInvalidReply     MsgReturn = 0x10000009 // C: MACH_SEND_INVALID_REPLY
	SendInvalidRight     MsgReturn = 0x1000000a // C: MACH_SEND_INVALID_RIGHT
	SendInvalidNotify    MsgReturn = 0x1000000b // C: MACH_SEND_INVALID_NOTIFY
	SendInvalidMemory    MsgReturn = 0x1000000c // C: MACH_SEND_INVALID_MEMORY
	SendNoBuffer         MsgReturn = 0x1000000d // C: MACH_SEND_NO_BUFFER
	SendNoNotify         MsgReturn = 0x1000000e // C: MACH_SEND_NO_NOTIFY
	SendInvalidType      MsgReturn = 0x1000000f // C: MACH_SEND_INVALID_TYPE
	SendInvalidHeader    MsgReturn = 0x10000010 // C: MACH_SEND_INVALID_HEADER
)

// Receive codes.
const (
	RcvInProgress    MsgReturn = 0x10004001 // C: MACH_RCV_IN_PROGRESS, internal
	RcvInvalidName   MsgReturn = 0x10004002 // C: MACH_RCV_INVALID_NAME
	RcvTimedOut      MsgReturn = 0x10004003 // C: MACH_RCV_TIMED_OUT
	RcvTooLarge      MsgReturn = 0x10004004 // C: MACH_RCV_TOO_LARGE
	RcvInterrupted   MsgReturn = 0x10004005 // C: MACH_RCV_INTERRUPTED
	RcvPortChanged   MsgReturn = 0x10004006 // C: MACH_RCV_PORT_CHANGED
	RcvInvalidNotify MsgReturn = 0x10004007 // C: MACH_RCV_INVALID_NOTIFY
	RcvInvalidData   MsgReturn = 0x10004008 // C: MACH_RCV_INVALID_DATA
	RcvPortDied      MsgReturn = 0x10004009 // C: MACH_RCV_PORT_DIED
	RcvInSet         MsgReturn = 0x1000400a // C: MACH_RCV_IN_SET
	RcvHeaderError   MsgReturn = 0x1000400b // C: MACH_RCV_HEADER_ERROR
	RcvBodyError     MsgReturn = 0x1000400c // C: MACH_RCV_BODY_ERROR
)

// Base is mr without its special bits.
func (mr MsgReturn) Base() MsgReturn { return mr &^ MsgMask }

// String returns the C name, with the special bits spelled out:
// "MACH_RCV_BODY_ERROR|MACH_MSG_VM_SPACE".
func (mr MsgReturn) String() string {
	if mr == MsgSuccess {
		return "MACH_MSG_SUCCESS"
	}
	var b strings.Builder
	b.WriteString(mr.baseName())
	for _, s := range [...]struct {
		bit  MsgReturn
		name string
	}{
		{MsgIPCSpace, "MACH_MSG_IPC_SPACE"},
		{MsgVMSpace, "MACH_MSG_VM_SPACE"},
		{MsgIPCKernel, "MACH_MSG_IPC_KERNEL"},
		{MsgVMKernel, "MACH_MSG_VM_KERNEL"},
	} {
		if mr&s.bit != 0 {
			if b.Len() > 0 {
				b.WriteByte('|')
			}
			b.WriteString(s.name)
		}
	}
	return b.String()
}

func (mr MsgReturn) baseName() string {
	switch base := mr.Base(); base {
	case 0:
		return ""
	case SendInProgress:
		return "MACH_SEND_IN_PROGRESS"
	case SendInvalidData:
		return "MACH_SEND_INVALID_DATA"
	case SendInvalidDest:
		return "MACH_SEND_INVALID_DEST"
	case SendTimedOut:
		return "MACH_SEND_TIMED_OUT"
	case SendWillNotify:
		return "MACH_SEND_WILL_NOTIFY"
	case SendNotifyInProgress:
		return "MACH_SEND_NOTIFY_IN_PROGRESS"
	case SendInterrupted:
		return "MACH_SEND_INTERRUPTED"
	case SendMsgTooSmall:
		return "MACH_SEND_MSG_TOO_SMALL"
	case SendInvalidReply:
		return "MACH_SEND_INVALID_REPLY"
	case SendInvalidRight:
		return "MACH_SEND_INVALID_RIGHT"
	case SendInvalidNotify:
		return "MACH_SEND_INVALID_NOTIFY"
	case SendInvalidMemory:
		return "MACH_SEND_INVALID_MEMORY"
	case SendNoBuffer:
		return "MACH_SEND_NO_BUFFER"
	case SendNoNotify:
		return "MACH_SEND_NO_NOTIFY"
	case SendInvalidType:
		return "MACH_SEND_INVALID_TYPE"
	case SendInvalidHeader:
		return "MACH_SEND_INVALID_HEADER"
	case RcvInProgress:
		return "MACH_RCV_IN_PROGRESS"
	case RcvInvalidName:
		return "MACH_RCV_INVALID_NAME"
	case RcvTimedOut:
		return "MACH_RCV_TIMED_OUT"
	case RcvTooLarge:
		return "MACH_RCV_TOO_LARGE"
	case RcvInterrupted:
		return "MACH_RCV_INTERRUPTED"
	case RcvPortChanged:
		return "MACH_RCV_PORT_CHANGED"
	case RcvInvalidNotify:
		return "MACH_RCV_INVALID_NOTIFY"
	case RcvInvalidData:
		return "MACH_RCV_INVALID_DATA"
	case RcvPortDied:
		return "MACH_RCV_PORT_DIED"
	case RcvInSet:
		return "MACH_RCV_IN_SET"
	case RcvHeaderError:
		return "MACH_RCV_HEADER_ERROR"
	case RcvBodyError:
		return "MACH_RCV_BODY_ERROR"
	default:
		return fmt.Sprintf("mach_msg_return(%#x)", uint32(base))
	}
}
