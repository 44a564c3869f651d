package storage

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// Manifest is the name of the file in a backup that lists every other file
// with its SHA-256, in the form of sha256sum(1). It is written last: a folder
// without one is not a backup.
const Manifest = "SHA256SUMS"

// blobFolder is where the blobs are in a backup.
const blobFolder = "files"

// ErrBackup says that the engine or the blobs cannot be backed up from here.
var ErrBackup = errors.New("this store is backed up with its own tools")

// Snapshotter is an [Engine] whose rows can be copied while it is in use.
type Snapshotter interface {
	// Snapshot returns a copy, yet to be written, of all rows as tx sees them.
	Snapshot(tx EngineTx) (Snapshot, error)
}

// Snapshot is a copy of all rows. It must be written before its transaction ends.
type Snapshot struct {
	File  string // name of the file in a data folder that holds rows in this form
	Size  int64  // bytes
	Write func(io.Writer) error
}

// Pinner is a [Blobs] that can hold blobs as they are.
type Pinner interface {
	// Hold keeps every blob: Delete waits until end is called, which may be done more than once.
	Hold() (end func())
	// Pin returns the named blobs as they are now, whatever becomes of them,
	// until release is called. Names without a blob are left out. Of a blob that
	// grows, the pinned one may grow too.
	Pin(names []string) (pinned Blobs, release func() error, err error)
}

// BlobRef names a blob and how many bytes of it belong to the rows; a
// negative Length is all of it.
type BlobRef struct {
	Name   string
	Length int64
}

// AllBlobs refers to every blob at its whole length.
func AllBlobs(db *DB) func(*Tx) ([]BlobRef, error) {
	return func(*Tx) ([]BlobRef, error) {
		var refs []BlobRef
		for name, size := range db.Blobs.All("") {
			if size < 0 {
				return nil, fmt.Errorf("blob %s cannot be read", name)
			}
			refs = append(refs, BlobRef{Name: name, Length: -1})
		}
		return refs, nil
	}
}

// BackupOptions say what goes into a backup beside the rows.
type BackupOptions struct {
	// Blobs returns the blobs that the rows refer to; nil is [AllBlobs].
	// No blob is deleted while it runs.
	Blobs func(*Tx) ([]BlobRef, error)
	// Extra are further files, such as the configuration: content by name.
	Extra map[string][]byte
	// Progress is called with bytes done and bytes in all; nil is no report.
	Progress func(done, total int64)
}

// Backup writes a copy of the store into folder dst, which must be empty or
// not exist. The copy is that of one moment while the store stays in use: the
// rows as one transaction sees them, and the blobs these refer to, up to the
// lengths they name. It can be opened as a data folder. The problems are blobs
// that rows refer to and that are missing or too short; all else is in the copy.
// After an error dst holds no [Manifest].
func Backup(ctx context.Context, db *DB, dst string, o BackupOptions) ([]Problem, error) {
	engine, ok := db.engine.(Snapshotter)
	pinner, ok2 := db.Blobs.(Pinner)
	if !ok || !ok2 {
		return nil, ErrBackup
	}
	if o.Blobs == nil {
		o.Blobs = AllBlobs(db)
	}
	out, err := newFolder(ctx, dst, o.Progress)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	b := &backup{engine: engine, pinner: pinner, out: out, o: o, release: func() error { return nil }}
	end := pinner.Hold() // what the view's rows name is there until it is pinned
	err = db.View(ctx, func(tx *Tx) error { return b.rows(tx, end) })
	end()
	if err == nil {
		err = b.blobs()
	}
	if err == nil {
		err = b.extra()
	}
	if err = errors.Join(err, b.release()); err == nil {
		err = out.finish()
	}
	if err = errors.Join(err, out.root.Close()); err != nil {
		return nil, fmt.Errorf("backup into %s: %w", dst, err)
	}
	return b.problems, nil
}

type backup struct {
	engine Snapshotter
	pinner Pinner
	out    *folder
	o      BackupOptions

	refs     []BlobRef
	pinned   Blobs
	release  func() error
	problems []Problem
}

