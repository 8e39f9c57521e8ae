#!/bin/sh
# Run a client on the real GNU Mach under QEMU and print what it printed.
#
# usage: real-run.sh CLIENT [ARG...]
#
# The first line of the output is the kernel's own version line; the others are
# the client's, as "machkernel run --real" prints them. The client's first two
# arguments are the host's and the device's port, the ARGs follow.
# Exit 0 when the machine was stopped by the client, 124 on time-out (also when
# the client ended without stopping the machine), 1 when it could not be run.
#
# environment: REAL_TIMEOUT  seconds (default 30)
#              REAL_ACCEL    QEMU's accelerator (default tcg)
#              REAL_CONSOLE  a file that gets the whole console as it was
#              MACHKERNEL    the command (default: built from the sources here)
set -eu
export LC_ALL=C

die() {
	printf 'real-run: %s\n' "$1" >&2
	exit 1
}

[ $# -ge 1 ] || die 'usage: real-run.sh CLIENT [ARG...]'
client=$1
shift

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Built, not "go run": that would turn every exit code into 1.
machkernel=${MACHKERNEL:-}
if [ -z "$machkernel" ]; then
	command -v go >/dev/null 2>&1 || die 'go not found; install Go'
	machkernel=$work/machkernel
	top=$(dirname "$(cd "$(dirname "$0")" && pwd)")
	(cd "$top" && go build -o "$machkernel" ./cmd/machkernel) || die 'building machkernel failed'
fi

status=0
"$machkernel" run --real --raw "${REAL_CONSOLE:-/dev/null}" \
	--accel "${REAL_ACCEL:-tcg}" --timeout "${REAL_TIMEOUT:-30}s" \
	"$client" '${host-port}' '${device-port}' "$@" >"$work/text" 2>"$work/error" || status=$?
sed -n 's/^machkernel: on //p' "$work/error"
cat "$work/text"
case $status in
0 | 124) exit "$status" ;;
esac
die "$(tail -n 1 "$work/error")"
