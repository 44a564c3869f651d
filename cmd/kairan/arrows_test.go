package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestArrows keeps the house in order: a package imports only from folders to the left of its own, or from its own.
//
//	storage, templates  <  smtpd  <  archive  <  list  <  cmd
func TestArrows(t *testing.T) {
	t.Parallel()
	rank := map[string]int{"storage": 0, "templates": 0, "smtpd": 1, "archive": 2, "list": 3, "cmd": 4}
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "kairan/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		room := topFolder(p.ImportPath)
		if _, ok := rank[room]; !ok {
			t.Errorf("%s is in a new top folder", p.ImportPath)
		}
		for _, imp := range p.Imports {
			to, ok := strings.CutPrefix(imp, "kairan/")
			if !ok {
				continue
			}
			if other := topFolder("kairan/" + to); other != room && rank[other] >= rank[room] {
				t.Errorf("%s imports %s, against the arrows", p.ImportPath, imp)
			}
		}
		if slices.Contains(p.Imports, "testing") && !slices.Contains([]string{"kairan/storage/storagetest", "kairan/list/listtest"}, p.ImportPath) {
			t.Errorf("%s imports testing outside a test", p.ImportPath)
		}
	}
	if seen < 10 {
		t.Fatalf("only %d packages found", seen)
	}
}

func topFolder(path string) string {
	parts := strings.Split(path, "/")
	return parts[1]
}
