#!/bin/sh
# Build one client from C files and .defs: stubs by the real GNU MIG, linked
# with libmach. The stubs of FILE.defs are in <mig/FILE.h>.
#
# usage: cc.sh [-o OUT] FILE.c|FILE.defs ...   (OUT: a.out)
set -eu
export LC_ALL=C

die() {
	printf 'cc: %s\n' "$1" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
out=a.out
if [ "${1:-}" = -o ]; then
	[ $# -ge 2 ] || die 'usage: cc.sh [-o OUT] FILE.c|FILE.defs ...'
	out=$2
	shift 2
fi
[ $# -gt 0 ] || die 'usage: cc.sh [-o OUT] FILE.c|FILE.defs ...'
for file; do
	case $file in
	*.c | *.defs) [ -f "$file" ] || die "$file: no such file" ;;
	*) die "$file is neither C (.c) nor an interface definition (.defs)" ;;
	esac
done

CC=${CC:-gcc}
for tool in "$CC" ld ar strip; do
	command -v "$tool" >/dev/null 2>&1 || die "$tool not found; install the packages gcc and binutils"
done
root=$("$here/mig-toolchain.sh")
build=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$build"' EXIT
trap 'exit 1' HUP INT TERM
. "$here/client-flags.sh"
libmach

mkdir "$build/objects"
n=0
for file; do
	case $file in *.defs) stubs "$file" "$(basename "$file" .defs)" ;; esac
done
# shellcheck disable=SC2086 # the flags are lists
for file; do
	n=$((n + 1))
	case $file in
	*.defs)
		name=$(basename "$file" .defs)
		"$CC" $cflags -I"$build/include/mig" -c "$build/$name.user.c" -o "$build/objects/$n.o"
		;;
	*.c) "$CC" $cflags -Wall -I"$(dirname "$file")" -c "$file" -o "$build/objects/$n.o" ;;
	esac || die "$file does not compile"
done
# shellcheck disable=SC2086
"$CC" $ldflags "$build"/objects/*.o "$build/start.S.o" "$build/libmach.a" -o "$build/client" || die 'linking failed'
strip --strip-all -R .comment -R .note.GNU-stack "$build/client"
mv "$build/client" "$out"
