package export

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"kairan/archive"
	"kairan/storage"
)

// marker is the file that tells a folder with an export from another one with something in it.
const marker = ".kairan-export"

// Pages are where an export of pages comes from.
type Pages struct {
	Handler http.Handler // serves the pages of one list, made for files (templates.Frame.Static)
	Base    string       // path of the list's page there, "/LIST/"
}

// HTML writes the reading pages of an archive as files and returns the number of messages. The folder may hold an
// earlier export of the list: what is as it was is left alone, and what is no longer there, or hidden, is deleted.
func HTML(ctx context.Context, a *archive.Archive, o Options, from Pages) (n int, err error) {
	s := &site{Pages: from, ctx: ctx, arch: a, Options: o}
	if err := s.open(); err != nil {
		return 0, err
	}
	if err := s.pages(""); err != nil {
		return 0, err
	}
	months, total, err := plan(ctx, a, o.List)
	if err != nil {
		return 0, err
	}
	for _, month := range months {
		if err := s.pages(month + "/"); err != nil {
			return n, err
		}
		for seen := 0; ; seen += chunk {
			some, err := part(ctx, a, o.List, month, seen)
			if err != nil {
				return n, err
			}
			for _, m := range some {
				if err := s.message(m); err != nil {
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
	return n, s.sweep()
}

// site is an export of pages that is being written.
type site struct {
	Pages
	Options
	ctx  context.Context
	arch *archive.Archive

	kept   []uint64        // hashes of the names of files that belong to the export
	static map[string]bool // static files that are written
	last   int             // highest ?p= that the page just written leads to
}

// open makes the folder, or makes sure that it is an export of the list.
func (s *site) open() error {
	s.static = map[string]bool{}
	file := filepath.Join(s.Dir, marker)
	was, err := os.ReadFile(file)
	switch {
	case err == nil && string(was) != s.List+"\n":
		return fmt.Errorf("%s holds the export of another list", s.Dir)
	case errors.Is(err, fs.ErrNotExist):
		if err := makeFolder(s.Dir, nil); err != nil {
			return err
		}
		if err := os.Chmod(s.Dir, 0o755); err != nil { // a web server reads it
			return err
		}
	case err != nil:
		return err
	}
	return s.write(marker, []byte(s.List+"\n"))
}

// pages writes a page, and the further parts of a long one.
func (s *site) pages(path string) error {
	s.last = 1
	for p := 1; p <= s.last; p++ {
		query := ""
		if p > 1 {
			query = "?p=" + strconv.Itoa(p)
		}
		if err := s.page(path + query); err != nil {
			return err
		}
	}
	return nil
}

// message writes the page of a message, what came with it, and the thread that begins with it.
func (s *site) message(m *archive.Message) error {
	path := "m/" + archive.EscapeSegment(m.ID) + "/"
	if m.Nth > 1 {
		path += strconv.Itoa(m.Nth) + "/"
	}
	if err := errors.Join(s.page(path), s.copy(path+"raw")); err != nil {
		return err
	}
	if root, err := s.root(m.ID); err != nil || root != m.ID || m.Nth > 1 {
		return err
	}
	return s.pages("t/" + archive.EscapeSegment(m.ID) + "/")
}

// root returns the Message-ID that names the thread of a message, "" if no page shows it.
func (s *site) root(id string) (root string, err error) {
	err = s.arch.DB.View(s.ctx, func(tx *storage.Tx) error {
		root = ""
		m, err := archive.ByID(tx, s.List, id, 1)
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		t, err := archive.GetThread(tx, s.List, m.Thread)
		if err == nil {
			root = t.ID
		}
		return err
	})
	return root, err
}

// page writes one page, with links that lead to files.
func (s *site) page(path string) error {
	got, err := s.fetch(s.Base + path)
	if err != nil {
		return err
	}
	u, err := url.Parse(s.Base + path)
	if err != nil {
		return err
	}
	file := s.file(u)
	if file == "" {
		return fmt.Errorf("%s%s has no place in the folder", s.Base, path)
	}
	body, err := s.relink(u, file, got.Bytes())
	if err != nil {
		return err
	}
	return s.write(file, body)
}

// copy writes a file as it is served.
func (s *site) copy(path string) error {
	got, err := s.fetch(s.Base + path)
	if err != nil {
		return err
	}
	u, err := url.Parse(s.Base + path)
	if err != nil {
		return err
	}
	return s.write(s.file(u), got.Bytes())
}

// answer is what the handler says.
type answer struct {
	bytes.Buffer
	header http.Header
	status int
}

func (w *answer) Header() http.Header { return w.header }
func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}
func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.Buffer.Write(b)
}

// ask asks the handler.
func (s *site) ask(path string) (*answer, error) {
	if err := s.ctx.Err(); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(s.ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	r.RequestURI = path
	w := &answer{header: http.Header{}}
	s.Handler.ServeHTTP(w, r)
	return w, nil
}

// fetch is ask for what must be there.
func (s *site) fetch(path string) (*answer, error) {
	w, err := s.ask(path)
	if err == nil && w.status != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, http.StatusText(w.status))
	}
	return w, err
}

// write writes a file unless it is there already as it should be. Its name has slashes.
func (s *site) write(file string, data []byte) error {
	s.kept = append(s.kept, hashOf(file))
	name := filepath.Join(s.Dir, filepath.FromSlash(file))
	if was, err := os.Stat(name); err == nil && was.Size() == int64(len(data)) {
		if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
			return nil
		}
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func hashOf(file string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(file))
	return h.Sum64()
}

// sweep deletes what an earlier export has left and this one does not have, and folders that are empty then.
func (s *site) sweep() error {
	slices.Sort(s.kept)
	var folders []string
	err := filepath.WalkDir(s.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			folders = append(folders, name)
			return s.ctx.Err()
		}
		file, err := filepath.Rel(s.Dir, name)
		if err != nil {
			return err
		}
		if _, ok := slices.BinarySearch(s.kept, hashOf(filepath.ToSlash(file))); ok {
			return nil
		}
		return os.Remove(name)
	})
	for _, dir := range slices.Backward(folders) {
		os.Remove(dir) // fails where something is in it
	}
	return err
}
