package export

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"kairan/archive"
	"kairan/archive/mbox"
	"kairan/storage"
)

// Options say what is written where.
type Options struct {
	List     string // opaque list ID
	Dir      string // a new or empty folder
	Raw      bool   // without archive.Public, for the operator
	Progress func(done, total int)
}

// chunk is how many messages are read from the index at once.
const chunk = 500

// Mbox writes a file for each month and returns the number of messages.
func Mbox(ctx context.Context, a *archive.Archive, o Options) (n int, err error) {
	var out *os.File
	var w *bufio.Writer
	done := func() error {
		if out == nil {
			return nil
		}
		err := errors.Join(w.Flush(), out.Sync(), out.Close())
		out = nil
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	month := ""
	var buf []byte
	return each(ctx, a, o, func(of string, m *archive.Message, raw []byte) error {
		if of != month {
			if err := done(); err != nil {
				return err
			}
			if out, err = create(filepath.Join(o.Dir, of+".mbox")); err != nil {
				return err
			}
			month, w = of, bufio.NewWriterSize(out, 256<<10)
		}
		rec := mbox.Record{Received: m.Received, Raw: raw}
		if o.Raw {
			rec.Post, rec.Number, rec.ID, rec.Seq, rec.Old = m.Post, m.Number, m.ID, m.Seq, m.Old
		}
		buf = mbox.Append(buf[:0], rec)
		_, err := w.Write(buf)
		return err
	})
}

// Maildir writes a file for each message, as read, and returns their number.
func Maildir(ctx context.Context, a *archive.Archive, o Options) (int, error) {
	return each(ctx, a, o, func(_ string, m *archive.Message, raw []byte) error {
		// The name's form is that of maildir(5): time, what makes it unique, host, and the flag S for seen.
		name := filepath.Join(o.Dir, "cur", fmt.Sprintf("%d.S%d.kairan:2,S", m.Received.Unix(), m.Seq))
		f, err := create(name)
		if err != nil {
			return err
		}
		_, err = f.Write(withLF(raw))
		return errors.Join(err, f.Close(), os.Chtimes(name, m.Received, m.Received))
	}, "cur", "new", "tmp")
}

// create makes a new file.
func create(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

// withLF ends lines as files on this machine do.
func withLF(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i, c := range raw {
		if c != '\r' || i+1 == len(raw) || raw[i+1] != '\n' {
			out = append(out, c)
		}
	}
	return out
}

// each makes the folder and those in it, and calls write with every message that readers may see and the month that it is in, oldest month first.
func each(ctx context.Context, a *archive.Archive, o Options, write func(month string, m *archive.Message, raw []byte) error, inside ...string) (n int, err error) {
	if err := makeFolder(o.Dir, inside); err != nil {
		return 0, err
	}
	months, total, err := plan(ctx, a, o.List)
	if err != nil {
		return 0, err
	}
	for _, month := range months {
		for seen := 0; ; seen += chunk {
			some, err := part(ctx, a, o.List, month, seen)
			if err != nil {
				return n, err
			}
			for _, m := range some {
				raw, err := a.Raw(m)
				if err != nil {
					return n, err
				}
				if !o.Raw {
					raw = archive.Public(raw)
				}
				if err := write(month, m, raw); err != nil {
					return n, fmt.Errorf("export message %s: %w", m.ID, err)
				}
				if n++; o.Progress != nil {
					o.Progress(n, max(n, total))
				}
			}
			if len(some) < chunk {
				break
			}
		}
	}
	return n, nil
}

// plan returns the months, oldest first, and how many messages they have.
func plan(ctx context.Context, a *archive.Archive, list string) (months []string, total int, err error) {
	err = a.DB.View(ctx, func(tx *storage.Tx) error {
		months, total = nil, 0
		for mo := range archive.Months(tx, list) {
			months = append([]string{mo.Month}, months...)
			total += mo.Messages
		}
		return nil
	})
	return months, total, err
}

// part returns messages of a month, without the first ones.
func part(ctx context.Context, a *archive.Archive, list, month string, skip int) (some []*archive.Message, err error) {
	err = a.DB.View(ctx, func(tx *storage.Tx) error {
		some = nil
		i := 0
		for m := range archive.InMonth(tx, list, month) {
			if i++; i <= skip {
				continue
			}
			if some = append(some, m); len(some) == chunk {
				break
			}
		}
		return ctx.Err()
	})
	return some, err
}

// makeFolder makes a folder with others inside; it may exist if it is empty.
func makeFolder(dir string, inside []string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(files) > 0 {
		return fmt.Errorf("%s is not empty: it has %s", dir, files[0].Name())
	}
	for _, name := range inside {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
	}
	return nil
}
