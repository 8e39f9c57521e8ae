// Package ports is the capability half of Mach IPC: ports, port sets, the
// rights to them, the name space of each task, the queue of messages at a port
// and the threads that wait there, and the notifications that rights owe.
// Messages are opaque here (see Message): what they look like is room ipc's.
//
// # Ownership
//
// A right is a count in its port and exactly one holder: a name in a Space, an
// item of a message, or kernel code. In kernel code it is a Right value, and
// every function that takes one says whether it consumes it, also when it
// fails. A function that fails returns nothing to be released unless it says
// so. Ports are freed by the garbage collector, but they die when their receive
// right does; Audit finds ports that are alive and out of everybody's reach.
//
//	     name space               message                kernel code
//	+-------------------+   +-----------------+   +---------------------+
//	| name -> entry     |   | Remote, Local   |   | Right               |
//	|   port, urefs ----+-->| []Right in body |-->| MakeSend, CopySend, |
//	+-------------------+   +-----------------+   | Release             |
//	  ExtractRight /  ^       CopyinHeader, CopyinRights: space to message
//	  InsertRight,    |       CopyoutHeader, CopyoutRights: message to space
//	  Copyout --------+
//
// # The lock
//
// One mutex per Zone (that is, per kernel) guards all of it: the IPC lock. It is
// held for one header, for a few rights of an item, for one call on a name;
// never while a thread waits, memory is copied, a page faults or a message is
// destroyed. What an operation leaves to be destroyed or notified it puts on a
// Reaper's list, which is worked off after the unlock by the same thread, before
// the operation returns.
//
//	gate  >  IPC lock  >  map  >  memory object
//
// is the order in which locks are taken. Exported functions are called without
// the IPC lock unless they say otherwise; unexported ones with it, but for those
// of Reaper that say otherwise.
//
// # Decide, then act
//
// Every call on a space checks everything first and changes nothing when it
// refuses. Two effects are there all the same, because Mach has them and a
// client can tell: an entry whose port has died becomes a dead name when it is
// looked at, and a name taken and given back lies on top of the free list.
//
// # Invariants
//
// Stated above Port, entry, Set, table, MsgBase and Waiter, and proved by Audit
// over everything that can be reached:
//
//   - a live port's receive right has exactly one holder;
//   - srights, sorights and msgcount are what can be counted (but for stray);
//   - a queue with messages has no thread waiting for one, a port with room has
//     no sender waiting for it;
//   - what a space finds by name it finds by port, and the reverse;
//   - a message forced onto a full queue and the name it was sent through know
//     of one another, as long as there is such a name.
//
// # Waiting
//
// A thread waits through its Waiter: for a message, for room in a queue, for an
// Event. Whoever ends a wait takes the waiter off its list under the lock and
// says why, so a wait ends once. A message goes from hand to hand: a sender
// gives it to the first receiver waiting, and a receiver that makes room queues
// the message of the first sender waiting; nobody who comes later can step
// between. Only a sender that is suspended looks for itself when it runs again, and
// the room goes to the next. The real kernel has every woken sender look for
// itself: there the room is nobody's until it runs.
//
// Facts about rights, names and their order of checks follow GNU Mach
// (ipc/ipc_right.c, ipc_entry.c, ipc_object.c, ipc_port.c, ipc_pset.c,
// ipc_mqueue.c, mach_port.c) as its packaged x86_64 kernel shows them.
package ports
