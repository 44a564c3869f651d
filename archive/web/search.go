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
// first, and p= is the page. The frame of the pages is taken from the request's context.
func (s Search) Handler() http.Handler {
	h := &searcher{handler: &handler{arch: s.Archive, access: s.Access, set: s.Templates, loc: s.Location, log: s.Log}, index: s.Index}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{list}/search", h.with(h.inList))
	mux.HandleFunc("GET /-/search", h.everywhere)
	return mux
}

// inList searches one list.
func (h *searcher) inList(q *request) error {
	wider := templates.Link{Href: "/-/search?" + question(q.r, nil), Text: h.set.T(q.lang(), "search.everywhere")}
	return h.answer(q, []archive.Info{q.list}, templates.Search{Action: q.base() + "search", Wider: wider})
}

// everywhere searches all lists that the reader may read.
func (h *searcher) everywhere(w http.ResponseWriter, r *http.Request) {
	q := &request{w: w, r: r, frame: templates.FrameOf(r.Context())}
	lists, err := h.access.Archives(r)
	q.frame.Private = q.frame.User != ""
	if err == nil {
		err = h.answer(q, lists, templates.Search{Action: "/-/search"})
	}
	h.failed(q, err)
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

// answer searches and shows what was found.
func (h *searcher) answer(q *request, lists []archive.Info, view templates.Search) error {
	values := q.r.URL.Query()
	query := search.Parse(values.Get("q"), h.loc)
	view.Query, view.Asked, view.Long, view.Ignored = values.Get("q"), !query.Empty(), query.Long, query.Ignored
	view.Incomplete, view.Seen = !h.index.Complete(), search.MaxHits
	order := search.ByRelevance
	if values.Get("sort") == "date" {
		order, view.Order = search.ByDate, "date"
		view.Best = templates.Link{Href: "?" + question(q.r, map[string]string{"sort": ""}), Text: h.set.T(q.lang(), "search.best-first")}
	} else {
		view.Newest = templates.Link{Href: "?" + question(q.r, map[string]string{"sort": "date"}), Text: h.set.T(q.lang(), "search.newest-first")}
	}
	page := pageNumber(values.Get("p"), search.MaxHits, searchHits)
	request := search.Request{Query: query, Order: order, Offset: (page - 1) * searchHits, Limit: searchHits}
	for _, l := range lists {
		request.Lists = append(request.Lists, search.List{ID: l.ID, Name: l.Name})
	}
	result, err := h.index.Search(q.r.Context(), request)
	if view.Slow = errors.Is(err, search.ErrSlow); err != nil && !view.Slow {
		return err
	}
	view.Total = result.Total
	view.Pages = pageLinks(min(result.Total, search.MaxHits), searchHits, page, func(n int) string { return "?" + question(q.r, nil) + "&p=" + itoa(n) })
	if view.Hits, err = h.hits(q, query, lists, result.Hits); err != nil {
		return err
	}
	q.w.Header().Set("X-Robots-Tag", "noindex")
	return h.page(q, "search", h.set.T(q.lang(), "search.title"), view)
}

// hits makes rows of what was found. What is hidden since the index looked at it is left out.
func (h *searcher) hits(q *request, query *search.Query, lists []archive.Info, found []search.Hit) ([]templates.SearchHit, error) {
	infos := map[string]archive.Info{}
	for _, l := range lists {
		infos[l.ID] = l
	}
	messages, err := h.messages(q.r.Context(), found)
	if err != nil {
		return nil, err
	}
	var out []templates.SearchHit
	for _, m := range messages {
		in := *q
		in.list = infos[m.List]
		row := templates.SearchHit{
			Href:          in.messagePath(m),
			Subject:       pieces(search.Highlight(query, in.subject(m.Subject))),
			From:          h.name(&in, m),
			Sent:          h.time(&in, m.Date),
			HasAttachment: m.Attached > 0,
			Text:          h.excerpt(&in, query, m),
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
func (h *searcher) excerpt(q *request, query *search.Query, m *archive.Message) []templates.SearchPiece {
	if m.Length > excerptBytes {
		return nil
	}
	raw, err := h.arch.Raw(m)
	if err != nil {
		h.log.Error("search page: no excerpt", "list", m.List, "id", m.ID, "error", err)
		return nil
	}
	var mask func(string) string
	if q.stranger() {
		mask = q.mask
	}
	return pieces(search.Excerpt(query, search.Readable(raw, mask)))
}

func pieces(in []search.Piece) (out []templates.SearchPiece) {
	for _, p := range in {
		out = append(out, templates.SearchPiece(p))
	}
	return out
}
