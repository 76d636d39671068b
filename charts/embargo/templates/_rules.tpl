{{/* Generated from config by make generate. */}}

{{- define "embargo.clusterRules" -}}
# Every replica watches these and compiles the rule set from them.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors, vendorpolicies, vendorwaivers]
  verbs: [get, list, watch]
# The leader applies the built-in list, creates the default policy, applies what the
# installation's values declare, and deletes what they no longer declare.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors, vendorpolicies]
  verbs: [create, patch, delete]
# It deletes the waivers that the values no longer declare. Without a waiver more is
# refused, not less. It may write the declared ones only, by their names: the chart adds
# that rule, and an overlay that declares waivers in embargo-list adds it itself:
#   - {apiGroups: [embargo.dev], resources: [vendorwaivers], resourceNames: [NAME], verbs: [create, patch]}
- apiGroups: [embargo.dev]
  resources: [vendorwaivers]
  verbs: [delete]
# The leader writes the conditions and counts in the status of each object.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors/status, vendorpolicies/status, vendorwaivers/status]
  verbs: [update]
# Policies and waivers select namespaces by their labels.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
# A PodTemplate can be a controller owner, and view leaves PodTemplates out.
- apiGroups: [""]
  resources: [podtemplates]
  verbs: [get]
{{- if eq (include "embargo.audited" .) "true" }}
# The audit finds PodTemplates with restricted images. An installation without the audit
# doesn't need this rule.
- apiGroups: [""]
  resources: [podtemplates]
  verbs: [list, watch]
{{- end }}
{{- if eq (include "embargo.audited" .) "true" }}
# Nodes list the names of the images that they hold: so the audit finds a copy under
# another name. An installation without the audit doesn't need this rule.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
{{- end }}
{{- if eq (include "embargo.audited" .) "true" }}
# The audit writes reports, and deletes them when their findings are gone. An installation
# without the audit doesn't need this rule.
- apiGroups: [embargo.dev]
  resources: [vendorreports]
  verbs: [get, list, watch, create, update, delete]
{{- end }}
{{- if and (eq (include "embargo.audited" .) "true") (has .Values.reportAPI (list "auto" "openreports")) }}
# Where the cluster serves the kind, the audit writes its findings as reports of OpenReports
# too, by server-side apply, and finds them again by their label. Their names contain the
# UIDs of workloads, so no rule can list them. An installation whose reportAPI is neither
# auto nor openreports doesn't need this rule, nor one without the audit.
- apiGroups: [openreports.io]
  resources: [reports]
  verbs: [list, create, patch, delete]
{{- end }}
{{- if and (eq (include "embargo.audited" .) "true") (has .Values.reportAPI (list "auto" "wgpolicy")) }}
# The same for PolicyReports, with reportAPI auto or wgpolicy.
- apiGroups: [wgpolicyk8s.io]
  resources: [policyreports]
  verbs: [list, create, patch, delete]
{{- end }}
# Events on workloads say when a phase begins or is near. Those in Embargo's namespace
# report changes of the leader, clocks that differ, and values that can't be applied.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# The leader keeps the one webhook configuration, and deletes it while admission is paused.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [embargo]
  verbs: [create, get, list, watch, patch, delete]
# It looks up the ClusterRole that stands for the installation, to make it the owner.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  resourceNames: [{{ include "embargo.fullname" . }}]
  verbs: [get]
# The schemas of custom resources and aggregated APIs, which every user may read, show
# which of them embed pod templates. These show which there are.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get, list, watch]
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  verbs: [get, list, watch]
{{- end }}

{{- define "embargo.rules" -}}
{{- if eq .Values.certificates.source "managed" }}
# The leader fills the Secret with the serving certificate, and every replica watches it.
# The Secret comes with the installation. The controller may create none: it could
# otherwise create one of the type service-account-token, and read the token of any
# account of the namespace from it.
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "embargo.fullname" . }}-webhook-certificate]
  verbs: [get, list, watch, update]
{{- end }}
# The state says whether the default policy was created before.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "embargo.fullname" . }}-state]
  verbs: [create, get, patch]
# What the installation's values declare.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "embargo.fullname" . }}-list]
  verbs: [get, list, watch]
# Replicas choose the leader by this lease. The controller creates it when it is missing,
# since without it nobody could lead, and patches it to be owned by the installation.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "embargo.fullname" . }}]
  verbs: [create, get, update, patch]
{{- end }}

{{- define "embargo.workloadRules" -}}
# The audit reads what runs, and admission reads the owner of a Pod that is created.
- apiGroups: [""]
  resources: [pods, replicationcontrollers]
  verbs: [get, list, watch]
- apiGroups: [apps]
  resources: [deployments, replicasets, statefulsets, daemonsets, controllerrevisions]
  verbs: [get, list, watch]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [get, list, watch]
{{- end }}

{{- define "embargo.viewerRules" -}}
- apiGroups: [embargo.dev]
  resources: [restrictedvendors, vendorpolicies, vendorwaivers, vendorreports]
  verbs: [get, list, watch]
{{- end }}

{{- define "embargo.waiverApproverRules" -}}
- apiGroups: [embargo.dev]
  resources: [vendorwaivers]
  verbs: [get, list, watch, create, update, patch, delete]
# To let a namespace be labelled so that a waiver starts to select it.
- apiGroups: [embargo.dev]
  resources: [vendorwaivers]
  verbs: [exempt]
# What a waiver is an exception from.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors, vendorpolicies, vendorreports]
  verbs: [get, list, watch]
{{- end }}
