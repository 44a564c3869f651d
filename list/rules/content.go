package rules

import (
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// Bounds of header_matches.
const (
	maxMatchFields = 16
	maxMatchBytes  = 4 << 10
)

// loop finds what this list sent out itself. It is discarded: a refusal would bounce to a member who did nothing.
func loop(q *question) (list.Action, string) {
	for _, f := range q.header.All("List-Id") {
		if strings.EqualFold(bracketed(f.Value()), q.l.ListID()) {
			return list.Discard, "List-Id"
		}
	}
	names := []string{"X-BeenThere", "X-Loop", "Delivered-To"}
	if q.f.Auth.Relay != "" || q.f.Trusted { // a relay in front of us may say that it delivered to the list
		names = names[:2]
	}
	for _, name := range names {
		for _, f := range q.header.All(name) {
			if a, err := address.Parse(strings.Trim(f.Value(), "<> ")); err == nil && q.ours(a) {
				return list.Discard, name
			}
		}
	}
	if n := len(q.header.All("Received")); n > message.DefaultLimits.Received {
		return list.Reject, fmt.Sprintf("%d hops", n)
	}
	return "", ""
}

// bracketed returns what stands in the last "<>" of a List-Id (RFC 2919, section 3), or all of a value without them.
func bracketed(value string) string {
	if i := strings.LastIndexByte(value, '<'); i >= 0 {
		value, _, _ = strings.Cut(value[i+1:], ">")
	}
	return strings.TrimSpace(value)
}

// ours reports whether a is the list's address, now or before a rename.
func (q *question) ours(a address.Address) bool {
	if a.Key() == q.l.Address.Key() {
		return true
	}
	_, ok := list.Match(q.l.Former, a)
	return ok
}

func duplicate(q *question) (list.Action, string) {
	switch q.f.Duplicate {
	case "":
		return "", ""
	case "same":
		return list.Discard, q.f.Duplicate
	default:
		return list.Hold, q.f.Duplicate
	}
}

func tooBig(q *question) (list.Action, string) {
	limit := q.l.Settings.MaxMessageSize << 10
	if limit == 0 || q.site.MaxSize > 0 && q.site.MaxSize < limit {
		limit = q.site.MaxSize
	}
	if limit == 0 || q.f.Size <= limit {
		return "", ""
	}
	return list.Reject, fmt.Sprintf("%d > %d", q.f.Size, limit)
}

// automatic finds what answers or reports and was meant for nobody in particular (RFC 3834, RFC 6522).
func automatic(q *question) (list.Action, string) {
	switch keyword := autoSubmitted(q.header); {
	case q.f.Sender.IsNull():
		return list.Discard, "null sender"
	case keyword == "auto-replied" || keyword == "auto-notified":
		return list.Discard, "Auto-Submitted: " + keyword
	case keyOf(q.header.Get("Content-Type")) == "multipart/report":
		return list.Discard, "multipart/report"
	}
	for _, name := range []string{"X-Autoreply", "X-Autorespond", "X-Autoresponder"} {
		if v := keyOf(q.header.Get(name)); v != "" && v != "no" {
			return list.Discard, name
		}
	}
	return "", ""
}

// autoReplySubjects begin the Subject of an answer from somebody who is away.
var autoReplySubjects = regexp.MustCompile(`^(auto(matic)?[- ]?(reply|response)?:|auto(matic)?[- ]?reply\b|out of (the )?office|vacation( reply)?:|` +
	`\[?(自動返信|自動応答|自動送信|不在通知|不在応答|不在の(お知らせ|連絡|ため)))`)

// looksAutomatic holds what a program may have sent and a person may have wanted: reports of a monitor, newsletters.
func looksAutomatic(q *question) (list.Action, string) {
	if keyword := autoSubmitted(q.header); keyword != "" && keyword != "no" {
		return list.Hold, "Auto-Submitted: " + keyword
	}
	fromList := q.header.Get("List-Id") != "" || q.header.Get("List-Post") != ""
	switch p := keyOf(q.header.Get("Precedence")); p {
	case "bulk", "junk", "auto_reply":
		if !fromList {
			return list.Hold, "Precedence: " + p
		}
	}
	if autoReplySubjects.MatchString(fold(q.f.Subject)) {
		return list.Hold, "Subject"
	}
	return "", ""
}

// autoSubmitted returns the keyword of Auto-Submitted without comments and parameters (RFC 3834, section 5).
func autoSubmitted(h message.Header) string { return keyOf(h.Get("Auto-Submitted")) }

// keyOf returns the first word of a structured value in lower case.
func keyOf(value string) string {
	for {
		value = strings.TrimSpace(value)
		if !strings.HasPrefix(value, "(") {
			break
		}
		_, rest, ok := strings.Cut(value, ")")
		if !ok {
			return ""
		}
		value = rest
	}
	if i := strings.IndexAny(value, "; \t("); i >= 0 {
		value = value[:i]
	}
	return strings.ToLower(value)
}

// headerMatch asks the list's own table; its first row that matches counts.
func headerMatch(q *question) (list.Action, string) {
	for _, row := range q.l.Settings.HeaderMatches {
		re, err := regexp.Compile("(?i)" + row.Pattern)
		if err != nil {
			continue // unreachable: Settings.Check has compiled it
		}
		fields := q.header.All(row.Header)
		for _, f := range fields[:min(len(fields), maxMatchFields)] {
			raw := f.Value()
			raw = raw[:min(len(raw), maxMatchBytes)]
			if re.MatchString(raw) || re.MatchString(message.DecodeHeader(raw)) {
				return row.Action, row.Header + ": " + row.Pattern
			}
		}
	}
	return "", ""
}

func tooManyRecipients(q *question) (list.Action, string) {
	if n := q.l.Settings.MaxNumRecipients; n > 0 && len(q.f.To) >= n {
		return list.Hold, fmt.Sprintf("%d", len(q.f.To))
	}
	return "", ""
}

func implicitDestination(q *question) (list.Action, string) {
	if !q.l.Settings.RequireExplicitDestination {
		return "", ""
	}
	for _, to := range q.f.To {
		if _, ok := list.Match(q.l.Settings.AcceptableAliases, to); ok || q.ours(to) {
			return "", ""
		}
	}
	return list.Hold, ""
}

func noSubject(q *question) (list.Action, string) {
	if q.l.Settings.RequireSubject && strings.TrimSpace(q.f.Subject) == "" {
		return list.Hold, ""
	}
	return "", ""
}

// fold makes full-width letters plain and everything lower case, so that Ｓｕｂｓｃｒｉｂｅ is a word like any other.
func fold(s string) string {
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(s)))
}
