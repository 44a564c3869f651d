package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"kairan/archive"
	"kairan/archive/search"
	"kairan/storage"
	"kairan/templates"
)

const (
	searchHits   = 10      // on a page
	excerptBytes = 1 << 20 // of a message; a longer one is shown without an excerpt
)

// Search is what the pages are made of that search the archives. All but Log are needed.
type Search struct {
	Index     *search.Index
	Archive   *archive.Archive
	Access    archive.Access
	Templates *templates.Set
	Location  *time.Location // of days in queries, and of times
	Log       *slog.Logger
}

// searcher serves the pages that search.
type searcher struct {
	*handler
	index *search.Index
}

// Handler serves /LIST/search?q=, and /-/search?q= for all lists whose archives the reader may read. sort=date has the newest
// first, and p= is the page. Other forms of the answer are search.json, search.atom (the newest, whatever the order) and search.mbox.gz. The frame of the pages is taken from the request's context.
func (s Search) Handler() http.Handler {
	h := &searcher{handler: newHandler(s.Archive, s.Access, s.Templates, s.Location), index: s.Index}
	mux := http.NewServeMux()
	for ending, answer := range map[string]answerer{"": h.page, ".json": h.page, ".atom": h.feed, ".mbox.gz": h.mbox} {
		mux.HandleFunc("GET /{list}/search"+ending, h.with(func(q *request) error { return answer(q, []archive.Info{q.list}) }))
		mux.HandleFunc("GET /-/search"+ending, h.everywhere(answer))
	}
	return mux
}

// answerer answers a search in some lists.
type answerer func(q *request, lists []archive.Info) error

// everywhere searches all lists that the reader may read.
func (h *searcher) everywhere(answer answerer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &request{w: w, r: r, frame: templates.FrameOf(r.Context())}
		lists, err := h.access.Archives(r)
		q.frame.Private = q.frame.User != ""
		if err == nil {
			err = answer(q, lists)
		}
		h.failed(q, err)
	}
}

// path returns the address of the search, and with an ending that of its other forms.
func (q *request) searchPath(ending string) string {
	if q.list.ID == "" {
		return "/-/search" + ending
	}
	return q.base() + "search" + ending
}

// question returns the reader's query string with some parameters changed; the page is left out.
func question(r *http.Request, change map[string]string) string {
	values := url.Values{}
	for _, name := range []string{"q", "sort"} {
		value, ok := change[name]
		if !ok {
			value = r.URL.Query().Get(name)
		}
		if value != "" {
			values.Set(name, value)
		}
	}
	return values.Encode()
}

// ask asks the index.
func (h *searcher) ask(q *request, lists []archive.Info, request search.Request) (search.Result, error) {
	q.frame.Noindex = true
	q.w.Header().Set("X-Robots-Tag", "noindex")
	request.Whole = !q.stranger()
	request.Query = search.Parse(q.r.URL.Query().Get("q"), h.loc)
	for _, l := range lists {
		request.Lists = append(request.Lists, search.List{ID: l.ID, Name: l.Name})
	}
	return h.index.Search(q.r.Context(), request)
}

// orderOf returns the order that the reader wants.
func orderOf(r *http.Request) search.Order {
	if r.URL.Query().Get("sort") == "date" {
		return search.ByDate
	}
	return search.ByRelevance
}

// page shows what was found.
func (h *searcher) page(q *request, lists []archive.Info) error {
	values := q.r.URL.Query()
	query := search.Parse(values.Get("q"), h.loc)
	view := templates.Search{Action: q.searchPath(""), Query: values.Get("q"), Asked: !query.Empty(), Long: query.Long, Ignored: query.Ignored}
	view.Incomplete, view.Seen = !h.index.Complete(), search.MaxHits
	if q.list.ID != "" {
		view.Wider = templates.Link{Href: "/-/search?" + question(q.r, nil), Text: h.set.T(q.lang(), "search.everywhere")}
	}
	order := orderOf(q.r)
	if order == search.ByDate {
		view.Order = "date"
		view.Best = templates.Link{Href: "?" + question(q.r, map[string]string{"sort": ""}), Text: h.set.T(q.lang(), "search.best-first")}
	} else {
		view.Newest = templates.Link{Href: "?" + question(q.r, map[string]string{"sort": "date"}), Text: h.set.T(q.lang(), "search.newest-first")}
	}
	page := pageNumber(values.Get("p"), search.MaxHits, searchHits)
	result, err := h.ask(q, lists, search.Request{Order: order, Offset: (page - 1) * searchHits, Limit: searchHits})
	if view.Slow = errors.Is(err, search.ErrSlow); err != nil && !view.Slow {
		return err
	}
	view.Total = result.Total
	view.Pages = pageLinks(min(result.Total, search.MaxHits), searchHits, page, func(n int) string { return "?" + question(q.r, nil) + "&p=" + itoa(n) })
	if view.Hits, err = h.hits(q, query, lists, result.Hits); err != nil {
		return err
	}
	if view.Asked {
		asked := "?" + question(q.r, nil)
		q.frame.Forms = []templates.Form{
			h.form(q, templates.Atom, q.searchPath(".atom")+asked),
			h.form(q, templates.Gzip, q.searchPath(".mbox.gz")+asked),
			h.form(q, templates.JSON, q.searchPath(".json")+asked),
		}
	}
	return h.serve(q, "search", h.set.T(q.lang(), "search.title"), view)
}

