{{/* A service has one name for everything: its Dapr app-id, by which access control and components know it. Hence one
     docket in a namespace. */}}
{{- define "lib.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: docket
app.kubernetes.io/version: {{ include "lib.tag" . | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "lib.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lib.tag" -}}
{{- $global := default dict .Values.global }}
{{- .Values.image.tag | default $global.imageTag | default .Chart.AppVersion }}
{{- end }}

{{- define "lib.image" -}}
{{- $global := default dict .Values.global }}
{{- $name := printf "%s%s" (default "" $global.imagePrefix) .Values.image.repository }}
{{- if .Values.image.digest }}{{ $name }}@{{ .Values.image.digest }}{{ else }}{{ $name }}:{{ include "lib.tag" . }}{{ end }}
{{- end }}

{{- define "lib.pullPolicy" -}}
{{- $global := default dict .Values.global }}
{{- .Values.image.pullPolicy | default $global.imagePullPolicy | default "IfNotPresent" }}
{{- end }}

{{/* What the standard "restricted" of Pod Security demands, and a root file system that nobody can write to. */}}
{{- define "lib.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "lib.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}
