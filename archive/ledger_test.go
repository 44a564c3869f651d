package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/archive"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var operator = archive.Order{By: "operator", Reason: "a test"}

// ok fails the test on an error.
func (s *shelf) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// message returns the message of post n, hidden or not.
func (s *shelf) message(n int) (m *archive.Message) {
	s.t.Helper()
	s.view(func(tx *storage.Tx) {
		var err error
		if m, err = archive.Find(tx, "list1", fmt.Sprintf("m%d@example.jp", n), 1); err != nil {
			s.t.Fatal(err)
		}
	})
	return m
}

// ways returns the ways by which a reader gets at the message of post n.
func (s *shelf) ways(n int) (found []string) {
	s.t.Helper()
	seq := s.message(n).Seq
	id := fmt.Sprintf("m%d@example.jp", n)
	s.view(func(tx *storage.Tx) {
		found = nil
		for name, find := range map[string]func() (*archive.Message, error){
			"ByID":     func() (*archive.Message, error) { return archive.ByID(tx, "list1", id, 1) },
			"ByNumber": func() (*archive.Message, error) { return archive.ByNumber(tx, "list1", uint64(n)) },
			"BySeq":    func() (*archive.Message, error) { return archive.BySeq(tx, "list1", seq) },
			"ByHash":   func() (*archive.Message, error) { return archive.ByHash(tx, "list1", archive.HashID(id)) },
		} {
			if m, err := find(); err == nil && m.Seq == seq {
				found = append(found, name)
			} else if !errors.Is(err, storage.ErrNotFound) {
				s.t.Errorf("%s: %v", name, err)
			}
		}
		for mo := range archive.Months(tx, "list1") {
			count := 0
			for m := range archive.InMonth(tx, "list1", mo.Month) {
				if count++; m.Seq == seq {
					found = append(found, "InMonth")
				}
			}
			if count != mo.Messages {
				s.t.Errorf("%s counts %d messages and shows %d", mo.Month, mo.Messages, count)
			}
		}
		for t := range archive.Recent(tx, "list1") {
			count := 0
			for m := range archive.InThread(tx, "list1", t.Seq) {
				if count++; m.Seq == seq {
					found = append(found, "InThread")
				}
			}
			if count != t.Count {
				s.t.Errorf("thread %s counts %d messages and shows %d", t.ID, t.Count, count)
			}
			if _, err := archive.ByID(tx, "list1", t.ID, 1); err != nil {
				s.t.Errorf("a thread is called after %s, which is not to be seen", t.ID)
			}
		}
	})
	return found
}

// rebuilt fails the test if an index made from a copy of the files alone differs.
func (s *shelf) rebuilt(dir string) {
	s.t.Helper()
	if diff := cmp.Diff(s.dump("list1"), s.fromFiles(dir).dump("list1")); diff != "" {
		s.t.Errorf("made again from the files: %s", diff)
	}
}

// fromFiles makes an index from a copy of the files alone.
func (s *shelf) fromFiles(dir string) *shelf {
	s.t.Helper()
	copied := s.t.TempDir()
	s.ok(os.CopyFS(filepath.Join(copied, "files"), os.DirFS(filepath.Join(dir, "files"))))
	again := open(s.t, storagetest.OpenAt(s.t, copied))
	s.ok(again.Reindex(s.t.Context(), "list1", nil))
	again.check()
	return again
}

