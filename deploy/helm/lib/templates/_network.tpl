{{/* Who may speak with a service: other sidecars of docket for invocations, users and their proxy where it serves any, and
     whoever reads metrics; probes come from the node. What it may reach: names, Dapr, the others, broker, database, the
     cluster's API for secrets, and what egressPorts adds. */}}
{{- define "lib.network" -}}
{{- $c := .chart }}
{{- $v := $c.Values.networkPolicy -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $c.Chart.Name }}
  labels: {{- include "lib.labels" $c | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "lib.selector" $c | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector: {matchLabels: {app.kubernetes.io/part-of: docket}}
      ports:
        - {port: 50002}
        - {port: 9090}
    {{- if .users }}
    - ports:
        - {port: 8080}
    {{- end }}
    {{- with $v.metricsNamespace }}
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
      ports:
        - {port: 9090}
        - {port: 9091}
    {{- end }}
  egress:
    - ports:
        - {port: 53, protocol: UDP}
        - {port: 53, protocol: TCP}
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $v.daprNamespace }}}}
    - to:
        - podSelector: {matchLabels: {app.kubernetes.io/part-of: docket}}
      ports:
        - {port: 50002}
        - {port: 8080}
    {{- with concat (ternary (list 443 6443) list (not (empty .secrets))) $v.egressPorts | uniq }}
    - ports:
        {{- range . }}
        - {port: {{ . }}}
        {{- end }}
    {{- end }}
{{- end }}
