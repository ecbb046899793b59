#!/usr/bin/env bash
# Builds an image by its name and loads it into Minikube: deploy/minikube/image.sh docket/SERVICE:VERSION. It is what IMAGE_LOAD of deploy.sh
# names where nothing else is said.
#
# [Task]: T082
set -euo pipefail
cd "$(dirname "$0")/../.."
if [[ ! ${1:-} =~ ^docket/([a-z-]+):([^:]+)$ ]]; then
	echo 'usage: image.sh docket/SERVICE:VERSION' >&2
	exit 2
fi
make --no-print-directory image SERVICE="${BASH_REMATCH[1]}" VERSION="${BASH_REMATCH[2]}"
minikube image load "$1"
