package main

import (
	"fmt"
	"regexp"
	"strings"
)

// roles are the roles of config whose rules the chart has too, and their templates.
var roles = []struct{ file, kind, name, template string }{
	{"rbac/role.yaml", "ClusterRole", "embargo-controller", "embargo.clusterRules"},
	{"rbac/role.yaml", "Role", "embargo", "embargo.rules"},
	{"components/read-workloads/role.yaml", "ClusterRole", "embargo-audit-workloads", "embargo.workloadRules"},
	{"rbac/people.yaml", "ClusterRole", "embargo-viewer", "embargo.viewerRules"},
	{"rbac/people.yaml", "ClusterRole", "embargo-waiver-approver", "embargo.waiverApproverRules"},
}

// audited is whether the values leave the audit on.
const audited = `eq (include "embargo.audited" .) "true"`

// conditions are the rules that the chart leaves out where its values need no such right.
// A rule is found by the lines that only it has.
var conditions = []struct{ rule, condition string }{
	{"resources: [secrets]", `eq .Values.certificates.source "managed"`},
	{"resources: [podtemplates]\n  verbs: [list, watch]", audited},
	{"resources: [nodes]", audited},
	{"resources: [vendorreports]\n  verbs: [get, list, watch, create", audited},
	{"apiGroups: [openreports.io]", `and (` + audited + `) (has .Values.reportAPI (list "auto" "openreports"))`},
	{"apiGroups: [wgpolicyk8s.io]", `and (` + audited + `) (has .Values.reportAPI (list "auto" "wgpolicy"))`},
}

// rules makes a named template of each role's rules, with their reasons.
func (g generator) rules() error {
	var templates strings.Builder
	templates.WriteString("{{/* Generated from config by make generate. */}}\n")
	used := map[string]bool{}
	for _, role := range roles {
		content, err := g.read(strings.Split(role.file, "/")...)
		if err != nil {
			return err
		}
		rules, ok := rulesOf(content, role.kind, role.name)
		if !ok {
			return fmt.Errorf("config/%s has no %s %s with rules", role.file, role.kind, role.name)
		}
		fmt.Fprintf(&templates, "\n{{- define %q -}}\n%s{{- end }}\n", role.template, render(escape(rules), used))
	}
	for _, c := range conditions {
		if !used[c.rule] {
			return fmt.Errorf("no rule in config has %q, which the chart's condition %q is for", c.rule, c.condition)
		}
	}
	return g.write(templates.String(), "templates", "_rules.tpl")
}

func rulesOf(content, kind, name string) (string, bool) {
	for document := range strings.SplitSeq(content, "\n---\n") {
		if strings.Contains(document, "\nkind: "+kind+"\n") && strings.Contains(document, "\n  name: "+name+"\n") {
			_, rules, ok := strings.Cut(document+"\n", "\nrules:\n")
			return unindent(strings.TrimRight(rules, "\n") + "\n"), ok
		}
	}
	return "", false
}

func unindent(text string) string { return strings.ReplaceAll("\n"+text, "\n  ", "\n")[1:] }

var names = regexp.MustCompile(`resourceNames: \[embargo`)

// render puts the release's names in place of those that begin with the installation's, and
// conditions around the rules that have one. The webhook configuration has one name
// everywhere.
func render(rules string, used map[string]bool) string {
	var all strings.Builder
	for rule := range strings.SplitAfterSeq(separate(rules), "\x00") {
		rule = strings.TrimSuffix(rule, "\x00")
		if !strings.Contains(rule, "resources: [validatingwebhookconfigurations]") {
			rule = names.ReplaceAllString(rule, `resourceNames: [{{ include "embargo.fullname" . }}`)
		}
		for _, c := range conditions {
			if strings.Contains(rule, c.rule) {
				used[c.rule] = true
				rule = "{{- if " + c.condition + " }}\n" + rule + "{{- end }}\n"
				break
			}
		}
		all.WriteString(rule)
	}
	return all.String()
}

// separate puts a mark behind each rule. The comment before a rule is a part of it.
func separate(rules string) string {
	var out strings.Builder
	inRule := false
	for line := range strings.Lines(rules) {
		begins := !strings.HasPrefix(line, " ")
		isComment := strings.HasPrefix(line, "#")
		if begins && inRule {
			out.WriteString("\x00")
			inRule = false
		}
		if begins && !isComment {
			inRule = true
		}
		out.WriteString(line)
	}
	return out.String()
}
