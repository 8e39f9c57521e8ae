package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
)

// The kernel objects behind the host's ports. They are different objects, so
// that the unprivileged port does not open what needs the privileged one.
type (
	host         struct{ k *Kernel }
	hostPriv     struct{ k *Kernel }
	deviceMaster struct{}
)

// hostRoutines is what is served of GNU Mach's subsystem "mach_host".
func hostRoutines() []mig.Routine {
	return []mig.Routine{{
		ID: 2635, Name: "host_reboot", Serve: serveHostReboot,
		Args: []mig.Arg{{Name: "options", Dir: mig.In, Type: mig.Int}},
	}}
}

// serveHostReboot is host_reboot (2635): it ends the run. The caller's thread
// does not come back: the machine it asked to reboot is gone.
//
//	KERN_INVALID_HOST  the port is not the privileged host port
func serveHostReboot(c *mig.Call) mach.KernReturn {
	h, ok := c.Object.(*hostPriv)
	if !ok {
		return mach.KernInvalidHost
	}
	h.k.halt()
	th := caller(c)
	h.k.terminate(th.task)
	return mach.KernSuccess
}
