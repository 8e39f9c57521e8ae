//go:build !(linux && amd64)

package platform

import (
	"errors"
	"time"

	"machkernel/mach"
	"machkernel/vm"
)

// errHost is what Open says on hosts other than Linux on x86-64. The types
// exist there so that importers compile; no value of them ever does.
var errHost = errors.New("platform: machine code runs only on Linux on x86-64")

// Machine runs machine code on this host.
type Machine struct{}

// Open fails on this host.
func Open(Config) (*Machine, error) { return nil, errHost }

// Close does nothing on this host.
func (m *Machine) Close() {}

// MinAddress is the lowest address that machine code can use.
func (m *Machine) MinAddress() mach.Addr { return 0 }

// Extended is nothing on this host.
func (m *Machine) Extended() Extended { return Extended{} }

// NewProcess fails on this host.
func (m *Machine) NewProcess() (*Process, error) { return nil, errHost }

// Process is one task's machine code.
type Process struct{}

var _ vm.Pmap = (*Process)(nil)

// PID is the host's number of the process.
func (p *Process) PID() int { return 0 }

// Done is closed when the host process is dead.
func (p *Process) Done() <-chan struct{} { return nil }

// Epitaph says in one line why the process is dead.
func (p *Process) Epitaph() string { return errHost.Error() }

// NewThread fails on this host.
func (p *Process) NewThread() (*Thread, error) { return nil, errHost }

// Enter implements vm.Pmap.
func (p *Process) Enter([]vm.Mapping) error { return errHost }

// Protect implements vm.Pmap.
func (p *Process) Protect(start, end mach.Addr, prot mach.Prot) {}

// Remove implements vm.Pmap.
func (p *Process) Remove(start, end mach.Addr) {}

// Destroy implements vm.Pmap.
func (p *Process) Destroy() {}

// Thread is one thread of client code.
type Thread struct{}

// ExtendedState fails on this host.
func (t *Thread) ExtendedState() ([]byte, error) { return nil, errHost }

// SetExtendedState fails on this host.
func (t *Thread) SetExtendedState([]byte) error { return errHost }

// CPUTime is not known on this host.
func (t *Thread) CPUTime() (time.Duration, bool) { return 0, false }

// MostCPUTime is not known on this host.
func (t *Thread) MostCPUTime() (time.Duration, bool) { return 0, false }

// Run reports a dead process on this host.
func (t *Thread) Run(*Regs) Event { return Event{Kind: EventDied, Reason: errHost.Error()} }

// Interrupt does nothing on this host.
func (t *Thread) Interrupt() {}

// Exit does nothing on this host.
func (t *Thread) Exit() {}
