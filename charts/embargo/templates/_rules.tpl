{{/* Generated from config/rbac by make generate. */}}

{{- define "embargo.clusterRules" -}}
# The rule set is compiled from these, watched on every replica.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors, vendorpolicies, vendorwaivers]
  verbs: [get, list, watch]
# The built-in list is kept applied, and the default policy created. What the
# installation's values declare is applied, and deleted when it goes from them.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors, vendorpolicies, vendorwaivers]
  verbs: [create, patch, delete]
# The leader writes what became of each object.
- apiGroups: [embargo.dev]
  resources: [restrictedvendors/status, vendorpolicies/status, vendorwaivers/status]
  verbs: [update]
# Policies and waivers select namespaces by their labels.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
# A PodTemplate can be a controller owner, and the audit looks at all; view leaves
# it out.
- apiGroups: [""]
  resources: [podtemplates]
  verbs: [get, list, watch]
# The audit learns from a node by which names it knows the digests that run.
- apiGroups: [""]
  resources: [nodes]
  verbs: [list, watch]
# The leader writes what it finds, and takes it away with its cause.
- apiGroups: [embargo.dev]
  resources: [vendorreports]
  verbs: [get, list, watch, create, update, delete]
# Where the cluster serves these kinds, which others install, it writes the same there, by
# server-side apply: a report for each affected workload, found again by its label.
# Their names have the workloads' UIDs, so they can't be named here.
- apiGroups: [openreports.io]
  resources: [reports]
  verbs: [list, create, patch, delete]
- apiGroups: [wgpolicyk8s.io]
  resources: [policyreports]
  verbs: [list, create, patch, delete]
# It tells the workloads that a phase begins for, or is near.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# The leader keeps the one webhook configuration. Creating can't be bound to a name.
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  verbs: [create]
- apiGroups: [admissionregistration.k8s.io]
  resources: [validatingwebhookconfigurations]
  resourceNames: [embargo]
  verbs: [get, list, watch, patch, delete] # deleted while admission is paused
# Its owner is this role, looked up by name.
- apiGroups: [rbac.authorization.k8s.io]
  resources: [clusterroles]
  resourceNames: [{{ include "embargo.fullname" . }}]
  verbs: [get]
# What custom resources and aggregated APIs there are. Their schemas, which every
# user may read, tell which of them embed pod templates.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get, list, watch]
- apiGroups: [apiregistration.k8s.io]
  resources: [apiservices]
  verbs: [get, list, watch]
{{- end }}

{{- define "embargo.rules" -}}
{{- if eq .Values.certificates.source "managed" }}
# The serving certificate. Creating can't be bound to a name.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end }}
{{- if eq .Values.certificates.source "managed" }}
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [{{ include "embargo.fullname" . }}-webhook-certificate]
  verbs: [get, list, watch, update]
{{- end }}
# For which CustomResourceDefinition the default policy was created. It is written by
# server-side apply, which creates it under its name.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "embargo.fullname" . }}-state]
  verbs: [get, create, patch]
# What the installation's values declare.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ include "embargo.fullname" . }}-list]
  verbs: [get, list, watch]
# The replica that writes is chosen by a lease, which is patched to be owned by the
# installation.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "embargo.fullname" . }}]
  verbs: [get, update, patch]
# The choice, clocks that disagree, and what of the values can't be applied are told
# by events.
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
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
