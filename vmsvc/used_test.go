package vmsvc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"machkernel/mach"
	"machkernel/ports"
	"machkernel/rules"
	"machkernel/vm"
)

// facts are what a client can see of a rule beside a code.
var facts = []func(w *world) string{
	func(w *world) string { // placement
		addr, kr := w.Allocate(w.m, 0, page, true)
		return fmt.Sprint(addr, kr)
	},
	func(w *world) string { // the maximum
		w.place(w.m.Layout().Max-page, page)
		return fmt.Sprint(w.region(100).Start)
	},
	func(w *world) string { // new memory
		return fmt.Sprint(w.region(0).Prot)
	},
	func(w *world) string { // what a refused write of small data leaves
		w.allow(1, mach.ProtRead)
		kr := w.vmWrite(w.at(0), 2*page, 0)
		return fmt.Sprint(kr, w.read(w.at(0), 1))
	},
	func(w *world) string { // what a refused write of much data leaves
		w.allow(5, mach.ProtRead)
		kr := w.vmWrite(w.at(0), 6*page-100, 0)
		return fmt.Sprint(kr, w.read(w.at(0), 1))
	},
	func(w *world) string { // where data lies in its page
		c, kr := w.Copyin(w.sender(), 0x200008, 8)
		defer c.Discard()
		return fmt.Sprint(kr, c.InPageOffset())
	},
	func(w *world) string { // entries
		c, kr := w.Copyin(w.m, w.at(1), 6*page)
		c.Discard()
		return fmt.Sprint(kr, w.region(1).Size)
	},
	func(w *world) string { // more than the maximum
		addr, kr := w.Map(w.m, Mapping{Addr: 0x900000, Size: 1, Prot: mach.ProtAll, MaxProt: mach.ProtRead})
		r, _ := w.Region(w.m, addr)
		return fmt.Sprint(kr, r.Prot)
	},
	func(w *world) string { // bit 0x10
		kr := w.Protect(w.m, w.at(0), page, false, mach.ProtRead|0x10)
		return fmt.Sprint(kr, w.region(0).Prot)
	},
	func(w *world) string { // a range that leaves the map
		at := w.m.Layout().Max - page
		w.place(at, page)
		kr := w.Deallocate(w.m, at, 2*page)
		return fmt.Sprint(kr, w.m.Holds(at))
	},
	func(w *world) string { // a port of the kernel's
		right := ports.Right{Port: ports.NewZone().NewKernelPort(w.t), Type: mach.TypePortSend}
		return fmt.Sprint(w.vmMap(func(r *Mapping) { r.Object = right }))
	},
	func(w *world) string { // new memory below the hint
		addr, kr := w.Map(w.m, Mapping{Addr: w.at(20), Size: 1, Anywhere: true})
		return fmt.Sprint(addr, kr)
	},
}

// answers is all that the tests' clients see under a set, in one text.
func answers(t *testing.T, set *rules.Set) string {
	var b strings.Builder
	see := func(what any, do func(w *world) any) {
		frames, err := vm.NewFrames(1024)
		require.NoError(t, err)
		w := &world{t: t, frames: frames, m: vm.NewMap(frames, nil), Server: New(Config{Rules: set, Frames: frames})}
		w.Prepare(w.m)
		w.base, _ = w.Allocate(w.m, 0x100000, 8*page, false)
		fmt.Fprintln(&b, what, do(w))
		w.m.Terminate()
		if w.other != nil {
			w.other.Terminate()
		}
		require.NoError(t, frames.Close())
	}
	for _, c := range fourCases {
		see(c.name, func(w *world) any { return c.do(w) })
	}
	for i, fact := range facts {
		see(i, func(w *world) any { return fact(w) })
	}
	return b.String()
}

// elsewhere are the rules that other servers ask, with the test that turns them.
var elsewhere = map[string]string{
	"task_create/no-task": "kernel: TestEditionsDisagree",
}

// Every rule is asked, and another value of it is another answer.
func TestEveryRuleIsUsed(t *testing.T) {
	var before [4]string
	for i, set := range fourSets {
		before[i] = answers(t, set)
	}
	for _, rule := range rules.All() {
		name := rule.Row().Name
		if elsewhere[name] != "" {
			continue
		}
		changed := false
		for i := 0; i < len(fourSets) && !changed; i++ {
			changed = answers(t, rule.Turn(fourSets[i])) != before[i]
		}
		require.True(t, changed, "%s changes nothing", name)
	}
}
