// Package e2e installs Embargo on real nodes as people do, by Helm 3 and 4 and by
// kubectl apply -k, and disturbs it in every way that clusters know while a load of
// clean and restricted creations goes on. Its tests need root and the build tag e2e:
// make e2e, make e2e-long.
package e2e
