#!/bin/sh
# Build the C clients with GNU Mach's own headers and stubs that MIG generates.
#
# usage: build-clients.sh [OUTDIR]   build every client into OUTDIR
#                                    (default: testdata/clients/bin)
#        build-clients.sh --check    build again and compare with the committed
#                                    files; exit 0 same, 1 different,
#                                    3 not comparable: another toolchain
#
# The same toolchain gives the same bytes; OUTDIR/TOOLCHAIN says which it was.
set -eu
export LC_ALL=C

die() {
	printf 'build-clients: %s\n' "$1" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
clients=$top/testdata/clients
committed=$clients/bin

check=
case "${1:-}" in
--check) check=yes ;;
-*) die "usage: build-clients.sh [OUTDIR | --check]" ;;
esac

CC=${CC:-gcc}
for tool in "$CC" ld ar strip; do
	command -v "$tool" >/dev/null 2>&1 || die "$tool not found; install the packages gcc and binutils"
done

root=$("$here/mig-toolchain.sh")
include=$root/usr/include/x86_64-linux-gnu
migcom=$root/usr/lib/mig/x86_64-gnu-migcom

build=$(mktemp -d) || die "no temporary directory"
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$build/include/mig" "$build/bin"

if [ -n "$check" ]; then
	out=$build/bin
else
	out=${1:-$committed}
	mkdir -p "$out"
fi

# Stubs. MIG reads preprocessed .defs.
for subsystem in mach mach_host mach_port; do
	"$CC" -E -x c -nostdinc -I"$include" -P "$include/mach/$subsystem.defs" \
		>"$build/$subsystem.i" || die "preprocessing $subsystem.defs failed"
	(cd "$build/include" && "$migcom" -user "../$subsystem.user.c" -server /dev/null \
		-header "mig/$subsystem.h" <"../$subsystem.i") ||
		die "MIG refused $subsystem.defs"
done

# No header of the host's C library may slip in: only the compiler's own, then
# ours, the generated ones, and the kernel's.
cflags="-std=gnu11 -Os -g0 -ffreestanding -fno-stack-protector -fno-pic -no-pie
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-ident
	-ffunction-sections -fdata-sections -fno-tree-loop-distribute-patterns
	-ffile-prefix-map=$build=. -ffile-prefix-map=$top=.
	-nostdinc -isystem $("$CC" -print-file-name=include)
	-I$top/libmach/include -I$build/include -isystem $include
	-DMIG_EOPNOTSUPP=MIG_BAD_ID"
ours='-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Werror'
ldflags='-static -nostdlib -no-pie -Wl,--build-id=none -Wl,--gc-sections
	-Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code -Wl,-z,norelro
	-Wl,-z,noexecstack'

# shellcheck disable=SC2086 # the flags are lists
{
	for source in "$top"/libmach/*.c "$top"/libmach/*.S; do
		object=$build/$(basename "$source").o
		"$CC" $cflags $ours -c "$source" -o "$object"
	done
	for subsystem in mach mach_host mach_port; do
		"$CC" $cflags -I"$build/include/mig" -c "$build/$subsystem.user.c" -o "$build/$subsystem.user.o"
	done
	ar crD "$build/libmach.a" "$build"/*.o
	for source in "$clients"/*.c; do
		name=$(basename "$source" .c)
		"$CC" $cflags $ours -c "$source" -o "$build/$name.o"
		"$CC" $ldflags "$build/$name.o" "$build/start.S.o" "$build/libmach.a" -o "$build/$name"
		strip --strip-all -R .comment -R .note.GNU-stack "$build/$name"
		mv "$build/$name" "$out/$name"
	done
}

{
	printf 'compiler: %s\n' "$("$CC" --version | head -n 1)"
	printf 'linker: %s\n' "$(ld --version | head -n 1)"
	printf 'mig: mig-x86-64-gnu %s\n' "$(cat "$root/versions/mig-x86-64-gnu")"
	printf 'headers: gnumach-dev %s\n' "$(cat "$root/versions/gnumach-dev")"
} >"$out/TOOLCHAIN"

[ -n "$check" ] || exit 0

if ! cmp -s "$out/TOOLCHAIN" "$committed/TOOLCHAIN"; then
	printf 'build-clients: another toolchain than the recorded one, files not compared:\n' >&2
	diff "$committed/TOOLCHAIN" "$out/TOOLCHAIN" >&2 || :
	exit 3
fi
diff -rq "$committed" "$out" >&2 || die "the committed clients differ from what their sources give"
