package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"kairan/storage"
)

// Files is a [storage.Blobs] of plain files under one folder.
type Files struct{ root string }

var blobName = regexp.MustCompile(`^[A-Za-z0-9._@+=-]+(/[A-Za-z0-9._@+=-]+)*$`)

// path returns the file of a blob; a name cannot lead out of the folder.
func (f *Files) path(name string) (string, error) {
	if !blobName.MatchString(name) || !filepath.IsLocal(name) {
		return "", fmt.Errorf("blob name %q", name)
	}
	return filepath.Join(f.root, filepath.FromSlash(name)), nil
}

// Create implements [storage.Blobs]: write beside, sync, rename, sync the folder.
func (f *Files) Create(name string, data []byte) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if err := f.makeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// Append implements [storage.Blobs].
func (f *Files) Append(name string, at int64, data []byte) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if at == 0 {
		if err := f.makeFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return err
	}
	if st.Size() != at {
		return fmt.Errorf("%s is %d bytes, not %d: %w", name, st.Size(), at, storage.ErrLength)
	}
	if _, err := file.WriteAt(data, at); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if at == 0 {
		return syncFolder(filepath.Dir(path))
	}
	return nil
}

type openFile struct {
	*os.File
	size int64
}

func (o openFile) Size() int64 { return o.size }

// Open implements [storage.Blobs].
func (f *Files) Open(name string) (storage.Blob, error) {
	path, err := f.path(name)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, notFound(name, err)
	}
	st, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	return openFile{file, st.Size()}, nil
}

// Len implements [storage.Blobs].
func (f *Files) Len(name string) (int64, error) {
	path, err := f.path(name)
	if err != nil {
		return 0, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return 0, notFound(name, err)
	}
	return st.Size(), nil
}

// Truncate implements [storage.Blobs].
func (f *Files) Truncate(name string, n int64) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	if err != nil {
		return notFound(name, err)
	}
	defer file.Close()
	if err := file.Truncate(n); err != nil {
		return err
	}
	return file.Sync()
}

// Delete implements [storage.Blobs].
func (f *Files) Delete(name string) error {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// All implements [storage.Blobs].
func (f *Files) All(prefix string) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		filepath.WalkDir(f.root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".new-") {
				return nil
			}
			name, err := filepath.Rel(f.root, path)
			if err != nil {
				return nil // unreachable: path is under root
			}
			name = filepath.ToSlash(name)
			if !strings.HasPrefix(name, prefix) {
				return nil
			}
			info, err := d.Info()
			if err == nil && !yield(name, info.Size()) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

// makeFolder creates dir and syncs the folders that got a new entry.
func (f *Files) makeFolder(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if err := syncFolder(filepath.Dir(d)); err != nil {
			return err
		}
		if d == f.root || len(d) <= len(f.root) {
			return nil
		}
	}
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func notFound(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob %s: %w", name, storage.ErrNotFound)
	}
	return err
}
