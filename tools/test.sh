#!/bin/sh
# Lints, runs every test runner even if one before has failed, and ends with one line that counts the tests of all.
# [Task]: T007, T008
set -u
rm -rf .test
mkdir .test
failed=
for target in lint web-lint unit web-test; do
	"${MAKE:-make}" --no-print-directory "$target" || failed="$failed $target"
done
[ -z "$failed" ] || echo "failed:$failed"
go run ./tools/total .test/go.xml .test/web-unit.xml .test/web-browser.xml || exit 1
[ -z "$failed" ]
