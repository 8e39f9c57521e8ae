#!/bin/sh
# Run a client on the real GNU Mach under QEMU and print what it printed.
#
# usage: real-run.sh CLIENT [ARG...]
#
# The first line of the output is the kernel's own version line; the others are
# the client's, as the console showed them, without carriage returns.
# Exit 0 when the machine was stopped by the client, 124 on time-out (also when
# the client ended without stopping the machine), 1 when it could not be run.
#
# environment: REAL_TIMEOUT  seconds (default 30)
#              REAL_ACCEL    QEMU's accelerator (default tcg)
#              REAL_CONSOLE  a file that gets the whole console as it was
set -eu
export LC_ALL=C

die() {
	printf 'real-run: %s\n' "$1" >&2
	exit 1
}

[ $# -ge 1 ] || die 'usage: real-run.sh CLIENT [ARG...]'
client=$1
shift
[ -r "$client" ] || die "cannot read $client"

here=$(cd "$(dirname "$0")" && pwd)
cache=${MACHKERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/machkernel}

command -v qemu-system-x86_64 >/dev/null 2>&1 ||
	die 'qemu-system-x86_64 not found; install the package qemu-system-x86'
command -v timeout >/dev/null 2>&1 || die 'timeout not found; install the package coreutils'

root=$("$here/mig-toolchain.sh" --kernel)
kernel=$cache/gnumach-$(tr -c 'A-Za-z0-9.+\n' '_' <"$root/versions/gnumach-image-1.8-amd64-up").elf32
if [ ! -s "$kernel" ]; then
	command -v go >/dev/null 2>&1 || die 'go not found; install Go'
	go run "$here/mkelf32/main.go" "$root/boot/gnumach-1.8-amd64-up.gz" "$kernel.part.$$" ||
		die 'repacking the kernel failed'
	mv "$kernel.part.$$" "$kernel"
fi

work=$(mktemp -d) || die 'no temporary directory'
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The module's file name becomes argv[0] and its words the arguments, split at
# spaces; commas separate modules.
name=$(basename "$client" | tr ', ' '__')
cp "$client" "$work/$name"
for word in "$@"; do
	case $word in
	*[\ ,]*) die "argument '$word': the boot loader takes no spaces or commas" ;;
	esac
done

status=0
(cd "$work" && exec timeout -k 2 "${REAL_TIMEOUT:-30}" qemu-system-x86_64 \
	-accel "${REAL_ACCEL:-tcg}" -cpu core2duo-v1 -m 2047 \
	-display none -serial stdio -monitor none -net none -no-reboot \
	-kernel "$kernel" -append console=com0 \
	-initrd "$name \${host-port} \${device-port}${*:+ $*} \$(task-create) \$(task-resume)") \
	</dev/null >"$work/console" 2>"$work/error" || status=$?
[ -z "${REAL_CONSOLE:-}" ] || cp "$work/console" "$REAL_CONSOLE"
tr -d '\r' <"$work/console" >"$work/text"
case $status in
0 | 124 | 137) ;;
*) die "QEMU: $(head -n 1 "$work/error")" ;;
esac

# The kernel names itself first; "start NAME: " is the last thing it says before
# the client runs, on the line where the client's own output begins. What it
# mutters about the client afterwards is not the client's.
awk -v name="$name" '
	NR == 1 { print; next }
	/^task [^ ]* .* a bogus port .*, most probably a bug\.$/ { next }
	/^no more room in / { next }
	/^vm_page warning: / { next }
	started { print; next }
	index($0, "start " name ": ") == 1 {
		started = 1
		$0 = substr($0, length("start " name ": ") + 1)
		if ($0 != "")
			print
	}
' "$work/text"
[ "$status" -eq 0 ] || exit 124
