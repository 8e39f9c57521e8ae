#!/bin/sh
# Run random programs on the real GNU Mach and on ours, and show where they
# first differ.
#
# usage: random-real.sh ipc|mem STEPS SEED [WORD...]
#
# A WORD is one of random.h's, "entries" say. Exit 0 when both kernels told the
# same, 1 when they differ, 2 when one could not be run to its end: the real
# kernel may have hung or panicked at the step after the last one told.
#
# environment: REAL_TIMEOUT  seconds for each run (default 60)
#              MACHKERNEL    the command (default: built from the sources here)
set -eu
export LC_ALL=C

die() {
	printf 'random-real: %s\n' "$1" >&2
	exit 2
}

[ $# -ge 3 ] || die 'usage: random-real.sh ipc|mem STEPS SEED [WORD...]'
here=$(cd "$(dirname "$0")" && pwd)
client=$(dirname "$here")/testdata/conformance/bin/random${1}1
steps=$2 seed=$3
shift 3
[ -x "$client" ] || die "no client $client; run scripts/build-clients.sh"

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
if [ -z "${MACHKERNEL:-}" ]; then
	MACHKERNEL=$work/machkernel
	(cd "$here/.." && go build -o "$MACHKERNEL" ./cmd/machkernel) || die 'building machkernel failed'
fi

# both WORD...: runs the program on both; what they told is in real and ours.
both() {
	for kernel in real ours; do
		real=
		[ $kernel = ours ] || real=--real
		# shellcheck disable=SC2086 # a flag or nothing
		"$MACHKERNEL" run $real --timeout "${REAL_TIMEOUT:-60}s" "$client" '${host-port}' \
			'${device-port}' "seed=$seed" "$@" >"$work/$kernel" 2>"$work/error" || {
			cat "$work/error" >&2
			tail -n 1 "$work/$kernel"
			die "seed $seed: $kernel did not come to its end"
		}
	done
}

both "steps=$steps" "$@"
if cmp -s "$work/real" "$work/ours"; then
	printf 'seed %s: the same in %s steps\n' "$seed" "$steps"
	exit 0
fi
# The block of steps in which they part, once more in clear.
last=$(paste -d '\n' "$work/real" "$work/ours" |
	awk 'NR % 2 { r = $0; next } r != $0 { exit } $1 == "step" { n = $2 + 0 } END { print n + 0 }')
end=$((last + 50))
[ "$end" -le "$steps" ] || end=$steps
both "steps=$end" "clear=$((last + 1))-$end" state "$@"
printf 'seed %s: real (-) and ours (+) differ:\n' "$seed"
diff -U 5 "$work/real" "$work/ours" | sed 1,2d | head -n 20
exit 1
