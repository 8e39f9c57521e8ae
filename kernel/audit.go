package kernel

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"machkernel/ipc"
	"machkernel/mach"
	"machkernel/ports"
	"machkernel/vm"
)

// Audit proves that nothing is lost: every right in a space, a message or a
// field of the kernel is counted by its port, and every port is in somebody's
// hands; every page frame is held by the memory objects and messages that say
// so; what messages cost is counted. It closes the gate while it walks, so it is right on a live kernel too.
// The error names the first discrepancy of each kind.
//
// It waits for all threads that are inside a trap and not blocked. A thread
// must not call it.
func (k *Kernel) Audit() error {
	k.gate.Close()
	defer k.gate.Open()
	var roots ports.Roots
	var rights []ports.Right
	var spaces []*vm.Map
	var copies []*vm.Copy
	held := k.ownPorts()
	for _, t := range k.Tasks() {
		roots.Spaces = append(roots.Spaces, t.space)
		spaces = append(spaces, t.vmap)
		held = append(held, t.self)
		rights = append(rights, t.rights()...)
		for _, th := range t.threadList() {
			held = append(held, th.self)
			rights = append(rights, th.rights()...)
		}
	}
	names, behind := k.objects.held()
	held, rights = append(held, names...), append(rights, behind...)
	held = slices.DeleteFunc(held, func(p *ports.Port) bool { return !p.Alive() })
	k.mu.Lock()
	rights = slices.AppendSeq(rights, maps.Values(k.words))
	rights = append(rights, k.newTasks)
	held = append(held, k.orphans...)
	k.mu.Unlock()
	roots.Held = func(yield func(ports.Right) bool) {
		for _, p := range held {
			if !yield(ports.Right{Port: p, Type: mach.TypePortReceive}) {
				return
			}
		}
		for _, right := range rights {
			if !yield(right) {
				return
			}
		}
	}
	var cost int64
	roots.Seen = func(m ports.Message) {
		cost += m.(*ipc.Kmsg).Cost()
		m.(*ipc.Kmsg).Regions(func(r ipc.Region) {
			if c := copyOf(r); c != nil {
				copies = append(copies, c)
			}
		})
	}
	err := k.zone.Audit(roots)
	if used := k.ipc.MemoryInUse(); err == nil && cost != used {
		err = fmt.Errorf("ipc audit: messages cost %d bytes, %d are counted", cost, used)
	}
	return errors.Join(err, vm.Audit(k.frames, spaces, copies))
}
