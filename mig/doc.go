// Package mig is the run-time of MIG-style remote procedure calls in GNU
// Mach's typed message format: what the stubs that MIG generates do in C, for
// Go servers and Go callers.
//
// Stubs are generated from .defs files (mig/defs reads them, mig/gen writes Go):
//
//	a client's    Outgoing, CheckReply    in a thread that can trap (Messenger)
//	a kernel's    Call, Demux, Table      rights and memory as the kernel holds them
//	a task's      Incoming, TaskDemux     names and addresses
//
// A Routine describes one call as data: its id, its arguments and their wire
// types. A Table holds the routines of several subsystems; it is dispatch and
// support register at once, and tracers decode with it. From a Routine follow
//
//	the request   header, then {descriptor, data} for each in and inout argument
//	the reply     header, RetCode, then {descriptor, data} for each out and inout one
//
// with every item padded to 8 bytes. Both sides check exactly what the stubs
// of the real GNU MIG check, in the same order and with the same codes.
//
// The package may import mach, ports and ipc. It keeps no state: a Call lives
// for one message. Ownership: a server that answers KERN_SUCCESS has taken
// what the request carried, but for arguments with a destructor; on any other
// answer Serve releases all of it.
package mig
