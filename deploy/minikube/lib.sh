# What the scripts of this folder have in common; they read it, nobody runs it.
#
# [Task]: T082
# shellcheck shell=bash

NAMESPACE=${NAMESPACE:-docket}
VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo devel)}
TIMEOUT=${TIMEOUT:-600}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

fail() {
	echo "$*" >&2
	exit 1
}

usage() {
	echo "$*" >&2
	exit 2
}

k() { kubectl --namespace "$NAMESPACE" "$@"; }

lacking=
missing() {
	echo "missing: $*" >&2
	lacking=1
}

# need says what is missing; stop_if_missing ends after all has been said.
need() { command -v "$1" >/dev/null || missing "$1 ($2)"; }
stop_if_missing() { [ -z "$lacking" ] || fail 'nothing has been changed'; }

# url is where users find docket: a port of the node.
url() {
	local port ip
	port=$(k get service frontend-public -o 'jsonpath={.spec.ports[0].nodePort}' 2>/dev/null) || port=
	[ -n "$port" ] || { echo 'http://127.0.0.1:8080'; return; }
	ip=$(minikube ip 2>/dev/null) || ip=$(kubectl get nodes -o 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}')
	echo "http://$ip:$port"
}

# look_at prints what there is to see where something has gone wrong.
look_at() {
	{
		echo
		echo "This has failed. What there is to see:"
		k get pods -o wide
		echo
		k get events --field-selector type=Warning --sort-by .lastTimestamp 2>/dev/null | tail -15
		local pod
		for pod in $(k get pods -o 'jsonpath={range .items[*]}{.metadata.name}{" "}{.status.containerStatuses[*].ready}{"\n"}{end}' | awk '/false/ {print $1}'); do
			echo
			echo "-- $pod (kubectl -n $NAMESPACE describe pod $pod; kubectl -n $NAMESPACE logs $pod --all-containers)"
			k logs "$pod" --all-containers --prefix --tail=10
		done
	} >&2 || true
}
