package templates

import "slices"

// MailGroup is mails about one thing.
type MailGroup struct {
	Name  string // "texts.group.NAME"
	Mails []string
}

// siteGroup has the mails that are about the site rather than a list.
const siteGroup = "site"

// MailGroups are all mails in the order in which people look for them.
func MailGroups() []MailGroup {
	return []MailGroup{
		{"joining", []string{"confirm-join", "invite", "welcome", "already-member", "held-join", "no-room", "member-joined"}},
		{"leaving", []string{"confirm-leave", "goodbye", "undo", "not-member", "held-leave", "member-left"}},
		{"member", []string{"held-withdrawn", "held-refused", "confirm-chaddr", "changed", "commands", "confirm-commands", "digest"}},
		{"posting", []string{"posted", "receipt", "refused", "leaving", "held-author", "held-ask", "held-accepted", "held-rejected", "held-expired"}},
		{"moderation", []string{"held-notice", "held-notices", "held-requests", "held-reminder", "held-decided", "held-answer", "role-owner", "role-moderator", "quota"}},
		{"bounces", []string{"bounce-probe", "bounce-disabled", "bounce-news"}},
		{siteGroup, []string{"login", "list-owner", "confirm-address", "address-added", "address-removed", "passkey-added", "passkey-removed", "passkey-copied", "bounce-blame"}},
	}
}

// ForSite reports whether a mail is about the site, so that no list has words of its own for it.
func ForSite(mail string) bool {
	for _, g := range MailGroups() {
		if g.Name == siteGroup {
			return slices.Contains(g.Mails, mail)
		}
	}
	return false
}

// Placeholder is what is filled into a mail.
type Placeholder struct {
	Name          string // without braces
	Means, Sample string // in words
	Needed        bool   // in whatever words
}

// DescribePlaceholders returns the placeholders of a mail with their meaning and a sample, in a language.
func (s *Set) DescribePlaceholders(mail, lang string) (rows []Placeholder) {
	all, needed := s.Placeholders(mail)
	for _, name := range all {
		row := Placeholder{Name: name, Needed: slices.Contains(needed, name)}
		key := name
		if own := mail + "." + name; s.Has(lang, "text.means."+own) {
			key = own
		}
		row.Means = s.T(lang, "text.means."+key)
		row.Sample = s.T(lang, "text.sample."+key)
		rows = append(rows, row)
	}
	return rows
}