// rows pins the blobs that tx refers to, ends the hold on all blobs, and copies the rows.
func (b *backup) rows(tx *Tx, end func()) error {
	refs, err := b.o.Blobs(tx)
	if err != nil {
		return err
	}
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = r.Name
	}
	if b.pinned, b.release, err = b.pinner.Pin(names); err != nil {
		b.release = func() error { return nil }
		return err
	}
	end()
	snapshot, err := b.engine.Snapshot(tx.e)
	if err != nil {
		return err
	}
	b.out.total = snapshot.Size
	for _, r := range refs {
		if err := b.refer(r); err != nil {
			return err
		}
	}
	return b.out.write(snapshot.File, snapshot.Write)
}

// refer puts a pinned blob down for copying, as long as rows and blob agree on.
func (b *backup) refer(r BlobRef) error {
	size, err := b.pinned.Len(r.Name)
	switch {
	case errors.Is(err, ErrNotFound):
		b.problems = append(b.problems, Problem{Where: r.Name, What: "rows refer to this blob, and it is missing"})
		return nil
	case err != nil:
		return err
	case size < r.Length:
		b.problems = append(b.problems, Problem{Where: r.Name, What: fmt.Sprintf("rows refer to %d bytes of this blob, and it has %d", r.Length, size)})
		r.Length = size
	case r.Length < 0:
		r.Length = size
	}
	b.refs = append(b.refs, r)
	b.out.total += r.Length
	return nil
}

func (b *backup) blobs() error {
	for _, r := range b.refs {
		blob, err := b.pinned.Open(r.Name)
		if err != nil {
			return err
		}
		err = b.out.write(path.Join(blobFolder, r.Name), func(w io.Writer) error {
			n, err := io.Copy(w, io.NewSectionReader(blob, 0, r.Length))
			if err == nil && n < r.Length {
				err = fmt.Errorf("%s: %w", r.Name, ErrLength)
			}
			return err
		})
		if err = errors.Join(err, blob.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (b *backup) extra() error {
	for _, name := range slices.Sorted(maps.Keys(b.o.Extra)) {
		err := b.out.write(name, func(w io.Writer) error {
			_, err := w.Write(b.o.Extra[name])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// folder is a folder being filled. Files in it are new, synced, and nowhere else.
type folder struct {
	ctx         context.Context
	root        *os.Root
	sums        []sum // of the files written, in order
	done, total int64 // bytes
	progress    func(done, total int64)
}

// newFolder makes folder dir, or takes it if it is empty.
func newFolder(ctx context.Context, dir string, progress func(done, total int64)) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(files) > 0 {
		return nil, fmt.Errorf("%s is not empty: it has %s", dir, files[0].Name())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	return &folder{ctx: ctx, root: root, progress: progress}, nil
}

// write makes the file name from what fill writes.
func (f *folder) write(name string, fill func(io.Writer) error) error {
	if name == Manifest || !filepath.IsLocal(name) || path.Clean(name) != name {
		return fmt.Errorf("file name %q", name)
	}
	if err := f.root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	hash := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(file, hash, (*meter)(f)), 1<<18)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	f.sums = append(f.sums, sum{name: name, sha: [32]byte(hash.Sum(nil))})
	return nil
}

// meter reports progress, and ends the work when its context ends.
type meter folder

func (m *meter) Write(p []byte) (int, error) {
	m.done += int64(len(p))
	m.progress(m.done, max(m.total, m.done))
	return len(p), m.ctx.Err()
}

// finish makes the folders durable and then writes the manifest.
func (f *folder) finish() error {
	if err := f.syncFolders(); err != nil {
		return err
	}
	if err := f.root.WriteFile(Manifest+".new", formatSums(f.sums), 0o600); err != nil {
		return err
	}
	file, err := f.root.Open(Manifest + ".new")
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := f.root.Rename(Manifest+".new", Manifest); err != nil {
		return err
	}
	return f.syncFolders()
}

func (f *folder) syncFolders() error {
	return fs.WalkDir(f.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		dir, err := f.root.Open(name)
		if err != nil {
			return err
		}
		return errors.Join(dir.Sync(), dir.Close())
	})
}
