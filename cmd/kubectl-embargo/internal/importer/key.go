package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const maxName = 63 // of a RestrictedVendor

// slug spells a name in the letters of a Kubernetes name. whole says whether nothing but
// accents and punctuation was lost.
func slug(name string) (text string, whole bool) {
	var b strings.Builder
	whole = true
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsLetter(r), unicode.IsDigit(r):
			whole = false
		case unicode.IsMark(r), r == '\'', r == '’', r == '.':
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-"), whole
}

// keyOf is the same for names that differ in case, accents and punctuation only: entries
// with the same key are taken to be about one company.
func keyOf(name string) string {
	if text, whole := slug(name); whole && text != "" {
		return text
	}
	return norm.NFKC.String(strings.ToLower(name))
}

// metadataName names the RestrictedVendor of a company. Where a name is too long, or has
// letters that a Kubernetes name can't have, a checksum keeps it apart from others.
func metadataName(name string) string {
	text, whole := slug(name)
	if whole && text != "" && len(text) <= maxName {
		return text
	}
	sum := sha256.Sum256([]byte(keyOf(name)))
	end := hex.EncodeToString(sum[:4])
	text = strings.Trim(text[:min(len(text), maxName-len(end)-1)], "-")
	if text == "" {
		return "vendor-" + end
	}
	return text + "-" + end
}
