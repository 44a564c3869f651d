package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/templates"
)

// front returns what the page of the list shows of its archive at a moment.
func (w *world) front(now time.Time, frame templates.Frame) (view templates.Front) {
	w.Helper()
	set, err := templates.New()
	if err != nil {
		w.Fatal(err)
	}
	f := Front{List: archive.Info{ID: "0list", Name: "janog", Address: "janog@lists.example.jp"}, Frame: frame, Templates: set, Location: tokyo, Now: now}
	if err := w.arch.DB.View(w.Context(), func(tx *storage.Tx) error { view = f.View(tx); return nil }); err != nil {
		w.Fatal(err)
	}
	return view
}

// entry is a message of a thread at a moment; a thread's name is its subject and the ID of its first message.
func entry(thread string, n int, at time.Time) archive.Entry {
	id, header := thread+"@x.test", "Subject: "+thread+"\r\n"
	if n > 0 {
		id, header = fmt.Sprintf("%s-%d@x.test", thread, n), "Subject: Re: "+thread+"\r\nReferences: <"+thread+"@x.test>\r\n"
	}
	return archive.Entry{List: "0list", Post: id, ID: id, Received: at,
		Raw: []byte("From: Ann Example <ann@example.jp>\r\nMessage-ID: <" + id + ">\r\nDate: " + at.Format(time.RFC1123Z) + "\r\n" + header + "\r\nText.\r\n")}
}

func rows(all []templates.ThreadRow) string {
	var out []string
	for _, r := range all {
		out = append(out, fmt.Sprintf("%s %d/%d", r.Subject, r.Lately, r.Count))
	}
	return strings.Join(out, ", ")
}

func TestFrontTellsWhatIsActive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, tokyo)
	day := 24 * time.Hour
	var all []archive.Entry
	for n := range 9 { // much was written, but most of it long ago
		all = append(all, entry("old", n, now.Add(-100*day+time.Duration(n)*time.Minute)))
	}
	all = append(all, entry("old", 9, now.Add(-3*day)))
	for i, posts := range []int{1, 4, 2, 3, 1} {
		for n := range posts {
			all = append(all, entry(fmt.Sprint("t", i), n, now.Add(-20*day+time.Duration(10*i+n)*time.Hour)))
		}
	}
	all = append(all, entry("x", 0, now.Add(-29*day)))
	w.fill(all)
	view := w.front(now, templates.Frame{Lang: "en"})
	if got, want := rows(view.Threads), "old 1/10, t4 1/1, t3 3/3, t2 2/2, t1 4/4, t0 1/1, x 0/1"; got != want {
		t.Errorf("threads %s, want %s", got, want)
	}
	if got, want := rows(view.Busy), "t1 4/4, t3 3/3"; got != want {
		t.Errorf("busy %s, want %s", got, want)
	}
	if view.LatelyMessages != 12 || view.LatelyThreads != 6 || view.Quiet || view.Total != 22 {
		t.Errorf("%d of %d messages in %d threads, quiet %v", view.LatelyMessages, view.Total, view.LatelyThreads, view.Quiet)
	}
	if got := view.Threads[0].Latest; got != "/janog/t/old@x.test/#m10" {
		t.Errorf("the newest of a thread is at %s", got)
	}
}

func TestFrontOfAQuietList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if view := w.front(time.Now(), templates.Frame{Lang: "ja"}); view.Quiet || len(view.Threads) > 0 || len(view.Years) > 0 {
		t.Errorf("an empty list has %+v", view)
	}
	w.fill([]archive.Entry{entry("last words", 0, time.Date(2019, 5, 3, 12, 0, 0, 0, tokyo))})
	view := w.front(time.Date(2026, 11, 15, 0, 0, 0, 0, tokyo), templates.Frame{Lang: "ja"})
	if !view.Quiet || view.Last.Human != "2019年5月3日（金）" || rows(view.Threads) != "last words 0/1" || len(view.Busy) > 0 {
		t.Errorf("%+v", view)
	}
}

func TestFrontOfTwentyYears(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []archive.Entry
	for m := range 20 * 12 {
		for n := range 1 + m%4 {
			all = append(all, entry(fmt.Sprint("t", m), n, time.Date(2006, time.Month(m+3), 2, 12, n, 0, 0, tokyo)))
		}
	}
	w.fill(all)
	view := w.front(time.Date(2026, 3, 1, 0, 0, 0, 0, tokyo), templates.Frame{Lang: "en"})
	if len(view.Years) != 4 || view.Years[0].Year != "2026" || len(view.Older) != 17 || view.OlderYears != "2006–2022" {
		t.Errorf("%d years open, from %s, and %d of %s", len(view.Years), view.Years[0].Year, len(view.Older), view.OlderYears)
	}
	sum := view.OlderMessages
	for _, y := range view.Years {
		sum += y.Messages
	}
	if sum != len(all) || view.Total != len(all) {
		t.Errorf("%d and %d of %d messages", sum, view.Total, len(all))
	}
	first := view.Older[len(view.Older)-1]
	if march := first.Months[2]; march.Href != "/janog/2006-03/" || march.Name != "March 2006" || march.Short != "Mar" || march.Level != 1 || first.Months[1].Href != "" || first.Months[5].Level != 4 {
		t.Errorf("the first year has %+v", first.Months)
	}
}

// TestFrontMasks makes sure that strangers see no whole address, and that marks with numbers do not repeat the list's name.
func TestFrontMasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.add("1@x.test", "Subject: [janog:00012] Write to bob@example.com\r\n", "Text.\r\n")
	now := time.Date(2026, 1, 6, 0, 0, 0, 0, tokyo)
	if got := w.front(now, templates.Frame{Lang: "en"}).Threads[0].Subject; got != "Write to b…@example.com" {
		t.Errorf("a stranger sees %q", got)
	}
	if got := w.front(now, templates.Frame{Lang: "en", User: "me@example.jp"}).Threads[0].Subject; got != "Write to bob@example.com" {
		t.Errorf("a member sees %q", got)
	}
}
