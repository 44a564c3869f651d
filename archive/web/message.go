package web

import (
	"slices"
	"strconv"
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
		prev = bySeq(tx, q.list.ID, m.Seq-1)
		next = bySeq(tx, q.list.ID, m.Seq+1)
		if t, err = archive.GetThread(tx, q.list.ID, m.Thread); err != nil {
			return err
		}
		if t.Count > 1 {
			nodes = arrange(threadMessages(tx, q.list.ID, m.Thread))
		}
		return nil
	})
	if err != nil {
		return err
	}
	raw, err := h.arch.Raw(m)
	if err != nil {
		return err
	}
	msg := message.Parse(raw)
	view := templates.Message{
		Post:        h.head(q, m),
		Canonical:   q.messagePath(m),
		Thread:      q.threadPath(t.ID) + "#" + anchor(m.Seq),
		ThreadCount: t.Count,
		Recipients:  q.recipients(msg, "To"),
		Cc:          q.recipients(msg, "Cc"),
	}
	q.body(&view.Post, m, msg)
	view.Subject = q.subject(m.Subject)
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
	month := m.Received.In(h.loc).Format("2006-01")
	q.frame.Crumbs = []templates.Link{{Href: q.monthPath(month), Text: templates.NewMonth(q.lang(), month)}}
	title := view.Subject
	if title == "" {
		title = h.set.T(q.lang(), "message.no-subject")
	}
	return h.page(q, "message", title, view)
}

// place fills in what stands around the message in its thread.
func (h *handler) place(q *request, view *templates.Message, m *archive.Message, nodes []node) {
	at := slices.IndexFunc(nodes, func(n node) bool { return n.Seq == m.Seq })
	if at < 0 {
		return
	}
	link := func(n node) templates.Link {
		return templates.Link{Href: q.messagePath(n.Message), Text: h.name(q, n.Message)}
	}
	if at > 0 {
		view.ThreadPrev = link(nodes[at-1])
	}
	if at+1 < len(nodes) {
		view.ThreadNext = link(nodes[at+1])
	}
	if p := nodes[at].parent; p != nil {
		view.InReplyTo = link(node{Message: p})
	}
	if len(nodes) > outlineRows {
		return
	}
	for _, n := range nodes {
		row := h.row(q, n, q.messagePath(n.Message))
		row.Current = n.Seq == m.Seq
		view.Outline = append(view.Outline, row)
	}
}

// find returns the message that the path names.
func (q *request) find(tx *storage.Tx) (*archive.Message, error) {
	n := nth(q.r.PathValue("nth"))
	if n == 0 {
		return nil, storage.ErrNotFound
	}
	return archive.ByID(tx, q.list.ID, q.r.PathValue("id"), n)
}

// bySeq returns the message at that position, or nil.
func bySeq(tx *storage.Tx, list string, seq uint64) *archive.Message {
	if m, err := archive.BySeq(tx, list, seq); err == nil {
		return m
	}
	return nil
}

func threadMessages(tx *storage.Tx, list string, thread uint64) []*archive.Message {
	var out []*archive.Message
	for m := range archive.InThread(tx, list, thread) {
		if out = append(out, m); len(out) == maxThread {
			break
		}
	}
	return out
}

// recipients returns a recipient field as a line of a page.
func (q *request) recipients(msg *message.Message, field string) string {
	const most = 400
	text := q.show(msg.Header().Text(field))
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
