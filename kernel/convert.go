package kernel

import (
	"machkernel/ipc"
	"machkernel/mig"
	"machkernel/ports"
	"machkernel/vm"
)

// How the stubs that MIG generates translate ports to what they stand for. A
// port of another kind, a dead one and none at all are nil; each server knows
// which code that is.

// convertPortToTask (C: convert_port_to_task).
func convertPortToTask(object any) *Task {
	if t, _ := object.(*Task); t != nil && t.VMMap() != nil {
		return t
	}
	return nil
}

// convertPortToThread (C: convert_port_to_thread).
func convertPortToThread(object any) *Thread {
	th, _ := object.(*Thread)
	return th
}

// convertPortToMap (C: convert_port_to_map): the task's memory, nil once the
// task is dying.
func convertPortToMap(object any) *vm.Map {
	if t := convertPortToTask(object); t != nil {
		return t.VMMap()
	}
	return nil
}

// convertPortToSpace (C: convert_port_to_space): the task's names, nil once the
// task is dying.
func convertPortToSpace(object any) *ports.Space {
	if t := convertPortToTask(object); t != nil {
		return t.portSpace()
	}
	return nil
}

// convertPortToHost (C: convert_port_to_host): the privileged port does, too.
func convertPortToHost(object any) *host {
	if h := convertPortToHostPriv(object); h != nil {
		return h.host
	}
	h, _ := object.(*host)
	return h
}

// convertPortToHostPriv (C: convert_port_to_host_priv).
func convertPortToHostPriv(object any) *hostPriv {
	h, _ := object.(*hostPriv)
	return h
}

// convertTaskToPort (C: convert_task_to_port) makes a send right, null if the
// task has died.
func convertTaskToPort(t *Task) ports.Right { return unlessDead(t.k.zone.MakeSend(t.self)) }

// convertThreadToPort (C: convert_thread_to_port) makes a send right, null if
// the thread has died.
func convertThreadToPort(th *Thread) ports.Right { return unlessDead(th.k.zone.MakeSend(th.self)) }

// unlessDead is a right, or null in place of a dead one.
func unlessDead(r ports.Right) ports.Right {
	if r.Dead {
		return ports.Right{}
	}
	return r
}

// convertHostToPort (C: convert_host_to_port) makes a send right to the
// unprivileged port.
func convertHostToPort(h *host) ports.Right { return h.k.zone.MakeSend(h.k.hostPort) }

// caller is the thread whose message is being served.
func caller(c *mig.Call) *Thread { return c.Caller.(*Thread) }

var _ ipc.Caller = (*Thread)(nil)
