package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

// handler serves the reading pages.
type handler struct {
	arch   *archive.Archive
	access archive.Access
	set    *templates.Set
	loc    *time.Location
	log    *slog.Logger

	threadBytes int64         // bytes of mail that one page of a thread reads
	downloading chan struct{} // has room for the downloads that run at once
}

// Handler serves the reading pages of all archives under /LIST/, as the package's comment lists them; times are shown in loc.
// The frame of the pages (language, who is signed in) is taken from the request's context.
func Handler(arch *archive.Archive, access archive.Access, set *templates.Set, loc *time.Location) http.Handler {
	h := newHandler(arch, access, set, loc)
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*request) error{
		"/{list}/{part}":                      h.number,
		"/{list}/{part}/{$}":                  h.month,
		"/{list}/{part}/{file}":               h.monthFile,
		"/{list}/new.atom":                    h.listFeed,
		"/{list}/m/{id}":                      slash,
		"/{list}/m/{id}/{$}":                  h.message,
		"/{list}/m/{id}/index.json":           h.message,
		"/{list}/m/{id}/raw":                  h.raw,
		"/{list}/m/{id}/att/{n}/{name}":       h.attachment,
		"/{list}/m/{id}/{nth}":                slash,
		"/{list}/m/{id}/{nth}/{$}":            h.message,
		"/{list}/m/{id}/{nth}/index.json":     h.message,
		"/{list}/m/{id}/{nth}/raw":            h.raw,
		"/{list}/m/{id}/{nth}/att/{n}/{name}": h.attachment,
		"/{list}/t/{id}":                      slash,
		"/{list}/t/{id}/{$}":                  h.thread,
		"/{list}/t/{id}/{nth}/{$}":            h.thread,
		"/{list}/t/{id}/index.json":           h.thread,
		"/{list}/t/{id}/new.atom":             h.threadFeed,
		"/{list}/t/{id}/thread.mbox.gz":       h.threadMbox,
	} {
		mux.HandleFunc("GET "+pattern, h.with(serve))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusNotFound
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			status = http.StatusMethodNotAllowed
		}
		h.notice(&request{w: w, r: r, frame: templates.FrameOf(r.Context())}, status)
	})
	return mux
}

func newHandler(arch *archive.Archive, access archive.Access, set *templates.Set, loc *time.Location) *handler {
	h := &handler{arch: arch, access: access, set: set, loc: loc, log: arch.Log, threadBytes: threadBytes, downloading: make(chan struct{}, downloads)}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h
}

// request is one request for a page of a list's archive.
type request struct {
	w     http.ResponseWriter
	r     *http.Request
	list  archive.Info
	frame templates.Frame
}

// stranger reports whether the reader is not signed in.
func (q *request) stranger() bool { return q.frame.User == "" }

// lang returns the language of the page.
func (q *request) lang() string { return q.frame.Lang }

// base returns the path of the list's page.
func (q *request) base() string { return "/" + archive.EscapeSegment(q.list.Name) + "/" }

// with asks whether the reader may read the archive, leads to the list's proper name, and turns errors into pages.
func (h *handler) with(serve func(*request) error) http.HandlerFunc {
	return h.asked(func(q *request) error {
		if q.r.PathValue("list") != q.list.Name {
			q.redirect(q.base() + strings.SplitN(q.r.URL.EscapedPath(), "/", 3)[2])
			return nil
		}
		return serve(q)
	})
}

// asked asks whether the reader may read the archive, whatever the list is called in the address, and turns errors into pages.
func (h *handler) asked(serve func(*request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &request{w: w, r: r, frame: templates.FrameOf(r.Context())}
		info, err := h.access.Archive(r, r.PathValue("list"))
		q.list = info
		q.frame.Private, q.frame.Noindex = !info.Public, info.Noindex
		if info.Noindex {
			w.Header().Set("X-Robots-Tag", "noindex")
		}
		if info.Name != "" {
			q.frame.List = templates.ListHead{Title: info.Title, Href: q.base()}
		}
		if err == nil {
			err = serve(q)
		}
		h.failed(q, err)
	}
}

// failed turns what a page returned into an answer; nil is none.
func (h *handler) failed(q *request, err error) {
	switch {
	case err == nil:
	case errors.Is(err, storage.ErrNotFound):
		h.notice(q, http.StatusNotFound)
	case errors.Is(err, archive.ErrForbidden):
		h.notice(q, http.StatusForbidden)
	case errors.Is(err, errBusy):
		h.notice(q, http.StatusTooManyRequests)
	case q.r.Context().Err() != nil: // the reader went away
	default:
		h.log.Error("archive page", "path", q.r.URL.Path, "error", err)
		h.notice(q, http.StatusInternalServerError)
	}
}

func (h *handler) notice(q *request, status int) {
	if err := h.set.Notice(q.w, q.r, status, q.frame); err != nil {
		h.log.Error("archive page", "path", q.r.URL.Path, "error", err)
		http.Error(q.w, http.StatusText(status), status)
	}
}

// page answers with a page under the title.
func (h *handler) page(q *request, name, title string, view any) error {
	q.frame.Forms = append(q.frame.Forms, h.form(q, templates.JSON, "index.json"))
	return h.serve(q, name, title, view)
}

func (h *handler) serve(q *request, name, title string, view any) error {
	q.frame.Title = title
	return h.set.Serve(q.w, q.r, templates.Reply{Page: name, Frame: q.frame, View: view})
}

// redirect leads to a path for ever, keeping the query.
func (q *request) redirect(path string) {
	if q.r.URL.RawQuery != "" {
		path += "?" + q.r.URL.RawQuery
	}
	if q.frame.Private {
		q.w.Header().Set("Cache-Control", "private, no-store")
	}
	q.w.Header().Set("Location", path)
	q.w.WriteHeader(http.StatusMovedPermanently)
}

// slash leads to the address with a slash at its end.
func slash(q *request) error {
	q.redirect(q.r.URL.EscapedPath() + "/")
	return nil
}

// number leads from a post number to its message, and from other names to the address with a slash.
func (h *handler) number(q *request) error {
	part := q.r.PathValue("part")
	if month, ok := strings.CutSuffix(part, ".mbox.gz"); ok {
		return h.monthMbox(q, month)
	}
	n, err := strconv.ParseUint(part, 10, 64)
	if err != nil {
		if !isMonth(part) {
			return storage.ErrNotFound
		}
		return slash(q)
	}
	var m *archive.Message
	err = h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) (err error) {
		m, err = archive.ByNumber(tx, q.list.ID, n)
		return err
	})
	if err != nil {
		return err
	}
	q.redirectFound(q.messagePath(m)) // not for ever: a rebuilt archive may number an imported post anew
	return nil
}
