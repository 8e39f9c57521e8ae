#!/bin/sh
# Print the layout of every structure of the client ABI, one "kind name value"
# a line.
#
# usage: abi-table.sh            from the kernel's headers if they are in the
#                                cache, else from libmach's own declarations
#        abi-table.sh --own      from libmach's own declarations
#        abi-table.sh --kernel   from the kernel's headers, fetched if need be
#        abi-table.sh --compare  both; exit 1 with a diff if they disagree
set -eu
export LC_ALL=C

die() {
	printf 'abi-table: %s\n' "$1" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
abi=$(dirname "$here")/libmach/abi
cache=${MACHKERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/machkernel}
CC=${CC:-gcc}
command -v "$CC" >/dev/null 2>&1 || die "$CC not found; install the package gcc"

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

own() {
	"$CC" -std=gnu11 -Wall -Wextra -Werror -o "$work/own" "$abi/abi.c" ||
		die 'compiling with our own declarations failed'
	"$work/own"
}

kernel() {
	root=$("$here/mig-toolchain.sh")
	"$CC" -std=gnu11 -Wall -Wextra -DKERNEL_HEADERS \
		-isystem "$root/usr/include/x86_64-linux-gnu" \
		-o "$work/kernel" "$abi/abi.c" ||
		die "compiling with the kernel's headers failed"
	"$work/kernel"
}

case "${1:-}" in
'')
	if [ -s "$cache/toolchain/versions/gnumach-dev" ]; then
		kernel
	else
		own
	fi
	;;
--own) own ;;
--kernel) kernel ;;
--compare)
	own >"$work/own.txt"
	kernel >"$work/kernel.txt"
	diff -u "$work/own.txt" "$work/kernel.txt" ||
		die "libmach/abi/abi.h disagrees with the kernel's headers"
	;;
*) die 'usage: abi-table.sh [--own | --kernel | --compare]' ;;
esac
