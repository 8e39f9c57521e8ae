// Package rules is the table of differences: between the families of kernels,
// GNU Mach and XNU, and between a family's manual and its kernel. Each is one
// named Rule with its four values and who says so; `machkernel rules` prints
// them. A server asks a rule for its value under the Set of its kernel, and has
// no if on a family's name.
//
//	rules.Of(XNU, Observed)      the Set of a kernel: a family and an edition
//	rules.ReadUnaligned.In(set)  the value, of the rule's own type
//
// What is the same everywhere is no rule. Where a manual is silent, or names no
// code for the situation, the documented edition has the kernel's value.
//
// The table never changes once the program runs. The package may import mach.
package rules
