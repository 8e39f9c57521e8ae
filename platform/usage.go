package platform

import "sync"

// usage counts those who use something that must not go away under them, and
// lets its owner wait until the last one has left.
type usage struct {
	mu     sync.Mutex
	users  int           // guarded by mu
	closed bool          // guarded by mu
	idle   chan struct{} // guarded by mu; made by close when users are inside
}

// enter reports whether the thing may be used; if so, leave must follow.
func (u *usage) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.users++
	return true
}

func (u *usage) leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.users--
	if u.users == 0 && u.idle != nil {
		close(u.idle)
		u.idle = nil
	}
}

// close refuses new users and returns when the last has left. It reports
// whether this call was the first.
func (u *usage) close() bool {
	u.mu.Lock()
	first := !u.closed
	u.closed = true
	if u.users == 0 {
		u.mu.Unlock()
		return first
	}
	if u.idle == nil {
		u.idle = make(chan struct{})
	}
	idle := u.idle
	u.mu.Unlock()
	<-idle
	return first
}
