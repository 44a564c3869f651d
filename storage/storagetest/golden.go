package storagetest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite golden files")

// Golden compares got with the file name in the package's testdata folder.
// `go test -update` writes that file instead.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", filepath.FromSlash(name))
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (-update writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

// Txtar reads a text file that holds several: after a comment, each follows a
// line "-- name --", as in golang.org/x/tools/txtar.
func Txtar(t testing.TB, path string) (comment string, files map[string][]byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	name := "" // the comment
	for line := range bytes.Lines(data) {
		mark, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("-- "))
		if mark, ok2 := bytes.CutSuffix(mark, []byte(" --")); ok && ok2 && len(bytes.TrimSpace(mark)) > 0 {
			name = string(bytes.TrimSpace(mark))
			files[name] = []byte{}
			continue
		}
		files[name] = append(files[name], line...)
	}
	comment = string(files[""])
	delete(files, "")
	return comment, files
}
