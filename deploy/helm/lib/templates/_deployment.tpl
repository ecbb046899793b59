{{/* Dapr's side of a pod. The service listens for its sidecar on the pod's loopback alone, so nobody else reaches it. The
     sidecar's metrics move away from 9090, where the service has its own. It goes on serving while the service ends. */}}
{{- define "lib.dapr" -}}
{{- $v := .Values }}
dapr.io/enabled: "true"
dapr.io/app-id: {{ .Chart.Name }}
dapr.io/app-port: "3000"
dapr.io/app-protocol: http
dapr.io/config: {{ $v.sidecar.configuration }}
dapr.io/api-token-secret: {{ $v.sidecar.apiTokenSecret }}
dapr.io/app-token-secret: {{ $v.sidecar.appTokenSecret }}
dapr.io/disable-builtin-k8s-secret-store: "true"
dapr.io/max-body-size: 64Mi
dapr.io/read-buffer-size: 64Ki
dapr.io/log-as-json: "true"
dapr.io/log-level: {{ $v.sidecar.logLevel }}
dapr.io/metrics-port: "9091"
dapr.io/block-shutdown-duration: {{ add $v.rollout.preStopSeconds $v.rollout.sidecarSeconds }}s
dapr.io/graceful-shutdown-seconds: "5"
dapr.io/sidecar-cpu-request: {{ $v.sidecar.cpu }}
dapr.io/sidecar-memory-request: {{ $v.sidecar.memoryMiB }}Mi
dapr.io/sidecar-memory-limit: {{ $v.sidecar.memoryLimitMiB }}Mi
dapr.io/sidecar-seccomp-profile-type: RuntimeDefault
dapr.io/sidecar-liveness-probe-delay-seconds: "60"
dapr.io/env: "GOGC=400,GOMEMLIMIT={{ div (mul $v.sidecar.memoryLimitMiB 9) 10 }}MiB{{ with $v.tracing.endpoint }},OTEL_EXPORTER_OTLP_ENDPOINT={{ . }}{{ end }}"
{{- end }}

{{- define "lib.deployment" -}}
{{- $c := .chart }}
{{- $v := $c.Values }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $c.Chart.Name }}
  labels: {{- include "lib.labels" $c | nindent 4 }}
spec:
  {{- if not $v.autoscaling.enabled }}
  replicas: {{ $v.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  minReadySeconds: {{ $v.rollout.minReadySeconds }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels: {{- include "lib.selector" $c | nindent 6 }}
  template:
    metadata:
      labels: {{- include "lib.labels" $c | nindent 8 }}
      annotations:
        # Sidecars read these when they start: pods whose components have changed are replaced.
        docket/components: {{ $c.Files.Glob "dapr/*.yaml" | toYaml | sha256sum | trunc 16 | quote }}
        {{- include "lib.dapr" $c | nindent 8 }}
    spec:
      serviceAccountName: {{ $c.Chart.Name }}
      automountServiceAccountToken: {{ not (empty .secrets) }}
      terminationGracePeriodSeconds: {{ $v.rollout.gracePeriodSeconds }}
      securityContext: {{- include "lib.podSecurity" $c | nindent 8 }}
      {{- with $v.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      {{- with $v.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      {{- with $v.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $v.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: {{ $v.topologySpread }}
          labelSelector:
            matchLabels: {{- include "lib.selector" $c | nindent 14 }}
        {{- end }}
      containers:
        - name: {{ $c.Chart.Name }}
          {{- include "lib.container" . | nindent 10 }}
{{- end }}

{{- define "lib.container" -}}
{{- $c := .chart }}
{{- $v := $c.Values -}}
image: {{ include "lib.image" $c | quote }}
imagePullPolicy: {{ include "lib.pullPolicy" $c }}
{{- with .args }}
args: {{- toYaml . | nindent 2 }}
{{- end }}
env:
  # Dapr gives the tokens to the sidecar alone.
  - {name: DAPR_API_TOKEN, valueFrom: {secretKeyRef: {name: {{ $v.sidecar.apiTokenSecret }}, key: token}}}
  - {name: APP_API_TOKEN, valueFrom: {secretKeyRef: {name: {{ $v.sidecar.appTokenSecret }}, key: token}}}
  # Until its sidecar is gone: callers' sidecars go on asking it.
  - {name: DOCKET_LINGER, value: {{ printf "%ds" (add $v.rollout.sidecarSeconds 5) | quote }}}
  - {name: DOCKET_LOG_LEVEL, value: {{ $v.logLevel | quote }}}
  - {name: GOMEMLIMIT, value: {{ printf "%dMiB" (div (mul $v.resources.memoryLimitMiB 9) 10) | quote }}}
  {{- with $v.tracing.endpoint }}
  - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
  {{- end }}
  {{- range $name, $value := .env }}
  {{- if ne (toString $value) "" }}
  - {name: {{ $name }}, value: {{ $value | toString | quote }}}
  {{- end }}
  {{- end }}
ports:
  - {name: ops, containerPort: 9090}
  {{- if .users }}
  - {name: http, containerPort: 8080}
  {{- end }}
startupProbe:
  httpGet: {path: /healthz, port: ops}
  periodSeconds: 2
  failureThreshold: 90
livenessProbe:
  httpGet: {path: /healthz, port: ops}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: ops}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
lifecycle:
  # The others are told first that this replica goes, then it stops.
  preStop:
    sleep: {seconds: {{ $v.rollout.preStopSeconds }}}
resources:
  requests: {cpu: {{ $v.resources.cpu }}, memory: {{ $v.resources.memoryMiB }}Mi}
  limits: {memory: {{ $v.resources.memoryLimitMiB }}Mi}
securityContext: {{- include "lib.containerSecurity" $c | nindent 2 }}
{{- end }}
