#!/bin/sh
# Runs every fuzz target of the module for as long as -fuzztime is told by the argument: the go command takes one at a time.
# A number of executions (50000x) is surer than a time (10s): until Go 1.27 the end of the time can be reported as a failed
# target, "context deadline exceeded" (https://go.dev/issue/75804).
set -eu
cd "$(dirname "$0")/.."
grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do
	sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file" | while read -r target; do
		echo "$(dirname "$file") $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 10x "$(dirname "$file")" </dev/null
	done
done
