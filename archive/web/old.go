package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

// OldPrefixes are where Mailman's archives were: of version 2 (pipermail, public and private), and of version 3 (HyperKitty) as Debian,
// its own documentation and others put it.
var (
	pipermailPrefixes  = []string{"/pipermail", "/mailman/private"}
	hyperkittyPrefixes = []string{"/hyperkitty", "/archives", "/mailman3/hyperkitty"}
)

// Old leads from the addresses of Mailman's archives to ours. Where a message was is asked only for a reader who may read the archive.
// What is not of that form is left to next.
func Old(arch *archive.Archive, access archive.Access, set *templates.Set, next http.Handler) http.Handler {
	h := newHandler(arch, access, set, time.UTC)
	mux := http.NewServeMux()
	for _, prefix := range pipermailPrefixes {
		for pattern, serve := range map[string]func(*request) error{
			"/{list}":                 frontPage,
			"/{list}/{$}":             frontPage,
			"/{list}/{volume}":        pipermailFile,
			"/{list}/{volume}/{$}":    pipermailVolume,
			"/{list}/{volume}/{page}": h.pipermailPage,

			"/{list}/attachments/{volume}/{rest...}": pipermailVolume,
		} {
			mux.HandleFunc("GET "+prefix+pattern, h.renamed(serve))
		}
	}
	for _, prefix := range hyperkittyPrefixes {
		for pattern, serve := range map[string]func(*request) error{
			"/{$}":                                  frontPage,
			"/{year}/{month}/{$}":                   hyperkittyMonth,
			"/{year}/{month}/{day}/{$}":             hyperkittyMonth,
			"/latest":                               frontPage,
			"/message/{hash}/{$}":                   h.hyperkittyMessage,
			"/message/{hash}/attachment/{n}/{name}": h.hyperkittyMessage,
			"/thread/{hash}/{$}":                    h.hyperkittyThread,
			"/thread/{hash}/{more}":                 h.hyperkittyThread,
			"/export/{file}":                        h.hyperkittyExport,
		} {
			mux.HandleFunc("GET "+prefix+"/list/{list}"+pattern, h.renamed(serve))
		}
		mux.HandleFunc("GET "+prefix+"/search", hyperkittySearch)
	}
	mux.Handle("/", next)
	return mux
}

// renamed is asked for addresses in which a list may be called by an address that it had on another host.
func (h *handler) renamed(serve func(*request) error) http.HandlerFunc {
	ask := h.asked(serve)
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("list")
		if local, _, ok := strings.Cut(name, "@"); ok {
			if _, err := h.access.Archive(r, name); errors.Is(err, storage.ErrNotFound) {
				r.SetPathValue("list", local)
			}
		}
		ask(w, r)
	}
}

// frontPage leads to the list's page.
func frontPage(q *request) error {
	q.lead(q.base())
	return nil
}

// lead redirects for ever, without the query, which meant something else.
func (q *request) lead(path string) {
	q.r.URL.RawQuery = ""
	q.redirect(path)
}

// volume finds the period in the name of one of pipermail's volumes: a month, a year with or without a quarter, a week or a day.
var volume = regexp.MustCompile(`^(?:(\d{4})-([A-Z][a-z]+)|(\d{4})(?:q([1-4]))?|(?:Week-of-Mon-)?(\d{4})(\d\d)\d\d)$`)

// monthOf returns the month in which a volume of pipermail begins, "" for what is none.
func monthOf(name string) string {
	m := volume.FindStringSubmatch(name)
	switch {
	case m == nil:
		return ""
	case m[1] != "":
		t, err := time.Parse("2006-January", m[1]+"-"+m[2])
		if err != nil {
			return ""
		}
		return t.Format("2006-01")
	case m[3] != "":
		quarter, _ := strconv.Atoi(m[4])
		return fmt.Sprintf("%s-%02d", m[3], max(0, quarter-1)*3+1)
	}
	return m[5] + "-" + m[6]
}

