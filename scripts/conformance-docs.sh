#!/bin/sh
# Write the suite's result, as the command prints it, into README.md and
# docs/conformance.md, between the marks <!-- NAME --> and <!-- /NAME -->, and
# what "make mutants" saved; with --check only say whether what stands there
# differs.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/machkernel" ./cmd/machkernel
"$work/machkernel" conform --markdown >"$work/all"
awk '/^\| the manual/ { exit } { print }' "$work/all" >"$work/result"
awk '/^\| the manual/ { on = 1 } on' "$work/all" >"$work/disagree"
"$work/machkernel" conform --edition documented --markdown >"$work/all"
grep '^[0-9]* cases: ' "$work/all" >"$work/documented"
grep '^[0-9]* cases: ' "$work/result" | sed 's/\.$//' | fold -s -w 76 | sed 's/ *$//; s/^/  /' >"$work/summary"
cp testdata/conformance/mutants.md "$work/mutants"

status=0
for file in README.md docs/conformance.md; do
	awk -v dir="$work" '
		/^ *<!-- \/[a-z]+ -->$/ { skip = 0 }
		!skip { print }
		/^ *<!-- [a-z]+ -->$/ {
			name = $2
			if (name ~ /^(result|disagree|documented|summary|mutants)$/) {
				while ((getline line < (dir "/" name)) > 0)
					print line
				skip = 1
			}
		}' "$file" >"$work/new"
	cmp -s "$work/new" "$file" && continue
	if [ "${1:-}" = --check ]; then
		echo "$file does not have the suite's result; run scripts/conformance-docs.sh" >&2
		status=1
	else
		cp "$work/new" "$file"
		echo "$file"
	fi
done
exit $status
