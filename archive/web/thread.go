package web

import (
	"cmp"
	"net/url"
	"strings"

	"kairan/archive"
	"kairan/smtpd/message"
	"kairan/storage"
	"kairan/templates"
)

const (
	threadPosts = 100      // messages on a page of a thread
	threadBytes = 32 << 20 // of them in all; what comes after is shown without its text
	maxArranged = 1000     // messages of a thread that are arranged as one; of a longer one each page is arranged by itself
)

// thread shows the messages of a thread, each after the one it answers, or all by time.
func (h *handler) thread(q *request) error {
	var s *strand
	var before, after *archive.Thread
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		m, err := q.find(tx)
		if err != nil {
			return err
		}
		before, after = archive.ThreadsAround(tx, q.list.ID, m.Thread)
		s, err = h.strand(tx, q, m)
		return err
	})
	if err != nil {
		return err
	}
	if q.r.PathValue("id") != s.ID || q.r.PathValue("nth") != "" {
		q.redirectFound(q.threadPath(s.ID) + q.leaf() + s.query(s.pageOf(s.asked), s.byTime) + "#" + anchor(s.asked))
		return nil
	}
	q.frame.Forms = []templates.Form{h.form(q, templates.Atom, "new.atom"), h.form(q, templates.Gzip, "thread.mbox.gz")}
	view := templates.Thread{
		Canonical: q.threadPath(s.ID), Subject: q.subject(s.Subject), Count: s.Count, People: s.people,
		First: h.time(q, s.First), Last: h.time(q, s.Last),
		Latest: s.link(s.LastSeq), New: s.since.count, NewFrom: s.link(s.since.first),
		Seq: s.LastSeq,
	}
	if s.page > 1 {
		view.Canonical += "?p=" + itoa(s.page)
	}
	if s.Count > 2 && !q.frame.Static {
		view.Orders = s.orders(h.set, q.lang())
	}
	view.Pages = pageLinks(len(s.order), threadPosts, s.page, s.href)
	for i, n := range s.nodes {
		row := h.row(q, n, "#"+anchor(n.Seq))
		row.Subject, row.New = q.renamed(n.Subject, s.above(i)), s.since.after(n.Received, n.Seq)
		view.Outline = append(view.Outline, row)
	}
	if view.Posts, err = h.posts(q, s, view.Outline); err != nil {
		return err
	}
	if len(view.Posts) > 0 {
		q.frame.Preview = view.Posts[0].Preview
	}
	link := func(t *archive.Thread) (l templates.Link) {
		if t != nil && !q.frame.Static {
			l = templates.Link{Href: q.threadPath(t.ID), Text: q.subject(t.Subject)}
		}
		return l
	}
	view.Prev, view.Next = link(before), link(after)
	month := s.First.In(h.loc).Format("2006-01")
	q.frame.Crumbs = []templates.Link{{Href: q.monthPath(month), Text: templates.NewMonth(q.lang(), month)}}
	title := view.Subject
	if title == "" {
		title = h.set.T(q.lang(), "message.no-subject")
	}
	return h.page(q, "thread", title, view)
}

