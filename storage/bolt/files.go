package bolt

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"kairan/storage"
)

// Files is a [storage.Blobs] of plain files under one folder.
// A name that is a folder of another blob's name cannot be a blob.
type Files struct {
	root string

	held    sync.RWMutex // written while Hold is on; who deletes reads
	names   nameLocks
	folders sync.Map // paths whose entry in their parent is known to be on disk
}

// nameLocks are held while a blob of their names changes.
type nameLocks struct {
	seed  maphash.Seed
	locks [64]sync.Mutex
}

func (n *nameLocks) of(name string) *sync.Mutex {
	return &n.locks[maphash.String(n.seed, name)%uint64(len(n.locks))]
}

func newFiles(root string) *Files {
	return &Files{root: root, names: nameLocks{seed: maphash.MakeSeed()}}
}

// blobName has no part that starts with a dot: such names are ours, and "..".
var blobName = regexp.MustCompile(`^[A-Za-z0-9_@+=-][A-Za-z0-9._@+=-]*(/[A-Za-z0-9_@+=-][A-Za-z0-9._@+=-]*)*$`)

// newFolder holds files that are being written, and pinned ones, until their
// process ends.
const newFolder = ".new"

// clean removes what a process left in newFolder. The caller has the store's lock.
func (f *Files) clean() error { return os.RemoveAll(filepath.Join(f.root, newFolder)) }

// path returns the file of a blob; a name cannot lead out of the folder.
func (f *Files) path(name string) (string, error) {
	if !blobName.MatchString(name) || !filepath.IsLocal(name) {
		return "", fmt.Errorf("%q is no name for a blob", name)
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
	if err := os.MkdirAll(filepath.Join(f.root, newFolder), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Join(f.root, newFolder), "*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone already unless something failed
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	lock := f.names.of(name)
	lock.Lock()
	defer lock.Unlock()
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// Append implements [storage.Blobs]. When the data cannot be written whole, what
// was written of it is cut off again if the disk lets us.
func (f *Files) Append(name string, at int64, data []byte) (err error) {
	path, err := f.path(name)
	if err != nil {
		return err
	}
	lock := f.names.of(name)
	lock.Lock()
	defer lock.Unlock()
	flag := os.O_WRONLY
	if at == 0 {
		flag |= os.O_CREATE
		if err := f.makeFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, flag, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s does not exist, and was to be %d bytes: %w", name, at, storage.ErrLength)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	st, err := file.Stat()
	if err != nil {
		return err
	}
	if st.Size() != at {
		return fmt.Errorf("%s is %d bytes, not %d: %w", name, st.Size(), at, storage.ErrLength)
	}
	_, err = file.WriteAt(data, at)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return errors.Join(err, file.Truncate(at))
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
	if err == nil && !st.Mode().IsRegular() {
		err = notFound(name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return openFile{file, st.Size()}, nil
}

// Len implements [storage.Blobs].
func (f *Files) Len(name string) (int64, error) {
	path, err := f.path(name)
	if err != nil {
		return 0, err
	}
	st, err := os.Lstat(path)
	if err == nil && !st.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return 0, notFound(name, err)
	}
	return st.Size(), nil
}

// Truncate implements [storage.Blobs].
func (f *Files) Truncate(name string, n int64) error {
	lock := f.names.of(name)
	lock.Lock()
	defer lock.Unlock()
	size, err := f.Len(name)
	if err != nil {
		return err
	}
	if n < 0 || n > size {
		return fmt.Errorf("%s is %d bytes and cannot be cut to %d: %w", name, size, n, storage.ErrLength)
	}
	file, err := os.OpenFile(filepath.Join(f.root, filepath.FromSlash(name)), os.O_WRONLY, 0o600)
	if err != nil {
		return notFound(name, err)
	}
	err = file.Truncate(n)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Delete implements [storage.Blobs].
func (f *Files) Delete(name string) error {
	f.held.RLock()
	defer f.held.RUnlock()
	lock := f.names.of(name)
	lock.Lock()
	defer lock.Unlock()
	_, err := f.Len(name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	path := filepath.Join(f.root, filepath.FromSlash(name))
	if err := os.Remove(path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// All implements [storage.Blobs].
func (f *Files) All(prefix string) iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		todo := []entry{{name: "", folder: true}} // the last is the next in order
		for len(todo) > 0 {
			e := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			switch {
			case !e.folder && !yield(e.name, e.size):
				return
			case e.folder:
				todo = append(todo, f.entries(e.name, prefix)...)
			}
		}
	}
}

// entry is a blob or a folder of blobs, whose name ends in a slash so that
// the order of entries is that of the names in them.
type entry struct {
	name   string
	size   int64 // -1 for what could not be read
	folder bool
}

// entries reads one folder of blobs, the last name first, without what prefix rules out.
func (f *Files) entries(folder, prefix string) []entry {
	files, err := os.ReadDir(filepath.Join(f.root, filepath.FromSlash(folder)))
	var found []entry
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		found = append(found, entry{name: path.Clean(folder), size: -1})
	}
	for _, d := range files {
		e := entry{name: folder + d.Name(), folder: d.IsDir()}
		if !blobName.MatchString(e.name) {
			continue
		}
		if e.folder {
			e.name += "/"
		} else if info, err := d.Info(); errors.Is(err, fs.ErrNotExist) {
			continue // deleted since the folder was read
		} else if err != nil || !info.Mode().IsRegular() {
			e.size = -1
		} else {
			e.size = info.Size()
		}
		if strings.HasPrefix(e.name, prefix) || e.folder && strings.HasPrefix(prefix, e.name) {
			found = append(found, e)
		}
	}
	slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(b.name, a.name) })
	return found
}

// makeFolder creates dir, under or at the root, and makes sure that it and its
// parents stay.
func (f *Files) makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var synced []string
	for d := dir; len(d) >= len(f.root); d = filepath.Dir(d) {
		if _, known := f.folders.Load(d); known {
			break
		}
		if err := syncFolder(filepath.Dir(d)); err != nil {
			return err
		}
		synced = append(synced, d)
	}
	for _, d := range synced {
		f.folders.Store(d, true)
	}
	return nil
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
