package posting_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/moderation"
	"kairan/storage"
)

// What is beyond a list's posts of the day waits, a moderator lets it through, and the next day begins anew.
func TestPostsPerDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("janog", func(s *list.Settings) { s.MaxPostsPerDay = 2 })
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		w.Run()
		verdict := func(id, want string) {
			t.Helper()
			post(t, w, 250, fromAnn(l, id))
			if got := w.Posts(id)[0].Verdict.String(); got != want {
				t.Errorf("%s: %s, not %s", id, got, want)
			}
		}
		verdict("1@id.test", "accept")
		verdict("2@id.test", "accept")
		verdict("3@id.test", "hold (posts-per-day)")
		w.Update(func(tx *storage.Tx) error {
			_, err := w.Moderation.Decide(tx, moderation.Decision{Post: w.Posts("3@id.test")[0].ID, Action: list.Accept, By: "mod@people.test"}, time.Now())
			return err
		})
		w.Path.Wake()
		listtest.Rest(time.Second)
		if n := w.Sink.Counts().Messages; n != 6 {
			t.Errorf("%d copies", n)
		}
		verdict("4@id.test", "hold (posts-per-day)")
		time.Sleep(24 * time.Hour)
		verdict("5@id.test", "accept")
	})
}

// An archive that is full holds posts, in the list that has it.
func TestArchiveFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l, other := w.List("janog", func(s *list.Settings) { s.MaxArchiveSize = 1 }), w.List("other", nil)
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Join(other, list.RoleMember, "ann@people.test")
		w.Run()
		for id, want := range map[string]string{"1@id.test": "accept", "2@id.test": "accept"} {
			m := fromAnn(l, id)
			m.Raw += strings.Repeat(strings.Repeat("x", 60)+"\n", 10_000)
			post(t, w, 250, m)
			if got := w.Posts(id)[0].Verdict.String(); got != want {
				t.Errorf("%s: %s", id, got)
			}
			listtest.Rest(time.Second)
		}
		post(t, w, 250, fromAnn(l, "3@id.test"))
		post(t, w, 250, fromAnn(other, "4@id.test"))
		if got := w.Posts("3@id.test")[0].Verdict.String(); got != "hold (archive-full)" {
			t.Errorf("the archive is full: %s", got)
		}
		if got := w.Posts("4@id.test")[0].Verdict.String(); got != "accept" {
			t.Errorf("another list: %s", got)
		}
		w.Update(func(tx *storage.Tx) error {
			news, err := w.Site.TakeQuotaNews(tx, l, time.Now())
			if len(news) != 1 || news[0].Quota != list.QuotaArchive || news[0].Turned != 1 {
				t.Errorf("the owners are to hear %+v", news)
			}
			return err
		})
	})
}
