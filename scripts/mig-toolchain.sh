#!/bin/sh
# Fetch what the C clients are built with: Debian trixie's GNU Mach headers and
# .defs (gnumach-dev) and GNU MIG (mig-x86-64-gnu). With --kernel, also the
# packaged x86_64 GNU Mach kernel that judges us.
#
# Nothing is installed and no root is needed: a private apt state verifies the
# archive's signature with the host's keyring, and the packages are unpacked
# into a cache directory. Prints that directory's name and nothing else.
#
# usage: mig-toolchain.sh [--kernel]
# environment: MACHKERNEL_CACHE  the cache (default: $XDG_CACHE_HOME/machkernel)
#              MACHKERNEL_MIRROR a Debian mirror's URI (default: as the host's apt has it)
set -eu

suite=trixie
cache=${MACHKERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/machkernel}
root=$cache/toolchain

die() {
	printf 'mig-toolchain: %s\n' "$1" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null 2>&1 || die "$1 not found; install the package $2"
}

packages='gnumach-dev mig-x86-64-gnu'
case "${1:-}" in
'') ;;
--kernel) packages="$packages gnumach-image-1.8-amd64-up" ;;
*) die "usage: mig-toolchain.sh [--kernel]" ;;
esac

# A package is complete when its version has been written beside the tree; the
# file is the last thing that is made.
missing=
for p in $packages; do
	[ -s "$root/versions/$p" ] || missing="$missing $p"
done
if [ -z "$missing" ]; then
	printf '%s\n' "$root"
	exit 0
fi

need apt-get apt
need dpkg-deb dpkg

work=$cache/apt
mkdir -p "$work/lists/partial" "$work/archives/partial" "$root/versions" 2>/dev/null ||
	die "cannot write to $cache; set MACHKERNEL_CACHE to a directory that can be written"
: >"$work/status"

# The host's own Debian keyring signs the archive for us. On a host that is not
# Debian the package debian-archive-keyring provides it.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || die "no Debian archive keyring on this host; install the package debian-archive-keyring"

# The host's apt knows which mirror to use; only the suite is ours. The first
# repository that carries the suite wins (a security mirror, say, does not).
mirrors=${MACHKERNEL_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | sort -u)}
[ -n "$mirrors" ] || die "the host's apt names no mirror; set MACHKERNEL_MIRROR to a Debian mirror's URI"

private_apt() {
	apt-get -qq \
		-o Dir::Etc::sourcelist="$work/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::State="$work" \
		-o Dir::State::Lists="$work/lists" \
		-o Dir::State::status="$work/status" \
		-o Dir::Cache="$work" \
		-o APT::Architecture=amd64 \
		-o APT::Architectures=amd64 \
		-o APT::Sandbox::User= \
		-o Acquire::Languages=none \
		-o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		-o Acquire::Retries=3 \
		"$@"
}

found=
for mirror in $mirrors; do
	printf 'deb [signed-by=%s arch=amd64] %s %s main\n' \
		"$keyring" "$mirror" "$suite" >"$work/sources.list"
	if private_apt update -o APT::Update::Error-Mode=any >"$work/log" 2>&1 &&
		(cd "$work" && private_apt download --print-uris gnumach-dev) >>"$work/log" 2>&1; then
		found=$mirror
		break
	fi
done
[ -n "$found" ] || die "no mirror of the host's apt offers Debian $suite (see $work/log); set MACHKERNEL_MIRROR"

for p in $missing; do
	rm -f "$work/$p"_*.deb
	(cd "$work" && private_apt download "$p") >"$work/log" 2>&1 ||
		die "downloading $p failed: $(tail -n 1 "$work/log")"
	set -- "$work/$p"_*.deb
	[ -s "$1" ] || die "downloading $p left no file"
	dpkg-deb -x "$1" "$root" || die "unpacking $p failed"
	dpkg-deb -f "$1" Version >"$root/versions/$p.part"
	mv "$root/versions/$p.part" "$root/versions/$p"
	rm -f "$1"
done

printf '%s\n' "$root"
