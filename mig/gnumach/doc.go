// Package gnumach is GNU Mach's interfaces on x86_64: .defs files of our own
// (ids, names and argument types are facts; types.defs says how a value
// travels), what is on the wire of each as data, and client stubs in Go.
// Everything else here is generated from the .defs files.
//
// The package may import mach and mig. It is immutable.
package gnumach
