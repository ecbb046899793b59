#!/usr/bin/env bash
# docket on GKE, AKS or OKE, in the cluster that kubectl speaks to: Dapr (highly available), the External Secrets operator, cert-manager,
# Kafka by Strimzi or a broker that is there, and the five services with two replicas or more each. The database is outside, PostgreSQL of
# the cloud's or Neon's. Every step does only what has not been done, so running it again repairs and upgrades; an upgrade that does not
# become ready is rolled back.
#
#   deploy/cloud/deploy.sh gke|aks|oke --host NAME [OPTIONS]
#
#   --host NAME           where users find docket; its DNS entry points to the load balancer, whose address is shown in the end
#   --email ADDRESS       who is told by Let's Encrypt when a certificate ends; needed unless --release-only
#   --image-prefix P      what comes before the images' names (ghcr.io/docket-tasks/docket/)
#   --image-tag T         their tag (what git describes)
#   --kafka external      use the broker of the secret docket-kafka, with the topics of deploy/kafka; else Strimzi makes one
#   --secrets existing    the secrets are in the namespace already; else they come from the cloud's store, see below
#   --values FILE         further values, after those of the cloud; may be given several times
#   --namespace NAME      where docket goes (docket)
#   --release-only        the five services alone: what goes on every change, by somebody with rights in the namespace alone
#   --dry-run             print what would be done, and do nothing
#
# The store has, each as JSON with the keys as they are named in deploy/dapr: docket-postgresql (connectionString) and, for a broker that is
# there, docket-kafka (brokers, authType, disableTls, saslUsername, saslPassword, saslMechanism). The environment says which store:
#
#   gke   GCP_PROJECT, GCP_LOCATION, CLUSTER       Secret Manager, by workload identity of the service account docket-secrets
#   aks   AZURE_VAULT_URL, AZURE_CLIENT_ID         Key Vault, the same
#   oke   OCI_VAULT, OCI_REGION                    OCI Vault, the same
#
# [Task]: T086
set -euo pipefail
cd "$(dirname "$0")/../.."

# What is installed, and nothing newer: an upgrade is a change of these lines.
readonly DAPR=1.18.0 STRIMZI=0.50.1 EXTERNAL_SECRETS=0.20.4 CERT_MANAGER=v1.19.1 INGRESS_NGINX=4.13.3
readonly SERVICES=(backend notification recurring-task audit frontend)

cloud='' host='' email='' kafka=strimzi secrets=store namespace=docket release_only='' dry_run=''
prefix=ghcr.io/docket-tasks/docket/
tag=$(git describe --tags --always 2>/dev/null || echo devel)
values=()

usage() {
	[ $# = 0 ] || printf '%s\n\n' "$*" >&2
	sed -n '2,/^# \[Task\]/p' "$0" | sed '$d; s/^# \{0,1\}//' >&2
	exit 2
}

arguments() {
	case ${1:-} in
	gke | aks | oke) cloud=$1 ;;
	'') usage 'which cloud? gke, aks or oke' ;;
	*) usage "unknown cloud $1: there are gke, aks and oke" ;;
	esac
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--release-only) release_only=1 && shift && continue ;;
		--dry-run) dry_run=1 && shift && continue ;;
		--host | --email | --image-prefix | --image-tag | --kafka | --secrets | --values | --namespace) ;;
		*) usage "unknown option $1" ;;
		esac
		[ $# -gt 1 ] || usage "$1 needs a value"
		case $1 in
		--host) host=$2 ;;
		--email) email=$2 ;;
		--image-prefix) prefix=$2 ;;
		--image-tag) tag=$2 ;;
		--kafka) kafka=$2 ;;
		--secrets) secrets=$2 ;;
		--values) values+=("$2") ;;
		--namespace) namespace=$2 ;;
		esac
		shift 2
	done
	[[ $host =~ ^[a-z0-9-]+(\.[a-z0-9-]+)+$ ]] || usage "--host is '$host': want a name such as docket.example.com"
	[[ $kafka =~ ^(strimzi|external)$ ]] || usage "--kafka is '$kafka': want strimzi or external"
	[[ $secrets =~ ^(store|existing)$ ]] || usage "--secrets is '$secrets': want store or existing"
	[ -n "$email$release_only" ] || usage '--email: who is told when a certificate ends?'
}

step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

# run does it, or says it.
run() {
	if [ -n "$dry_run" ]; then
		printf '+'
		printf ' %q' "$@"
		printf '\n'
	else
		"$@"
	fi
}

