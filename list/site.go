package list

import (
	"strings"
	"time"

	"kairan/archive"
	"kairan/smtpd/address"
)

// Site is what lists need to know about the place they live in.
type Site struct {
	Hostname string          // EHLO name and Authentication-Results id
	URL      string          // of the web pages, without a slash at its end
	Admin    address.Address // postmaster and abuse mail, first administrator
	Language string          // "ja" or "en"
	Location *time.Location  // months of the archive, dates on pages
	Quotas   Quotas          // of lists that have none of their own
}

// ListURL returns the address of a list's page, or of a page under it.
func (s *Site) ListURL(l *List, parts ...string) string {
	return s.URL + "/" + l.Name + "/" + strings.Join(parts, "/")
}

// MessageURL returns the permanent link of a message (RFC 5064).
func (s *Site) MessageURL(l *List, messageID string) string {
	return s.ListURL(l, "m", archive.EscapeSegment(messageID)) + "/"
}

// Mailbox is who the site's own mails come from that the domain of a list signs. Answers to it reach the administrator.
func (s *Site) Mailbox(through *List) address.Mailbox {
	a, err := address.New("postmaster", through.Address.Domain())
	if err != nil {
		a = through.Suffixed("owner") // unreachable: a list has a domain
	}
	return address.Mailbox{Name: s.Hostname, Address: a}
}

// JoinURL returns the address of the page where one joins a list.
func (s *Site) JoinURL(l *List) string { return s.URL + "/-/join/" + l.Name }

// UnsubscribeURL returns the one-click link of a member's token (RFC 8058).
func (s *Site) UnsubscribeURL(token string) string { return s.URL + "/-/u/" + token }
