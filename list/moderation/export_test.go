package moderation

import "kairan/smtpd/mailauth"

// Risks is how much each rule adds to the risk of a post.
var Risks = risks

// Authentication says in sentences what authentication found.
func (m *Moderation) Authentication(lang string, r mailauth.Results) []string {
	return m.authentication(lang, r)
}
