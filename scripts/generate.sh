#!/bin/sh
# Write the Go that MIG makes from our .defs files; with --check only say
# whether what is committed differs.
set -eu
cd "$(dirname "$0")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
go build -o "$out/machkernel" ./cmd/machkernel
mig="$out/machkernel mig"
mkdir -p "$out/mig/gnumach" "$out/kernel" "$out/mig/gen/gentest"

interfaces='mach mach4 mach_i386 gnumach mach_host mach_port notify exc memory_object task_notify'
for name in $interfaces; do
	$mig -package gnumach -header "$out/mig/gnumach/${name}_table.go" \
		-user "$out/mig/gnumach/${name}_user.go" -server /dev/null "mig/gnumach/$name.defs"
done
for name in mach mach4 mach_i386 mach_host mach_port gnumach; do
	$mig -package kernel -types kernel/mig.types -DKERNEL_SERVER -header /dev/null -user /dev/null \
		-server "$out/kernel/${name}_server.go" "mig/gnumach/$name.defs"
done
test=mig/gen/gentest
$mig -package gentest -types "$test/mig.types" -header /dev/null -user /dev/null \
	-server "$out/$test/kernel_server_test.go" "$test/kernel.defs"
$mig -package gentest -header "$out/$test/user_table_test.go" -user "$out/$test/user_user_test.go" \
	-server "$out/$test/user_server_test.go" "$test/user.defs"

rm "$out/machkernel"
cd "$out"
status=0
for file in $(find . -name '*.go'); do
	cmp -s "$file" "$OLDPWD/$file" && continue
	if [ "${1:-}" = --check ]; then
		echo "$file is not what its .defs file gives; run scripts/generate.sh" >&2
		status=1
	else
		cp "$file" "$OLDPWD/$file"
		echo "$file"
	fi
done
exit $status
