package rules

import (
	"kairan/list"
	"kairan/smtpd/message"
)

// kind says how far a rule may go.
type kind int

const (
	decisive   kind = iota // may answer anything
	suspicious             // may only answer Hold, and is skipped after an Accept
	last                   // asked only about a post that would be held; its answer is the verdict
)

// rule is a row of the table.
type rule struct {
	name   string
	kind   kind
	status [3]int // of a refusal (RFC 3463)
	says   string // why, for the client: ASCII English, a clause without its full stop
	check  func(*question) (action list.Action, detail string)
}

var (
	denied   = [3]int{5, 7, 1}
	tooLarge = [3]int{5, 3, 4}
	looping  = [3]int{5, 4, 6}
	absurd   = [3]int{5, 6, 0}
	unproven = [3]int{5, 7, 26}
	dnsError = [3]int{4, 4, 3}
	busy     = [3]int{5, 2, 2}
)

// table is every rule in the order it is asked.
var table = []rule{
	// What is not a post at all.
	{"loop", decisive, looping, "the message has been through this list before", loop},
	{"no-author", decisive, absurd, "a post needs one From field with one address", noAuthor},
	{"banned", decisive, denied, "this address may not post here", banned},
	{"duplicate", decisive, denied, "a message with this Message-ID was posted already", duplicate},
	{"too-large", decisive, tooLarge, "the message is larger than the list allows; send a link instead", tooBig},
	{"automatic", decisive, denied, "automatic replies and reports are not posted", automatic},

	// Whether the author is who the message says.
	{"dns-failure", decisive, dnsError, "the sender's domain could not be checked because its DNS does not answer; try again later", dnsFailure},
	{"unauthenticated", decisive, unproven, "the message is not authenticated (SPF, DKIM, DMARC) for the domain in From; send it through your provider's own server", unauthenticated},

	// Whether the author may post.
	{"emergency", decisive, denied, "the list holds all posts for now", emergency},
	{"posts-per-day", decisive, denied, "the list has had as many posts today as it may", postsPerDay},
	{"archive-full", decisive, denied, "the list's archive is full", archiveFull},
	{"member-moderation", decisive, denied, "posts from this member are moderated", memberModeration},
	{"member-default", decisive, denied, "posts of members are moderated", memberDefault},
	{"nonmember-moderation", decisive, denied, "posts from this address are moderated", nonmemberModeration},
	{"nonmember-listed", decisive, denied, "posts from this address are moderated", nonmemberListed},
	{"nonmember", decisive, denied, "only members may post; join, or post from the address you joined with", nonmember},
	{"announce-only", decisive, denied, "this list is for announcements; write to its owner instead", announceOnly},
	{"header-match", decisive, denied, "a header field is on the list's watch list", headerMatch},

	// What people do by mistake.
	{"looks-automatic", suspicious, denied, "the message looks like an automatic one", looksAutomatic},
	{"too-many-recipients", suspicious, denied, "the message has too many recipients in To and Cc", tooManyRecipients},
	{"implicit-destination", suspicious, denied, "neither To nor Cc names the list", implicitDestination},
	{"no-subject", suspicious, denied, "the message has no Subject", noSubject},
	{"digest-reply", suspicious, denied, "the message answers a digest and has its subject; give it the subject of the post that it answers", digestReply},
	{"administrivia", suspicious, denied, "the message looks like a command; send commands to the -request address", administrivia},

	// What becomes of a post that would be held.
	{"approved", last, denied, "a moderator approved it", approved},
	{"too-many-held", last, busy, "too many posts wait for the moderators; send it again when they have decided", tooManyHeld},
}

// question is what a rule is asked about.
type question struct {
	l      *list.List
	site   Site
	f      *Facts
	header message.Header
	// authenticated says that the author is who the message says, or is believed.
	authenticated bool
	// again asks the whole table once more as if the author were authenticated or not; nil in such a second asking.
	again func(authenticated bool) list.Verdict
}

// Decide runs the table. It is a pure function.
func Decide(l *list.List, s Site, f *Facts) list.Verdict {
	q := question{l: l, site: s, f: f, header: message.Parse(f.Header).Header(), authenticated: f.Auth.Author()}
	q.again = func(authenticated bool) list.Verdict {
		second := q
		second.authenticated, second.again = authenticated, nil
		return second.decide()
	}
	return q.decide()
}

func (q question) decide() list.Verdict {
	v := list.Verdict{Action: list.Accept}
	excused := list.Reason{}
	for _, r := range table {
		if r.kind == suspicious && excused.Rule != "" || r.kind == last && v.Action != list.Hold {
			continue
		}
		action, detail := r.check(&q)
		reason := list.Reason{Rule: r.name, Detail: detail}
		switch {
		case action == "":
		case r.kind == last:
			return list.Verdict{Action: action, Reasons: append([]list.Reason{reason}, v.Reasons...)}
		case action == list.Accept:
			excused = reason
		case action == list.Hold:
			v.Action, v.Reasons = list.Hold, append(v.Reasons, reason)
		default:
			return list.Verdict{Action: action, Reasons: []list.Reason{reason}}
		}
	}
	if v.Action == list.Accept && excused.Rule != "" {
		v.Reasons = []list.Reason{excused}
	}
	return v
}
