// Package ipc is the message half of Mach IPC: the wire format, what becomes of
// a message on its way from one task's memory to another's, and the mach_msg
// trap. Rights and queues are room ports's; of a task's memory it knows the
// interface Memory.
//
// # One message's life
//
//	sender's memory                                      receiver's memory
//	      |  get: read once                                     ^
//	      v                                                     | put
//	 +--------+  copyin   +------+  Send   +-------+  Receive  +--------+
//	 | bytes  |---------->| Kmsg |-------->| queue |---------->|copyout |
//	 +--------+  names to +------+         +-------+           +--------+
//	             rights,     |  receiver is the kernel           rights to names,
//	             addresses   v                                   regions to addresses
//	             to regions  KernelServer.Serve, in the sender's thread
//	                         |
//	                         v  reply: Send, past any limit; or straight to the
//	                            caller's copyout (ports.Space.Pass)
//
// The bytes are read once and checked in the kernel's copy: a sender that
// changes its buffer meanwhile changes nothing. The kernel form keeps the bytes
// with zeros for names and addresses, and beside them items with the rights and
// regions; copyout fills the holes.
//
// # Ownership
//
// A Kmsg owns its rights and regions, and has one owner itself. It ends exactly
// once: copied out, given back (pseudo-receive), served, or destroyed; Destroy
// releases what is left in it. A server takes out what it wants to keep.
//
// # Failure
//
// A send fails in one of three ways, and the code says which: in the header, and
// nothing has happened; in the body, and everything is destroyed; at the queue,
// and everything is given back. See System.MsgTrap.
//
// # Locks
//
// The package has none of its own but one for the list of observers. It calls
// ports, which takes the IPC lock for a moment, and Memory, Region, KernelServer
// and Observer, always without that lock.
//
// # Invariants
//
//   - a right or region is in exactly one Item or header place, or out of the
//     message: taking it clears the place;
//   - Kmsg.Size is HeaderSize plus the body's length, whatever the user wrote;
//   - Items is parallel to the descriptors of a complex message's body;
//   - System.MemoryInUse is the sum of the costs of the messages there are.
//
// Facts follow GNU Mach (ipc/ipc_kmsg.c, mach_msg.c, ipc_notify.c,
// kern/ipc_kobject.c) as its packaged x86_64 kernel shows them.
package ipc
