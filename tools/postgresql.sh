#!/bin/sh
# Sees to it that PostgreSQL's server is installed, for the tests behind Dapr and for make run-dapr: as root on Debian and
# Ubuntu it installs it, elsewhere it says what would. With CI=true going without is a failure.
#
# [Task]: T011
set -eu
if command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
	exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo 'installing PostgreSQL, which the tests behind Dapr need'
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null && exit 0
fi
echo 'PostgreSQL is not installed, so nothing runs behind Dapr here. This installs it:' >&2
echo '  sudo apt-get install postgresql        (Debian, Ubuntu)' >&2
echo '  brew install postgresql                (macOS)' >&2
if [ "${CI:-}" = true ] || [ "${1:-}" = required ]; then
	exit 1
fi
