package kernel

import (
	"sync"

	"machkernel/mach"
	"machkernel/platform"
	"machkernel/vm"
)

// taskPmap is the pmap of a task whose threads are machine code. The stub
// process behind it is made when the first thread runs, so that a task nobody
// runs code in costs none; until then there is nothing to map.
//
// x86 GNU Mach has no permissions in its page tables but to read and to write:
// what can be read can be executed, and what cannot be read cannot be touched.
// So readable runs are entered executable, and no others; a write needs both
// rights.
type taskPmap struct {
	mu   sync.RWMutex
	proc *platform.Process // nil before the first thread; guarded by mu
	dead bool              // Destroy was called; guarded by mu
}

// process returns the task's stub process, starting it with start if there is
// none yet. It is an error once the pmap is destroyed.
func (p *taskPmap) process(start func() (*platform.Process, error)) (*platform.Process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead {
		return nil, platform.ErrDead
	}
	if p.proc != nil {
		return p.proc, nil
	}
	proc, err := start()
	if err == nil {
		p.proc = proc
	}
	return proc, err
}

func (p *taskPmap) current() *platform.Process {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.proc
}

// Enter implements vm.Pmap.
func (p *taskPmap) Enter(runs []vm.Mapping) error {
	proc := p.current()
	if proc == nil {
		return nil
	}
	for i := range runs {
		runs[i].Prot = onX86(runs[i].Prot)
	}
	return proc.Enter(runs)
}

// Protect implements vm.Pmap.
func (p *taskPmap) Protect(start, end mach.Addr, prot mach.Prot) {
	if proc := p.current(); proc != nil {
		proc.Protect(start, end, onX86(prot))
	}
}

func onX86(prot mach.Prot) mach.Prot {
	if !prot.Has(mach.ProtRead) {
		return mach.ProtNone
	}
	return prot | mach.ProtExecute
}

// Remove implements vm.Pmap.
func (p *taskPmap) Remove(start, end mach.Addr) {
	if proc := p.current(); proc != nil {
		proc.Remove(start, end)
	}
}

// Destroy implements vm.Pmap: it ends the process.
func (p *taskPmap) Destroy() {
	p.mu.Lock()
	proc := p.proc
	p.dead = true
	p.mu.Unlock()
	if proc != nil {
		proc.Destroy()
	}
}
