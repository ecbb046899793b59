#!/bin/sh
# Lints every script of the repository with shellcheck, and the workflows of .github with actionlint, which looks into their scripts
# as well. As root on Debian and Ubuntu it installs shellcheck, elsewhere it says what would; with CI set going without is a failure.
#
# [Task]: T007, T084, T085
set -eu
cd "$(dirname "$0")/.."
if ! command -v shellcheck >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo 'installing shellcheck, which lints the scripts'
	if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends shellcheck >/dev/null; }; then
		echo 'shellcheck could not be installed' >&2
	fi
fi
if command -v shellcheck >/dev/null; then
	git ls-files '*.sh' .ci/run | xargs shellcheck
else
	echo 'shellcheck is not installed, so the scripts are not linted here: sudo apt-get install shellcheck, brew install shellcheck' >&2
	[ -z "${CI:-}" ]
fi
"${GO:-go}" tool -modfile=tools/dev/go.mod actionlint
