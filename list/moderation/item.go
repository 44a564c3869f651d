package moderation

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kairan/list"
	"kairan/list/rules"
	"kairan/smtpd"
	"kairan/smtpd/message"
	"kairan/storage"
)

// item is a held post as a notice or a page shows it.
type item struct {
	post      *list.Post
	text      string // of the message, safe to show as text; only its beginning
	files     []string
	automatic bool
}

const (
	maxText  = 20 << 10 // bytes of a post's text on a page
	maxFiles = 20
)

// read looks into held posts. Those that are gone or decided are left out.
func (m *Moderation) read(ctx context.Context, ids []list.PostID) ([]item, error) {
	var items []item
	for _, id := range ids {
		err := m.DB.View(ctx, func(tx *storage.Tx) error {
			p, err := list.GetPost(tx, id)
			if err != nil || !p.Held() {
				return err
			}
			it, err := m.looked.item(id, func() (item, error) {
				raw, err := list.PostRaw(tx, m.DB.Blobs, id)
				if err != nil {
					return item{}, err
				}
				return look(p, raw), nil
			})
			if it.post = p; err == nil {
				items = append(items, it)
			}
			return err
		})
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return nil, fmt.Errorf("read held post %s: %w", id, err)
		}
	}
	return items, nil
}

// look reads what can be shown of a message: its text and the names of its files.
func look(p *list.Post, raw []byte) item {
	_, msg := list.TakeApproval(message.Parse(raw))
	facts := rules.Gather(msg, &smtpd.Envelope{From: p.Sender})
	it := item{post: p, text: plain(msg.Text()), automatic: rules.Automatic(&facts)}
	for _, part := range msg.Parts() {
		if part.Filename != "" && len(it.files) < maxFiles {
			it.files = append(it.files, clip(plain(part.Filename), 60))
		}
	}
	return it
}

// plain leaves out what does more than stand there: control characters, and those that change the direction of text.
func plain(s string) string {
	s = strings.ToValidUTF8(s[:min(len(s), maxText)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, s))
}

// clip cuts one line of text to n characters.
func clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Bounds of the excerpt in a notice.
const (
	excerptLines = 12
	excerptLine  = 160 // characters
)

var link = regexp.MustCompile(`(?i)http(s?)://`)

// excerpt is the first lines of a post, marked as somebody else's words. Links in it do not work: a notice that carried those of
// spam would be taken for it.
func (it item) excerpt() string {
	var b strings.Builder
	n := 0
	for line := range strings.SplitSeq(it.text, "\n") {
		if line = clip(line, excerptLine); line == "" {
			continue
		}
		if n++; n > excerptLines {
			b.WriteString("  | […]\n")
			break
		}
		b.WriteString("  | " + link.ReplaceAllString(line, "hxxp$1://") + "\n")
	}
	return b.String()
}

// subject is that of a post in one short line.
func (m *Moderation) subject(lang string, p *list.Post) string {
	if s := message.Brief(clip(plain(p.Subject), 80), 80); s != "" {
		return s
	}
	return m.Templates.T(lang, "message.no-subject")
}

// author is who a post says it comes from, and whether that is so.
func (m *Moderation) author(lang string, p *list.Post) string {
	who := clip(plain(p.Author.String()), 254)
	if p.Auth.Author() {
		return m.Templates.T(lang, "held.proven", "address", who)
	}
	return m.Templates.T(lang, "held.unproven", "address", who)
}

// reasons says in words why a post is held, a line each.
func (m *Moderation) reasons(lang string, p *list.Post) []string {
	var lines []string
	for _, r := range p.Verdict.Reasons {
		line := m.Templates.T(lang, "reason."+r.Rule+".title")
		if r.Detail != "" {
			line += " (" + clip(plain(r.Detail), 80) + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

// decided says who decided about a post, and how. Authors do not get to know which moderator did.
func (m *Moderation) decided(lang string, p *list.Post, insider bool) string {
	by := p.Verdict.By
	switch {
	case by == "" && p.Verdict.Action == list.Accept:
		return m.Templates.T(lang, "held.on-its-way", "when", latest(p.Leaves, p.Decided).In(m.Site.Location).Format("2006-01-02 15:04"))
	case by == list.ByTime:
		by = m.Templates.T(lang, "held.by-time")
	case p.Author.String() == by:
		by = m.Templates.T(lang, "held.by-author", "address", by)
	case !insider:
		by = m.Templates.T(lang, "held.by-moderator")
	}
	return m.decision(lang, p.Verdict.Action, by, p.Decided)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// decision says what was decided by whom and when.
func (m *Moderation) decision(lang string, a list.Action, by string, at time.Time) string {
	when := at.In(m.Site.Location).Format("2006-01-02 15:04")
	switch a {
	case list.Accept:
		return m.Templates.T(lang, "held.was-accepted", "by", by, "when", when)
	case list.Reject:
		return m.Templates.T(lang, "held.was-rejected", "by", by, "when", when)
	case banned:
		return m.Templates.T(lang, "held.was-banned", "by", by, "when", when)
	}
	return m.Templates.T(lang, "held.was-discarded", "by", by, "when", when)
}

// entry is a held post in a notice. mailto makes the link of a word.
func (m *Moderation) entry(lang string, n int, it item, mailto func(word string) string, words ...string) string {
	p := it.post
	var b strings.Builder
	line := func(label, text string) { fmt.Fprintf(&b, "  %s: %s\n", label, text) }
	fmt.Fprintf(&b, "%d. %s\n", n, m.subject(lang, p))
	line(m.Templates.T(lang, "held.from"), m.author(lang, p))
	line(m.Templates.T(lang, "held.received"), p.Received.In(m.Site.Location).Format("2006-01-02 15:04"))
	line(m.Templates.T(lang, "held.why"), strings.Join(m.reasons(lang, p), "; "))
	line(m.Templates.T(lang, "held.size"), strconv.Itoa((p.Size+1023)/1024)+" KB")
	if len(it.files) > 0 {
		line(m.Templates.T(lang, "held.files"), strings.Join(it.files, ", "))
	}
	b.WriteString("\n" + it.excerpt() + "\n")
	for _, word := range words {
		fmt.Fprintf(&b, "  %s: %s\n", m.Templates.T(lang, "held.do-"+word), mailto(word))
	}
	return b.String()
}

// isOnly reports whether a post is held for one reason and nothing else.
func isOnly(p *list.Post, rule string) bool {
	return len(p.Verdict.Reasons) > 0 && !slices.ContainsFunc(p.Verdict.Reasons, func(r list.Reason) bool { return r.Rule != rule })
}
