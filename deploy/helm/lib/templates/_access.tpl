{{/* The identity of a service, and which secrets its sidecar may read, each by its name. */}}
{{- define "lib.access" -}}
{{- $c := .chart -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $c.Chart.Name }}
  labels: {{- include "lib.labels" $c | nindent 4 }}
  {{- with $c.Values.serviceAccountAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- with .secrets }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $c.Chart.Name }}
  labels: {{- include "lib.labels" $c | nindent 4 }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: {{- toYaml . | nindent 6 }}
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $c.Chart.Name }}
  labels: {{- include "lib.labels" $c | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $c.Chart.Name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $c.Chart.Name }}, namespace: {{ $c.Release.Namespace }}}
{{- end }}
{{- end }}
