{{/* What is wrong with the values and the schema can't say, as a JSON list of sentences. */}}
{{- define "embargo.problems" -}}
{{- $problems := concat
  (include "embargo.problemsOfConfig" . | fromJsonArray)
  (include "embargo.problemsOfPorts" . | fromJsonArray)
  (include "embargo.problemsOfLabels" . | fromJsonArray) -}}
{{- if ge (include "embargo.milliseconds" .Values.drainPeriod | int64) (mul 1000 (int64 .Values.terminationGracePeriodSeconds)) -}}
{{- $problems = append $problems (printf "drainPeriod: %s is not shorter than terminationGracePeriodSeconds (%v), so the kubelet would kill a replica that still answers; raise terminationGracePeriodSeconds" .Values.drainPeriod .Values.terminationGracePeriodSeconds) -}}
{{- end -}}
{{- if not .Values.metrics.enabled -}}
{{- range $kind := list "serviceMonitor" "alerts" "dashboard" -}}
{{- if (get $.Values.metrics $kind).enabled -}}
{{- $problems = append $problems (printf "metrics.%s.enabled: true needs metrics.enabled: true, since nothing is measured without it" $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $monitor := .Values.metrics.serviceMonitor -}}
{{- if and .Values.metrics.secure $monitor.enabled (ne ($monitor.namespace | default .Release.Namespace) .Release.Namespace) -}}
{{- $problems = append $problems (printf "metrics.serviceMonitor.namespace: with metrics.secure the ServiceMonitor reads the CA from a Secret in its own namespace, so it can't be in %s; leave it empty" $monitor.namespace) -}}
{{- end -}}
{{ toJson $problems }}
{{- end }}

{{/* Keys of the config file that the chart sets from other values. Names and ports among them
stand in roles, Services and probes too, so a key that differs would break the installation. */}}
{{- define "embargo.problemsOfConfig" -}}
{{- $instead := dict
  "namespace" "install the release into that namespace"
  "installation" "set fullnameOverride"
  "trustedControllers" "set trustedControllers"
  "reportAPI" "set reportAPI"
  "webhook.port" "set ports.webhook"
  "webhook.service" "set service.port, or fullnameOverride for its name"
  "webhook.certDir" "set certificates.source"
  "webhook.secret" "set certificates.source, or fullnameOverride for its name"
  "webhook.templatesFailurePolicy" "set templatesFailurePolicy"
  "webhook.clientCA" "set webhook.clientCA"
  "webhook.clientSubjects" "set webhook.clientCA.subjects"
  "webhook.tls" "set webhook.tls"
  "catalog" "set catalog"
  "declared" "set vendors, policies and waivers"
  "leaderElection.name" "set fullnameOverride"
  "metrics" "set metrics.enabled, metrics.secure and ports.metrics"
  "health" "set ports.health"
  "logging" "set logging"
  "drainPeriod" "set drainPeriod" -}}
{{- $problems := list -}}
{{- range $path := keys $instead | sortAlpha -}}
{{- $keys := splitList "." $path -}}
{{- $parent := $.Values.config -}}
{{- range initial $keys -}}
{{- $parent = get $parent . | default dict -}}
{{- end -}}
{{- if not (kindIs "invalid" (get $parent (last $keys) | default nil)) -}}
{{- $problems = append $problems (printf "config.%s: the chart sets this key; %s instead" $path (get $instead $path)) -}}
{{- end -}}
{{- end -}}
{{ toJson $problems }}
{{- end }}

{{- define "embargo.problemsOfPorts" -}}
{{- $problems := list -}}
{{- $taken := dict -}}
{{- range $name := list "webhook" "health" "metrics" -}}
{{- if or (ne $name "metrics") $.Values.metrics.enabled -}}
{{- $port := get $.Values.ports $name | toString -}}
{{- with get $taken $port -}}
{{- $problems = append $problems (printf "ports.%s: %s is ports.%s already; each port of a Pod must be another" $name $port .) -}}
{{- end -}}
{{- $taken = set $taken $port $name -}}
{{- end -}}
{{- end -}}
{{ toJson $problems }}
{{- end }}

{{/* A label of the selectors that differs on the Pods would leave the Deployment and the
Services without Pods. */}}
{{- define "embargo.problemsOfLabels" -}}
{{- $problems := list -}}
{{- range $label, $value := include "embargo.selectorLabels" . | fromYaml -}}
{{- range $values := list "commonLabels" "podLabels" -}}
{{- if hasKey (get $.Values $values | default dict) $label -}}
{{- $problems = append $problems (printf "%s: %s is a label of the chart's selectors; leave it out, or set nameOverride for app.kubernetes.io/name" $values $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toJson $problems }}
{{- end }}

{{/* A duration such as 1m30s in milliseconds. */}}
{{- define "embargo.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h)" . -1 -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | int64) (get $units (regexFind "[a-z]+" .))) -}}
{{- end -}}
{{ $sum }}
{{- end }}
