package ingest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/ingest"
	"kairan/storage"
	"kairan/storage/storagetest"
)

var start = time.Date(2020, 5, 1, 0, 0, 0, 0, time.UTC)

func newArchive(t testing.TB, db *storage.DB) *archive.Archive {
	return &archive.Archive{DB: db, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

// shelf is an archive under test and what was reported.
type shelf struct {
	*archive.Archive
	t       testing.TB
	notices []ingest.Notice
}

func newShelf(t testing.TB) *shelf { return &shelf{Archive: newArchive(t, storagetest.Open(t)), t: t} }

// run imports files into list1.
func (s *shelf) run(files ...string) ingest.Result {
	s.t.Helper()
	var sources []ingest.Source
	for _, f := range files {
		sources = append(sources, ingest.Source{Path: f, Limit: 1 << 20})
	}
	r, err := s.with(ingest.Options{Sources: sources})
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *shelf) with(o ingest.Options) (ingest.Result, error) {
	s.notices = nil
	o.List, o.Names = "list1", []string{"janog"}
	o.Report = func(n *ingest.Notice) { s.notices = append(s.notices, *n) }
	return ingest.Run(s.t.Context(), s.Archive, o)
}

// all returns what readers see, by Seq.
func (s *shelf) all() (all []*archive.Message) {
	s.t.Helper()
	err := s.DB.View(s.t.Context(), func(tx *storage.Tx) error {
		all = nil
		for seq := uint64(1); ; seq++ {
			m, err := archive.BySeq(tx, "list1", seq)
			if err != nil {
				return nil
			}
			all = append(all, m)
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *shelf) raw(m *archive.Message) string {
	s.t.Helper()
	raw, err := s.Raw(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(raw)
}

// check fails the test if the archive is not sound.
func (s *shelf) check() {
	s.t.Helper()
	for complaint := range s.Check(s.t.Context()) {
		s.t.Error(complaint)
	}
}

// file writes a file and returns its name.
func file(t testing.TB, name, content string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// synthetic writes an mbox like that of a Japanese list: n messages in threads, every tenth with an attachment.
func synthetic(w io.Writer, n int) error {
	var b bytes.Buffer
	body := bytes.Repeat([]byte("回覧板を回します。ご確認ください。\n> 前回の議事録について、いくつか質問があります。\n"), 12)
	attachment := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("0123456789abcdef"), 600))
	for i := range n {
		at := start.Add(time.Duration(i) * 40 * time.Minute)
		b.Reset()
		fmt.Fprintf(&b, "From m%d@example.jp %s\n", i%97, at.Format(time.ANSIC))
		fmt.Fprintf(&b, "Received: from mx.example.jp (mx.example.jp [192.0.2.1]) by lists.example.jp; %s\n", at.Format(time.RFC1123Z))
		fmt.Fprintf(&b, "From: =?UTF-8?B?%s?= <m%d@example.jp>\n", base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "会員%d", i%97)), i%97)
		fmt.Fprintf(&b, "To: janog@example.jp\nDate: %s\nMessage-ID: <%d.%d@example.jp>\n", at.Format(time.RFC1123Z), i, at.Unix())
		fmt.Fprintf(&b, "Subject: Re: [janog:%d] =?UTF-8?B?%s?=\n", i+1, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "議題%d", i/7)))
		if i%7 != 0 {
			root := i - i%7
			fmt.Fprintf(&b, "References: <%d.%d@example.jp>\n", root, start.Add(time.Duration(root)*40*time.Minute).Unix())
		}
		b.WriteString("MIME-Version: 1.0\n")
		if i%10 == 0 {
			b.WriteString("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n")
			b.Write(body)
			fmt.Fprintf(&b, "\n--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n\n", attachment)
		} else {
			b.WriteString("Content-Type: text/plain; charset=utf-8\n\n")
			b.Write(body)
			b.WriteByte('\n')
		}
		if _, err := w.Write(b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}
