package web

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kairan/archive"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

// outlineRows is how many messages a thread may have for its outline to stand under each of them.
const outlineRows = 60

// message shows one message with its place in the thread and in the list.
func (h *handler) message(q *request) error {
	var m, prev, next *archive.Message
	var t *archive.Thread
	var nodes []node
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) (err error) {
		if m, err = q.find(tx); err != nil {
			return err
		}
		prev, next = archive.Around(tx, m)
		if t, err = archive.GetThread(tx, q.list.ID, m.Thread); err != nil {
			return err
		}
		nodes = beside(tx, m)
		return nil
	})
	if err != nil {
		return err
	}
	r := h.arch.Reader()
	defer r.Close()
	msg, err := open(r, m)
	if err != nil {
		return err
	}
	view := templates.Message{
		Post:        h.post(q, m, msg, extent{quote: maxReply, files: true, preview: q.list.Public}),
		Canonical:   q.messagePath(m),
		Thread:      q.threadPath(t.ID) + "#" + anchor(m.Seq),
		ThreadCount: t.Count,
		Recipients:  q.recipients(msg, "To"),
		Cc:          q.recipients(msg, "Cc"),
	}
	if t.Count > threadPosts {
		view.Thread = q.threadPath(m.ID) // leads to the page that it is on
		if m.Nth > 1 {
			view.Thread += itoa(m.Nth) + "/"
		}
	}
	view.Subject = q.subject(m.Subject)
	q.frame.Preview = view.Preview
	if m.Number > 0 {
		view.Number = strconv.FormatUint(m.Number, 10)
	}
	if prev != nil {
		view.Prev = templates.Link{Href: q.messagePath(prev), Text: q.subject(prev.Subject)}
	}
	if next != nil {
		view.Next = templates.Link{Href: q.messagePath(next), Text: q.subject(next.Subject)}
	}
	h.place(q, &view, m, nodes)
	if view.Decide = h.decide(q, m, t); q.list.Decides {
		view.Join = DecidePath(q.list.Name, m, "join")
	}
	month := m.Received.In(h.loc).Format("2006-01")
	q.frame.Crumbs = []templates.Link{{Href: q.monthPath(month), Text: templates.NewMonth(q.lang(), month)}}
	title := view.Subject
	if title == "" {
		title = h.set.T(q.lang(), "message.no-subject")
	}
	q.frame.Forms = []templates.Form{h.form(q, templates.Atom, q.base()+"new.atom")}
	return h.page(q, "message", title, view)
}

// place fills in what stands around the message in its thread.
func (h *handler) place(q *request, view *templates.Message, m *archive.Message, nodes []node) {
	at := slices.IndexFunc(nodes, func(n node) bool { return n.Seq == m.Seq })
	if at < 0 {
		return
	}
	link := func(m *archive.Message) templates.Link {
		return templates.Link{Href: q.messagePath(m), Text: h.name(q, m)}
	}
	if at > 0 {
		view.ThreadPrev = link(nodes[at-1].Message)
	}
	if at+1 < len(nodes) {
		view.ThreadNext = link(nodes[at+1].Message)
	}
	if p := nodes[at].parent; p != nil {
		view.InReplyTo = link(p)
	}
	if view.ThreadCount > outlineRows {
		return
	}
	for _, n := range nodes {
		row := h.row(q, n, q.messagePath(n.Message))
		row.Current = n.Seq == m.Seq
		above := nodes[0].Subject
		if n.parent != nil {
			above = n.parent.Subject
		}
		row.Subject = q.renamed(n.Subject, above)
		view.Outline = append(view.Outline, row)
	}
}

// decide returns the buttons of who may decide about a message: its author for a time, and who moderates the list.
func (h *handler) decide(q *request, m *archive.Message, t *archive.Thread) (buttons []templates.Link) {
	add := func(do string) {
		buttons = append(buttons, templates.Link{Href: DecidePath(q.list.Name, m, do), Text: h.set.T(q.lang(), "decide."+do)})
	}
	own := slices.ContainsFunc(q.list.Reader, func(a string) bool { return strings.EqualFold(a, m.FromAddr) })
	switch {
	case q.list.Decides && m.Redacted:
		add("unhide")
		add("hide")
	case q.list.Decides:
		add("redact")
		add("hide")
	case own && time.Since(m.Received) <= q.list.Withdraw:
		add("withdraw")
	}
	if q.list.Decides && t.Count > 1 && (t.ID != m.ID || m.Nth > 1) {
		add("split")
	}
	return buttons
}

// DecidePath returns where a decision about a message is posted to, which package list/web serves.
func DecidePath(list string, m *archive.Message, do string) string {
	return "/-/message/" + archive.EscapeSegment(list) + "/" + archive.EscapeSegment(m.ID) + "/" + itoa(max(1, m.Nth)) + "/" + do
}

// beside returns the messages of the thread of m as it reads, and of a long one only those before and after, by time.
func beside(tx *storage.Tx, m *archive.Message) []node {
	var seqs []uint64
	for _, seq := range archive.ThreadKeys(tx, m.List, m.Thread) {
		if seqs = append(seqs, seq); len(seqs) > outlineRows {
			break
		}
	}
	if len(seqs) <= outlineRows {
		return arrange(archive.Load(tx, m.List, seqs), false)
	}
	own := []node{{Message: m, parent: archive.Answered(tx, m)}}
	prev, next := archive.AroundInThread(tx, m)
	if prev != nil {
		own = slices.Insert(own, 0, node{Message: prev})
	}
	if next != nil {
		own = append(own, node{Message: next})
	}
	return own
}

// find returns the message that the path names.
func (q *request) find(tx *storage.Tx) (*archive.Message, error) {
	n := nth(q.r.PathValue("nth"))
	if n == 0 {
		return nil, storage.ErrNotFound
	}
	return archive.ByID(tx, q.list.ID, q.r.PathValue("id"), n)
}

// recipients returns a recipient field as a line of a page.
func (q *request) recipients(msg *message.Message, field string) string {
	const most = 400
	text := q.show(archive.PublicText(msg.Header().Text(field)))
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// initial returns the first letter or digit of a name.
func initial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "?"
}
