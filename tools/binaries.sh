#!/bin/sh
# Builds docket for every system it is released for, into dist, with a file of checksums: sh tools/binaries.sh VERSION COMMIT.
# Without cgo one machine builds them all; the same sources and the same Go make the same bytes anywhere.
#
# [Task]: T085
set -eu
cd "$(dirname "$0")/.."
version=${1:?the version to stamp}
commit=${2:?the commit to stamp}
rm -rf dist
mkdir dist
for target in ${TARGETS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}; do
	GOOS=${target%/*} GOARCH=${target#*/}
	case $GOOS in windows) suffix=.exe ;; *) suffix= ;; esac
	file=dist/docket-$GOOS-$GOARCH$suffix
	printf '%s\n' "$file"
	GOOS=$GOOS GOARCH=$GOARCH CGO_ENABLED=0 "${GO:-go}" build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.stamped=$version -X main.stampedCommit=$commit" -o "$file" ./cmd/docket
done
cd dist
sha256sum docket-* >SHA256SUMS
