package rules

import (
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
)

// Facts is everything the rules may look at. It is stored with the post, so that a decision can be explained and replayed.
type Facts struct {
	Header  []byte `json:"header"`            // the top header as received, without what approves
	Excerpt string `json:"excerpt,omitempty"` // the first lines of the text, at most 2 KB, for administrivia
	Approve bool   `json:"approve,omitempty"` // it says "Approved: yes"
	Size    int    `json:"size"`

	Froms   int               `json:"froms"`  // From fields times addresses: anything but 1 is no author
	Author  address.Address   `json:"author"` // the one From address, else null
	Subject string            `json:"subject"`
	To      []address.Address `json:"to"`     // To and Cc, at most 1000
	Sender  address.Address   `json:"sender"` // envelope

	Auth mailauth.Results `json:"auth"`
	// Trusted says that the mail came from a network the operator trusts (scripts without authentication).
	Trusted bool `json:"trusted,omitempty"`

	// What the store says about the author. Member has another address where the author is a member by that one.
	Member    *list.Member `json:"member,omitempty"`
	Nonmember *list.Member `json:"nonmember,omitempty"`
	Owner     bool         `json:"owner,omitempty"` // owner or moderator of the list
	// Others names the entries "@otherlist@example.jp" of the list's settings that the author is a member of.
	Others []string `json:"others,omitempty"`
	// Duplicate is "" for a new Message-ID, "same" or "other" when a post with that ID has the same or another body.
	Duplicate string `json:"duplicate,omitempty"`
	// DigestReply says that the post answers a digest of the list as a whole, and still has the digest's own subject.
	DigestReply bool `json:"digest_reply,omitempty"`
	// Held and HeldSame count the posts of the list that wait for a moderator: all, and those of this author (authenticated ones apart).
	Held     int `json:"held,omitempty"`
	HeldSame int `json:"held_same,omitempty"`
	// Today counts the posts of the list that went out on this day; Archived is how many bytes its archive has, looked up where there is a quota.
	Today    int   `json:"today,omitempty"`
	Archived int64 `json:"archived,omitempty"`
	// LateHours says for how many hours mail of this domain was deferred because of its DNS; from 4 on it is held instead.
	LateHours int `json:"late_hours,omitempty"`
}

// Site is what the rules of a site say about every list.
type Site struct {
	BanList []string    // addresses and "^patterns"
	MaxSize int         // bytes, 0 for none; a list's own limit is lower or higher up to this
	Quotas  list.Quotas // of lists that have none of their own
}