// posts reads and renders the messages of one page, whose outline is made.
func (h *handler) posts(q *request, s *strand, outline []templates.OutlineRow) ([]templates.Post, error) {
	here := make(map[uint64]bool, len(s.nodes))
	for _, n := range s.nodes {
		here[n.Seq] = true
	}
	out := make([]templates.Post, 0, len(s.nodes))
	left := h.threadBytes
	r := h.arch.Reader()
	defer r.Close()
	for i, n := range s.nodes {
		if err := q.r.Context().Err(); err != nil {
			return nil, err
		}
		var msg *message.Message
		if left -= n.Length; left >= 0 {
			var err error
			if msg, err = open(r, n.Message); err != nil {
				return nil, err
			}
		}
		p := h.post(q, n.Message, msg, extent{quote: maxQuotes / len(s.nodes), preview: q.list.Public && len(out) == 0})
		p.Depth, p.Subject = n.depth, outline[i].Subject
		p.New = s.since.after(n.Received, n.Seq)
		p.FirstNew = n.Seq == s.since.first
		if n.parent != nil {
			p.InReplyTo = templates.Link{Href: "#" + anchor(n.parent.Seq), Text: h.name(q, n.parent)}
			if !here[n.parent.Seq] {
				p.InReplyTo.Href = s.link(n.parent.Seq)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// strand is a thread as a reader looks at it: in an order, a page at a time.
type strand struct {
	*archive.Thread
	asked  uint64 // Seq of the message in the path
	byTime bool
	since  since
	order  []uint64 // the Seqs of all messages, in the order of the pages
	page   int
	nodes  []node // of the page
	people int    // who wrote, 0 where that is not known
}

// strand reads the thread of m, of a long one no more than a page.
func (h *handler) strand(tx *storage.Tx, q *request, m *archive.Message) (*strand, error) {
	t, err := archive.GetThread(tx, q.list.ID, m.Thread)
	if err != nil {
		return nil, err
	}
	values := q.r.URL.Query()
	s := &strand{Thread: t, asked: m.Seq, byTime: values.Get("order") == "time", since: parseSince(values.Get("since"), h.loc)}
	for at, seq := range archive.ThreadKeys(tx, q.list.ID, m.Thread) {
		s.order = append(s.order, seq)
		s.since.look(at, seq)
	}
	long := len(s.order) > maxArranged
	if !long {
		s.arrange(archive.Load(tx, q.list.ID, s.order))
	}
	s.page = pageNumber(values.Get("p"), len(s.order), threadPosts)
	if values.Get("p") == "" && s.since.first != 0 {
		s.page = s.pageOf(s.since.first)
	}
	from, to := (s.page-1)*threadPosts, min(s.page*threadPosts, len(s.order))
	if !long {
		s.nodes = s.nodes[from:to]
		return s, nil
	}
	s.nodes = arrange(archive.Load(tx, q.list.ID, s.order[from:to]), s.byTime)
	for i, n := range s.nodes {
		if n.parent == nil {
			s.nodes[i].parent = archive.Answered(tx, n.Message)
		}
	}
	return s, nil
}

// arrange takes all messages of the thread, in the order of their receipt.
func (s *strand) arrange(messages []*archive.Message) {
	s.since = since{text: s.since.text, at: s.since.at, seq: s.since.seq}
	people := map[string]bool{}
	for _, m := range messages {
		people[strings.ToLower(m.FromAddr)+"\x00"+anonymous(m.FromAddr, m.FromName)] = true
		s.since.look(m.Received, m.Seq)
	}
	s.people = len(people)
	s.nodes = arrange(messages, s.byTime)
	s.order = s.order[:0]
	for _, n := range s.nodes {
		s.order = append(s.order, n.Seq)
	}
}

// anonymous tells people without an address apart by their names.
func anonymous(addr, name string) string {
	if addr != "" {
		return ""
	}
	return name
}

// pageOf returns the page that a message is on.
func (s *strand) pageOf(seq uint64) int {
	for i, other := range s.order {
		if other == seq {
			return i/threadPosts + 1
		}
	}
	return 1
}

// href leads to a page of the thread in the order that the reader has chosen.
func (s *strand) href(page int) string { return cmp.Or(s.query(page, s.byTime), "./") }

func (s *strand) query(page int, byTime bool) string {
	values := url.Values{}
	if page > 1 {
		values.Set("p", itoa(page))
	}
	if byTime {
		values.Set("order", "time")
	}
	if s.since.text != "" {
		values.Set("since", s.since.text)
		values.Set("p", itoa(page)) // else the page of the first new message
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// link leads to a message of the thread; "" for none.
func (s *strand) link(seq uint64) string {
	if seq == 0 {
		return ""
	}
	href := "#" + anchor(seq)
	if page := s.pageOf(seq); page != s.page {
		return s.href(page) + href
	}
	return href
}

// orders are the links that choose the order.
func (s *strand) orders(set *templates.Set, lang string) []templates.PageLink {
	return []templates.PageLink{
		{Href: cmp.Or(s.query(1, false), "./"), Text: set.T(lang, "thread.by-reply"), Current: !s.byTime},
		{Href: s.query(1, true), Text: set.T(lang, "thread.by-time"), Current: s.byTime},
	}
}

// above returns the subject under which a message of the page stands: that of the message it answers, or by time of the one before.
func (s *strand) above(i int) string {
	switch {
	case s.byTime && i > 0:
		return s.nodes[i-1].Subject
	case !s.byTime && s.nodes[i].parent != nil:
		return s.nodes[i].parent.Subject
	}
	return s.Subject
}