func TestHide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	s.add(post(1, "Subject: Hello"))
	s.add(post(2, "Subject: Re: Hello", "References: <m1@example.jp>"))
	s.add(post(3))
	f := follow(s)
	f.catchUp()
	whole := s.dump("list1")
	if got := s.ways(1); len(got) != 6 {
		t.Fatalf("at first there are %q", got)
	}
	m := s.message(1)
	s.ok(s.Hide(t.Context(), m, operator))
	if got := s.ways(1); got != nil {
		t.Errorf("hidden, and found by %q", got)
	}
	if _, err := s.Raw(s.message(1)); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("Raw: %v", err)
	}
	if n := f.catchUp(); n != 1 {
		t.Errorf("%d changes", n)
	}
	f.agrees()
	if got := s.shape(); got != "3 | 2" {
		t.Errorf("threads: %s", got)
	}
	s.add(post(4, "References: <m1@example.jp>")) // answers what is hidden
	if got := s.shape(); got != "2 4 | 3" {
		t.Errorf("threads: %s", got)
	}
	s.check()
	s.rebuilt(dir)
	s.ok(s.Reindex(t.Context(), "list1", nil))
	if got := s.ways(1); got != nil {
		t.Errorf("after Reindex found by %q", got)
	}
	f.catchUp()
	f.agrees()
	s.ok(s.Hide(t.Context(), s.message(4), operator))
	s.ok(s.Unhide(t.Context(), s.message(1), operator))
	s.ok(s.Hide(t.Context(), s.message(2), operator))
	s.ok(s.Hide(t.Context(), s.message(3), operator)) // a thread of which nothing is left
	if got := s.shape(); got != "1" {
		t.Errorf("threads: %s", got)
	}
	f.catchUp()
	f.agrees()
	s.rebuilt(dir)
	for _, n := range []int{2, 3} {
		s.ok(s.Unhide(t.Context(), s.message(n), operator))
	}
	s.check()
	if got := s.shape(); got != "3 | 1 2" {
		t.Errorf("threads: %s", got)
	}
	_ = whole
	var deeds []archive.Deed
	for act, err := range s.Ledger(t.Context(), "list1") {
		s.ok(err)
		deeds = append(deeds, act.Do)
		if act.By != "operator" || act.Reason != "a test" || act.At.IsZero() || act.ID == "" {
			t.Errorf("%+v", act)
		}
	}
	if diff := cmp.Diff([]archive.Deed{"hide", "hide", "unhide", "hide", "hide", "unhide", "unhide"}, deeds); diff != "" {
		t.Error(diff)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	s.Withdrawn = "取り下げられました。\n"
	s.add(post(1, "Subject: Hello", "References: <m0@example.jp>", "X-Secret: x"))
	s.add(post(2, "Subject: Re: Hello", "References: <m1@example.jp>"))
	s.ok(s.Redact(t.Context(), s.message(1), operator))
	for range 2 {
		s.view(func(tx *storage.Tx) {
			m, err := archive.ByID(tx, "list1", "m1@example.jp", 1)
			if err != nil {
				t.Fatal(err)
			}
			if m.FromName+m.FromAddr+m.Subject != "" || m.Sight() != archive.Redacted {
				t.Errorf("%+v", m)
			}
			raw, err := s.Raw(m)
			want := "Message-ID: <m1@example.jp>\r\nReferences: <m0@example.jp>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n取り下げられました。\r\n"
			if diff := cmp.Diff(want, string(raw)); diff != "" || err != nil {
				t.Error(err, diff)
			}
			th, err := archive.GetThread(tx, "list1", m.Thread)
			if err != nil || th.Subject+th.FromName != "" || th.Count != 2 {
				t.Errorf("%+v, %v", th, err)
			}
		})
		s.check()
		s.ok(s.Reindex(t.Context(), "list1", nil))
	}
	s.rebuilt(dir)
	s.ok(s.Unhide(t.Context(), s.message(1), operator))
	if raw, err := s.Raw(s.message(1)); err != nil || !strings.Contains(string(raw), "X-Secret") {
		t.Errorf("%s, %v", raw, err)
	}
	s.view(func(tx *storage.Tx) {
		if th, err := archive.GetThread(tx, "list1", 1); err != nil || th.Subject != "Hello" || th.FromName != "Ann" {
			t.Errorf("%+v, %v", th, err)
		}
	})
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	m := s.add(post(1))
	const window = 72 * time.Hour
	if err := s.Withdraw(t.Context(), m, archive.Withdrawal{Author: "bob@example.jp", Window: window, Now: m.Received}); !errors.Is(err, archive.ErrNotAuthor) {
		t.Errorf("another's: %v", err)
	}
	if err := s.Withdraw(t.Context(), m, archive.Withdrawal{Author: "", Window: window, Now: m.Received}); !errors.Is(err, archive.ErrNotAuthor) {
		t.Errorf("nobody's: %v", err)
	}
	if err := s.Withdraw(t.Context(), m, archive.Withdrawal{Author: "ann@example.jp", Window: window, Now: m.Received.Add(window + time.Second)}); !errors.Is(err, archive.ErrTooLate) {
		t.Errorf("late: %v", err)
	}
	s.ok(s.Withdraw(t.Context(), m, archive.Withdrawal{Author: "Ann@Example.jp", Window: window, Now: m.Received.Add(window)}))
	if s.message(1).Sight() != archive.Redacted {
		t.Error("not redacted")
	}
}

