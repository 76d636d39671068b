package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// minVersions are the least TLS versions that can be set, by Kubernetes' names.
var minVersions = map[string]uint16{"VersionTLS12": tls.VersionTLS12, "VersionTLS13": tls.VersionTLS13}

// MinVersion returns the TLS version of a name.
func MinVersion(name string) (uint16, error) {
	version, ok := minVersions[name]
	if !ok {
		return 0, fmt.Errorf("%q is not a TLS version; want VersionTLS12 or VersionTLS13", name)
	}
	return version, nil
}

// http2Suites are the cipher suites for TLS 1.2 that HTTP/2 accepts: one of them must be on.
var http2Suites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}

// CipherSuites returns the cipher suites of IANA names, nil for none: Go's own choice.
func CipherSuites(names []string) ([]uint16, error) {
	var ids []uint16
	var errs []error
	for _, name := range names {
		suite, err := cipherSuite(name)
		ids, errs = append(ids, suite), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(ids) > 0 && !slices.ContainsFunc(http2Suites, func(id uint16) bool { return slices.Contains(ids, id) }) {
		return nil, fmt.Errorf("HTTP/2 needs %s or %s among them", tls.CipherSuiteName(http2Suites[0]), tls.CipherSuiteName(http2Suites[1]))
	}
	return ids, nil
}

func cipherSuite(name string) (uint16, error) {
	var known []string
	for _, suite := range tls.CipherSuites() {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue // TLS 1.3 chooses its own
		}
		if suite.Name == name {
			return suite.ID, nil
		}
		known = append(known, suite.Name)
	}
	for _, suite := range tls.InsecureCipherSuites() {
		if suite.Name == name {
			return 0, fmt.Errorf("%s is insecure; want some of %s", name, strings.Join(known, ", "))
		}
	}
	return 0, fmt.Errorf("%q is not a cipher suite of TLS 1.2; want some of %s", name, strings.Join(known, ", "))
}
