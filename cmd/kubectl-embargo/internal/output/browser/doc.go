// Package browser opens the HTML of a check and of an audit in a real Chromium. Its
// tests need the build tag browser, and Debian's packages chromium and
// fonts-dejavu-core (make test-browser).
package browser
