package web

import (
	"cmp"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"

	"kairan/list"
	"kairan/smtpd/message"
	"kairan/smtpd/queue"
	"kairan/storage"
	"kairan/templates"
)

const (
	heapsShown  = 50      // destinations or posts that one page of the queue names
	mostCounted = 100_000 // recipients that are added up for it, the oldest
)

// heap is recipients in the queue that have something in common.
type heap struct {
	key      string // the domain, or the ID of the post
	waiting  int
	attempts int       // of the one tried most often
	queued   time.Time // the oldest
	next     time.Time // the first to be tried
	reply    string    // what was last said to one of them
}

// siteQueue shows what waits to be sent, by destination or with by=post by post.
func (s *site) siteQueue(w http.ResponseWriter, r *http.Request, _ actor) error {
	page, err := pageNumber(r, 10_000)
	if err != nil {
		return err
	}
	f := templates.FrameOf(r.Context())
	by := "domain"
	if r.FormValue("by") == "post" {
		by = "post"
	}
	view := templates.SiteQueue{By: by}
	err = s.DB.View(r.Context(), func(tx *storage.Tx) error {
		var heaps []heap
		view.Waiting, view.Rows = 0, nil
		heaps, view.More = addUp(s.Path.Outbox.Rows(tx), by, mostCounted)
		for i, h := range heaps {
			view.Waiting += h.waiting
			if i/heapsShown == page-1 {
				view.Rows = append(view.Rows, s.heapRow(tx, h, by, f.Lang))
			}
		}
		view.Pages = parts(len(heaps), heapsShown, page, sitePath("queue")+"?by="+by)
		return nil
	})
	if err != nil {
		return err
	}
	return s.sitePage(w, r, "queue", templates.Reply{Page: "site-queue", View: view})
}

// addUp adds up what waits, most recipients first, and reports whether there is more than was to be looked at.
func addUp(rows iter.Seq[queue.Row], by string, most int) (all []heap, more bool) {
	at, n := map[string]int{}, 0
	for row := range rows {
		if n += len(row.Recipients); n > most {
			more = true
			break
		}
		for _, to := range row.Recipients {
			key := to.To.ASCIIDomain()
			if by == "post" {
				key = string(list.RenditionPost(row.Rendition))
			}
			i, ok := at[key]
			if !ok {
				i = len(all)
				at[key] = i
				all = append(all, heap{key: key, queued: row.Queued, next: row.Next})
			}
			h := &all[i]
			h.waiting++
			h.attempts = max(h.attempts, row.Attempts)
			if row.Queued.Before(h.queued) {
				h.queued = row.Queued
			}
			if row.Next.Before(h.next) {
				h.next = row.Next
			}
			h.reply = cmp.Or(row.Reply(to), h.reply)
		}
	}
	slices.SortFunc(all, func(x, y heap) int { return cmp.Or(y.waiting-x.waiting, cmp.Compare(x.key, y.key)) })
	return all, more
}

func (s *site) heapRow(tx *storage.Tx, h heap, by, lang string) templates.QueueRow {
	row := templates.QueueRow{
		Key: h.key, Name: h.key, Waiting: h.waiting, Attempts: h.attempts, Reply: h.reply,
		Queued: templates.NewTime(lang, h.queued.In(s.Site.Location)), Next: templates.NewTime(lang, h.next.In(s.Site.Location)),
	}
	if by == "post" {
		if p, err := list.GetPost(tx, list.PostID(h.key)); err == nil {
			row.Name = cmp.Or(message.Brief(p.Subject, maxSubject), s.Templates.T(lang, "message.no-subject"))
			if l, err := list.Get(tx, p.List); err == nil {
				row.List = l.Title()
			}
		}
	}
	return row
}

// changeQueue tries what waits now, or gives it up: of a domain, or of a post.
func (s *site) changeQueue(w http.ResponseWriter, r *http.Request, a actor) error {
	form, err := s.form(w, r)
	if err != nil {
		return err
	}
	lang, do, key := templates.FrameOf(r.Context()).Lang, form.Get("do"), form.Get("key")
	f := queue.Filter{Domain: key}
	back := url.Values{"by": {"domain"}}
	if form.Get("by") == "post" {
		f = queue.Filter{Rendition: key}
		back.Set("by", "post")
	}
	if key == "" || do != "retry" && do != "drop" {
		return errNotUnderstood
	}
	said := "site-queue.retried"
	change := s.Path.Retry
	if do == "drop" {
		if form.Get("sure") != "yes" {
			return s.done(w, r, sitePath("queue")+"?"+back.Encode(), templates.Flash{Text: s.Templates.T(lang, "site-queue.not-sure")})
		}
		said, change = "site-queue.dropped", s.Path.Drop
	}
	n := 0
	err = s.DB.Update(r.Context(), func(tx *storage.Tx) (err error) {
		n, err = change(tx, f, list.Edit{By: a.address.String(), Why: list.WhyGivenUp, At: time.Now()})
		return err
	})
	if err != nil {
		return err
	}
	s.Path.Outbox.Wake()
	return s.done(w, r, sitePath("queue")+"?"+back.Encode(), templates.Flash{Text: s.Templates.T(lang, said, "n", n)})
}
