#!/bin/sh
# Record what the conformance suite prints on the real GNU Mach.
#
# usage: golden.sh [NAME...]            record (default: all clients)
#        golden.sh --check [NAME...]    record again and compare; exit 1 if different
#
# Recordings are testdata/golden/NAME.txt; their first line is the version the
# kernel printed. Cases in skip-on-real.tsv are not run there.
set -eu
export LC_ALL=C

die() {
	printf 'golden: %s\n' "$1" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
suite=$top/testdata/conformance
golden=$top/testdata/golden

check=
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
if [ $# -eq 0 ]; then
	for source in "$suite"/*.c; do
		set -- "$@" "$(basename "$source" .c)"
	done
fi

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$golden"
if [ -z "${MACHKERNEL:-}" ]; then
	MACHKERNEL=$work/machkernel
	(cd "$top" && go build -o "$MACHKERNEL" ./cmd/machkernel) || die 'building machkernel failed'
fi
export MACHKERNEL

differing=
for name; do
	[ -x "$suite/bin/$name" ] || die "no client $name; run scripts/build-clients.sh"
	# The boot loader has little room for words: those of this client's cases only.
	"$MACHKERNEL" run "$suite/bin/$name" list >"$work/cases" || die "$name lists no cases"
	skip=$(sed -n 's/^\([^#	][^	]*\)	.*/\1/p' "$suite/skip-on-real.tsv" |
		grep -Fx -f "$work/cases" | sed 's/^/skip=/' || true)
	# shellcheck disable=SC2086 # a list
	REAL_TIMEOUT=${REAL_TIMEOUT:-120} "$here/real-run.sh" "$suite/bin/$name" $skip >"$work/$name.txt" ||
		die "$name: the real kernel did not come to its end"
	if [ -z "$check" ]; then
		mv "$work/$name.txt" "$golden/$name.txt"
	elif ! diff -u "$golden/$name.txt" "$work/$name.txt"; then
		differing="$differing $name"
	fi
done
[ -z "$differing" ] || die "other than recorded:$differing"
