// Package gsync is waiting for a word of memory to change, GNU Mach's futex:
// gsync_wait, gsync_wake and gsync_requeue.
//
//	Table   all waiting threads of a kernel, by key
//	key     what they wait for: a map and an address, or a vm.Place
//	bucket  the queues of some keys, and their lock
//	waiter  one wait: its place in a queue, and the event that ends it
//
// # What a key is
//
// Without Shared it is the address in the map of the task that the call names:
// tasks that share memory do not meet, and deallocating the memory does not
// move a waiter. With Shared it is the memory behind the address (vm.Place), so
// that all who share the memory meet, at whatever address. The two kinds never
// meet each other.
//
// # Why no wake-up is lost
//
// Wait compares and queues under the lock of the key's bucket, Wake takes from
// the queue under it. A client changes the word, then wakes. So either Wait
// sees the new word, or it is queued before Wake looks. With Mutate Wake also
// stores under the lock.
//
// A wait ends once: whoever takes the waiter off its queue decides how. That is
// Wake or Requeue, and then it is a success, even if the thread's time was up
// meanwhile; or the thread itself, after a time-out or an interruption.
//
// # Locks
//
//	bucket.mu, of two buckets the one with the lower index first
//	  vm.Map, vm.Object, vm.Frames
//
// Events are signalled (IPC lock) after the bucket's lock is released. Under it
// one or two pages are looked at, and at most one is copied; memory whose pages
// another task provides would have to be made resident before, and looked for
// again under the lock.
//
// # Invariants
//
//   - A waiter is in the queue of its key, in the bucket that at names, until it
//     leaves; or it has been woken, and at is nil.
//   - A queue in a bucket is not empty.
//   - Who waits longest at a key is woken first, but those who are requeued come
//     behind the first who is there (recorded on the real kernel).
package gsync
