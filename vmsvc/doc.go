// Package vmsvc is the VM server: the vm_* routines of the Mach interface over
// the address maps of package vm. A routine checks what its family's rules
// demand, calls the map, and answers a return code; it keeps no state.
//
// vm knows how memory works; vmsvc knows what each family of kernels answers.
// Where the two families, or a manual and its kernel, disagree, the difference
// is a rule of package rules and not an if on a family's name: the routines
// that both families have are one function each, and what only one has (vm_wire
// here, vm_remap and flags there) is made of the same parts.
//
//	server.go    making, changing and describing memory
//	data.go      reading, writing and copying it
//	map.go       vm_map and its kin
//	wire.go      wiring
//	routines.go  GNU Mach's vm_* as MIG's stubs call them
//	xnu.go       what only XNU's mach_vm and vm_map subsystems have; their MIG
//	             stubs will call this and the above
//
// The package may import mach, rules, mig (and ipc and ports for the kernel's
// own types) and vm. Servers run in the sender's thread with nothing locked; every
// lock they need is inside vm.
package vmsvc
