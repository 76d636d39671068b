// Package imageref reads image references the way container runtimes do, and
// matches them against patterns.
//
// One repository has many spellings: nginx, docker.io/nginx,
// index.docker.io/library/nginx and DOCKER.IO:443/library/nginx:latest are all
// pulled from the same place. Parse brings them to one canonical Reference, and
// refuses what the kubelet's parser refuses, so that what compares here is what
// would run.
//
// A Pattern is read as an image is, and matches whole segments, never parts of
// them: docker.io/acme/** doesn't match docker.io/acme-fan/x. An Index matches a
// reference against any number of patterns at a cost that depends on the
// reference alone. Mirrors undo what a pull-through cache or a copy did to a name.
package imageref
