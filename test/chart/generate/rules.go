package main

import (
	"fmt"
	"regexp"
	"strings"
)

// roles are the roles of config whose rules the chart has too, and their templates.
var roles = []struct{ file, kind, name, template string }{
	{"role.yaml", "ClusterRole", "embargo", "embargo.clusterRules"},
	{"role.yaml", "Role", "embargo", "embargo.rules"},
	{"people.yaml", "ClusterRole", "embargo-viewer", "embargo.viewerRules"},
	{"people.yaml", "ClusterRole", "embargo-waiver-approver", "embargo.waiverApproverRules"},
}

// rules makes a named template of each role's rules, with their reasons.
func (g generator) rules() error {
	var templates strings.Builder
	templates.WriteString("{{/* Generated from config/rbac by make generate. */}}\n")
	for _, role := range roles {
		content, err := g.read("rbac", role.file)
		if err != nil {
			return err
		}
		rules, ok := rulesOf(content, role.kind, role.name)
		if !ok {
			return fmt.Errorf("config/rbac/%s has no %s %s with rules", role.file, role.kind, role.name)
		}
		fmt.Fprintf(&templates, "\n{{- define %q -}}\n%s{{- end }}\n", role.template, named(escape(rules)))
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

// named puts the release's names in place of those that begin with the installation's.
// The webhook configuration has one name everywhere. Secrets are only the controller's
// where it keeps its certificate itself.
func named(rules string) string {
	var all strings.Builder
	for rule := range strings.SplitAfterSeq(separate(rules), "\x00") {
		rule = strings.TrimSuffix(rule, "\x00")
		if !strings.Contains(rule, "resources: [validatingwebhookconfigurations]") {
			rule = names.ReplaceAllString(rule, `resourceNames: [{{ include "embargo.fullname" . }}`)
		}
		if strings.Contains(rule, "resources: [secrets]") {
			rule = "{{- if eq .Values.certificates.source \"managed\" }}\n" + rule + "{{- end }}\n"
		}
		all.WriteString(rule)
	}
	return all.String()
}

// separate puts a mark behind each rule, of which the comment before it is a part.
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
