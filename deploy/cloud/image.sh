#!/usr/bin/env bash
# Builds the image of one service for amd64 and arm64 with its SBOM and provenance, pushes it, and writes its name with the digest
# to a file: bash deploy/cloud/image.sh TARGET PREFIX TAG FILE
#
# [Task]: T085
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# != 4 ]; then
	echo 'usage: image.sh TARGET PREFIX TAG FILE, such as image.sh backend ghcr.io/you/docket/ v1.2.3 digest.txt' >&2
	exit 2
fi
target=$1 prefix=$2 tag=$3 file=$4

docker buildx build -f deploy/docker/Dockerfile --target "$target" -t "$prefix$target:$tag" --platform=linux/amd64,linux/arm64 \
	--sbom=true --provenance=mode=max --metadata-file "$file.json" --push \
	--build-arg "VERSION=$(git describe --tags --always)" --build-arg "COMMIT=$(git rev-parse HEAD)" .
printf '%s%s@%s\n' "$prefix" "$target" "$(jq -r '."containerimage.digest"' "$file.json")" >"$file"
cat "$file"