// pipermailVolume leads to the month of a volume, or of the day under which an attachment was: what pipermail called it nobody can know.
func pipermailVolume(q *request) error {
	month := monthOf(q.r.PathValue("volume"))
	if !isMonth(month) {
		return storage.ErrNotFound
	}
	q.lead(q.monthPath(month))
	return nil
}

// pipermailFile leads from the text of a volume to the mbox of its month.
func pipermailFile(q *request) error {
	name := q.r.PathValue("volume")
	if name == "index.html" {
		return frontPage(q)
	}
	file, isText := strings.CutSuffix(strings.TrimSuffix(name, ".gz"), ".txt")
	month := monthOf(file)
	switch {
	case !isMonth(month):
		return storage.ErrNotFound
	case isText:
		q.lead(q.base() + month + ".mbox.gz")
	default:
		q.lead(q.monthPath(month))
	}
	return nil
}

// pipermailPage leads to the message that was NNNNNN.html, or from an index of a volume to its month.
func (h *handler) pipermailPage(q *request) error {
	page, ok := strings.CutSuffix(q.r.PathValue("page"), ".html")
	if !ok || monthOf(q.r.PathValue("volume")) == "" {
		return storage.ErrNotFound
	}
	n, err := strconv.ParseUint(page, 10, 64)
	if err != nil {
		switch page {
		case "thread", "date", "subject", "author", "index":
			return pipermailVolume(q)
		}
		return storage.ErrNotFound
	}
	m, err := h.lookFor(q, func(tx *storage.Tx) (*archive.Message, error) { return archive.ByPipermail(tx, q.list.ID, n) })
	if err != nil {
		return err
	}
	q.lead(q.messagePath(m))
	return nil
}

func (h *handler) lookFor(q *request, find func(*storage.Tx) (*archive.Message, error)) (m *archive.Message, err error) {
	err = h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) (err error) {
		m, err = find(tx)
		return err
	})
	return m, err
}

// byHash returns the message that HyperKitty called by a hash.
func (h *handler) byHash(q *request, hash string) (*archive.Message, error) {
	return h.lookFor(q, func(tx *storage.Tx) (*archive.Message, error) {
		return archive.ByHash(tx, q.list.ID, strings.ToUpper(hash))
	})
}

func hyperkittyMonth(q *request) error {
	year, err := strconv.Atoi(q.r.PathValue("year"))
	month, err2 := strconv.Atoi(q.r.PathValue("month"))
	path := fmt.Sprintf("%04d-%02d", year, month)
	if err != nil || err2 != nil || !isMonth(path) {
		return storage.ErrNotFound
	}
	q.lead(q.monthPath(path))
	return nil
}

func (h *handler) hyperkittyMessage(q *request) error {
	m, err := h.byHash(q, q.r.PathValue("hash"))
	if err == nil {
		q.lead(q.messagePath(m))
	}
	return err
}

func (h *handler) hyperkittyThread(q *request) error {
	m, err := h.byHash(q, q.r.PathValue("hash"))
	if err == nil {
		q.lead(q.threadPath(m.ID))
	}
	return err
}

// hyperkittyExport leads to the mbox of the month or thread that was to be exported.
func (h *handler) hyperkittyExport(q *request) error {
	values := q.r.URL.Query()
	if hash := values.Get("thread"); hash != "" {
		m, err := h.byHash(q, hash)
		if err == nil {
			q.lead(q.threadPath(m.ID) + "thread.mbox.gz")
		}
		return err
	}
	start, err := time.Parse(time.DateOnly, values.Get("start"))
	if err != nil {
		return frontPage(q)
	}
	q.lead(q.base() + start.Format("2006-01") + ".mbox.gz")
	return nil
}

// hyperkittySearch leads to the search in one list, or in all. It does not look whether there is such a list.
func hyperkittySearch(w http.ResponseWriter, r *http.Request) {
	path := "/-/search"
	if list := r.URL.Query().Get("mlist"); list != "" {
		path = "/" + archive.EscapeSegment(list) + "/search"
	}
	w.Header().Set("Location", path+"?"+url.Values{"q": {r.URL.Query().Get("q")}}.Encode())
	w.WriteHeader(http.StatusMovedPermanently)
}
