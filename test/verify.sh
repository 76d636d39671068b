#!/usr/bin/env bash
# Fails where a generated file differs from what would be generated, or go.mod and
# go.sum from what the code needs. It generates in place, so that a failure mends itself.
set -euo pipefail
cd "$(dirname "$0")/.."

generated=(config/crd charts docs/reference policies/v1alpha1/zz_generated.deepcopy.go go.mod go.sum)

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
cp -r --parents "${generated[@]}" "$before/"
make --no-print-directory generate
go mod tidy
status=0
for path in "${generated[@]}"; do
	diff -ruN "$before/$path" "$path" || status=1
done
if [ "$status" -ne 0 ]; then
	echo "verify: the files above were stale; they are up to date now: commit them" >&2
fi
exit "$status"
