package web

import (
	"strings"

	"kairan/archive"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

const (
	threadPosts = 100      // messages on a page of a thread
	threadBytes = 32 << 20 // of them in all; what comes after is shown without its text
)

// thread shows all messages of a thread, each after the one it answers.
func (h *handler) thread(q *request) error {
	var t *archive.Thread
	var nodes []node
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		m, err := q.find(tx)
		if err != nil {
			return err
		}
		if t, err = archive.GetThread(tx, q.list.ID, m.Thread); err != nil {
			return err
		}
		nodes = arrange(threadMessages(tx, q.list.ID, m.Thread))
		return nil
	})
	if err != nil {
		return err
	}
	if q.r.PathValue("id") != t.ID {
		q.redirectFound(q.threadPath(t.ID))
		return nil
	}
	view := templates.Thread{
		Subject: q.subject(t.Subject), Count: len(nodes),
		First: h.time(q, t.First), Last: h.time(q, t.Last),
	}
	page := pageNumber(q.r.URL.Query().Get("p"), len(nodes), threadPosts)
	view.Pages = pageLinks(len(nodes), threadPosts, page)
	people := map[string]bool{}
	for i, n := range nodes {
		people[strings.ToLower(n.FromAddr)+"\x00"+anonymous(n.FromAddr, n.FromName)] = true
		view.Outline = append(view.Outline, h.row(q, n, postHref(i, page, n)))
	}
	view.People = len(people)
	shown := nodes[(page-1)*threadPosts : min(page*threadPosts, len(nodes))]
	if view.Posts, err = h.posts(q, t, shown); err != nil {
		return err
	}
	month := t.First.In(h.loc).Format("2006-01")
	q.frame.Crumbs = []templates.Link{{Href: q.monthPath(month), Text: templates.NewMonth(q.lang(), month)}}
	title := view.Subject
	if title == "" {
		title = h.set.T(q.lang(), "message.no-subject")
	}
	return h.page(q, "thread", title, view)
}

// anonymous tells people without an address apart by their names.
func anonymous(addr, name string) string {
	if addr != "" {
		return ""
	}
	return name
}

// postHref leads to the i-th message of the thread, on this page or another.
func postHref(i, page int, n node) string {
	href := "#" + anchor(n.Seq)
	if on := i/threadPosts + 1; on != page {
		return "?p=" + itoa(on) + href
	}
	return href
}

// posts reads and renders the messages of one page.
func (h *handler) posts(q *request, t *archive.Thread, nodes []node) ([]templates.Post, error) {
	here := make(map[uint64]bool, len(nodes))
	for _, n := range nodes {
		here[n.Seq] = true
	}
	base, _ := message.BaseSubject(t.Subject)
	out := make([]templates.Post, 0, len(nodes))
	left := h.threadBytes
	for _, n := range nodes {
		if err := q.r.Context().Err(); err != nil {
			return nil, err
		}
		p := h.head(q, n.Message)
		if left -= n.Length; left >= 0 {
			raw, err := h.arch.Raw(n.Message)
			if err != nil {
				return nil, err
			}
			q.body(&p, n.Message, message.Parse(raw))
		} else {
			p.Cut = true
		}
		p.Depth = n.depth
		if own, _ := message.BaseSubject(n.Subject); own != base {
			p.Subject = q.subject(n.Subject)
		}
		if n.parent != nil && here[n.parent.Seq] {
			p.InReplyTo = templates.Link{Href: "#" + anchor(n.parent.Seq), Text: h.name(q, n.parent)}
		}
		out = append(out, p)
	}
	return out, nil
}
