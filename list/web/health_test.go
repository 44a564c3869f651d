package web

import (
	"fmt"
	"testing"
	"time"

	"kairan/list"
	"kairan/storage"
)

// tallied gives a list 400 days of numbers that end today.
func tallied(tx *storage.Tx, id list.ID, now time.Time) error {
	for day := range list.TallyDays {
		err := list.Count(tx, id, now.AddDate(0, 0, -day), func(t *list.Tally) {
			t.Joined, t.Left, t.Accepted, t.Held, t.Approved = 3, 1, 5, 2, 2
			for i := range 31 {
				t.Copies(fmt.Sprintf("d%d.example", i), list.Attempts{Accepted: 1000 + i, Deferred: 20, Refused: 3})
			}
			t.Copies("google", list.Attempts{Accepted: 9000})
			for _, class := range []string{"gone", "full", "unknown"} {
				t.Bounce(class)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// The page of a list's health has pictures, and their numbers in tables.
func TestHealthPage(t *testing.T) {
	t.Parallel()
	w, l := settingsWorld(t)
	w.join(l, "ann@example.jp")
	w.join(l, "bob@example.jp")
	w.post(l, 1, "a@example.jp", "One", "")
	me := w.login("olga@example.jp")
	_, page := w.get("/-/admin/janog/health", me, "Accept-Language: en")
	has(t, page, "Nothing came back.", "There are none.", "Nothing yet.")
	now := time.Now().In(w.site.Location)
	w.update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, parse(t, "ann@example.jp"))
		if err != nil {
			return err
		}
		m.DeliveryStatus = list.DeliveryByBounces
		return list.SetMember(tx, *m)
	})
	w.update(func(tx *storage.Tx) error { return tallied(tx, l.ID, now) })
	status, page := w.get("/-/admin/janog/health", me, "Accept-Language: en")
	if status != 200 || len(page) > 100_000 {
		t.Errorf("status %d, %d bytes", status, len(page))
	}
	has(t, page, "because of bounces", `<svg role="img" aria-labelledby="growth-title growth-desc"`, "<th scope=\"row\">"+now.Format("2006-01")+"</th>", "Google",
		`<td class="number">378,000</td>`, "the mailbox is not there", "others")
	hasNot(t, page, "health.")
	if status, _ := w.get("/-/admin/janog/health", w.login("mori@example.jp")); status != 403 {
		t.Errorf("a moderator: %d", status)
	}
}
