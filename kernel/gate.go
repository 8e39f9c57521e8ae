package kernel

import "sync"

// gate is what every trap and fault passes. A thread is inside from the start
// of a trap to its end, except while it is blocked; so whoever closes the gate
// sees a kernel in which nothing is half done.
//
// A thread inside the gate waits for nothing that needs another thread to pass
// it: it leaves before it blocks.
type gate struct{ mu sync.RWMutex }

// Enter passes the gate; it waits while the gate is closed.
func (g *gate) Enter() { g.mu.RLock() }

// Leave goes out again.
func (g *gate) Leave() { g.mu.RUnlock() }

// Close waits until nobody is inside and keeps everybody out until Open.
func (g *gate) Close() { g.mu.Lock() }

// Open lets threads pass again.
func (g *gate) Open() { g.mu.Unlock() }
