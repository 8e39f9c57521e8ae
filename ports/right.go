package ports

import (
	"fmt"

	"machkernel/mach"
)

// Right is one right that the kernel holds for somebody: in a message, in a
// field of a kernel object, on a Go stack. It is a value, but each stands for
// one count in its port and must be consumed exactly once: put into a message
// or a space, or released.
//
//	Port  Dead   meaning
//	nil   false  null: MACH_PORT_NULL
//	nil   true   dead: MACH_PORT_DEAD
//	set   false  a right of type Type (16 receive, 17 send, 18 send-once);
//	             its port may have died since: it is dead then, too
type Right struct {
	Port *Port
	Type mach.TypeName
	Dead bool
}

// DeadRight is the right to a port that died.
func DeadRight() Right { return Right{Dead: true} }

// IsNull reports whether there is no right at all.
func (r Right) IsNull() bool { return r.Port == nil && !r.Dead }

// Valid reports whether the right denotes a port, dead or alive by now.
func (r Right) Valid() bool { return r.Port != nil }

// invalidName is the name by which a right without a port is received.
func (r Right) invalidName() mach.Name {
	if r.Dead {
		return mach.NameDead
	}
	return mach.NameNull
}

// invalidRight is the right that a null or dead name stands for.
func invalidRight(n mach.Name) Right { return Right{Dead: n == mach.NameDead} }

func (r Right) String() string {
	switch {
	case r.Port != nil:
		return fmt.Sprintf("%s right to port %d", r.Type.Received(), r.Port.id)
	case r.Dead:
		return "dead right"
	}
	return "null right"
}