func TestSplitAndJoin(t *testing.T) {
	t.Parallel()
	ref := func(n int) string { return fmt.Sprintf("References: <m%d@example.jp>", n) }
	chain := []archive.Entry{post(1), post(2, ref(1)), post(3, ref(2)), post(4, ref(1)), post(5)}
	late := []archive.Entry{post(3, ref(2)), post(2, ref(1)), post(1), post(5)}
	for name, c := range map[string]struct {
		posts []archive.Entry
		do    string // "split 2", "join 5 1"; separated by ", "
		want  string
		fails bool
	}{
		"split":                                 {posts: chain, do: "split 2", want: "5 | 1 4 | 2 3"},
		"split a leaf":                          {posts: chain, do: "split 4", want: "5 | 4 | 1 2 3"},
		"split the head":                        {posts: chain, do: "split 1", want: "5 | 1 2 3 4", fails: true},
		"split twice":                           {posts: chain, do: "split 2, split 2", want: "5 | 1 4 | 2 3", fails: true},
		"split and split":                       {posts: chain, do: "split 2, split 3", want: "5 | 1 4 | 3 | 2"},
		"split what came late":                  {posts: late, do: "split 3", want: "5 | 3 | 1 2"},
		"split in the middle of what came late": {posts: late, do: "split 2", want: "5 | 2 3 | 1"},
		"join":                                  {posts: chain, do: "join 5 2", want: "1 2 3 4 5"},
		"join a thread":                         {posts: chain, do: "join 1 5", want: "1 2 3 4 5"},
		"join a branch":                         {posts: chain, do: "join 2 5", want: "2 3 5 | 1 4"},
		"join to its answer":                    {posts: chain, do: "join 1 3", want: "5 | 1 2 3 4", fails: true},
		"join to itself":                        {posts: chain, do: "join 1 1", want: "5 | 1 2 3 4", fails: true},
		"join in the thread":                    {posts: chain, do: "join 4 3", want: "5 | 1 2 3 4"},
		"split and join back":                   {posts: chain, do: "split 2, join 2 1", want: "5 | 1 2 3 4"},
		"join and split":                        {posts: chain, do: "join 5 2, split 5", want: "5 | 1 2 3 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := open(t, storagetest.OpenAt(t, dir))
			for _, e := range c.posts {
				s.add(e)
			}
			var err error
			for do := range strings.SplitSeq(c.do, ", ") {
				var deed string
				var n, parent int
				fmt.Sscan(do, &deed, &n, &parent)
				if deed == "split" {
					err = s.Split(t.Context(), s.message(n), operator)
				} else {
					err = s.Join(t.Context(), s.message(n), s.message(parent), operator)
				}
			}
			if c.fails != errors.Is(err, archive.ErrThread) || !c.fails && err != nil {
				t.Errorf("%v", err)
			}
			if got := s.shape(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			s.check()
			if got := s.fromFiles(dir).shape(); got != c.want {
				t.Errorf("made again from the files: %s, want %s", got, c.want)
			}
		})
	}
}

