// Package vmsvc is the VM server: the vm_* routines of the Mach interface over
// the address maps of package vm. A routine checks what its family's rules
// demand, calls the map, and answers a return code; it keeps no state.
//
// vm knows how memory works; vmsvc knows what each family of kernels answers.
// Where the two families, or a manual and its kernel, disagree, the difference
// is a field of Rules and not an if on a family's name.
//
// The package may import mach, mig (and ipc and ports for the kernel's own
// types) and vm. Servers run in the sender's thread with nothing locked; every
// lock they need is inside vm.
package vmsvc
