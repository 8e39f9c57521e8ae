package kernel

// suspends is how often the task has been suspended.
func (t *Task) suspends() int { return 0 }

// suspends is how often the thread has been suspended.
func (th *Thread) suspends() int {
	th.mu.Lock()
	defer th.mu.Unlock()
	if th.started {
		return 0
	}
	return 1
}

// runState is the thread's state and flags for thread_info.
func (th *Thread) runState() (state, flags int32) {
	th.mu.Lock()
	defer th.mu.Unlock()
	if th.started {
		return 1, 0
	}
	return 2, 1
}
