package posting

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"kairan/list"
	"kairan/list/rules"
	"kairan/smtpd/mailauth"
)

// One line a stage: its name, and always the same attributes. The same facts
// stand in the post's history, which `kairan trace` shows.

// logReceived writes the lines of receive, authenticate, decide and record.
func (p *Path) logReceived(in *incoming) {
	log := p.Log.With("transaction", in.env.ID)
	log.Info("receive", "from", in.env.From.String(), "ip", host(in.env.RemoteIP), "size", len(in.msg.Raw()), "message_id", in.posts[0].post.MessageID)
	log.Info("authenticate", "author", in.facts.Author.String(), "authenticated", in.facts.Auth.Author() || in.facts.Trusted, "result", authWords(in.facts.Auth))
	for _, post := range in.posts {
		log := log.With("post", post.post.ID, "list", post.list.Address.String())
		log.Info("decide", "verdict", post.post.Verdict.String())
		if !in.deferred() && post.post.Verdict.Action != list.Defer {
			log.Info("record", "kept", !refused(post.post.Verdict))
		}
	}
}

// story is the same for the history.
func story(in *incoming, post *posted) []list.Event {
	at := in.env.At
	who := in.facts.Author.String()
	switch {
	case in.facts.Trusted:
		who += ": from a trusted network"
	case in.facts.Auth.Author():
		who += ": authenticated"
	default:
		who += ": not authenticated"
	}
	record := "post " + string(post.post.ID)
	if !post.post.Leaves.IsZero() {
		record += fmt.Sprintf("; it leaves in %s unless its author takes it back", post.post.Leaves.Sub(at))
	}
	return []list.Event{
		{At: at, Stage: "receive", Text: fmt.Sprintf("from <%s>, %s (%s), %d bytes", in.env.From, host(in.env.RemoteIP), in.env.Helo, post.post.Size)},
		{At: at, Stage: "authenticate", Text: who + "; " + authWords(in.facts.Auth)},
		{At: at, Stage: "decide", Text: verdictWords(post.post.Verdict) + memberWords(&post.facts)},
		{At: at, Stage: "record", Text: record},
	}
}

// memberWords says as whom an author is a member, if that is by another address.
func memberWords(f *rules.Facts) string {
	if f.Member == nil || f.Member.Address.Key() == f.Author.Key() {
		return ""
	}
	return "; a member as " + f.Member.Address.String()
}

// host names where a client is.
func host(ip netip.Addr) string {
	if !ip.IsValid() {
		return "a socket of this machine"
	}
	return ip.String()
}

// verdictWords says a verdict with what each reason found.
func verdictWords(v list.Verdict) string {
	var reasons []string
	for _, r := range v.Reasons {
		if r.Detail != "" {
			reasons = append(reasons, r.Rule+" ("+r.Detail+")")
		} else {
			reasons = append(reasons, r.Rule)
		}
	}
	if len(reasons) == 0 {
		return string(v.Action)
	}
	return string(v.Action) + ": " + strings.Join(reasons, ", ")
}

// authWords sums up SPF, DKIM and DMARC in one line.
func authWords(r mailauth.Results) string {
	words := []string{fmt.Sprintf("spf=%s (%s)", r.SPF.Result, r.SPF.Domain)}
	for _, s := range r.DKIM {
		words = append(words, fmt.Sprintf("dkim=%s (%s)", s.Result, s.Domain))
	}
	words = append(words, fmt.Sprintf("dmarc=%s (%s)", r.DMARC.Result, r.DMARC.Domain))
	if r.Relay != "" {
		words = append(words, "as "+r.Relay+" says")
	}
	return strings.Join(words, ", ")
}

func postLogger(log *slog.Logger, l *list.List, post *list.Post) *slog.Logger {
	return log.With("post", post.ID, "list", l.Address.String())
}
