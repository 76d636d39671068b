package cluster

import (
	"slices"

	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// NewFlagsForMany returns the kubeconfig flags of commands that read several contexts
// and namespaces, and have flags of their own for both.
func NewFlagsForMany() *genericclioptions.ConfigFlags {
	flags := NewFlags()
	flags.Context, flags.Namespace = nil, nil
	return flags
}

// InContext returns such flags for one context, "" for the current one.
func InContext(flags *genericclioptions.ConfigFlags, context string) *genericclioptions.ConfigFlags {
	one := NewFlags()
	one.Context = &context
	one.KubeConfig, one.ClusterName, one.AuthInfoName = flags.KubeConfig, flags.ClusterName, flags.AuthInfoName
	one.APIServer, one.TLSServerName, one.Insecure, one.Timeout = flags.APIServer, flags.TLSServerName, flags.Insecure, flags.Timeout
	one.CertFile, one.KeyFile, one.CAFile = flags.CertFile, flags.KeyFile, flags.CAFile
	one.BearerToken, one.Username, one.Password = flags.BearerToken, flags.Username, flags.Password
	one.Impersonate, one.ImpersonateUID, one.ImpersonateGroup = flags.Impersonate, flags.ImpersonateUID, flags.ImpersonateGroup
	one.ImpersonateUserExtra, one.ProxyURL = flags.ImpersonateUserExtra, flags.ProxyURL
	return one
}

// Contexts are the names of the kubeconfig's contexts, sorted.
func Contexts(flags *genericclioptions.ConfigFlags) []string {
	raw, err := InContext(flags, "").ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return nil
	}
	var names []string
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
