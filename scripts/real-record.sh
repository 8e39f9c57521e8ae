#!/bin/sh
# Record what the real GNU Mach makes of our clients.
#
# usage: real-record.sh [NAME...]            record (default: those recorded)
#        real-record.sh --check [NAME...]    compare with the recordings
#
# Recordings are testdata/clients/real/NAME.txt; their first line is the
# version the kernel printed.
set -eu

die() {
	printf 'real-record: %s\n' "$1" >&2
	exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
clients=$(dirname "$here")/testdata/clients

check=
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
if [ $# -eq 0 ]; then
	for recording in "$clients"/real/*.txt; do
		set -- "$@" "$(basename "$recording" .txt)"
	done
fi

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$clients/real"

# The command is built once for all clients.
if [ -z "${MACHKERNEL:-}" ]; then
	command -v go >/dev/null 2>&1 || die 'go not found; install Go'
	MACHKERNEL=$work/machkernel
	(cd "$(dirname "$here")" && go build -o "$MACHKERNEL" ./cmd/machkernel) || die 'building machkernel failed'
fi
export MACHKERNEL

differing=
for name in "$@"; do
	[ -x "$clients/bin/$name" ] || die "no client $name; run scripts/build-clients.sh"
	# A client that ends in an unhandled exception cannot stop the machine:
	# of fault only what it printed is recorded, and the time-out is expected.
	expected=0
	timeout=${REAL_TIMEOUT:-60}
	if [ "$name" = fault ]; then
		expected=124
		timeout=5
	fi
	status=0
	REAL_TIMEOUT=$timeout "$here/real-run.sh" "$clients/bin/$name" >"$work/$name.txt" || status=$?
	[ "$status" -eq "$expected" ] || die "$name: exit $status, expected $expected"
	if [ -z "$check" ]; then
		mv "$work/$name.txt" "$clients/real/$name.txt"
	elif ! diff -u "$clients/real/$name.txt" "$work/$name.txt"; then
		differing="$differing $name"
	fi
done
[ -z "$differing" ] || die "other than recorded:$differing"
