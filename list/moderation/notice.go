package moderation

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// maxLocalPart is the room that a local part has (RFC 5321, section 4.5.3.1.1).
const maxLocalPart = 64

// answerTo returns where an answer with a token goes. Where the list's name leaves no room for the token in an address, the answer goes
// to -request, and mark carries the token in the Subject.
func answerTo(l *list.List, token string) (to address.Address, mark string) {
	if suffix := "confirm+" + token; len(l.Address.Local())+1+len(suffix) <= maxLocalPart {
		return l.Suffixed(suffix), ""
	}
	return l.Suffixed("request"), " (confirm " + token + ")"
}

// mailto is a link that writes the answer: one word in the first line.
func mailto(l *list.List, token, words string) string {
	to, mark := answerTo(l, token)
	subject := "Re: " + l.Title() + mark
	return "mailto:" + escape(to.Wire()) + "?subject=" + escape(subject) + "&body=" + escape(words)
}

// escape is for the parts of a mailto: link (RFC 6068, section 2).
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%40", "@").Replace(url.QueryEscape(s))
}

const (
	perNotice   = 20 // posts
	perReminder = 100
	batch       = 10 * time.Minute // between two notices to the moderators of a list
	daily       = 24 * time.Hour
)

// notice tells each moderator what waits, with a token of its own.
func (m *Moderation) notice(tx *storage.Tx, l *list.List, items []item, more int, now time.Time) error {
	id := storage.NewID(now)
	for _, who := range m.moderators(tx, l) {
		token, err := newToken(tx, forModerator+":"+id, l, who.Address, tokenLife, now, posts(items)...)
		if err != nil {
			return err
		}
		lang := l.LanguageOf(who)
		if err := m.queue(tx, m.noticeTo(l, who, lang, token, items, more)); err != nil {
			return err
		}
	}
	return nil
}

func posts(items []item) (ids []string) {
	for _, it := range items {
		ids = append(ids, string(it.post.ID))
	}
	return ids
}

// noticeTo is the notice to one moderator: a single post with a link for every word, or several with links for the two most common.
func (m *Moderation) noticeTo(l *list.List, who *list.Member, lang, token string, items []item, more int) letter {
	t := letter{list: l, to: who.Address, lang: lang, name: "held-notice", token: token, unasked: true}
	words, number := []string{"accept", "reject", "discard", "trust", "ban"}, func(int) string { return "" }
	if len(items) > 1 {
		t.name = "held-notices"
		words, number = []string{"accept", "discard"}, func(n int) string { return " " + strconv.Itoa(n) }
	}
	var entries []string
	for i, it := range items {
		link := func(word string) string { return mailto(l, token, word+number(i+1)) }
		entries = append(entries, m.entry(lang, i+1, it, link, words...))
	}
	t.args = map[string]string{
		"subject": m.subject(lang, items[0].post),
		"n":       strconv.Itoa(len(items)),
		"entries": strings.Join(entries, "\n"),
		"more":    "",
		"url":     m.url(token),
	}
	if more > 0 {
		t.args["more"] = m.Templates.T(lang, "held.more", "n", more) + "\n\n"
	}
	return t
}

// remind tells each moderator what still waits, a line each.
func (m *Moderation) remind(tx *storage.Tx, l *list.List, waiting []*list.Post, now time.Time) error {
	shown := waiting[:min(len(waiting), perReminder)]
	var ids []string
	for _, p := range shown {
		ids = append(ids, string(p.ID))
	}
	id := storage.NewID(now)
	for _, who := range m.moderators(tx, l) {
		token, err := newToken(tx, forModerator+":"+id, l, who.Address, tokenLife, now, ids...)
		if err != nil {
			return err
		}
		lang := l.LanguageOf(who)
		err = m.queue(tx, letter{list: l, to: who.Address, lang: lang, name: "held-reminder", token: token, unasked: true, args: map[string]string{
			"n":       strconv.Itoa(len(waiting)),
			"entries": m.rows(lang, shown),
			"url":     m.url(token),
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// rows are posts in a reminder.
func (m *Moderation) rows(lang string, posts []*list.Post) string {
	var b strings.Builder
	for i, p := range posts {
		b.WriteString(strconv.Itoa(i+1) + ". " + m.subject(lang, p) + "\n")
		b.WriteString("   " + p.Received.In(m.Site.Location).Format("2006-01-02 15:04") + " " + m.author(lang, p) + "\n")
		b.WriteString("   " + strings.Join(m.reasons(lang, p), "; ") + "\n")
	}
	return b.String()
}