# apply hands the manifest on its standard input to the cluster, or shows it.
apply() {
	if [ -n "$dry_run" ]; then
		printf '+ kubectl apply --filename -\n'
		sed 's/^/| /'
	else
		kubectl apply --filename - | sed 's/^/  /'
	fi
}

missing=''
lacks() {
	printf 'missing: %s\n' "$*" >&2
	missing=1
}
need() { command -v "$1" >/dev/null || lacks "$1 ($2)"; }
setting() { [ -n "${!1:-}" ] || lacks "the variable $1: $2"; }

prerequisites() {
	step 'what has to be there'
	if [ -z "$dry_run" ]; then
		need kubectl https://kubernetes.io/docs/tasks/tools/
		need helm https://helm.sh/docs/intro/install/
		need openssl 'your package manager has it'
	fi
	local file
	for file in deploy/helm/docket/values-cloud.yaml "deploy/helm/docket/values-$cloud.yaml" "${values[@]}"; do
		[ -f "$file" ] || lacks "the file of values $file"
	done
	if [ "$secrets" = store ] && [ -z "$release_only" ]; then
		case $cloud in
		gke)
			setting GCP_PROJECT 'the project whose Secret Manager has the secrets'
			setting GCP_LOCATION 'where the cluster is'
			setting CLUSTER "the cluster's name"
			;;
		aks)
			setting AZURE_VAULT_URL 'such as https://docket.vault.azure.net'
			setting AZURE_CLIENT_ID 'the managed identity that may read it'
			;;
		oke)
			setting OCI_VAULT "the vault's OCID"
			setting OCI_REGION 'such as eu-frankfurt-1'
			;;
		esac
	fi
	if [ -z "$dry_run$missing" ]; then
		kubectl version >/dev/null 2>&1 || lacks 'a cluster that answers: kubectl cluster-info says why'
		if [ "$cloud" = aks ] && [ -z "$release_only" ]; then
			kubectl get ingressclass webapprouting.kubernetes.azure.com >/dev/null 2>&1 ||
				lacks 'the application routing add-on: az aks approuting enable --name CLUSTER --resource-group GROUP'
		fi
		if [ "$cloud" = gke ] && [ -z "$release_only" ]; then
			kubectl get gatewayclass gke-l7-global-external-managed >/dev/null 2>&1 ||
				lacks 'the Gateway API: gcloud container clusters update CLUSTER --gateway-api=standard --location LOCATION'
		fi
	fi
	if [ -n "$missing" ]; then
		echo 'nothing has been changed' >&2
		exit 1
	fi
}

# chart installs one of the platform's parts: RELEASE NAMESPACE CHART REPOSITORY VERSION [FLAGS].
chart() {
	local release=$1 into=$2 name=$3 repository=$4 version=$5
	shift 5
	step "$release $version"
	run helm upgrade --install "$release" "$name" --repo "$repository" --version "$version" --namespace "$into" --create-namespace \
		--wait --timeout 10m "$@"
}

platform() {
	chart dapr dapr-system dapr https://dapr.github.io/helm-charts "$DAPR" --values deploy/dapr/jobs.yaml \
		--set global.ha.enabled=true --set dapr_scheduler.replicaCount=3 --set global.logAsJson=true \
		--set dapr_sidecar_injector.webhookFailurePolicy=Fail --set dapr_sidecar_injector.sidecarDropALLCapabilities=true \
		--set-json 'dapr_sidecar_injector.namespaceSelector={"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":["kube-system","dapr-system"]}]}'
	chart cert-manager cert-manager cert-manager https://charts.jetstack.io "$CERT_MANAGER" --set crds.enabled=true --set config.enableGatewayAPI=true \
		--set config.apiVersion=controller.config.cert-manager.io/v1alpha1 --set config.kind=ControllerConfiguration
	if [ "$secrets" = store ]; then
		chart external-secrets external-secrets external-secrets https://charts.external-secrets.io "$EXTERNAL_SECRETS"
	fi
	if [ "$cloud" = oke ]; then
		chart ingress-nginx ingress-nginx ingress-nginx https://kubernetes.github.io/ingress-nginx "$INGRESS_NGINX" \
			--set-string 'controller.service.annotations.oci\.oraclecloud\.com/load-balancer-type=lb' \
			--set-string 'controller.service.annotations.service\.beta\.kubernetes\.io/oci-load-balancer-shape=flexible' \
			--set-string 'controller.service.annotations.service\.beta\.kubernetes\.io/oci-load-balancer-shape-flex-min=10' \
			--set-string 'controller.service.annotations.service\.beta\.kubernetes\.io/oci-load-balancer-shape-flex-max=100' \
			--set controller.replicaCount=2
	fi
	step "namespace $namespace"
	apply <<-YAML
		apiVersion: v1
		kind: Namespace
		metadata:
		  name: $namespace
		  labels: {pod-security.kubernetes.io/enforce: restricted}
	YAML
}

