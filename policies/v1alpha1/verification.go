package v1alpha1

// Doubt says why a date is in doubt, in words that follow "is"; it is empty where the date
// was read in the primary text, or where nobody says.
func (v Verification) Doubt() string {
	switch v {
	case VerificationReported:
		return "known from reports only, not from the primary text"
	case VerificationUnverified:
		return "not verified in any source"
	default:
		return ""
	}
}
