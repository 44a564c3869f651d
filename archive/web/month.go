package web

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

const (
	monthThreads = 50 // threads on a page of a month
	monthRows    = 40 // messages of one thread on it
)

// group is the messages of one thread in a month.
type group struct {
	thread uint64
	seqs   []uint64
}

// month shows a month by thread, in the order in which threads began or were taken up again.
func (h *handler) month(q *request) error {
	month := q.r.PathValue("part")
	if !isMonth(month) {
		if _, err := strconv.ParseUint(month, 10, 64); err == nil {
			return h.number(q)
		}
		return storage.ErrNotFound
	}
	values := q.r.URL.Query()
	var view templates.Month
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		view = templates.Month{Name: templates.NewMonth(q.lang(), month)}
		since := parseSince(values.Get("since"), h.loc)
		groups := byThread(tx, q.list.ID, month, &since, &view.Messages)
		if len(groups) == 0 {
			return storage.ErrNotFound
		}
		h.around(tx, q, month, since, &view)
		page := pageNumber(values.Get("p"), len(groups), monthThreads)
		ofFirst := page
		if i := slices.IndexFunc(groups, func(g *group) bool { return slices.Contains(g.seqs, since.first) }); i >= 0 {
			if ofFirst = i/monthThreads + 1; values.Get("p") == "" {
				page = ofFirst
			}
			view.New, view.NewFrom = since.count, "#new"
		}
		href := func(page int) string { return since.query(page) }
		if ofFirst != page {
			view.NewFrom = href(ofFirst) + "#new"
		}
		view.Pages = pageLinks(len(groups), monthThreads, page, href)
		view.Threads = h.monthThreads(tx, q, groups[(page-1)*monthThreads:min(page*monthThreads, len(groups))], since)
		return nil
	})
	if err != nil {
		return err
	}
	q.frame.Forms = []templates.Form{h.form(q, templates.Atom, q.base()+"new.atom"), h.form(q, templates.Gzip, q.base()+month+".mbox.gz")}
	return h.page(q, "month", view.Name, view)
}

// byThread returns the messages of a month by thread, counts them, and looks at what is new.
func byThread(tx *storage.Tx, list, month string, since *since, total *int) []*group {
	index := map[uint64]*group{}
	var groups []*group
	for p := range archive.MonthPlaces(tx, list, month) {
		*total++
		since.look(p.Received, p.Seq)
		g := index[p.Thread]
		if g == nil {
			g = &group{thread: p.Thread}
			index[p.Thread] = g
			groups = append(groups, g)
		}
		g.seqs = append(g.seqs, p.Seq)
	}
	return groups
}

// monthThreads shows threads with their messages in the month, which are all read in the order of their rows: neighbours are found fast.
func (h *handler) monthThreads(tx *storage.Tx, q *request, groups []*group, since since) []templates.MonthThread {
	var seqs, roots []uint64
	for _, g := range groups {
		seqs = append(seqs, g.seqs[:min(len(g.seqs), monthRows)]...)
		roots = append(roots, g.thread)
	}
	slices.Sort(seqs)
	threads := archive.LoadThreads(tx, q.list.ID, roots)
	messages := make(map[uint64][]*archive.Message, len(groups))
	for _, m := range archive.Load(tx, q.list.ID, seqs) {
		messages[m.Thread] = append(messages[m.Thread], m)
	}
	out := make([]templates.MonthThread, 0, len(groups))
	for _, g := range groups {
		out = append(out, h.monthThread(q, g, groupRows{threads[g.thread], messages[g.thread]}, since))
	}
	return out
}

// groupRows is what there is of a group; no thread for a hole in the index.
type groupRows struct {
	thread *archive.Thread
	shown  []*archive.Message
}

func (h *handler) monthThread(q *request, g *group, rows groupRows, since since) (out templates.MonthThread) {
	shown, subject := rows.shown, ""
	if t := rows.thread; t != nil {
		out.Href, subject = q.threadPath(t.ID), t.Subject
		out.Earlier = g.seqs[0] != g.thread
	} else if len(shown) > 0 {
		out.Href, subject = q.threadPath(shown[0].ID), shown[0].Subject
	}
	out.Subject = q.subject(subject)
	out.More = len(g.seqs) - len(shown)
	out.Rows = make([]templates.OutlineRow, 0, len(shown))
	for _, n := range arrange(shown, false) {
		row := h.row(q, n, q.messagePath(n.Message))
		above := subject
		if n.parent != nil {
			above = n.parent.Subject
		}
		row.Subject = q.renamed(n.Subject, above)
		row.New, row.FirstNew = since.after(n.Received, n.Seq), n.Seq == since.first
		out.Rows = append(out.Rows, row)
	}
	return out
}

// row is a message in an outline.
func (h *handler) row(q *request, n node, href string) templates.OutlineRow {
	return templates.OutlineRow{
		Depth:         n.depth,
		Href:          href,
		From:          h.name(q, n.Message),
		Sent:          h.time(q, n.Date),
		HasAttachment: n.Attached > 0,
	}
}

// around links the months before and after, empty ones left out.
func (h *handler) around(tx *storage.Tx, q *request, month string, since since, view *templates.Month) {
	link := func(month string) (l templates.Link) {
		if month != "" {
			l = templates.Link{Href: q.monthPath(month) + since.query(0), Text: templates.NewMonth(q.lang(), month)}
		}
		return l
	}
	prev, next := archive.MonthsAround(tx, q.list.ID, month)
	view.Prev, view.Next = link(prev), link(next)
}

// name is how an author is called on pages.
func (h *handler) name(q *request, m *archive.Message) string {
	if name := q.called(m.FromName); name != "" {
		return name
	}
	if name := q.called(m.FromAddr); name != "" {
		return name
	}
	return h.set.T(q.lang(), "message.anonymous")
}

func (h *handler) time(q *request, t time.Time) templates.Time {
	if t.IsZero() {
		return templates.Time{}
	}
	return templates.NewTime(q.lang(), t.In(h.loc))
}

// pageNumber reads ?p= of something with that many entries; what makes no sense is the first page.
func pageNumber(p string, entries, perPage int) int {
	n, err := strconv.Atoi(p)
	if err != nil || n < 1 || n > (entries+perPage-1)/perPage {
		return 1
	}
	return n
}

// pageLinks leads to the parts of something long by href; nothing when it has only one.
func pageLinks(entries, perPage, current int, href func(page int) string) []templates.PageLink {
	pages := (entries + perPage - 1) / perPage
	if pages <= 1 {
		return nil
	}
	shown := map[int]bool{1: true, pages: true}
	for n := max(1, current-4); n <= min(pages, current+4); n++ {
		shown[n] = true
	}
	var out []templates.PageLink
	for _, n := range slices.Sorted(maps.Keys(shown)) {
		out = append(out, templates.PageLink{Href: href(n), Text: strconv.Itoa(n), Current: n == current})
	}
	return out
}
