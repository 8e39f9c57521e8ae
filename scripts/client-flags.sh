# Sourced by the scripts that build clients: how GNU Mach's stubs are generated
# and how a client is compiled and linked. Expects CC, top (the tree with
# libmach/), root (what mig-toolchain.sh printed) and build (a work directory);
# sets include, migcom, cflags, ours and ldflags.

include=$root/usr/include/x86_64-linux-gnu
migcom=$root/usr/lib/mig/x86_64-gnu-migcom

# The interfaces whose stubs are in libmach.
subsystems='mach mach_host mach_port mach4 gnumach mach_i386'

# stubs FILE.defs NAME: generates $build/NAME.user.c and <mig/NAME.h>. MIG reads
# preprocessed .defs; those of PC sampling are there only on request.
stubs() {
	"$CC" -E -x c -nostdinc -I"$include" -DMACH_PCSAMPLE -P "$1" >"$build/$2.i" || die "preprocessing $1 failed"
	(cd "$build/include" && "$migcom" -user "../$2.user.c" -server /dev/null \
		-header "mig/$2.h" <"../$2.i") || die "MIG refused $1"
}

# No header of the host's C library may slip in: only the compiler's own, then
# ours, the generated ones, and the kernel's.
cflags="-std=gnu11 -Os -g0 -ffreestanding -fno-stack-protector -fno-pic -no-pie
	-fcf-protection=none -fno-asynchronous-unwind-tables -fno-ident
	-ffunction-sections -fdata-sections -fno-tree-loop-distribute-patterns
	-ffile-prefix-map=$build=. -ffile-prefix-map=$top=.
	-nostdinc -isystem $("$CC" -print-file-name=include)
	-I$top/libmach/include -I$build/include -isystem $include
	-DMIG_EOPNOTSUPP=MIG_BAD_ID"
ours='-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Werror'
ldflags='-static -nostdlib -no-pie -Wl,--build-id=none -Wl,--gc-sections
	-Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code -Wl,-z,norelro
	-Wl,-z,noexecstack'

# libmach: compiles the run-time and the kernel's stubs into $build/libmach.a;
# start-up is $build/start.S.o.
libmach() {
	mkdir -p "$build/include/mig"
	for subsystem in $subsystems; do
		case $subsystem in
		mach_i386) stubs "$include/mach/x86_64/$subsystem.defs" "$subsystem" ;;
		*) stubs "$include/mach/$subsystem.defs" "$subsystem" ;;
		esac
	done
	# shellcheck disable=SC2086 # the flags are lists
	{
		for source in "$top"/libmach/*.c "$top"/libmach/*.S; do
			"$CC" $cflags $ours -c "$source" -o "$build/$(basename "$source").o"
		done
		for subsystem in $subsystems; do
			"$CC" $cflags -I"$build/include/mig" -c "$build/$subsystem.user.c" -o "$build/$subsystem.user.o"
		done
		ar crD "$build/libmach.a" "$build"/*.o
	}
}
