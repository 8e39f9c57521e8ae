package gnumach

import "machkernel/mig"

// Subsystems are all interfaces: those that the kernel serves, and those whose
// messages it sends (exceptions, notifications, requests to pagers). No two of
// their routines share an id.
func Subsystems() []*mig.Subsystem {
	return []*mig.Subsystem{Notify, Mach, MemoryObject, Exc, MachHost, MachPort, MachI386, Mach4, Gnumach, TaskNotify}
}
