#!/bin/sh
# Builds the stub: build.sh [output]. Without an argument it replaces stub.elf
# and records the tools in stub.tools; the same tools give the same bytes.
set -e
cd "$(dirname "$0")"
gcc -static -nostdlib -ffreestanding -fno-pic -no-pie -s -O2 \
	-mgeneral-regs-only -mno-red-zone -mcmodel=large -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables -Wall -Werror \
	-Wl,--build-id=none -Wl,-T,stub.ld \
	-o "${1:-stub.elf}" stub.S start.c
if [ -z "$1" ]; then
	{ gcc --version | head -n 1; ld --version | head -n 1; } > stub.tools
fi
