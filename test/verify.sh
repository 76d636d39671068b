#!/bin/sh
# Fails where generated files or go.mod files differ from what their sources give.
# Works on the files as they are, committed or not.
set -eu
cd "$(dirname "$0")/.."
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp -r config/crd "$before/crd"
cp -r charts "$before/charts"
cp -r docs/reference/cli "$before/cli"
cp policies/v1alpha1/zz_generated.deepcopy.go docs/reference/restricted-list.md go.mod go.sum "$before/"
make --no-print-directory generate
go mod tidy
status=0
diff -ru "$before/crd" config/crd || status=1
diff -ru "$before/charts" charts || status=1
diff -ru "$before/cli" docs/reference/cli || status=1
for file in policies/v1alpha1/zz_generated.deepcopy.go docs/reference/restricted-list.md go.mod go.sum; do
	diff -u "$before/$(basename "$file")" "$file" || status=1
done
if [ "$status" -ne 0 ]; then
	echo "Generated files were stale; they have been brought up to date: review and commit them (make generate)." >&2
fi
exit "$status"
