package storagetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/storage"
)

func testBlobs(t *testing.T, b storage.Blobs) {
	wantBlobs(t, b, "")
	testBlobSteps(t, b)
	testHostileNames(t, b)
	testRivalAppends(t, b)
	testListing(t, b)
}

// wantBlobs compares names and contents of the blobs under prefix.
func wantBlobs(t *testing.T, b storage.Blobs, prefix string, want ...string) {
	t.Helper()
	var got []string
	for name, size := range b.All(prefix) {
		data, err := storage.ReadBlob(b, name)
		if err != nil {
			t.Error(err)
		}
		if n, err := b.Len(name); n != size || int64(len(data)) != size || err != nil {
			t.Errorf("%s: listed with %d bytes, Len %d, %v, read %d", name, size, n, err, len(data))
		}
		got = append(got, fmt.Sprintf("%s=%s", name, data))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blobs under %q (-want +got):\n%s", prefix, diff)
	}
}

func testBlobSteps(t *testing.T, b storage.Blobs) {
	for i, step := range []struct {
		what string
		got  error
		is   error // nil: no error
	}{
		{"create", b.Create("a/b", []byte("one")), nil},
		{"replace", b.Create("a/b", []byte("three")), nil},
		{"append", b.Append("a/b", 5, []byte("!")), nil},
		{"append inside", b.Append("a/b", 5, []byte("?")), storage.ErrLength},
		{"append beyond", b.Append("a/b", 7, []byte("?")), storage.ErrLength},
		{"append at 0 of an old one", b.Append("a/b", 0, []byte("?")), storage.ErrLength},
		{"append at 0 of a new one", b.Append("a/c", 0, []byte("new")), nil},
		{"append nothing", b.Append("a/c", 3, nil), nil},
		{"append to none", b.Append("a/none", 1, []byte("?")), storage.ErrLength},
		{"append to none in a new folder", b.Append("none/none", 1, []byte("?")), storage.ErrLength},
		{"truncate", b.Truncate("a/b", 2), nil},
		{"truncate to more", b.Truncate("a/b", 3), storage.ErrLength},
		{"truncate below 0", b.Truncate("a/b", -1), storage.ErrLength},
		{"truncate none", b.Truncate("a/none", 0), storage.ErrNotFound},
		{"append after truncate", b.Append("a/b", 2, []byte("ose")), nil},
		{"empty blob", b.Create("empty", nil), nil},
		{"delete", b.Delete("a/c"), nil},
		{"delete again", b.Delete("a/c"), nil},
		{"delete a folder", b.Delete("a"), nil},
	} {
		if !errors.Is(step.got, step.is) {
			t.Errorf("step %d, %s: %v, want %v", i, step.what, step.got, step.is)
		}
	}
	wantBlobs(t, b, "", "a/b=those", "empty=")
	for _, name := range []string{"a/none", "a", "a/c", "none", "none/none"} {
		_, err := b.Open(name)
		_, err2 := b.Len(name)
		if !errors.Is(err, storage.ErrNotFound) || !errors.Is(err2, storage.ErrNotFound) {
			t.Errorf("%s: open %v, len %v", name, err, err2)
		}
	}
	// A reader keeps what it opened.
	r, err := b.Open("a/b")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := errors.Join(b.Create("a/b", []byte("other words")), b.Delete("a/b")); err != nil {
		t.Error(err)
	}
	got := make([]byte, r.Size())
	if _, err := r.ReadAt(got, 0); err != nil || string(got) != "those" {
		t.Errorf("open blob reads %q, %v", got, err)
	}
	if err := b.Delete("empty"); err != nil {
		t.Error(err)
	}
	wantBlobs(t, b, "")
}

func testHostileNames(t *testing.T, b storage.Blobs) {
	for _, name := range []string{
		"", ".", "..", "/", "/etc/passwd", "../up", "a/../b", "a/./b", "a/..", "./a", "a//b", "a/", "a\x00b", "a b", `a\b`, `..\up`,
		"a\n", "日本", "C:a", ".hidden", "a/.new/b", "~", "a*", strings.Repeat("long", 100), strings.Repeat("deep/", 2000) + "a",
	} {
		_, openErr := b.Open(name)
		_, lenErr := b.Len(name)
		for what, err := range map[string]error{
			"create": b.Create(name, []byte("x")), "append": b.Append(name, 0, []byte("x")), "open": openErr,
			"len": lenErr, "truncate": b.Truncate(name, 0), "delete": b.Delete(name),
		} {
			if err == nil {
				t.Errorf("%s %.40q: no error", what, name)
			}
		}
	}
	wantBlobs(t, b, "")
}

// testRivalAppends lets appends at the same offset compete: one wins each.
func testRivalAppends(t *testing.T, b storage.Blobs) {
	for at := range int64(10) {
		var won atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				switch err := b.Append("rivals", at, []byte("x")); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, storage.ErrLength):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("at %d: %d appends succeeded", at, won.Load())
		}
	}
	wantBlobs(t, b, "", "rivals="+strings.Repeat("x", 10))
	if err := b.Delete("rivals"); err != nil {
		t.Error(err)
	}
}

func testListing(t *testing.T, b storage.Blobs) {
	for _, name := range []string{"m/a/2", "m/a.b", "m/a-b", "m/a/1", "m/ab", "n", "m/a=1/x", "M/z"} {
		if err := b.Create(name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	wantBlobs(t, b, "", "M/z=x", "m/a-b=x", "m/a.b=x", "m/a/1=x", "m/a/2=x", "m/a=1/x=x", "m/ab=x", "n=x")
	wantBlobs(t, b, "m/a", "m/a-b=x", "m/a.b=x", "m/a/1=x", "m/a/2=x", "m/a=1/x=x", "m/ab=x")
	wantBlobs(t, b, "m/a/", "m/a/1=x", "m/a/2=x")
	wantBlobs(t, b, "n", "n=x")
	wantBlobs(t, b, "../")
	for name := range b.All("") {
		if name != "M/z" {
			t.Errorf("the first is %s", name)
		}
		break
	}
}
