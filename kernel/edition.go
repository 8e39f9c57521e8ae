package kernel

import (
	"fmt"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/vmsvc"
)

// Edition says whom the kernel believes where a manual and the kernel it
// describes disagree.
type Edition uint8

// Editions.
const (
	Observed   Edition = iota // the kernel that the recordings are of
	Documented                // its manual
)

func (e Edition) String() string {
	if e == Documented {
		return "documented"
	}
	return "observed"
}

// ParseEdition reads what String writes.
func ParseEdition(s string) (Edition, error) {
	for _, e := range []Edition{Observed, Documented} {
		if s == e.String() {
			return e, nil
		}
	}
	return 0, fmt.Errorf("edition %q: must be %v or %v", s, Observed, Documented)
}

// rules are the points where editions differ; those of memory are vmsvc's.
type rules struct {
	vm vmsvc.Rules

	// taskCreateInvalidArgument: task_create answers KERN_INVALID_ARGUMENT to a
	// port that is no task's. The GNU Mach Reference Manual (Task Creation) says
	// so; the packaged kernel answers KERN_INVALID_TASK.
	taskCreateInvalidArgument bool
}

func (e Edition) rules() rules {
	if e == Documented {
		return rules{vm: vmsvc.GNUMachDocumented(), taskCreateInvalidArgument: true}
	}
	return rules{vm: vmsvc.GNUMachObserved()}
}

// Since is the first version that serves the routine with this id. What is
// newer than mach.VersionPackaged was never compared with a kernel: it follows
// the sources only.
func Since(id mach.MsgID) mach.Version {
	switch id {
	case 3223:
		return mach.VersionPortKType
	case 2648:
		return mach.VersionSetProcessors
	case 4215, 4216:
		return mach.VersionSizeLimit
	}
	return mach.VersionPackaged
}

// since takes away the stubs of routines that are newer than v: their ids are
// answered MIG_BAD_ID.
func since(v mach.Version, d mig.Demux) mig.Demux {
	for n := range d.Stubs {
		if Since(d.Subsystem.Base+mach.MsgID(n)) > v {
			d.Stubs[n] = nil
		}
	}
	return d
}
