package storage

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sum is a line of a manifest.
type sum struct {
	name string
	sha  [sha256.Size]byte
}

func formatSums(sums []sum) []byte {
	var b []byte
	for _, s := range sums {
		b = fmt.Appendf(b, "%x  %s\n", s.sha, s.name)
	}
	return b
}

// readSums reads the manifest of a backup, which came from outside.
func readSums(root *os.Root) ([]sum, error) {
	f, err := root.Open(Manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("not a backup, or one that was not finished: it has no %s", Manifest)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var sums []sum
	seen := map[string]bool{}
	lines := bufio.NewScanner(f) // a line is at most 64 KiB
	for lines.Scan() {
		sha, name, _ := strings.Cut(lines.Text(), "  ")
		b, err := hex.DecodeString(sha)
		if err != nil || len(b) != sha256.Size || !filepath.IsLocal(name) || seen[name] {
			return nil, fmt.Errorf("%s: line %d is damaged", Manifest, len(sums)+1)
		}
		seen[name] = true
		sums = append(sums, sum{name: name, sha: [sha256.Size]byte(b)})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", Manifest, err)
	}
	if len(sums) == 0 {
		return nil, fmt.Errorf("%s is empty", Manifest)
	}
	return sums, nil
}

// Verify reads a backup whole and reports which files are damaged, missing or
// not of it. The error says that there was nothing to compare with.
func Verify(ctx context.Context, src string, progress func(done, total int64)) ([]Problem, error) {
	root, err := os.OpenRoot(src)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	defer root.Close()
	sums, err := readSums(root)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", src, err)
	}
	sizes, err := fileSizes(root)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", src, err)
	}
	delete(sizes, Manifest)
	f := &folder{ctx: ctx, progress: progress}
	if progress == nil {
		f.progress = func(int64, int64) {}
	}
	for _, n := range sizes {
		f.total += n
	}
	var found []Problem
	for _, s := range sums {
		_, exists := sizes[s.name]
		delete(sizes, s.name)
		if !exists {
			found = append(found, Problem{Where: s.name, What: "missing"})
			continue
		}
		err := copyChecked((*meter)(f), root, s)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			found = append(found, Problem{Where: s.name, What: err.Error()})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		found = append(found, Problem{Where: name, What: "not part of the backup"})
	}
	return found, nil
}

// fileSizes returns the length of every file by name. What is neither a file
// nor a folder counts as a file, and cannot be verified.
func fileSizes(root *os.Root) (map[string]int64, error) {
	sizes := map[string]int64{}
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sizes[name] = info.Size()
		return nil
	})
	return sizes, err
}

var errDamaged = errors.New("damaged: its content is not what was backed up")

// copyChecked copies a file of a backup to w. The error comes after the copy.
func copyChecked(w io.Writer, root *os.Root, s sum) error {
	if info, err := root.Lstat(s.name); err != nil || !info.Mode().IsRegular() {
		return errors.Join(errors.New("not a file"), err)
	}
	file, err := root.Open(s.name)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(w, hash), file); err != nil {
		return err
	}
	if [sha256.Size]byte(hash.Sum(nil)) != s.sha {
		return errDamaged
	}
	return nil
}

// Restore verifies the backup in folder src and copies it into folder dst,
// which must be empty or not exist and is a data folder afterwards. A damaged
// backup is not restored; the error names its files.
func Restore(ctx context.Context, src, dst string, progress func(done, total int64)) error {
	problems, err := Verify(ctx, src, nil)
	if err != nil {
		return err
	}
	for _, p := range problems {
		err = errors.Join(err, errors.New(p.String()))
	}
	if err != nil {
		return fmt.Errorf("the backup in %s is damaged:\n%w", src, err)
	}
	from, err := os.OpenRoot(src)
	if err != nil {
		return err
	}
	defer from.Close()
	sums, err := readSums(from)
	if err != nil {
		return err
	}
	to, err := newFolder(ctx, dst, progress)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer to.root.Close()
	for _, s := range sums {
		info, err := from.Stat(s.name)
		if err != nil {
			return fmt.Errorf("restore %s: %w", s.name, err)
		}
		to.total += info.Size()
	}
	// The rows, which a backup begins with, come last: without them it is no store.
	for _, s := range slices.Backward(sums) {
		err := to.write(filepath.ToSlash(s.name), func(w io.Writer) error { return copyChecked(w, from, s) })
		if err != nil {
			return fmt.Errorf("restore %s: %w", s.name, err)
		}
	}
	return to.syncFolders()
}