# provider is the part of a SecretStore that differs between clouds.
provider() {
	case $cloud in
	gke) cat <<-YAML ;;
		gcpsm:
		  projectID: $GCP_PROJECT
		  auth: {workloadIdentity: {clusterLocation: $GCP_LOCATION, clusterName: $CLUSTER, serviceAccountRef: {name: docket-secrets}}}
	YAML
	aks) cat <<-YAML ;;
		azurekv: {authType: WorkloadIdentity, vaultUrl: "$AZURE_VAULT_URL", serviceAccountRef: {name: docket-secrets}}
	YAML
	oke) cat <<-YAML ;;
		oracle: {vault: $OCI_VAULT, region: $OCI_REGION, principalType: Workload, serviceAccountRef: {name: docket-secrets}}
	YAML
	esac
}

# identity is how the service account is known to the cloud.
identity() {
	case $cloud in
	gke) echo "iam.gke.io/gcp-service-account: docket-secrets@$GCP_PROJECT.iam.gserviceaccount.com" ;;
	aks) echo "azure.workload.identity/client-id: $AZURE_CLIENT_ID" ;;
	oke) echo '' ;; # known by its name and namespace
	esac
}

from_store() {
	local name names=(docket-postgresql)
	[ "$kafka" = strimzi ] || names+=(docket-kafka)
	step "secrets: ${names[*]}"
	apply <<-YAML
		apiVersion: v1
		kind: ServiceAccount
		metadata:
		  name: docket-secrets
		  namespace: $namespace
		  annotations: {$(identity)}
		---
		apiVersion: external-secrets.io/v1
		kind: SecretStore
		metadata: {name: $cloud, namespace: $namespace}
		spec:
		  provider:
		$(provider | sed 's/^/    /')
	YAML
	for name in "${names[@]}"; do
		apply <<-YAML
			apiVersion: external-secrets.io/v1
			kind: ExternalSecret
			metadata: {name: $name, namespace: $namespace}
			spec:
			  refreshInterval: 1h
			  secretStoreRef: {kind: SecretStore, name: $cloud}
			  target: {name: $name, creationPolicy: Owner}
			  dataFrom: [{extract: {key: $name}}]
		YAML
		run kubectl --namespace "$namespace" wait --for=condition=Ready "externalsecret/$name" --timeout 3m
	done
}

# tokens makes what services and sidecars show each other, once: what is in use is not replaced.
tokens() {
	local name token
	for name in docket-dapr-api docket-dapr-app; do
		if [ -z "$dry_run" ]; then
			if kubectl --namespace "$namespace" get secret "$name" >/dev/null 2>&1; then continue; fi
			token=$(openssl rand -hex 32)
			kubectl --namespace "$namespace" create secret generic "$name" --from-file=token=<(printf %s "$token")
		else
			run kubectl --namespace "$namespace" create secret generic "$name" --from-literal=token=RANDOM
		fi
	done
}

broker() {
	[ "$kafka" = strimzi ] || return 0
	chart strimzi strimzi strimzi-kafka-operator https://strimzi.io/charts/ "$STRIMZI" --set watchAnyNamespace=true --set replicas=2
	step 'Kafka'
	run helm upgrade --install kafka deploy/helm/kafka --namespace "$namespace" --values deploy/helm/kafka/values-cloud.yaml --wait --timeout 15m
	run kubectl --namespace "$namespace" wait --for=condition=Ready kafka/docket --timeout 15m
	run kubectl --namespace "$namespace" wait --for=condition=Ready kafkatopic --all --timeout 5m
	apply <<-YAML
		apiVersion: v1
		kind: Secret
		metadata: {name: docket-kafka, namespace: $namespace}
		stringData:
		  brokers: docket-kafka-bootstrap.$namespace.svc:9092
		  authType: none
		  disableTls: "true"
		  saslUsername: ""
		  saslPassword: ""
		  saslMechanism: ""
	YAML
}

