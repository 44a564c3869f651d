package web

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

const (
	frontThreads = 12                  // threads that a list's page shows, however old they are
	frontBusy    = 5                   // of the busiest lately
	lately       = 28 * 24 * time.Hour // what counts as lately
	latelyMost   = 200                 // threads of that time that are looked at; with more no sum is shown
	openYears    = 4                   // years whose months are shown at once
)

// Front is what the part of a list's page is made of that shows its archive.
type Front struct {
	List      archive.Info
	Frame     templates.Frame
	Templates *templates.Set
	Location  *time.Location
	Now       time.Time
}

// View returns that part: what goes on in the list, and the way to all that was ever posted to it.
func (f Front) View(tx *storage.Tx) templates.Front {
	h := &handler{set: f.Templates, loc: f.Location}
	q := &request{list: f.List, frame: f.Frame}
	var view templates.Front
	h.threads(tx, q, f.Now.Add(-lately), &view)
	var years []templates.Year
	for m := range archive.Months(tx, f.List.ID) { // newest first
		view.Total += m.Messages
		years = addMonth(q, years, m)
	}
	shade(years)
	view.Years = years[:min(len(years), openYears)]
	if view.Older = years[len(view.Years):]; len(view.Older) > 0 {
		view.OlderYears = view.Older[len(view.Older)-1].Year + "–" + view.Older[0].Year
		for _, y := range view.Older {
			view.OlderMessages += y.Messages
		}
	}
	return view
}

// threads fills in the threads that were written to last, and those in which most was written after a moment.
func (h *handler) threads(tx *storage.Tx, q *request, after time.Time, view *templates.Front) {
	var busy []templates.ThreadRow
	for t := range archive.Recent(tx, q.list.ID) {
		row := h.threadRow(q, t)
		if len(view.Threads) == 0 {
			view.Last = templates.NewDate(q.lang(), t.Last.In(h.loc))
		}
		recent := t.Last.After(after) && len(busy) < latelyMost
		if recent {
			row.Lately = t.Count
			if t.First.Before(after) {
				row.Lately = archive.CountSince(tx, q.list.ID, t.Seq, after)
			}
			view.LatelyMessages += row.Lately
			busy = append(busy, row)
		}
		if len(view.Threads) < frontThreads {
			view.Threads = append(view.Threads, row)
		} else if !recent {
			break
		}
	}
	if view.LatelyThreads = len(busy); len(busy) == latelyMost {
		view.LatelyThreads, view.LatelyMessages = 0, 0
	}
	view.Quiet = len(busy) == 0 && len(view.Threads) > 0
	slices.SortStableFunc(busy, func(a, b templates.ThreadRow) int { return cmp.Compare(b.Lately, a.Lately) })
	busy = busy[:min(len(busy), frontBusy)]
	for len(busy) > 0 && busy[len(busy)-1].Lately < 3 { // two messages are no crowd
		busy = busy[:len(busy)-1]
	}
	if view.LatelyThreads > frontBusy || len(view.Threads) > frontBusy {
		view.Busy = busy
	}
}

// threadRow is a thread in a list of threads.
func (h *handler) threadRow(q *request, t *archive.Thread) templates.ThreadRow {
	path := q.threadPath(t.ID)
	row := templates.ThreadRow{
		Href: path, Subject: q.subject(t.Subject), From: q.called(t.FromName),
		Count: t.Count, Last: h.time(q, t.Last), Latest: path + "#" + anchor(t.LastSeq), Seq: t.LastSeq,
	}
	if t.Count > threadPosts { // whatever page it is on
		row.Latest = path + "?since=" + anchor(t.LastSeq-1) + "#new"
		if q.frame.Static {
			row.Latest = path
		}
	}
	return row
}

// addMonth puts a month into the last of years, or into a new one.
func addMonth(q *request, years []templates.Year, m archive.Month) []templates.Year {
	year, month, ok := strings.Cut(m.Month, "-")
	n, err := strconv.Atoi(month)
	if !ok || err != nil || n < 1 || n > 12 {
		return years
	}
	if len(years) == 0 || years[len(years)-1].Year != year {
		y := templates.Year{Year: year}
		for _, name := range templates.MonthNames(q.lang()) {
			y.Months = append(y.Months, templates.MonthLink{Short: name})
		}
		years = append(years, y)
	}
	y := &years[len(years)-1]
	y.Messages += m.Messages
	link := &y.Months[n-1]
	link.Href, link.Name, link.Messages = q.monthPath(m.Month), templates.NewMonth(q.lang(), m.Month), m.Messages
	return years
}

// shade gives each month a level from 1 to 4 by its part of the busiest.
func shade(years []templates.Year) {
	most := 1
	for _, y := range years {
		for _, m := range y.Months {
			most = max(most, m.Messages)
		}
	}
	for _, y := range years {
		for i, m := range y.Months {
			y.Months[i].Level = (4*m.Messages + most - 1) / most
		}
	}
}
