#!/bin/sh
# Makes the files of a release: test/release.sh VERSION FOLDER
#
# The same commit and the same Go give the same bytes, whoever builds and wherever: images,
# archives of the command line, SBOMs and their checksums. Needs Go and GNU tar.
set -eu
version=${1:?version, such as v0.1.0}
mkdir -p "${2:?folder}"
output=$(cd "$2" && pwd)
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CGO_ENABLED=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# archive NAME FILE...: the same archive for the same files
archive() {
	name=$1
	shift
	tar --sort=name --owner=0 --group=0 --numeric-owner --mode=go=u-w --mtime="@$SOURCE_DATE_EPOCH" --format=ustar -C "$work" -cf - "$@" | gzip -n9 >"$output/$name"
}

# sbom PROGRAM NAME: what the program was built from, as the program itself tells
sbom() {
	go -C test/tools/sbom tool cyclonedx-gomod bin -json -noserial -version "$version" -output "$output/$2" "$1"
}

go -C test/tools/image run . -root "$PWD" -output "$output" -version "$version" -revision "$(git rev-parse HEAD)" -image "${IMAGE:-embargo.dev/embargo}"
for arch in amd64 arm64; do
	sbom "$output/embargo-linux-$arch" "embargo-linux-$arch.cdx.json"
done

cp LICENSE "$work/"
for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64; do
	os=${platform%/*} arch=${platform#*/} program=kubectl-embargo
	if [ "$os" = windows ]; then program=kubectl-embargo.exe; fi
	GOOS=$os GOARCH=$arch go build -trimpath -buildvcs=false -o "$work/$program" \
		-ldflags "-s -w -X embargo.dev/cmd/kubectl-embargo/internal/command.version=$version" ./cmd/kubectl-embargo
	archive "kubectl-embargo-$version-$os-$arch.tar.gz" "$program" LICENSE
	sbom "$work/$program" "kubectl-embargo-$os-$arch.cdx.json"
	rm "$work/$program"
done

cd "$output"
rm -f SHA256SUMS # of a build before
find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" .
echo "$output/SHA256SUMS: $(wc -l <SHA256SUMS) files"
