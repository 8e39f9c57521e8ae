package kernel

import "machkernel/ports"

// exceptionRight is a send right to the thread's exception port.
func (th *Thread) exceptionRight() ports.Right { return ports.Right{} }

// exceptionRight is a send right to the task's exception port.
func (t *Task) exceptionRight() ports.Right { return ports.Right{} }

// selfRight is a send right to what the thread calls its own port.
func (th *Thread) selfRight() ports.Right { return th.k.zone.MakeSend(th.self) }

// selfRight is a send right to what the task calls its own port.
func (t *Task) selfRight() ports.Right { return t.k.zone.MakeSend(t.self) }
