#!/bin/sh
# Builds the tests' client code: build.sh [output]. Without an argument it
# replaces guest.elf and records the tools in guest.tools; the same tools give
# the same bytes.
set -e
cd "$(dirname "$0")"
gcc -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,noseparate-code \
	-Wl,-z,max-page-size=4096 -Wl,-e,trap_once \
	-o "${1:-guest.elf}" guest.S
if [ -z "$1" ]; then
	{ gcc --version | head -n 1; ld --version | head -n 1; } > guest.tools
fi
