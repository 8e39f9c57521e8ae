// Package mach is the ABI of the Mach family: the constants, names, return
// codes and message layouts that kernel and clients agree on. It has no
// behaviour beyond printing its values by their C names, holds no mutable
// state, and imports nothing of this project.
//
// Constants keep their C meaning with Go spelling; each doc comment names the
// C identifier. Values are those of GNU Mach's public headers (x86_64 ABI of
// November 2023 and later).
package mach
