package main

import (
	"time"

	"kairan/list"
	"kairan/storage"
)

// joinedAt spreads the people of the demo over the year before, so that its lists have grown.
func joinedAt(i int, since time.Time) time.Time { return since.AddDate(0, -i%11, -i%20) }

// past makes up what was counted in the weeks before the demo began: nobody was there to be mailed.
func past(tx *storage.Tx, l *list.List, members int, now time.Time) error {
	for day := range list.HealthDays {
		at := now.AddDate(0, 0, -day-1)
		posts := (day*7 + 3) % 5 // a few on most days, none on some
		if at.Weekday() == time.Sunday {
			posts = 0
		}
		err := list.Count(tx, l.ID, at, func(t *list.Tally) {
			t.Accepted, t.Left = posts, (day%13)/12
			t.Copies("google", list.Attempts{Accepted: posts * members / 3, Deferred: posts * (day % 4)})
			t.Copies("docomo", list.Attempts{Accepted: posts * members / 10, Refused: day % 9 / 8})
			t.Copies("example.jp", list.Attempts{Accepted: posts * members / 2, Deferred: day % 6 / 5})
			if day%9 == 8 {
				t.Bounce("gone")
			}
			if day%6 == 5 {
				t.Held, t.Approved = 2, 1
				t.Bounce("full")
			}
			if day%14 == 13 {
				t.Held, t.Rejected, t.Discarded, t.Refused = 3, 1, 2, 1
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
