{{/* What a schema cannot say. An upgrade that meets one of these ends before anything has changed. */}}
{{- define "lib.check" -}}
{{- $v := .Values }}
{{- if and $v.autoscaling.enabled (lt (int $v.replicas) 1) }}
{{- fail (printf "%s: replicas is 0 and autoscaling.enabled is true: an autoscaler does not start from nothing; switch it off to stop the service" .Chart.Name) }}
{{- end }}
{{- if and $v.autoscaling.enabled (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}
{{- fail (printf "%s: autoscaling.minReplicas is %d, more than maxReplicas, %d" .Chart.Name (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) }}
{{- end }}
{{- $stop := add $v.rollout.preStopSeconds 10 $v.rollout.sidecarSeconds 5 }}
{{- if lt (int $v.rollout.gracePeriodSeconds) (int $stop) }}
{{- fail (printf "%s: rollout.gracePeriodSeconds is %d: it must be at least %d, preStopSeconds, 10 s in which the service ends, sidecarSeconds and 5 s in which the sidecar ends" .Chart.Name (int $v.rollout.gracePeriodSeconds) (int $stop)) }}
{{- end }}
{{- end }}

{{/* Fails where a secret is missing, in a cluster that can be asked. The Dapr kinds tell that there is one: helm template and
     helm lint know only Kubernetes' own. */}}
{{- define "lib.secretThere" -}}
{{- $c := .context }}
{{- if $c.Capabilities.APIVersions.Has "dapr.io/v1alpha1" }}
{{- $found := lookup "v1" "Secret" $c.Release.Namespace .name }}
{{- if not $found }}
{{- fail (printf "%s: there is no secret %q in namespace %q, with %s: create it first (kubectl -n %s create secret generic %s --from-literal=%s=…)" $c.Chart.Name .name $c.Release.Namespace .key $c.Release.Namespace .name .key) }}
{{- end }}
{{- if not (hasKey (default dict $found.data) .key) }}
{{- fail (printf "%s: the secret %q in namespace %q has no key %s" $c.Chart.Name .name $c.Release.Namespace .key) }}
{{- end }}
{{- end }}
{{- end }}