// feed answers with the newest messages that were found.
func (h *searcher) feed(q *request, lists []archive.Info) error {
	result, err := h.ask(q, lists, search.Request{Order: search.ByDate, Limit: feedEntries})
	if err != nil {
		return err
	}
	messages, err := h.messages(q.r.Context(), result.Hits)
	if err != nil {
		return err
	}
	query := q.r.URL.Query().Get("q")
	asked := "?" + url.Values{"q": {query}}.Encode()
	title := h.set.T(q.lang(), "search.title") + ": " + query
	if q.list.ID != "" {
		title += " · " + q.list.Title
	}
	return h.handler.feed(q, feed{
		id: feedID("search", q.list.ID, query), title: title,
		self: q.searchPath(".atom") + asked, page: q.searchPath("") + asked + "&sort=date",
		messages: messages, list: inList(lists),
	})
}

// mbox serves the messages that were found, as many as can be seen.
func (h *searcher) mbox(q *request, lists []archive.Info) error {
	result, err := h.ask(q, lists, search.Request{Order: orderOf(q.r), Limit: search.MaxHits})
	if err != nil {
		return err
	}
	if len(result.Hits) == 0 {
		return storage.ErrNotFound
	}
	var s selection
	err = h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		s = selection{}
		for _, hit := range result.Hits {
			m, err := archive.BySeq(tx, hit.List, hit.Seq)
			if err == nil {
				s.add(m)
			} else if !errors.Is(err, storage.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return h.handler.mbox(q, "search", s)
}

// inList returns which list a message is in.
func inList(lists []archive.Info) func(*archive.Message) archive.Info {
	infos := map[string]archive.Info{}
	for _, l := range lists {
		infos[l.ID] = l
	}
	return func(m *archive.Message) archive.Info { return infos[m.List] }
}

// hits makes rows of what was found. What is hidden since the index looked at it is left out.
func (h *searcher) hits(q *request, query *search.Query, lists []archive.Info, found []search.Hit) ([]templates.SearchHit, error) {
	listOf := inList(lists)
	messages, err := h.messages(q.r.Context(), found)
	if err != nil {
		return nil, err
	}
	var out []templates.SearchHit
	r := h.arch.Reader()
	defer r.Close()
	for _, m := range messages {
		in := *q
		in.list = listOf(m)
		row := templates.SearchHit{
			Href:          in.messagePath(m),
			Subject:       pieces(search.Highlight(query, in.subject(m.Subject))),
			From:          h.name(&in, m),
			Sent:          h.time(&in, m.Date),
			HasAttachment: m.Attached > 0,
			Text:          h.excerpt(&in, r, query, m),
		}
		if q.list.ID == "" {
			row.List = templates.Link{Href: in.base(), Text: in.list.Title}
		}
		out = append(out, row)
	}
	return out, nil
}

// messages reads the rows of what was found.
func (h *searcher) messages(ctx context.Context, found []search.Hit) (messages []*archive.Message, err error) {
	err = h.arch.DB.View(ctx, func(tx *storage.Tx) error {
		messages = nil
		for _, hit := range found {
			m, err := archive.BySeq(tx, hit.List, hit.Seq)
			if err == nil {
				messages = append(messages, m)
			} else if !errors.Is(err, storage.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	return messages, err
}

// excerpt returns the place in a message that was found; nothing if it cannot be read, which is no reason to show no hits.
func (h *searcher) excerpt(q *request, r *archive.Reader, query *search.Query, m *archive.Message) []templates.SearchPiece {
	if m.Length > excerptBytes {
		return nil
	}
	raw, err := r.Raw(m)
	if err != nil {
		h.log.Error("search page: no excerpt", "list", m.List, "id", m.ID, "error", err)
		return nil
	}
	var mask func(string) string
	if q.stranger() {
		mask = q.mask
	}
	return pieces(search.ExcerptOf(query, raw, mask))
}

func pieces(in []search.Piece) (out []templates.SearchPiece) {
	for _, p := range in {
		out = append(out, templates.SearchPiece(p))
	}
	return out
}
