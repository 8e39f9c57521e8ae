// Package platform runs a task's x86-64 machine code on an ordinary Linux
// host: no root, no ptrace, no virtual machine. Each task's code runs in a
// Linux process of its own, the stub, and whatever that code does that needs
// the kernel (a trap, a page fault, an exception) comes back to the Go
// goroutine that called Thread.Run.
//
// What lives here: the stub (source and committed binary in stub/), starting
// and ending its processes, the filters that keep client code away from Linux,
// traps and faults as events, the host-side pmap, and the reader of static ELF
// programs. What does not: tasks, threads, memory objects, messages. The
// package imports mach, and of vm only the types of the pmap contract.
//
// # Who is who
//
//	kernel process                           stub process (one per task)
//	--------------                           ---------------------------
//	                    order pipe
//	Process.control  ------------------->    control thread
//	  one lock         <-----------------      mmap munmap mprotect clone
//	                    result pipe            registers only, no stack
//
//	                    mailbox (shared memory), futex
//	Thread.Run       <-----------------      client thread: client code
//	  goroutine        ------------------>     a trap, fault or signal enters
//	                    SIGUSR1                the handler, which posts the
//	Thread.Interrupt ------------------->      signal frame and waits
//
// One event's life:
//
//	client code   syscall / bad access / SIGUSR1
//	host          signal frame on the thread's signal stack (in its slot)
//	handler       state = POSTED, slot bit, summary bit, bell ARMED -> RUNG
//	kernel        the leader finds the bit, wakes that thread's Run
//	Run           copies frame and siginfo once, judges the copy: an Event
//	...           the kernel does what the event asks
//	Run           writes registers into the frame, state = RUN, wakes
//	handler       rt_sigreturn: client code goes on
//
// # What safety rests on
//
// A client can jump to any instruction of the stub with any registers, and can
// write every writable page of its process, mailboxes and signal stacks
// included. So nothing rests on stub code or on mailbox contents:
//   - Client threads carry filters that leave them futex on the mailbox area,
//     rt_sigreturn and exit of themselves, from one page of text. Anything else
//     they try becomes a trap for the kernel, whatever its number.
//   - The control thread never runs client code, reads orders from memory that
//     is read-only in its process, and keeps its state in registers.
//   - A result byte comes from a pipe that client threads cannot write.
//   - What a mailbox says is copied once, bounded, and no pointer in it is
//     followed. At worst it describes registers that the client made up.
//   - That a thread is stopped after it posted is a courtesy of the stub. Memory
//     safety rests on the control thread's munmap or mprotect having returned.
//   - A thread that does not come when interrupted, or ends on its own, costs its
//     process. Nothing waits for a client without a deadline; a process that
//     somebody outside has stopped holds up those who wait for its memory to
//     be taken away until then, one deadline for each such process. Only the
//     death of a process that was killed is waited for without one.
//
// # A thread's state
//
// Between events all of a thread's state is the kernel's to read and change:
//   - Regs, which Run takes and gives back: general registers, flags, segment
//     bases, code and stack selector. What Run is given is what client code
//     gets, after a trap too: nothing of the event is added to it. (ds, es, fs
//     and gs selectors are no part of a 64-bit thread's state, and stay.)
//   - ExtendedState and SetExtendedState: x87 and vector registers, in the
//     processor's own layout. The host loads them in the middle of
//     rt_sigreturn, and a state that the processor refuses would make that fail
//     at a point where some hosts have no signal stack armed for the report: all
//     that can be refused is refused before.
//   - Debug registers the host gives to debuggers only (CheckDebugControl).
//     Single step and int3 need none.
//
// A running thread is stopped first, by Interrupt. An interrupt that meets an
// event on its way is not lost: the event is reported, then, by the next Run,
// the interrupt. The signal that comes late for it is absorbed.
//
// # Doorbell
//
// At most one goroutine per process sleeps on the doorbell: the leader, which
// is one of those in Run. It hands events of other threads to their goroutines,
// and leads until its own thread's event comes; then it passes the lead on. So
// the common case, one thread per process, crosses no goroutine at all, and a
// thousand threads do not hold a thousand host threads.
//
// # Lock order
//
// Outer locks first; locks on one line are never held together.
//
//	pmap.mu                        one request: plan, perform, record
//	  control.mu                   one batch of orders
//	    life.mu                    alive, killed, reaped
//	slots.mu, Thread.mu
//	  life.mu
//	bell.mu, Machine.mu, usage.mu, endings.mu  leaves
//
// No lock is held while a client runs; pmap.mu and control.mu are held while
// the control thread works, which has a deadline.
package platform
