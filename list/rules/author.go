package rules

import (
	"slices"
	"strings"

	"kairan/list"
	"kairan/smtpd/address"
)

// maxLateHours is how long mail is deferred because of its domain's DNS.
const maxLateHours = 4

func noAuthor(q *question) (list.Action, string) {
	if q.f.Froms == 1 && !q.f.Author.IsNull() {
		return "", ""
	}
	return list.Reject, ""
}

// banned refuses openly only where the author is known to have written: others would get a bounce for what they did not write.
func banned(q *question) (list.Action, string) {
	for _, patterns := range [][]string{q.site.BanList, q.l.Settings.BanList} {
		for _, addr := range []address.Address{q.f.Author, q.f.Sender} {
			entry, ok := list.Match(patterns, addr)
			switch {
			case !ok || addr.IsNull():
			case q.authenticated || q.f.Trusted:
				return list.Reject, entry
			default:
				return list.Discard, entry
			}
		}
	}
	return "", ""
}

// dnsFailure asks what would become of the post either way, and waits for the DNS only where that matters.
func dnsFailure(q *question) (list.Action, string) {
	if q.again == nil || !q.f.Auth.Unknown() {
		return "", ""
	}
	if q.again(true).Action == q.again(false).Action {
		return "", ""
	}
	if q.f.LateHours >= maxLateHours {
		return list.Hold, q.f.Author.Domain()
	}
	return list.Defer, q.f.Author.Domain()
}

// unauthenticated speaks where the author address gives a right to post and nothing shows that its owner wrote.
func unauthenticated(q *question) (list.Action, string) {
	if q.authenticated || q.believed() || !q.privileged() {
		return "", ""
	}
	if q.f.Auth.Unknown() { // what cannot be known is not held against anybody
		return list.Hold, q.f.Author.Domain()
	}
	return q.l.Settings.UnauthenticatedAction, q.f.Author.Domain()
}

// believed reports whether the operator or an owner said that this mail needs no authentication.
func (q *question) believed() bool {
	if q.f.Trusted || q.f.Member != nil && q.f.Member.Unauthenticated && q.f.Member.Address.Key() == q.f.Author.Key() {
		return true
	}
	_, exempt := list.Match(q.l.Settings.UnauthenticatedExempt, q.f.Author)
	return exempt
}

// privileged reports whether the author address may do what a stranger's may not.
func (q *question) privileged() bool {
	if q.f.Member != nil || q.f.Owner {
		return true
	}
	if q.f.Nonmember != nil && q.f.Nonmember.ModerationAction != "" {
		return q.f.Nonmember.ModerationAction == list.Accept
	}
	_, ok := q.listed(q.l.Settings.AcceptTheseNonmembers)
	return ok
}

func emergency(q *question) (list.Action, string) {
	if q.l.Settings.Emergency {
		return list.Hold, ""
	}
	return "", ""
}

func memberModeration(q *question) (list.Action, string) {
	if q.f.Member == nil {
		return "", ""
	}
	return q.f.Member.ModerationAction, ""
}

// memberDefault is for members without an action of their own; owners and moderators are not moderated by themselves.
func memberDefault(q *question) (list.Action, string) {
	if q.f.Member == nil || q.f.Member.ModerationAction != "" || q.f.Owner {
		return "", ""
	}
	return unlessAccept(q.l.Settings.DefaultMemberAction), ""
}

// stranger reports whether the author is neither a member nor an owner or moderator.
func (q *question) stranger() bool { return q.f.Member == nil && !q.f.Owner }

func (q *question) nonmemberAction() list.Action {
	if !q.stranger() || q.f.Nonmember == nil {
		return ""
	}
	return q.f.Nonmember.ModerationAction
}

func nonmemberModeration(q *question) (list.Action, string) { return q.nonmemberAction(), "" }

func nonmemberListed(q *question) (list.Action, string) {
	if !q.stranger() || q.nonmemberAction() != "" {
		return "", ""
	}
	action, entry := q.fate()
	return unlessAccept(action), entry
}

func nonmember(q *question) (list.Action, string) {
	if !q.stranger() || q.nonmemberAction() != "" {
		return "", ""
	}
	if action, _ := q.fate(); action != "" {
		return "", ""
	}
	return unlessAccept(q.l.Settings.DefaultNonmemberAction), ""
}

// fate returns what the lists of nonmembers say about the author, the kindest first.
func (q *question) fate() (list.Action, string) {
	s := &q.l.Settings
	for _, these := range []struct {
		action   list.Action
		patterns []string
	}{
		{list.Accept, s.AcceptTheseNonmembers},
		{list.Hold, s.HoldTheseNonmembers},
		{list.Reject, s.RejectTheseNonmembers},
		{list.Discard, s.DiscardTheseNonmembers},
	} {
		if entry, ok := q.listed(these.patterns); ok {
			return these.action, entry
		}
	}
	return "", ""
}

// listed is list.Match that also knows the entries "@otherlist@example.jp".
func (q *question) listed(patterns []string) (entry string, ok bool) {
	if entry, ok := list.Match(patterns, q.f.Author); ok {
		return entry, true
	}
	for _, p := range patterns {
		if strings.HasPrefix(p, "@") && slices.Contains(q.f.Others, p) {
			return p, true
		}
	}
	return "", false
}

// announceOnly lets through who was named: owners, moderators, accept_these_nonmembers (members too), and an action of accept.
func announceOnly(q *question) (list.Action, string) {
	if q.l.Settings.AllowListPosts || q.f.Owner || q.nonmemberAction() == list.Accept {
		return "", ""
	}
	if q.f.Member != nil && q.f.Member.ModerationAction == list.Accept {
		return "", ""
	}
	if _, ok := q.listed(q.l.Settings.AcceptTheseNonmembers); ok && q.nonmemberAction() == "" {
		return "", ""
	}
	return list.Reject, ""
}

// unlessAccept makes a setting's "accept" silence: the other rules are still asked.
func unlessAccept(a list.Action) list.Action {
	if a == list.Accept {
		return ""
	}
	return a
}