// TestSplitHolds sends the parent and an answer of a message after it was split off.
func TestSplitHolds(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.add(post(2, "References: <m1@example.jp>"))
	s.add(post(3, "References: <m1@example.jp>"))
	s.add(post(4, "References: <m2@example.jp>", "In-Reply-To: <m3@example.jp>"))
	s.ok(s.Split(t.Context(), s.message(3), operator))
	s.add(post(1))
	s.add(post(5, "References: <m3@example.jp>"))
	if got := s.shape(); got != "3 4 5 | 1 2" {
		t.Errorf("threads: %s", got)
	}
	s.check()
}

// TestLedgerAfterCrash stops after a line was written and before it was carried out, and within a line.
func TestLedgerAfterCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	t.Run("before", func(t *testing.T) {
		s := open(t, storagetest.OpenAt(t, dir))
		s.add(post(1))
		s.add(post(2))
		s.ok(s.Hide(t.Context(), s.message(1), operator))
	})
	line, err := json.Marshal(archive.Act{At: start, Do: archive.Hide, Post: "p2", ID: "m2@example.jp", By: "operator"})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "files/archive/list1/ledger.jsonl")
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "%s\n%s", line, line[:20])
	f.Close()
	s := open(t, storagetest.OpenAt(t, dir))
	s.ok(s.Recover(t.Context()))
	if got := s.shape(); got != "" {
		t.Errorf("threads: %s", got)
	}
	s.check()
	aside := ""
	for name := range s.DB.Blobs.All("lost+found/") {
		aside += fileBytes(t, dir, name)
	}
	if aside != string(line[:20]) {
		t.Errorf("set aside: %q", aside)
	}
	s.ok(s.Unhide(t.Context(), s.message(2), operator))
	s.check()
}

// TestLedgerFullDisk cannot write the line, or not the rows.
func TestLedgerFullDisk(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	m := s.add(post(1))
	whole := s.DB.Blobs
	s.DB.Blobs = &failing{Blobs: whole, in: "ledger", bytes: 10}
	if err := s.Hide(t.Context(), m, operator); !errors.Is(err, errDisk) {
		t.Errorf("%v", err)
	}
	s.DB.Blobs = whole
	if len(s.ways(1)) != 6 {
		t.Error("it is hidden all the same")
	}
	s.add(post(2))
	s.ok(s.Hide(t.Context(), m, operator))
	s.check()
}

func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	s.ok(s.Hide(t.Context(), s.add(post(1)), operator))
	name := filepath.Join(dir, "files/archive/list1/ledger.jsonl")
	if err := os.WriteFile(name, []byte(strings.Replace(fileBytes(t, dir, "archive/list1/ledger.jsonl"), "{", "x", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	complaints := 0
	for complaint := range s.Check(context.Background()) {
		if complaints++; !strings.Contains(complaint, "ledger cannot be read") {
			t.Error(complaint)
		}
	}
	if complaints != 1 {
		t.Errorf("%d complaints", complaints)
	}
	if err := s.Reindex(t.Context(), "list1", nil); err == nil {
		t.Error("a list is indexed without its ledger: what is hidden would be seen")
	}
	if got := s.shape(); got != "" {
		t.Errorf("threads: %s", got)
	}
}

// Whoever keeps a record hears of each act once, and not again when the index is made anew.
func TestActed(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	var told []string
	s.Acted = func(_ *storage.Tx, list string, act archive.Act) error {
		told = append(told, list+" "+string(act.Do)+" "+act.ID+" by "+act.By)
		return nil
	}
	s.add(post(1))
	s.ok(s.Hide(t.Context(), s.message(1), operator))
	s.ok(s.Unhide(t.Context(), s.message(1), operator))
	s.ok(s.Reindex(t.Context(), "list1", nil))
	want := []string{"list1 hide m1@example.jp by operator", "list1 unhide m1@example.jp by operator"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}
