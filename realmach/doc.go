// Package realmach boots the packaged real GNU Mach under QEMU with one client
// and shows its console: the judge of what our own kernel answers.
//
// Obtain finds the kernel in a cache or makes it: Debian trixie's package
// gnumach-image-1.8-amd64-up, fetched by the host's apt with a state directory
// of its own (no root, nothing installed, the archive's signature checked),
// unpacked, and repacked as the 32-bit ELF file that QEMU boots. Run boots it,
// once per call, with one client as boot module.
//
//	cache, or apt ─▶ Obtain ─▶ Kernel ─▶ Run ─▶ Options.Stdout: the client's lines
//	                                      └───▶ Result: how it ended, the raw console
//
// # What a client sees
//
// argv[0] is its file's name without the folders, each byte other than letters,
// digits, '.', '_', '+' and '-' replaced by '_', and cut after 64 bytes. The
// arguments follow. ${host-port} and ${device-port} become the names of the
// host's and the device's privileged ports, 1 and 2; they are also what a client
// gets that is given no arguments. The boot loader splits at spaces and expands
// dollar signs, so no other argument may hold one of them.
//
// # Invariants
//
//   - An entry of the cache is made elsewhere and renamed into place, image and
//     checksum together. One that is not what its checksum says is an error and
//     is not used.
//   - When Run or Obtain returns, the processes it started are gone, and so are
//     its temporary files.
//   - What a machine writes is bounded: maxConsole bytes, then it is stopped.
//
// A Kernel may run many machines at once.
package realmach
