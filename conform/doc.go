// Package conform judges the kernel by the real one: it runs a suite of small C
// clients on machkernel and compares what they print, case by case, with
// recordings of the same binaries on GNU Mach.
//
// A suite client prints, for each of its cases, a line "== routine/condition"
// and then a line for each fact; "-- done" ends it. Facts are symbolic: codes
// by name, counts, bytes compared. So a recording is text, and a case agrees or
// it does not.
//
//	client  ──run──▶ cases (ours)  ┐
//	recording ─────▶ cases (real)  ┼─▶ Verdict per case ─▶ Report
//	skip-on-real, deviations       │
//	manual, source-only            ┘
//
// Ours is the kernel of a Target: in its documented edition the manual judges
// the cases it speaks of, and where it is newer than the recordings, the sources
// say what to expect and nothing judges.
//
// The package may import kernel and what kernel imports. It keeps no state: a
// Suite is read once and not changed.
package conform
