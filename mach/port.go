package mach

import (
	"fmt"
	"strings"
)

// Name is a port name: a number that means a right only inside one task's
// name space (C: mach_port_name_t). As an argument it is untrusted.
type Name uint32

// Names that never denote a right.
const (
	NameNull Name = 0          // C: MACH_PORT_NULL
	NameDead Name = 0xffffffff // C: MACH_PORT_DEAD
)

// Valid reports whether n can name a right: neither null nor dead
// (C: MACH_PORT_NAME_VALID).
func (n Name) Valid() bool { return n != NameNull && n != NameDead }

func (n Name) String() string {
	switch n {
	case NameNull:
		return "MACH_PORT_NULL"
	case NameDead:
		return "MACH_PORT_DEAD"
	}
	return fmt.Sprintf("%d", uint32(n))
}

// Right is the kind of a right, as an argument of mach_port calls
// (C: mach_port_right_t).
type Right uint32

// Kinds of rights.
const (
	RightSend     Right = 0 // C: MACH_PORT_RIGHT_SEND
	RightReceive  Right = 1 // C: MACH_PORT_RIGHT_RECEIVE
	RightSendOnce Right = 2 // C: MACH_PORT_RIGHT_SEND_ONCE
	RightPortSet  Right = 3 // C: MACH_PORT_RIGHT_PORT_SET
	RightDeadName Right = 4 // C: MACH_PORT_RIGHT_DEAD_NAME
	RightNumber   Right = 5 // C: MACH_PORT_RIGHT_NUMBER, the first illegal one
)

// Type is the type bit of r, C: MACH_PORT_TYPE(r).
func (r Right) Type() PortType { return 1 << (r + 16) }

func (r Right) String() string {
	switch r {
	case RightSend:
		return "send"
	case RightReceive:
		return "receive"
	case RightSendOnce:
		return "send-once"
	case RightPortSet:
		return "port-set"
	case RightDeadName:
		return "dead-name"
	}
	return fmt.Sprintf("right(%d)", uint32(r))
}

// PortType is the set of rights under a name (C: mach_port_type_t).
type PortType uint32

// Type bits.
const (
	TypeNone      PortType = 0
	TypeSend      PortType = 1 << 16 // C: MACH_PORT_TYPE_SEND
	TypeReceive   PortType = 1 << 17 // C: MACH_PORT_TYPE_RECEIVE
	TypeSendOnce  PortType = 1 << 18 // C: MACH_PORT_TYPE_SEND_ONCE
	TypePortSet   PortType = 1 << 19 // C: MACH_PORT_TYPE_PORT_SET
	TypeDeadName  PortType = 1 << 20 // C: MACH_PORT_TYPE_DEAD_NAME
	TypeDNRequest PortType = 1 << 31 // C: MACH_PORT_TYPE_DNREQUEST
	TypeMARequest PortType = 1 << 30 // C: MACH_PORT_TYPE_MAREQUEST

	TypeSendReceive = TypeSend | TypeReceive                      // C: MACH_PORT_TYPE_SEND_RECEIVE
	TypeSendRights  = TypeSend | TypeSendOnce                     // C: MACH_PORT_TYPE_SEND_RIGHTS
	TypePortRights  = TypeSend | TypeSendOnce | TypeReceive       // C: MACH_PORT_TYPE_PORT_RIGHTS
	TypePortOrDead  = TypePortRights | TypeDeadName               // C: MACH_PORT_TYPE_PORT_OR_DEAD
	TypeAllRights   = TypePortRights | TypePortSet | TypeDeadName // C: MACH_PORT_TYPE_ALL_RIGHTS
)

func (t PortType) String() string {
	if t == 0 {
		return "none"
	}
	var s []string
	for r := RightSend; r < RightNumber; r++ {
		if t&r.Type() != 0 {
			s = append(s, r.String())
			t &^= r.Type()
		}
	}
	if t&TypeDNRequest != 0 {
		s = append(s, "dnrequest")
		t &^= TypeDNRequest
	}
	if t&TypeMARequest != 0 {
		s = append(s, "marequest")
		t &^= TypeMARequest
	}
	if t != 0 {
		s = append(s, fmt.Sprintf("%#x", uint32(t)))
	}
	return strings.Join(s, "+")
}

// Limits of ports and rights.
const (
	QLimitDefault = 5     // C: MACH_PORT_QLIMIT_DEFAULT, messages
	QLimitMax     = 16    // C: MACH_PORT_QLIMIT_MAX, messages
	UrefsMax      = 65535 // C: MACH_PORT_UREFS_MAX, user references of one name
)

// Special ports of a task (C: TASK_*_PORT).
const (
	TaskKernelPort    = 1 // C: TASK_KERNEL_PORT
	TaskExceptionPort = 3 // C: TASK_EXCEPTION_PORT
	TaskBootstrapPort = 4 // C: TASK_BOOTSTRAP_PORT
)

// Special ports of a thread (C: THREAD_*_PORT).
const (
	ThreadKernelPort    = 1 // C: THREAD_KERNEL_PORT
	ThreadExceptionPort = 3 // C: THREAD_EXCEPTION_PORT
)

// TaskPortRegisterMax is how many ports a task has registered
// (C: TASK_PORT_REGISTER_MAX).
const TaskPortRegisterMax = 4
