#!/bin/sh
# Makes the files of a release: test/release.sh VERSION FOLDER
#
# The same commit and the same Go give the same bytes, whoever builds and wherever: images,
# archives of the command line, SBOMs and their checksums. Needs Go.
set -eu
version=${1:?version, such as v0.1.0}
mkdir -p "${2:?folder}"
output=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CGO_ENABLED=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# sbom PROGRAM NAME: what the program was built from, as the program itself tells
sbom() {
	go -C test/tools/sbom tool cyclonedx-gomod bin -json -noserial -notimestamp -version "$version" -output "$output/$2" "$1"
}

go -C test/tools/image run . -root "$PWD" -output "$output" -version "$version" -revision "$(git rev-parse HEAD)" -image "${IMAGE:-embargo.dev/embargo}"
for arch in amd64 arm64; do
	sbom "$output/embargo-linux-$arch" "embargo-linux-$arch.cdx.json"
done

stamp="-s -w -X embargo.dev/cmd/kubectl-embargo/internal/command.version=$version"
go run ./test/release -version "$version" -ldflags "$stamp" -output "$output"
go build -trimpath -buildvcs=false -ldflags "$stamp" -o "$work/kubectl-embargo" ./cmd/kubectl-embargo
sbom "$work/kubectl-embargo" kubectl-embargo.cdx.json

cd "$output"
rm -f SHA256SUMS # of a build before
find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" .
echo "$output/SHA256SUMS: $(wc -l <SHA256SUMS) files"
