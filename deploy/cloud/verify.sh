#!/usr/bin/env bash
# Shows that docket in a cloud works, from outside as its users see it and from inside: every service has two ready replicas or more with
# their sidecars, a change reaches the audit log, and a pod that is deleted comes back while the API answers.
#
#   deploy/cloud/verify.sh --host NAME [--namespace NAME] [--kill]
#
# --kill deletes one pod of each service in turn and counts the requests that fail meanwhile. DOCKET_TOKEN is an API token to make a task
# with; without it one is made, by the name verify, for the first user.
#
# [Task]: T086, T088
set -euo pipefail

host='' namespace=docket kill=''
while [ $# -gt 0 ]; do
	case $1 in
	--host) host=${2:?--host needs a value} && shift ;;
	--namespace) namespace=${2:?--namespace needs a value} && shift ;;
	--kill) kill=1 ;;
	*)
		sed -n '2,/^# \[Task\]/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2
		exit 2
		;;
	esac
	shift
done
[ -n "$host" ] || { echo 'verify.sh: --host is missing' >&2 && exit 2; }
for tool in kubectl curl jq; do
	command -v "$tool" >/dev/null || { echo "missing: $tool" >&2 && exit 1; }
done
readonly SERVICES=(backend notification recurring-task audit frontend)
readonly API=https://$host

k() { kubectl --namespace "$namespace" "$@"; }
fail() { echo "verify: $*" >&2 && exit 1; }
ask() { curl --fail --silent --show-error --max-time 10 --retry 3 -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }

echo '== replicas'
for service in "${SERVICES[@]}"; do
	k rollout status "deployment/$service" --timeout 5m >/dev/null || fail "$service is not ready"
	ready=$(k get pods -l "app.kubernetes.io/name=$service" -o json |
		jq '[.items[] | select((.status.containerStatuses | length) >= 2 and all(.status.containerStatuses[]; .ready))] | length')
	[ "$ready" -ge 2 ] || fail "$service has $ready pods whose two containers are ready, want two or more"
	echo "  $service: $ready"
done

echo '== nothing in the clear'
status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 10 "http://$host/signin") || true
case $status in
000 | 30[1278]) echo "  http: $status" ;; # nobody there, or sent on to https
*) fail "http://$host answers with $status, want a redirect to https" ;;
esac

echo '== a change, from outside to the audit log'
token=${DOCKET_TOKEN:-}
if [ -z "$token" ]; then # a link that signs in once, as the first user's browser would
	cookies=$(mktemp)
	trap 'rm -f "$cookies"' EXIT
	code=$(k exec deploy/backend -c backend -- /docket owner | tail -n 1 | sed 's/.*#//')
	json=(-H 'Content-Type: application/json' --fail --silent --show-error)
	curl "${json[@]}" -c "$cookies" --data "{\"code\": \"$code\"}" "$API/api/session" >/dev/null
	token=$(curl "${json[@]}" -b "$cookies" --data '{"name": "verify", "scope": "write"}' "$API/api/tokens" | jq -er .token)
fi
task=$(ask --data '{"title": "verify"}' "$API/api/tasks" | jq -er .id)
for _ in $(seq 30); do
	entries=$(ask "$API/api/tasks/$task/history" | jq length)
	[ "$entries" -eq 0 ] || break
	sleep 1
done
[ "$entries" -gt 0 ] || fail 'the audit log has not heard of a task for 30 s'
ask -X DELETE "$API/api/tasks/$task" >/dev/null
echo "  the task $task is in the audit log"

[ -n "$kill" ] || exit 0
echo '== one pod of each service is deleted'
failed=0 asked=0
for service in "${SERVICES[@]}"; do
	pod=$(k get pods -l "app.kubernetes.io/name=$service" -o jsonpath='{.items[0].metadata.name}')
	k delete pod "$pod" --wait=false >/dev/null
	until k rollout status "deployment/$service" --timeout 1s >/dev/null 2>&1; do
		asked=$((asked + 1))
		curl --fail --silent --output /dev/null --max-time 10 -H "Authorization: Bearer $token" "$API/api/tasks?limit=1" || failed=$((failed + 1))
		[ "$asked" -lt 5000 ] || fail "$service has not come back"
	done
	echo "  $service: $pod was replaced"
done
echo "  $failed of $asked requests failed meanwhile"
[ "$failed" = 0 ]
