package web

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"kairan/archive"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// feedEntries is how many messages a feed has, the newest ones.
const feedEntries = 30

// A feed as RFC 4287 has it.
type (
	atomFeed struct {
		XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string      `xml:"xml:lang,attr"`
		ID      string      `xml:"id"`
		Title   string      `xml:"title"`
		Updated string      `xml:"updated"`
		Links   []atomLink  `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	atomEntry struct {
		ID        string      `xml:"id"`
		Title     string      `xml:"title"`
		Author    string      `xml:"author>name"`
		Published string      `xml:"published"`
		Updated   string      `xml:"updated"`
		Links     []atomLink  `xml:"link"`
		Content   atomContent `xml:"content"`
	}
	atomContent struct {
		Type string `xml:"type,attr"`
		HTML string `xml:",chardata"`
	}
)

// feed is what a feed is made of.
type feed struct {
	id       string // name that stays
	title    string
	self     string // path of the feed
	page     string // path of the page that it follows
	messages []*archive.Message
	list     func(*archive.Message) archive.Info // that a message is in; nil where it is the request's
}

// listFeed is the newest messages of a list.
func (h *handler) listFeed(q *request) error {
	f := feed{id: feedID("list", q.list.ID), title: q.list.Title, self: q.base() + "new.atom", page: q.base()}
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		f.messages = nil
		for m := range archive.Newest(tx, q.list.ID) {
			if f.messages = append(f.messages, m); len(f.messages) == feedEntries {
				break
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.feed(q, f)
}

// threadFeed is the newest messages of a thread.
func (h *handler) threadFeed(q *request) error {
	var t *archive.Thread
	var messages []*archive.Message
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) (err error) {
		messages = nil
		if t, err = h.threadOf(tx, q); err != nil {
			return err
		}
		for m := range archive.InThread(tx, q.list.ID, t.Seq) {
			if messages = append(messages, m); len(messages) > feedEntries {
				messages = messages[1:]
			}
		}
		return nil
	})
	if err != nil || q.moved(t) {
		return err
	}
	slices.Reverse(messages)
	title := q.subject(t.Subject)
	if title == "" {
		title = h.set.T(q.list.Language, "message.no-subject")
	}
	return h.feed(q, feed{
		id: feedID("thread", q.list.ID, t.ID), title: title + " · " + q.list.Title,
		self: q.threadPath(t.ID) + "new.atom", page: q.threadPath(t.ID), messages: messages,
	})
}

// threadOf returns the thread of the message that the path names.
func (h *handler) threadOf(tx *storage.Tx, q *request) (*archive.Thread, error) {
	m, err := q.find(tx)
	if err != nil {
		return nil, err
	}
	return archive.GetThread(tx, q.list.ID, m.Thread)
}

// moved leads to the address of the thread if the path names another of its messages than the first.
func (q *request) moved(t *archive.Thread) bool {
	if q.r.PathValue("id") == t.ID {
		return false
	}
	q.redirectFound(q.threadPath(t.ID) + q.leaf())
	return true
}

// feed answers with a feed. It speaks the list's language, so that it is the same whoever asks.
func (h *handler) feed(q *request, f feed) error {
	if q.list.Language != "" {
		q.frame.Lang = q.list.Language
	}
	out := atomFeed{
		Lang: q.lang(), ID: f.id, Title: f.title,
		Links: []atomLink{{"self", templates.Atom, q.frame.URL + f.self}, {"alternate", "text/html", q.frame.URL + f.page}},
	}
	newest := time.Unix(0, 0)
	left := h.threadBytes
	r := h.arch.Reader()
	defer r.Close()
	for _, m := range f.messages {
		in := *q
		if f.list != nil {
			in.list = f.list(m)
		}
		if m.Received.After(newest) {
			newest = m.Received
		}
		var msg *message.Message // without its text where it would be too much
		if left -= m.Length; left >= 0 {
			var err error
			if msg, err = open(r, m); err != nil {
				return err
			}
		}
		out.Entries = append(out.Entries, h.entry(&in, m, msg))
	}
	out.Updated = newest.UTC().Format(time.RFC3339)
	body, err := xml.Marshal(out)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	q.w.Header().Set("Content-Type", templates.Atom)
	q.download(append([]byte(xml.Header), body...), newest)
	return nil
}

// entry is a message in a feed, without its text if msg is nil.
func (h *handler) entry(q *request, m *archive.Message, msg *message.Message) atomEntry {
	e := atomEntry{
		ID:        feedID("message", q.list.ID, m.ID, itoa(max(1, m.Nth))),
		Title:     q.subject(m.Subject),
		Author:    h.name(q, m),
		Published: m.Date.UTC().Format(time.RFC3339),
		Updated:   m.Received.UTC().Format(time.RFC3339),
		Links:     []atomLink{{"alternate", "text/html", q.frame.URL + q.messagePath(m)}},
		Content:   atomContent{Type: "html"},
	}
	if e.Title == "" {
		e.Title = h.set.T(q.lang(), "message.no-subject")
	}
	e.Content.HTML = h.content(q, h.post(q, m, msg, extent{}))
	return e
}

// content is the text of a message as HTML that needs no style sheet.
func (h *handler) content(q *request, p templates.Post) string {
	var b strings.Builder
	w := contentWriter{b: &b, site: q.frame.URL, cut: h.set.T(q.lang(), "message.cut")}
	w.body(p.Blocks, p.Cut, p.Href, p.Attachments)
	return b.String()
}

type contentWriter struct {
	b    *strings.Builder
	site string
	cut  string // says that a text was cut
}

// body writes a text and what is attached to it; whole is where the rest is.
func (w *contentWriter) body(blocks []templates.Block, cut bool, whole string, files []templates.Attachment) {
	for _, block := range blocks {
		text := string(block.HTML)
		switch {
		case block.Preformatted || block.Kind == "signature":
			w.b.WriteString("<pre>" + text + "</pre>\n")
		case block.Kind == "quote":
			w.b.WriteString("<blockquote>" + withBreaks(text) + "</blockquote>\n")
		default:
			w.b.WriteString("<p>" + withBreaks(text) + "</p>\n")
		}
	}
	if cut {
		w.link(whole, w.cut)
	}
	for _, a := range files {
		w.link(a.Href, a.Name+" ("+a.Size+")")
		if m := a.Message; m != nil {
			w.b.WriteString("<blockquote><p><b>" + html.EscapeString(m.Subject) + "</b> " + html.EscapeString(m.From) + " " + html.EscapeString(m.Sent.Human) + "</p>\n")
			w.body(m.Blocks, m.Cut, a.Href, m.Attachments)
			w.b.WriteString("</blockquote>\n")
		}
	}
}

func (w *contentWriter) link(href, text string) {
	w.b.WriteString(`<p><a href="` + html.EscapeString(w.site+href) + `">` + html.EscapeString(text) + "</a></p>\n")
}

func withBreaks(text string) string { return strings.ReplaceAll(text, "\n", "<br>\n") }

// feedID makes a name of what stays when a list is renamed or an archive imported anew (RFC 4287, section 4.2.6): a UUID of version 8 (RFC 9562).
func feedID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	u := sum[:16]
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
