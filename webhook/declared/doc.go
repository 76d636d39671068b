// Package declared keeps the vendors, policies and waivers that an installation's values
// declare. A package manager can't create objects of kinds that the same package defines,
// so they come in a ConfigMap, an object a key, and the leader applies them: under a field
// manager and with a label of their own, never over what somebody else wrote. What goes
// from the ConfigMap is deleted; without the ConfigMap nothing is.
package declared
