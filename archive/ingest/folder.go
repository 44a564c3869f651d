package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder returns the messages in a Maildir, or in a folder with a message or an mbox in each file, in the order of the numbers that their names begin with.
func folder(path string) (files []string, size int64, err error) {
	dirs := []string{path}
	if isMaildir(path) {
		dirs = []string{filepath.Join(path, "cur"), filepath.Join(path, "new")}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) && len(dirs) > 1 {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") || e.IsDir() && len(dirs) > 1 {
				continue // hidden files are the mail program's, hidden folders of a Maildir other Maildirs
			}
			files = append(files, filepath.Join(dir, e.Name()))
			if info, err := e.Info(); err == nil { // who reads it says what is wrong with it
				size += info.Size()
			}
		}
	}
	if len(files) == 0 {
		return nil, 0, fmt.Errorf("%s: there is no message in this folder; a folder is a Maildir (with cur and new), has a message or an mbox in each file, or is a public-inbox", path)
	}
	slices.SortFunc(files, func(a, b string) int {
		x, y := filepath.Base(a), filepath.Base(b)
		return cmp.Or(cmp.Compare(leading(x), leading(y)), cmp.Compare(x, y))
	})
	return files, size, nil
}

func isMaildir(path string) bool {
	cur, err := os.Stat(filepath.Join(path, "cur"))
	return err == nil && cur.IsDir()
}

// leading is the number that a name begins with: the time in a Maildir, the place in an MH folder or a spool of fml.
func leading(name string) (n uint64) {
	for i := 0; i < len(name) && i < 18 && name[i] >= '0' && name[i] <= '9'; i++ {
		n = 10*n + uint64(name[i]-'0')
	}
	return n
}
