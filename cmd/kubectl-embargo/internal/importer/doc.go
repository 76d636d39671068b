// Package importer reads public screening lists and drafts RestrictedVendors from them.
//
// The lists are the U.S. Consolidated Screening List, OFAC's list of Specially Designated
// Nationals and OpenSanctions' simplified targets. They are large and dirty: they are read
// entry by entry in bounded memory, and an entry that can't be read is named and left out
// while the others are kept. None of them names an image, and none says who in particular
// is bound; so a draft says what the list says, and leaves the rest open for a person to
// complete. Natural persons are left out.
package importer
