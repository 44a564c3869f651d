package web

import (
	"encoding/xml"
	"net/http"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

// mapEntries is how many addresses a sitemap may have (sitemaps.org).
const mapEntries = 50_000

// Sitemaps as sitemaps.org has them.
type (
	siteIndex struct {
		XMLName xml.Name   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Maps    []mapEntry `xml:"sitemap"`
	}
	siteMap struct {
		XMLName xml.Name   `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		Pages   []mapEntry `xml:"url"`
	}
	mapEntry struct {
		Location string `xml:"loc"`
		Modified string `xml:"lastmod,omitempty"`
	}
)

// Sitemap serves /sitemap.xml: the sitemaps of the months of all lists that are advertised, public and for search engines.
func Sitemap(arch *archive.Archive, access archive.Access, set *templates.Set) http.Handler {
	h := newHandler(arch, access, set, time.UTC)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &request{w: w, r: r, frame: templates.FrameOf(r.Context())}
		h.failed(q, h.siteIndex(q))
	})
}

func (h *handler) siteIndex(q *request) error {
	lists, err := h.access.Archives(q.r)
	if err != nil {
		return err
	}
	index := siteIndex{Maps: []mapEntry{}}
	err = h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		index.Maps = index.Maps[:0]
		for _, l := range lists {
			if l.Noindex || !l.Advertised {
				continue
			}
			in := request{list: l}
			for m := range archive.Months(tx, l.ID) {
				if len(index.Maps) == mapEntries {
					return nil
				}
				index.Maps = append(index.Maps, mapEntry{Location: q.frame.URL + in.monthPath(m.Month) + "sitemap.xml"})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.xml(index)
}

// monthMap serves the sitemap of a month: its page, and the threads that began in it.
func (h *handler) monthMap(q *request) error {
	month := q.r.PathValue("part")
	if !isMonth(month) || q.list.Noindex {
		return storage.ErrNotFound
	}
	var pages siteMap
	err := h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) error {
		pages.Pages = []mapEntry{{Location: q.frame.URL + q.monthPath(month)}}
		total := 0
		for _, g := range byThread(tx, q.list.ID, month, new(since), &total) {
			t, err := archive.GetThread(tx, q.list.ID, g.thread)
			if err != nil {
				return err
			}
			first := archive.Load(tx, q.list.ID, g.seqs[:1])
			if len(first) > 0 && t.First.Equal(first[0].Received) && len(pages.Pages) < mapEntries {
				pages.Pages = append(pages.Pages, mapEntry{q.frame.URL + q.threadPath(t.ID), t.Last.UTC().Format(time.RFC3339)})
			}
		}
		if total == 0 {
			return storage.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.xml(pages)
}

// xml answers with a document that programs read.
func (q *request) xml(document any) error {
	body, err := xml.Marshal(document)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/xml")
	q.download(append([]byte(xml.Header), body...), time.Time{})
	return nil
}
