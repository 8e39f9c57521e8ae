package kernel

import (
	"fmt"

	"machkernel/mach"
	"machkernel/mig"
	"machkernel/rules"
)

// Edition says whom the kernel believes where a manual and the kernel it
// describes disagree.
type Edition = rules.Edition

// Editions.
const (
	Observed   = rules.Observed   // the kernel that the recordings are of
	Documented = rules.Documented // its manual
)

// ParseEdition reads what String writes.
func ParseEdition(s string) (Edition, error) {
	for _, e := range []Edition{Observed, Documented} {
		if s == e.String() {
			return e, nil
		}
	}
	return 0, fmt.Errorf("edition %q: must be %v or %v", s, Observed, Documented)
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
