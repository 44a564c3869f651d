package archive_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var start = time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC)

// shelf is an archive under test.
type shelf struct {
	*archive.Archive
	t   testing.TB
	log *bytes.Buffer
}

func open(t testing.TB, db *storage.DB) *shelf {
	var log bytes.Buffer
	return &shelf{&archive.Archive{DB: db, Location: time.FixedZone("JST", 9*3600), Log: slog.New(slog.NewTextHandler(&log, nil))}, t, &log}
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	return open(t, storagetest.Open(t))
}

// post makes the nth post, received n hours after start.
func post(n int, header ...string) archive.Entry {
	id := fmt.Sprintf("m%d@example.jp", n)
	h := "From: Ann <ann@example.jp>\r\nMessage-ID: <" + id + ">\r\n"
	for _, f := range header {
		h += f + "\r\n"
	}
	return archive.Entry{
		List: "list1", Post: fmt.Sprintf("p%d", n), Number: uint64(n), ID: id,
		Received: start.Add(time.Duration(n) * time.Hour),
		Raw:      []byte(h + "\r\nFrom here on, body " + fmt.Sprint(n) + "\r\n\r\n"),
	}
}

func (s *shelf) add(e archive.Entry) *archive.Message {
	s.t.Helper()
	m, err := s.Add(s.t.Context(), e, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s *shelf) view(fn func(*storage.Tx)) {
	s.t.Helper()
	if err := s.DB.View(s.t.Context(), func(tx *storage.Tx) error { fn(tx); return nil }); err != nil {
		s.t.Fatal(err)
	}
}

// check fails the test if the archive is not sound.
func (s *shelf) check() {
	s.t.Helper()
	for complaint := range s.Check(s.t.Context()) {
		s.t.Error(complaint)
	}
}

// dump writes all that the read functions tell of a list.
func (s *shelf) dump(list string) string {
	s.t.Helper()
	var b strings.Builder
	s.view(func(tx *storage.Tx) {
		b.Reset()
		for mo := range archive.Months(tx, list) {
			fmt.Fprintf(&b, "%s %d messages, %d bytes\n", mo.Month, mo.Messages, mo.Length)
			for m := range archive.InMonth(tx, list, mo.Month) {
				fmt.Fprintf(&b, "  %+v\n", *m)
			}
		}
		for t := range archive.Recent(tx, list) {
			fmt.Fprintf(&b, "%+v:", *t)
			for m := range archive.InThread(tx, list, t.Seq) {
				fmt.Fprintf(&b, " %d", m.Seq)
			}
			b.WriteByte('\n')
		}
	})
	return b.String()
}

// shape tells the threads of list1, newest first, by post numbers: "1 3 | 2".
func (s *shelf) shape() string {
	s.t.Helper()
	var all []string
	s.view(func(tx *storage.Tx) {
		all = nil
		for t := range archive.Recent(tx, "list1") {
			var one []string
			for m := range archive.InThread(tx, "list1", t.Seq) {
				one = append(one, fmt.Sprint(m.Number))
				if m.Thread != t.Seq {
					s.t.Errorf("message %d in thread %d says %d", m.Seq, t.Seq, m.Thread)
				}
			}
			all = append(all, strings.Join(one, " "))
		}
	})
	return strings.Join(all, " | ")
}

// raws checks that each entry is there once with its bytes.
func (s *shelf) raws(entries ...archive.Entry) {
	s.t.Helper()
	var found []*archive.Message
	s.view(func(tx *storage.Tx) {
		found = nil
		for mo := range archive.Months(tx, "list1") {
			found = slices.AppendSeq(found, archive.InMonth(tx, "list1", mo.Month))
		}
	})
	if len(found) != len(entries) {
		s.t.Errorf("%d messages in the archive, want %d", len(found), len(entries))
	}
	for _, e := range entries {
		i := slices.IndexFunc(found, func(m *archive.Message) bool { return m.Post == e.Post })
		if i < 0 {
			s.t.Errorf("post %s is not in the archive", e.Post)
			continue
		}
		if raw, err := s.Raw(found[i]); err != nil || !bytes.Equal(raw, e.Raw) {
			s.t.Errorf("post %s: got %q, %v\nwant %q", e.Post, raw, err, e.Raw)
		}
	}
}
