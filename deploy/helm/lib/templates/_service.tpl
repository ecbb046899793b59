{{/* All of a service: lib.service takes chart (the caller's context), and of the service secrets (names that its sidecar reads;
     none: no token of the cluster's API), users (whether it listens for them), args and env. */}}
{{- define "lib.service" -}}
{{- include "lib.check" .chart }}
{{- include "lib.secretThere" (dict "context" .chart "name" .chart.Values.sidecar.apiTokenSecret "key" "token") }}
{{- include "lib.secretThere" (dict "context" .chart "name" .chart.Values.sidecar.appTokenSecret "key" "token") }}
{{- include "lib.access" . }}
---
{{ include "lib.ports" . }}
---
{{ include "lib.deployment" . }}
---
{{ include "lib.disruption" .chart }}
{{- if .chart.Values.autoscaling.enabled }}
---
{{ include "lib.autoscaler" .chart }}
{{- end }}
{{- if .chart.Values.networkPolicy.enabled }}
---
{{ include "lib.network" . }}
{{- end }}
{{- end }}

{{- define "lib.ports" -}}
{{- $c := .chart -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ $c.Chart.Name }}
  labels: {{- include "lib.labels" $c | nindent 4 }}
spec:
  selector: {{- include "lib.selector" $c | nindent 4 }}
  ports:
    {{- if .users }}
    - {name: http, port: 8080, targetPort: http}
    {{- end }}
    - {name: ops, port: 9090, targetPort: ops}
    - {name: sidecar-metrics, port: 9091, targetPort: 9091}
{{- end }}

{{- define "lib.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "lib.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "lib.selector" . | nindent 6 }}
{{- end }}

{{- define "lib.autoscaler" -}}
{{- $a := .Values.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Chart.Name }}
  labels: {{- include "lib.labels" . | nindent 4 }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .Chart.Name }}}
  minReplicas: {{ $a.minReplicas }}
  maxReplicas: {{ $a.maxReplicas }}
  metrics:
    # Service and sidecar together: much of the work is the sidecar's.
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ $a.cpuPercent }}}
  behavior:
    scaleDown: {stabilizationWindowSeconds: 300}
{{- end }}
