// Package gen writes Go from a resolved .defs file, for GNU Mach's typed
// messages on x86_64:
//
//	Table   what is on the wire, for tracers and dispatch (mig.Subsystem)
//	User    client stubs: a function for each routine
//	Server  an interface, and a stub for each routine that unpacks a request,
//	        calls it and packs the reply
//
// A server of a subsystem that says KernelServer runs in the kernel: rights and
// out-of-line memory reach it as the kernel holds them. Any other is a task's:
// it sees names and addresses.
//
// What a stub checks, and the code it answers, is what the stubs of GNU MIG
// check and answer; realmig compares the two, and lists where C is unsafe and
// ours differ: a count whose size wraps, a string that does not end where it is
// counted to, a part of a group of elements.
//
// The package may import mig/defs and mach. It keeps no state; its results
// depend on its arguments alone.
package gen
