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

// hostService serves subsystem mach_host.
type hostService struct{}

// HostReboot is host_reboot (2635): it ends the run. The caller's thread
// does not come back: the machine it asked to reboot is gone.
//
//	KERN_INVALID_HOST  the port is not the privileged host port
func (hostService) HostReboot(c *mig.Call, h *hostPriv, _ int32) mach.KernReturn {
	if h == nil {
		return mach.KernInvalidHost
	}
	h.k.halt()
	th := caller(c)
	h.k.terminate(th.task)
	return mach.KernSuccess
}
