#!/usr/bin/env bash
# From nothing to docket's page: a Minikube cluster, Dapr, a broker, a database and the five services, each step only where it has
# not been done yet, so that running it again repairs and upgrades. Where something fails it prints what to look at.
#
#   deploy/minikube/deploy.sh
#   deploy/minikube/deploy.sh --existing-cluster [--values FILE]…     in the cluster that kubectl speaks to
#
# --values replaces values-minikube.yaml; it may be given several times, later files win. The environment may say
#
#   NAMESPACE      where docket goes (docket)
#   VERSION        the tag of the images (what git describes)
#   IMAGE_LOAD     a command that is given the name of an image and sees to it that the cluster has it; without it
#                  deploy/minikube/image.sh, which has Docker build it and loads it into Minikube
#   KAFKA_BROKERS  a broker that has the topics of deploy/kafka already (host:port[,host:port…]); without it Redpanda is installed
#   POSTGRESQL     what a database is reached with ("host=… user=… password=… dbname=…"); without it one for trying out is installed
#   TIMEOUT        how long each step may take, in seconds (600)
#   LOCAL_PORT     the port of this machine that smoke-test.sh and people use where the node's is not reached (8080)
#
# [Task]: T082
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/minikube/lib.sh
. deploy/minikube/lib.sh

existing=""
values=()
while [ $# -gt 0 ]; do
	case $1 in
	--existing-cluster) existing=1 ;;
	--values) [ $# -gt 1 ] || usage "--values: which file?"; values+=("$2"); shift ;;
	--help | -h) sed -n '2,/^# \[Task\]/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 0 ;;
	*) usage "unknown argument $1 (--help tells which there are)" ;;
	esac
	shift
done
[ ${#values[@]} -gt 0 ] || values=(deploy/helm/docket/values-minikube.yaml)

DAPR_VERSION=1.18.0
images=(backend notification recurring-task audit frontend)

prerequisites() {
	step 'prerequisites'
	need kubectl 'https://kubernetes.io/docs/tasks/tools/'
	need helm 'https://helm.sh/docs/intro/install/'
	need openssl 'your package manager has it'
	[ -n "$existing" ] || need minikube 'https://minikube.sigs.k8s.io/docs/start/'
	if [ -z "${IMAGE_LOAD:-}" ]; then
		need docker 'https://docs.docker.com/engine/install/ (or set IMAGE_LOAD)'
		[ -z "$existing" ] || missing 'IMAGE_LOAD: how does an image get into this cluster? See --help'
	fi
	for file in "${values[@]}"; do
		[ -f "$file" ] || missing "the file of values $file"
	done
	stop_if_missing
	# A mistake in the values is found before anything is made.
	helm template docket deploy/helm/docket "${chart[@]}" >/dev/null 2>"$work/template" || { grep -v 'symbolic link' "$work/template" >&2; fail 'the values are refused; nothing has been changed'; }
}

cluster() {
	if [ -z "$existing" ]; then
		step 'cluster'
		minikube status >/dev/null 2>&1 || minikube start --cpus 4 --memory 6g
	fi
	kubectl version >/dev/null 2>&1 || fail 'no cluster answers: kubectl cluster-info says why'
}

dapr() {
	step "Dapr"
	if kubectl get crd components.dapr.io >/dev/null 2>&1; then
		echo 'is installed'
	else
		helm upgrade --install dapr dapr --repo https://dapr.github.io/helm-charts --version "$DAPR_VERSION" \
			--namespace dapr-system --create-namespace -f deploy/dapr/jobs.yaml -f deploy/minikube/dapr.yaml --wait --timeout "${TIMEOUT}s" >/dev/null
	fi
	kubectl -n dapr-system wait --for=condition=Ready pod --all --timeout="${TIMEOUT}s" | sed 's/^/  /'
}

load_images() {
	step "images $VERSION"
	for service in "${images[@]}"; do
		${IMAGE_LOAD:-deploy/minikube/image.sh} "docket/$service:$VERSION" >"$work/image" 2>&1 ||
			{ tail -40 "$work/image" >&2; fail "the cluster does not get docket/$service:$VERSION"; }
		echo "  docket/$service:$VERSION"
	done
}

namespace() {
	step "namespace $NAMESPACE"
	kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || kubectl create namespace "$NAMESPACE" >/dev/null
	kubectl label --overwrite namespace "$NAMESPACE" pod-security.kubernetes.io/enforce=restricted >/dev/null
}

# secret makes one where there is none: what is in use is never replaced by another password.
secret() {
	local name=$1
	shift
	k get secret "$name" >/dev/null 2>&1 && return
	k create secret generic "$name" "$@" >/dev/null
	echo "  $name"
}

secrets() {
	step 'secrets'
	local password brokers=${KAFKA_BROKERS:-kafka.$NAMESPACE.svc:9092}
	secret docket-dapr-api --from-literal=token="$(openssl rand -hex 32)"
	secret docket-dapr-app --from-literal=token="$(openssl rand -hex 32)"
	secret docket-kafka --from-literal=brokers="$brokers" --from-literal=authType=none --from-literal=disableTls=true \
		--from-literal=saslUsername= --from-literal=saslPassword= --from-literal=saslMechanism=
	if [ -n "${POSTGRESQL:-}" ]; then
		secret docket-postgresql --from-literal=connectionString="$POSTGRESQL"
	else
		password=$(openssl rand -hex 24)
		secret docket-postgresql --from-literal=password="$password" \
			--from-literal=connectionString="host=postgresql.$NAMESPACE.svc user=docket password=$password dbname=docket sslmode=disable"
	fi
}

broker() {
	[ -z "${KAFKA_BROKERS:-}" ] || return 0
	step 'broker'
	helm upgrade --install kafka deploy/helm/kafka --namespace "$NAMESPACE" --wait --timeout "${TIMEOUT}s" 2>&1 >/dev/null | grep -v 'symbolic link' || true
	k rollout status statefulset/kafka --timeout="${TIMEOUT}s"
}

services() {
	step 'services'
	helm upgrade --install docket deploy/helm/docket --namespace "$NAMESPACE" "${chart[@]}" >"$work/helm" 2>&1 || { grep -v 'symbolic link' "$work/helm" >&2; fail 'helm has refused it'; }
	for service in "${images[@]}"; do
		k rollout status "deployment/$service" --timeout="${TIMEOUT}s" | tail -1 | sed 's/^/  /'
	done
	k get pods -l app.kubernetes.io/part-of=docket
}

page() {
	step 'docket is up'
	echo "  $(url)"
	echo 'This link signs the first user in, once, within the hour:'
	k exec deploy/backend -c backend -- /docket owner --public-url "$(url)" | tail -1
	echo 'Try it out with deploy/minikube/smoke-test.sh; take it away with deploy/minikube/down.sh.'
}

chart=(--set "global.imageTag=$VERSION")
for file in "${values[@]}"; do chart+=(--values "$file"); done
[ -z "${POSTGRESQL:-}" ] || chart+=(--set postgresql.enabled=false)
set -E # functions too
trap 'look_at' ERR

prerequisites
cluster
dapr
load_images
namespace
secrets
broker
services
page
