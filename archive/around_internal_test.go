package archive

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"kairan/storage"
	"kairan/storage/storagetest"
)

// places are what the page of a month is made of: for each message that is seen its Seq and its thread, and the same from the messages themselves.
func places(t *testing.T, a *Archive) (told, own []string) {
	t.Helper()
	err := a.DB.View(t.Context(), func(tx *storage.Tx) error {
		told, own = nil, nil
		for p := range MonthPlaces(tx, "list1", "2001-09") {
			told = append(told, fmt.Sprint(p.Seq, " of ", p.Thread))
		}
		for m := range InMonth(tx, "list1", "2001-09") {
			own = append(own, fmt.Sprint(m.Seq, " of ", m.Thread))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return told, own
}

// TestMonthPlaces decides about messages and compares what their month says of them; also in a store from when a month said nothing.
func TestMonthPlaces(t *testing.T) {
	t.Parallel()
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%v", old), func(t *testing.T) {
			t.Parallel()
			a := &Archive{DB: storagetest.Open(t), Location: time.UTC, Log: slog.New(slog.DiscardHandler)}
			var all []*Message
			for n, header := range []string{"", "References: <p0@example.jp>\r\n", "References: <p0@example.jp> <p1@example.jp>\r\n", "", "References: <p3@example.jp>\r\n"} {
				post := fmt.Sprint("p", n)
				e := Entry{List: "list1", Post: post, ID: post + "@example.jp", Received: time.Unix(1e9+int64(n), 0), Raw: []byte(header + "\r\n")}
				m, err := a.Add(t.Context(), e, nil)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, m)
			}
			if old {
				forgetPlaces(t, a)
			}
			agree := func(done string, want ...string) {
				t.Helper()
				if told, own := places(t, a); !slices.Equal(told, own) || !slices.Equal(told, want) {
					t.Errorf("%s: the month says %q, the messages %q, want %q", done, told, own, want)
				}
				for complaint := range a.Check(t.Context()) {
					t.Error(complaint)
				}
			}
			agree("at first", "1 of 1", "2 of 1", "3 of 1", "4 of 4", "5 of 4")
			order := Order{By: "test"}
			if err := a.Hide(t.Context(), all[3], order); err != nil {
				t.Fatal(err)
			}
			agree("hidden", "1 of 1", "2 of 1", "3 of 1", "5 of 4")
			if err := errors.Join(a.Unhide(t.Context(), all[3], order), a.Split(t.Context(), all[1], order)); err != nil {
				t.Fatal(err)
			}
			agree("shown again and split", "1 of 1", "2 of 2", "3 of 2", "4 of 4", "5 of 4")
			if err := a.Join(t.Context(), all[3], all[2], order); err != nil {
				t.Fatal(err)
			}
			agree("joined", "1 of 1", "2 of 2", "3 of 2", "4 of 2", "5 of 2")
			if err := a.Reindex(t.Context(), "list1", nil); err != nil {
				t.Fatal(err)
			}
			agree("indexed anew", "1 of 1", "2 of 2", "3 of 2", "4 of 2", "5 of 2")
			if n := unplaced(t, a); n > 0 {
				t.Errorf("%d rows are as of old", n)
			}
		})
	}
}

// oldMonthRows is the table as it was: its keys said all.
var oldMonthRows = storage.NewTable[monthKey, none](monthRows.Name(), storage.Pairs(text, storage.Pairs(text, when)))

func forgetPlaces(t *testing.T, a *Archive) {
	t.Helper()
	err := a.DB.Update(t.Context(), func(tx *storage.Tx) error {
		for k := range oldMonthRows.Scan(tx, storage.Range[monthKey]{}) {
			if err := oldMonthRows.Put(tx, k, none{}); err != nil {
				return err
			}
		}
		return nil
	})
	if n := unplaced(t, a); err != nil || n == 0 {
		t.Fatal(n, err)
	}
}

// unplaced counts the rows that say nothing.
func unplaced(t *testing.T, a *Archive) (n int) {
	t.Helper()
	err := a.DB.View(t.Context(), func(tx *storage.Tx) error {
		n = 0
		for _, p := range monthRows.Scan(tx, storage.Range[monthKey]{}) {
			if p.thread == 0 {
				n++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
