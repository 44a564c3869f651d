package export_test

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/archive/export"
	"kairan/archive/ingest"
	"kairan/storage"
	"kairan/storage/storagetest"
)

// newArchive returns an archive with 1,200 messages, of which the second is hidden and the third redacted.
func newArchive(t *testing.T) *archive.Archive {
	t.Helper()
	a := &archive.Archive{DB: storagetest.Open(t), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Withdrawn: "withdrawn\n"}
	var batch []*archive.Prepared
	for n := 1; n <= 1200; n++ {
		id := fmt.Sprintf("m%d@example.jp", n)
		p, err := archive.Prepare(archive.Entry{
			List: "list1", Post: fmt.Sprintf("p%d", n), Number: uint64(n), ID: id, Received: time.Date(2026, 1, 31, 10, n, 0, 0, time.UTC),
			Raw: fmt.Appendf(nil, "Received: from secret\r\nFrom: ann@example.jp\r\nMessage-ID: <%s>\r\nSubject: s%d\r\n\r\nFrom here, body %d.\r\n", id, n, n),
		})
		if err != nil {
			t.Fatal(err)
		}
		batch = append(batch, p)
	}
	if _, err := a.Import(t.Context(), "list1", batch); err != nil {
		t.Fatal(err)
	}
	for n, do := range map[int]func(*archive.Message) error{
		2: func(m *archive.Message) error { return a.Hide(t.Context(), m, archive.Order{By: "x"}) },
		3: func(m *archive.Message) error { return a.Redact(t.Context(), m, archive.Order{By: "x"}) },
	} {
		if err := do(message(t, a, n)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

func message(t *testing.T, a *archive.Archive, n int) (m *archive.Message) {
	t.Helper()
	err := a.DB.View(t.Context(), func(tx *storage.Tx) (err error) {
		m, err = archive.Find(tx, "list1", fmt.Sprintf("m%d@example.jp", n), 1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestExport(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for name, write := range map[string]func(export.Options) (int, error){
		"mbox":    func(o export.Options) (int, error) { return export.Mbox(t.Context(), a, o) },
		"maildir": func(o export.Options) (int, error) { return export.Maildir(t.Context(), a, o) },
	} {
		for _, raw := range []bool{false, true} {
			t.Run(fmt.Sprint(name, raw), func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "out")
				last := 0
				n, err := write(export.Options{List: "list1", Dir: dir, Raw: raw, Progress: func(done, total int) {
					if last = done; total != 1199 {
						t.Fatalf("%d in all", total)
					}
				}})
				if err != nil || n != 1199 || last != n {
					t.Fatalf("%d messages, %d told, %v", n, last, err)
				}
				text := content(t, dir)
				for what, want := range map[string]bool{
					"Received: from secret": raw, "body 2.": false, "body 3.": false, "withdrawn": true, "body 1200.": true,
					"X-Kairan-Number: 7\n": raw && name == "mbox", "\r": false,
				} {
					if strings.Contains(text, what) != want {
						t.Errorf("%q: want %t", what, want)
					}
				}
				back(t, name, dir)
				if _, err := write(export.Options{List: "list1", Dir: dir}); err == nil {
					t.Error("a folder with something in it is written into")
				}
			})
		}
	}
}

// content joins all files of a folder.
func content(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		b.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// back imports what was exported.
func back(t *testing.T, name, dir string) {
	t.Helper()
	sources := []ingest.Source{{Path: dir, Limit: archive.MaxMessage}}
	if name == "mbox" {
		sources = nil
		for _, month := range []string{"2026-01", "2026-02"} {
			sources = append(sources, ingest.Source{Path: filepath.Join(dir, month+".mbox"), Limit: archive.MaxMessage})
		}
	}
	other := &archive.Archive{DB: storagetest.Open(t), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	r, err := ingest.Run(t.Context(), other, ingest.Options{List: "list2", Names: []string{"x"}, Sources: sources})
	if err != nil || r.Added != 1199 || r.Lost != 0 {
		t.Errorf("imported again: %+v, %v", r, err)
	}
}
