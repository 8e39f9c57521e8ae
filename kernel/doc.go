// Package kernel assembles the rooms into a kernel: host, tasks, threads, the
// trap table, the servers behind kernel ports, exceptions, boot and audit.
//
// A Kernel value owns everything; any number of kernels run in one process. A
// Task is an address map and a port name space. Its threads run either as Go
// functions in this process or as machine code in a stub process (package
// platform); both enter through the same traps.
//
//	trap, fault           Thread          gate          platform.Thread, GoThread
//	  mach_msg            ipc.System      IPC lock      queue, or, for kernel ports,
//	    kernel RPC        mig.Table       none          servers here and in vmsvc,
//	      memory          vm.Map          map, object   in the sender's own thread
//	      gsync           gsync.Table     bucket, map   in the sender's own thread
//
// # Lock order
//
//	gate (shared by traps and faults; exclusive for Audit)
//	  Task.mu
//	    Thread.mu
//	      Kernel.mu
//	        IPC lock (ports.Zone); or gsync's buckets
//	          vm.Map, vm.Object, vm.Frames
//
// A thread that blocks leaves the gate first, and what it holds meanwhile (the
// request it serves, the message it could not queue yet) is listed where Audit
// finds it. What is bounded (the host starts a process, a stub maps a page) may
// be waited for inside the gate and with locks held; only the console, an
// observer, another thread and a message may not.
//
// # Death
//
// Terminating a thread or a task marks it, wakes it out of any wait and
// interrupts its machine code; it then leaves by itself at the edge of its
// trap, with nothing held. A task's name space, memory and process go when its
// last thread has left. Every death ends in Task.Done or Thread.Done.
package kernel
