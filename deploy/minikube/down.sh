#!/usr/bin/env bash
# Takes docket away again: the releases, their volumes and the namespace; then the Minikube cluster, unless --existing-cluster says
# that it stays. The tasks are gone with it.
#
#   deploy/minikube/down.sh [--existing-cluster]
#
# NAMESPACE is where docket is (docket).
#
# [Task]: T082
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/minikube/lib.sh
. deploy/minikube/lib.sh

case ${1:-} in
'')
	need minikube 'https://minikube.sigs.k8s.io/docs/start/'
	stop_if_missing
	minikube delete
	exit
	;;
--existing-cluster) ;;
*) usage "unknown argument $1: there is only --existing-cluster" ;;
esac
need kubectl 'https://kubernetes.io/docs/tasks/tools/'
need helm 'https://helm.sh/docs/intro/install/'
stop_if_missing
kubectl get namespace "$NAMESPACE" >/dev/null 2>&1 || { echo "there is no namespace $NAMESPACE"; exit; }
for release in docket kafka; do
	step "release $release"
	helm uninstall "$release" --namespace "$NAMESPACE" --ignore-not-found --wait --timeout "${TIMEOUT}s"
done
left=$(k get deployments,statefulsets,services,configmaps,roles,rolebindings,networkpolicies,components,subscriptions,configurations.dapr.io,resiliencies \
	-l '!kubernetes.io/bootstrapping' -o name 2>/dev/null | grep -vE 'kube-root-ca.crt|-dapr$' || true)
[ -z "$left" ] || fail "uninstalling has left behind:
$left"
step "namespace $NAMESPACE"
kubectl delete namespace "$NAMESPACE" --timeout="${TIMEOUT}s"
