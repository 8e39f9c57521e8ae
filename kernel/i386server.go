package kernel

import (
	"machkernel/mach"
	"machkernel/mig"
)

// machI386Service serves subsystem mach_i386: of what is x86's own, the size of
// a thread's extended state. A stub process has no descriptor tables and no
// I/O ports to give away.
type machI386Service struct{}

// xfloatHeader is what stands before the processor's state in an
// i386_XFLOAT_STATE, in bytes.
const xfloatHeader = 16

// I386GetXstateSize is i386_get_xstate_size (3809): the size in bytes of an
// i386_XFLOAT_STATE, by the host's processor.
//
//	KERN_INVALID_ARGUMENT  the port is no host's
//	KERN_FAILURE           the kernel runs no machine code, so that no
//	                       processor was asked
func (machI386Service) I386GetXstateSize(_ *mig.Call, h *host) (size uint64, kr mach.KernReturn) {
	if h == nil {
		return 0, mach.KernInvalidArgument
	}
	h.k.mu.Lock()
	m := h.k.machine
	h.k.mu.Unlock()
	if m == nil {
		return 0, mach.KernFailure
	}
	return uint64(xfloatHeader + m.Extended().Size), mach.KernSuccess
}
