#!/usr/bin/env bash
# Walks through docket as it is deployed: every pod 2/2; a task from creation to deletion, each change in the audit log; the next
# occurrence of a repeating one; a reminder; two clients that hear of a third's changes. Uses docket's own client, from this
# repository, and takes away what it has made.
#
#   deploy/minikube/smoke-test.sh [URL]          (the address of Minikube's node; NAMESPACE is where docket is)
#
# [Task]: T083
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/minikube/lib.sh
. deploy/minikube/lib.sh

need kubectl 'https://kubernetes.io/docs/tasks/tools/'
need curl 'your package manager has it'
need "${DOCKET:-go}" 'https://go.dev/dl/'
stop_if_missing

DOCKET_SERVER=${1:-$(url)}
export DOCKET_SERVER
# DOCKET is the client; without it it is built here.
docket=${DOCKET:-$work/docket}
[ -n "${DOCKET:-}" ] || go build -o "$docket" ./cmd/docket

passed=0
ok() {
	passed=$((passed + 1))
	echo "ok $passed - $* ($SECONDS s)"
}

# eventually runs a command until its output has a line that matches, for a minute.
eventually() {
	local what=$1 pattern=$2 end=$((SECONDS + 60)) out=
	shift 2
	while [ $SECONDS -lt $end ]; do
		if out=$("$@" 2>&1) && grep -qE "$pattern" <<<"$out"; then
			ok "$what"
			return
		fi
		sleep 0.5
	done
	look_at
	fail "not ok - $what: within a minute nothing matched $pattern in:
$out"
}

pods() {
	local total all
	total=$(k get pods -l app.kubernetes.io/part-of=docket,app.kubernetes.io/name!=postgresql --field-selector status.phase=Running --no-headers)
	all=$(wc -l <<<"$total")
	[ "$all" -ge 5 ] && [ "$(awk '$2 == "2/2"' <<<"$total" | wc -l)" = "$all" ] && echo "$all pods, every one 2/2"
}

# sign_in makes a token for this run through a one-time link, as a browser would sign in.
sign_in() {
	local code
	code=$(k exec deploy/backend -c backend -- /docket owner | tail -1 | sed 's/.*#//')
	curl -fsS -c "$work/cookies" -H 'Content-Type: application/json' -d "{\"code\":\"$code\"}" "$DOCKET_SERVER/api/session" >/dev/null
	DOCKET_TOKEN=$(curl -fsS -b "$work/cookies" -H 'Content-Type: application/json' -d '{"name":"smoke test","scope":"write"}' "$DOCKET_SERVER/api/tokens" |
		sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
	[ -n "$DOCKET_TOKEN" ] || fail 'not ok - a token is made'
	export DOCKET_TOKEN
	ok 'a one-time link signs in, and makes a token'
}

events_of() { "$docket" history "$1" --json | grep -oE '"event_type": ?"[^"]+"' | sort -u | tr '\n' ' '; }

watchers=()
finish() {
	[ ${#watchers[@]} -eq 0 ] || kill "${watchers[@]}" 2>/dev/null || true
	"$docket" token rm 'smoke test' >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap finish EXIT

eventually 'every pod has its service and its sidecar' '2/2' pods
sign_in

mark="smoke-$$-$RANDOM"
for n in 1 2; do
	"$docket" watch >"$work/watch$n" 2>&1 &
	watchers+=($!)
	eventually "client $n watches" '^watching' cat "$work/watch$n"
done

id() { "$docket" add "$@" --json | grep -oE '"id": ?"[^"]+"' | head -1 | cut -d'"' -f4; }
task=$(id --literal "$mark")
eventually 'a new task is listed' "$mark" "$docket" ls "$mark"
"$docket" edit "$task" --title "$mark changed" >/dev/null
"$docket" "done" "$task" >/dev/null
"$docket" reopen "$task" >/dev/null
eventually 'a changed task shows its change' "$mark changed" "$docket" show "$task"
"$docket" rm "$task" >/dev/null
eventually 'the audit log has every change' 'task\.completed.*task\.created.*task\.deleted.*task\.updated' events_of "$task"
for n in 1 2; do
	eventually "client $n has heard of it, live" "$mark changed" cat "$work/watch$n"
done

again=$(id --literal "$mark repeats" --due tomorrow --repeat daily)
"$docket" "done" "$again" >/dev/null
eventually 'a repeating task has its next occurrence' "$mark repeats" "$docket" ls "$mark"

soon=$(id --literal "$mark reminds" --due "$(date -u -d '+4 seconds' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -v+4S +%Y-%m-%dT%H:%M:%SZ)" --remind 0)
eventually 'a reminder comes to the inbox' "$mark reminds" "$docket" inbox
for n in 1 2; do
	eventually "client $n is reminded, live" 'remind' grep "$mark reminds" "$work/watch$n"
done

"$docket" rm "$soon" >/dev/null
"$docket" ls "$mark" --json | grep -oE '"id": ?"[^"]+"' | cut -d'"' -f4 | xargs -r "$docket" rm >/dev/null
echo "all $passed steps passed in $SECONDS s"
