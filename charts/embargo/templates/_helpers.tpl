{{- define "embargo.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* Names leave room for what is put behind them. A release may have dots in its name, a
Service may not. */}}
{{- define "embargo.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "embargo.name" .) .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "embargo.name" .) | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "embargo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "embargo.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end }}

{{- define "embargo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "embargo.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "embargo.labels" -}}
{{- toYaml (merge (include "embargo.selectorLabels" . | fromYaml) (.Values.commonLabels | default dict) (dict
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_"))) -}}
{{- end }}

{{/* Labels of the Pods. */}}
{{- define "embargo.podLabels" -}}
{{- toYaml (merge (include "embargo.selectorLabels" . | fromYaml) (.Values.podLabels | default dict) (.Values.commonLabels | default dict) (dict
  "app.kubernetes.io/version" .Chart.AppVersion)) -}}
{{- end }}

{{/* The metadata of an object: called with the root, a name, and perhaps labels,
annotations, another namespace, and whether it is cluster-scoped. */}}
{{- define "embargo.metadata" -}}
name: {{ .name }}
{{- if not .cluster }}
namespace: {{ .namespace | default .root.Release.Namespace }}
{{- end }}
labels:
  {{- toYaml (merge (dict) (.labels | default dict) (include "embargo.labels" .root | fromYaml)) | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The image. A registry of the parent chart's takes the place of the host in the
repository. */}}
{{- define "embargo.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with (.Values.global | default dict).imageRegistry -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (regexReplaceAll "^(localhost|[^/]*[.:][^/]*)/" $repository "") -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "embargo.imagePullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) ((.Values.global | default dict).imagePullSecrets | default list) | uniq -}}
{{ toYaml . }}
{{- end -}}
{{- end }}

{{/* OpenShift assigns users and groups itself, and refuses Pods that ask for others. Setting
them to null doesn't remove them under Helm 4 where a parent chart does it. */}}
{{- define "embargo.podSecurityContext" -}}
{{- $context := .Values.podSecurityContext | default dict -}}
{{- with .Values.openshift | ternary (omit $context "runAsUser" "runAsGroup" "fsGroup") $context -}}
{{ toYaml . }}
{{- end -}}
{{- end }}

{{/* "true" where the audit runs. */}}
{{- define "embargo.audited" -}}
{{ not (dig "audit" "disabled" false .Values.config) }}
{{- end }}

{{/* The names of the waivers that the values declare, as JSON; nothing without any. */}}
{{- define "embargo.declaredWaivers" -}}
{{- $names := list -}}
{{- range $name, $waiver := .Values.waivers -}}
{{- if $waiver }}{{ $names = append $names $name }}{{ end -}}
{{- end -}}
{{- with $names -}}{{ toJson (sortAlpha .) }}{{- end -}}
{{- end }}

{{/* The Secret with the serving certificate, where the controller doesn't keep it itself. */}}
{{- define "embargo.certificateSecret" -}}
{{- if eq .Values.certificates.source "cert-manager" -}}
{{ include "embargo.fullname" . }}-webhook-tls
{{- else -}}
{{ .Values.certificates.secretName }}
{{- end -}}
{{- end }}

{{/* The Secret with the serving certificate, whoever keeps it. */}}
{{- define "embargo.servingSecret" -}}
{{- if eq .Values.certificates.source "managed" -}}
{{ include "embargo.fullname" . }}-webhook-certificate
{{- else -}}
{{ include "embargo.certificateSecret" . }}
{{- end -}}
{{- end }}

{{- define "embargo.defaultPolicy" -}}
{{- if eq .Values.catalog.defaultPolicy "auto" -}}
{{ empty .Values.policies }}
{{- else -}}
{{ eq .Values.catalog.defaultPolicy "create" }}
{{- end -}}
{{- end }}

{{/* The controller's config file. */}}
{{- define "embargo.config" -}}
{{- $name := include "embargo.fullname" . -}}
{{- $webhook := dict "port" .Values.ports.webhook "templatesFailurePolicy" .Values.templatesFailurePolicy
  "service" (dict "name" (printf "%s-webhook" $name) "port" .Values.service.port) -}}
{{- if eq .Values.certificates.source "managed" -}}
{{- $_ := set $webhook "secret" (printf "%s-webhook-certificate" $name) -}}
{{- else -}}
{{- $_ := set $webhook "certDir" "/etc/embargo/certificates" -}}
{{- end -}}
{{- with .Values.webhook.clientCA -}}
{{- if or .configMap .secretName -}}
{{- $_ := set $webhook "clientCA" (printf "/etc/embargo/client-ca/%s" .key) -}}
{{- end -}}
{{- with .subjects -}}
{{- $_ := set $webhook "clientSubjects" . -}}
{{- end -}}
{{- end -}}
{{- if or (ne .Values.webhook.tls.minVersion "VersionTLS12") .Values.webhook.tls.cipherSuites -}}
{{- $_ := set $webhook "tls" .Values.webhook.tls -}}
{{- end -}}
{{- $metrics := dict "bindAddress" (ternary (printf ":%v" .Values.ports.metrics) "0" .Values.metrics.enabled) -}}
{{- if .Values.metrics.secure -}}
{{- $_ := set $metrics "secure" true -}}
{{- end -}}
{{- $config := dict
  "apiVersion" "embargo.dev/v1alpha1"
  "kind" "EmbargoConfiguration"
  "namespace" .Release.Namespace
  "installation" $name
  "trustedControllers" .Values.trustedControllers
  "reportAPI" .Values.reportAPI
  "webhook" $webhook
  "catalog" (dict "vendors" .Values.catalog.vendors "defaultPolicy" (include "embargo.defaultPolicy" . | eq "true"))
  "declared" (dict "configMap" (printf "%s-list" $name))
  "leaderElection" (dict "name" $name)
  "metrics" $metrics
  "health" (dict "bindAddress" (printf ":%v" .Values.ports.health))
  "logging" (pick .Values.logging "level" "format")
  "drainPeriod" .Values.drainPeriod -}}
{{- toYaml (mergeOverwrite $config (deepCopy .Values.config)) -}}
{{- end }}