# entrance is how the world gets in: certificates, and on GKE the load balancer, which an Ingress stands for elsewhere.
entrance() {
	step "the way in: https://$host"
	local solver="ingress: {ingressClassName: nginx}"
	case $cloud in
	aks) solver="ingress: {ingressClassName: webapprouting.kubernetes.azure.com}" ;;
	gke) solver="gatewayHTTPRoute: {parentRefs: [{name: docket, kind: Gateway, namespace: $namespace}]}" ;;
	esac
	apply <<-YAML
		apiVersion: cert-manager.io/v1
		kind: Issuer
		metadata: {name: letsencrypt, namespace: $namespace}
		spec:
		  acme:
		    server: https://acme-v02.api.letsencrypt.org/directory
		    email: $email
		    privateKeySecretRef: {name: letsencrypt}
		    solvers: [{http01: {$solver}}]
		---
		apiVersion: cert-manager.io/v1
		kind: Certificate
		metadata: {name: docket-tls, namespace: $namespace}
		spec:
		  secretName: docket-tls
		  dnsNames: [$host]
		  issuerRef: {kind: Issuer, name: letsencrypt}
	YAML
	[ "$cloud" = gke ] || return 0
	# Google's load balancer asks each service whether it is well, and by default ends a WebSocket after 30 seconds.
	apply <<-YAML
		apiVersion: gateway.networking.k8s.io/v1
		kind: Gateway
		metadata: {name: docket, namespace: $namespace}
		spec:
		  gatewayClassName: gke-l7-global-external-managed
		  listeners:
		    - {name: http, protocol: HTTP, port: 80}
		    - name: https
		      protocol: HTTPS
		      port: 443
		      hostname: $host
		      tls: {mode: Terminate, certificateRefs: [{name: docket-tls}]}
		---
		apiVersion: networking.gke.io/v1
		kind: GCPBackendPolicy
		metadata: {name: backend, namespace: $namespace}
		spec:
		  default: {timeoutSec: 86400}
		  targetRef: {group: "", kind: Service, name: backend}
		$(for service in backend frontend; do health_check "$service"; done)
	YAML
}

health_check() {
	cat <<-YAML
		---
		apiVersion: networking.gke.io/v1
		kind: HealthCheckPolicy
		metadata: {name: $1, namespace: $namespace}
		spec:
		  default: {config: {type: HTTP, httpHealthCheck: {portSpecification: USE_SERVING_PORT, requestPath: /readyz}}}
		  targetRef: {group: "", kind: Service, name: $1}
	YAML
}

release() {
	step "docket $tag"
	local file way=ingress flags=()
	[ "$cloud" != gke ] || way=gateway
	for file in deploy/helm/docket/values-cloud.yaml "deploy/helm/docket/values-$cloud.yaml" "${values[@]}"; do
		flags+=(--values "$file")
	done
	run helm upgrade --install docket deploy/helm/docket --namespace "$namespace" "${flags[@]}" --set-string "global.imagePrefix=$prefix" \
		--set-string "global.imageTag=$tag" --set-string "frontend.$way.host=$host" --atomic --timeout 15m --history-max 10
	local service
	for service in "${SERVICES[@]}"; do
		run kubectl --namespace "$namespace" rollout status "deployment/$service" --timeout 5m
	done
}

# look prints what there is to see where something has gone wrong.
look() {
	[ -z "$dry_run" ] || return 0
	{
		printf '\nThis has failed. What there is to see:\n'
		kubectl --namespace "$namespace" get pods --output wide
		kubectl --namespace "$namespace" get events --field-selector type=Warning --sort-by .lastTimestamp | tail -n 15
		helm --namespace "$namespace" history docket --max 3
	} >&2 || true
}

arguments "$@"
trap look ERR
prerequisites
if [ -z "$release_only" ]; then
	platform
	[ "$secrets" = existing ] || from_store
	tokens
	broker
	entrance
fi
release
step 'done'
run kubectl --namespace "$namespace" get "$([ "$cloud" = gke ] && echo gateway || echo ingress)"
echo "The name $host has to lead to the address above; the certificate comes then, within minutes."
echo "deploy/cloud/verify.sh --host $host --namespace $namespace shows that it works. The first user is signed in by"
echo "  kubectl -n $namespace exec deploy/backend -c backend -- /docket owner --public-url https://$host"
