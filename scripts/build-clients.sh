#!/bin/sh
# Build the C clients with GNU Mach's own headers and stubs that MIG generates.
#
# usage: build-clients.sh [OUTDIR]   build every client into OUTDIR
#                                    (default: testdata/clients/bin), and the
#                                    conformance suite into OUTDIR/conformance
#                                    (default: testdata/conformance/bin)
#        build-clients.sh --check    build again and compare with the committed
#                                    files; exit 0 same, 1 different,
#                                    3 not comparable: another toolchain
#
# The same toolchain gives the same bytes; TOOLCHAIN in each directory says
# which it was.
set -eu
export LC_ALL=C

die() {
	printf 'build-clients: %s\n' "$1" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
clients=$top/testdata/clients
suite=$top/testdata/conformance

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
build=$(mktemp -d) || die "no temporary directory"
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM

if [ -n "$check" ]; then
	out=$build/bin
	suite_out=$build/bin-suite
elif [ $# -gt 0 ]; then
	out=$1
	suite_out=$1/conformance
else
	out=$clients/bin
	suite_out=$suite/bin
fi
mkdir -p "$out" "$suite_out"

. "$here/client-flags.sh"
libmach

# shellcheck disable=SC2086 # the flags are lists
{
	for source in "$clients"/*.c "$suite"/*.c; do
		name=$(basename "$source" .c)
		case $source in
		"$suite"/*) into=$suite_out ;;
		*) into=$out ;;
		esac
		"$CC" $cflags $ours -c "$source" -o "$build/$name.o"
		"$CC" $ldflags "$build/$name.o" "$build/start.S.o" "$build/libmach.a" -o "$build/$name"
		strip --strip-all -R .comment -R .note.GNU-stack "$build/$name"
		mv "$build/$name" "$into/$name"
	done
}

{
	printf 'compiler: %s\n' "$("$CC" --version | head -n 1)"
	printf 'linker: %s\n' "$(ld --version | head -n 1)"
	printf 'mig: mig-x86-64-gnu %s\n' "$(cat "$root/versions/mig-x86-64-gnu")"
	printf 'headers: gnumach-dev %s\n' "$(cat "$root/versions/gnumach-dev")"
} >"$out/TOOLCHAIN"
cp "$out/TOOLCHAIN" "$suite_out/TOOLCHAIN"

[ -n "$check" ] || exit 0

for committed in "$clients/bin" "$suite/bin"; do
	if ! cmp -s "$out/TOOLCHAIN" "$committed/TOOLCHAIN"; then
		printf 'build-clients: another toolchain than the recorded one, files not compared:\n' >&2
		diff "$committed/TOOLCHAIN" "$out/TOOLCHAIN" >&2 || :
		exit 3
	fi
done
for pair in "$clients/bin:$out" "$suite/bin:$suite_out"; do
	diff -rq "${pair%%:*}" "${pair#*:}" >&2 ||
		die "the committed clients differ from what their sources give"
done
