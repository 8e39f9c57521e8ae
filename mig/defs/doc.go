// Package defs reads interface definitions: the .defs language of MIG, the
// Mach interface generator, in the dialects of GNU MIG and of XNU's MIG.
//
//	cc -E       lexer       parser          resolve            check
//	 text  ───▶ tokens ───▶ statements ───▶ types, sizes ───▶ *Subsystem
//
// Parse does all but the first step, in one pass: a statement is resolved and
// checked when its semicolon has been read, because .defs files have no
// forward references and several statements (waittime, userprefix) count for
// the routines below them only. Preprocess runs the C preprocessor.
//
// Everything a generator of stubs needs is in the Subsystem: message ids,
// names with prefixes, types with wire names and sizes, arguments with
// directions and flags after the defaults. What the stubs add by themselves
// (count, type-name and dealloc arguments beside an argument) is not; it
// follows from the flags of Arg and Type.
//
// The package may import mach. It keeps no state. Invariants:
//
//   - An error means no Subsystem; a Subsystem means no error.
//   - Every Error has a position inside the text that was read.
//   - Sizes and the long or short form are those of the real generators.
//   - What the real generator refuses is refused here. What it only warns of
//     is in Subsystem.Warnings. The few refusals that are ours alone name the
//     reason: in testdata/bad, a file per refusal, after "real MIG:".
//
// GNU's dialect is exact for x86_64: the tests compare with the real migcom.
// XNU's is read and resolved by the rules of its generator's source.
package defs
