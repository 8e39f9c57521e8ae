package kernel

import (
	"runtime/debug"
	"testing"

	"machkernel/mach"
)

// Proxies of proxies of proxies end one after the other, not one in the other.
func TestChainOfProxiesEnds(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(16 << 20))
	k := start(t, Config{})
	right := k.newProxy(&proxy{len: 1})
	for range 30_000 {
		right = k.newProxy(&proxy{len: 1, prot: mach.ProtRead, object: right})
	}
	k.zone.Release(right)
}
