package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/archive"
	"kairan/storage"
	"kairan/storage/storagetest"
)

func TestAdd(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	e := post(1, "Subject: =?UTF-8?B?5Zue6Kan?=", "Date: Fri, 30 Jan 2026 21:59:00 +0900",
		"References: <a@example.jp> <b@example.jp>", "In-Reply-To: <c@example.jp>")
	e.Received = time.Date(2026, 1, 31, 16, 0, 0, 5e8, time.UTC) // February in Japan
	got := s.add(e)
	want := &archive.Message{
		List: "list1", Seq: 1, Post: "p1", Number: 1, ID: "m1@example.jp",
		Received: e.Received, Date: time.Date(2026, 1, 30, 12, 59, 0, 0, time.UTC),
		FromName: "Ann", FromAddr: "ann@example.jp", Subject: "回覧",
		Parents: []string{"a@example.jp", "b@example.jp", "c@example.jp"}, Thread: 1,
		File: "archive/list1/2026-02.mbox", Length: got.Length, Sum: got.Sum,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.view(func(tx *storage.Tx) {
		for name, find := range map[string]func() (*archive.Message, error){
			"ID":     func() (*archive.Message, error) { return archive.ByID(tx, "list1", "m1@example.jp", 1) },
			"nth 0":  func() (*archive.Message, error) { return archive.ByID(tx, "list1", "m1@example.jp", 0) },
			"number": func() (*archive.Message, error) { return archive.ByNumber(tx, "list1", 1) },
			"seq":    func() (*archive.Message, error) { return archive.BySeq(tx, "list1", 1) },
		} {
			m, err := find()
			if err != nil {
				t.Errorf("by %s: %v", name, err)
			} else if diff := cmp.Diff(want, m); diff != "" {
				t.Errorf("by %s: %s", name, diff)
			}
		}
		if _, err := archive.ByID(tx, "list2", "m1@example.jp", 1); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("in another list: %v", err)
		}
	})
	s.raws(e)
	s.check()
}

func TestAddTwice(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	e := post(1)
	first := s.add(e)
	ran := false
	again, err := s.Add(t.Context(), e, func(tx *storage.Tx, m *archive.Message) error { ran = m.Seq == first.Seq; return nil })
	if err != nil || !ran || again.Offset != first.Offset {
		t.Errorf("again: %+v, %v, within ran: %t", again, err, ran)
	}
	s.raws(e)
}

func TestSecondOfAnID(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	a, b := post(1), post(2)
	b.ID = a.ID
	s.add(a)
	if m := s.add(b); m.Nth != 2 || m.Thread != 1 {
		t.Errorf("the second is number %d of its ID in thread %d", m.Nth, m.Thread)
	}
	s.view(func(tx *storage.Tx) {
		for nth, want := range map[int]string{1: "p1", 2: "p2"} {
			if m, err := archive.ByID(tx, "list1", a.ID, nth); err != nil || m.Post != want || max(m.Nth, 1) != nth {
				t.Errorf("number %d: %+v, %v", nth, m, err)
			}
		}
		if _, err := archive.ByID(tx, "list1", a.ID, 3); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("number 3: %v", err)
		}
	})
	s.check()
}

func TestRefused(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	for name, change := range map[string]func(*archive.Entry){
		"no list":  func(e *archive.Entry) { e.List = "" },
		"no post":  func(e *archive.Entry) { e.Post = "" },
		"bad list": func(e *archive.Entry) { e.List = "../x" },
		"no time":  func(e *archive.Entry) { e.Received = time.Time{} },
	} {
		e := post(1)
		change(&e)
		if _, err := s.Add(t.Context(), e, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAuthorWithoutAddress archives what names its author, with no address that could be read.
func TestAuthorWithoutAddress(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	n := 0
	for from, want := range map[string]string{
		"ann at mailhost (Ann Example)": "Ann Example",
		"root":                          "root",
		`"Ann  Example" <ann>`:          "Ann Example",
		"<ann>":                         "ann",
		"=?UTF-8?B?5L2Q6Jek?= <sato at example.jp>": "佐藤",
		"":   "",
		"<>": "",
	} {
		n++
		e := post(n)
		e.Raw = bytes.Replace(e.Raw, []byte("Ann <ann@example.jp>"), []byte(from), 1)
		if m := s.add(e); m.FromName != want || m.FromAddr != "" {
			t.Errorf("From: %s: name %q, address %q", from, m.FromName, m.FromAddr)
		}
	}
}

func TestOtherPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, storagetest.OpenAt(t, dir))
	for n := range 3 {
		s.add(post(n + 1))
	}
	file, err := os.ReadFile(dir + "/files/archive/list1/2026-01.mbox")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(file), "\r") || strings.Count("\n"+string(file), "\nFrom ") != 3 {
		t.Errorf("not an mbox for everyone:\n%s", file)
	}
	if out, err := exec.Command("grep", "-c", "^>From here on", dir+"/files/archive/list1/2026-01.mbox").Output(); err != nil || string(out) != "3\n" {
		t.Errorf("grep counts %s, %v", out, err)
	}
}

func TestConcurrentAdds(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	var wg sync.WaitGroup
	for n := range 20 {
		wg.Go(func() {
			e := post(n%10 + 1)
			e.List = fmt.Sprintf("list%d", n/10+1)
			if _, err := s.Add(t.Context(), e, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	s.check()
	var files []string
	s.view(func(tx *storage.Tx) {
		for name := range archive.Files(tx) {
			files = append(files, name)
		}
	})
	if diff := cmp.Diff([]string{"archive/list1/2026-01.mbox", "archive/list2/2026-01.mbox"}, files); diff != "" {
		t.Error(diff)
	}
}

func TestThreads(t *testing.T) {
	t.Parallel()
	ref := func(n int) string { return fmt.Sprintf("References: <m%d@example.jp>", n) }
	for name, c := range map[string]struct {
		posts []archive.Entry
		want  string
	}{
		"by references":        {[]archive.Entry{post(1), post(2), post(3, ref(1))}, "1 3 | 2"},
		"nearest parent first": {[]archive.Entry{post(1), post(2), post(3, "References: <m1@example.jp> <m2@example.jp>")}, "2 3 | 1"},
		"grandparent":          {[]archive.Entry{post(1), post(3, "References: <m1@example.jp> <m2@example.jp>")}, "1 3"},
		"late parent":          {[]archive.Entry{post(3, ref(2)), post(2, ref(1)), post(1)}, "1 2 3"},
		"late parent joins two": {[]archive.Entry{
			post(2, ref(1)), post(3, ref(1)), post(4), post(1),
		}, "4 | 1 2 3"},
		"late parent with a parent of its own": {[]archive.Entry{
			post(5, ref(4)), post(1), post(2, ref(1)), post(4, ref(2)),
		}, "1 2 4 5"},
		"reply by subject": {[]archive.Entry{
			post(1, "Subject: [x] Meeting"), post(2, "Subject: Re: [x] meeting"), post(3, "Subject: Meeting"),
		}, "3 | 1 2"},
		"reply by subject in Japanese": {[]archive.Entry{
			post(1, "Subject: [x:00012] =?UTF-8?B?5Lya6K2w?="), post(2, "Subject: =?UTF-8?B?6L+U5L+h77ya5Lya6K2w?="), post(3, "Subject: =?UTF-8?B?UmXvvJrkvJrorbA=?="),
		}, "1 2 3"},
		"a forward takes no replies": {[]archive.Entry{
			post(1, "Subject: Meeting"), post(2, "Subject: Fwd: Meeting"), post(3, "Subject: Re: Meeting"),
		}, "1 3 | 2"},
		"replies to what never came": {[]archive.Entry{
			post(2, "Subject: Re: Meeting", ref(1)), post(3, "Subject: Re: Meeting", ref(1)), post(4, "Subject: Re: Other", ref(0)),
		}, "4 | 2 3"},
		"siblings": {[]archive.Entry{
			post(2, "Subject: [PATCH 1/2] x", ref(1)), post(3, "Subject: [PATCH 2/2] y", ref(1)), post(4, "Subject: Re: [PATCH 3/3] z", "References: <m1@example.jp> <m0@example.jp>"), post(5, "In-Reply-To: <m0@example.jp>"), post(1),
		}, "1 2 3 4 5"},
		"siblings by subject first": {[]archive.Entry{
			post(2, ref(1)), post(3, "Subject: Meeting"), post(4, "Subject: Re: Meeting", ref(1)),
		}, "3 4 | 2"},
		"siblings too late":   {[]archive.Entry{post(2, ref(1)), post(24*31, ref(1))}, "744 | 2"},
		"answers to a digest": {[]archive.Entry{post(2, "References: <mailman.1.2@example.jp>"), post(3, "References: <mailman.1.2@example.jp>")}, "3 | 2"},
		"answers to a person": {[]archive.Entry{
			post(2, "In-Reply-To: Message of Ann <ann@example.jp>"), post(3, "In-Reply-To: ann@example.jp"), post(4, "In-Reply-To: Message of Ann <ann@example.jp> of \"yesterday\" <m2@example.jp>"),
		}, "2 4 | 3"},
		"reply by subject too late": {[]archive.Entry{
			post(1, "Subject: Meeting"), post(24*31, "Subject: Re: Meeting"),
		}, "744 | 1"},
		"loop":    {[]archive.Entry{post(1, ref(2)), post(2, ref(1)), post(3, ref(3))}, "3 | 1 2"},
		"no base": {[]archive.Entry{post(1, "Subject: Re:"), post(2, "Subject: Re:")}, "2 | 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			for _, e := range c.posts {
				s.add(e)
			}
			if got := s.shape(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			s.check()
		})
	}
}

func TestThreadSummary(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.add(post(3, "Subject: Re: Hello", "References: <m1@example.jp> <m2@example.jp>"))
	s.add(post(4, "Subject: Re: Hello", "References: <m3@example.jp>"))
	s.add(post(2, "Subject: Re: Hello", "References: <m1@example.jp>"))
	s.add(post(1, "Subject: Hello"))
	s.view(func(tx *storage.Tx) {
		got, err := archive.GetThread(tx, "list1", 1)
		want := &archive.Thread{
			List: "list1", Seq: 1, ID: "m1@example.jp", Subject: "Hello", FromName: "Ann",
			Count: 4, First: start.Add(time.Hour), Last: start.Add(4 * time.Hour), LastSeq: 2,
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

// TestHugeReferences sends what would be expensive if it were followed.
func TestHugeReferences(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	refs := "References:"
	for n := range 2000 {
		refs += fmt.Sprintf("\r\n <none%d@example.jp>", n)
	}
	m := s.add(post(1, refs))
	if len(m.Parents) != 50 || m.Parents[0] != "none0@example.jp" {
		t.Errorf("%d parents, the first %s", len(m.Parents), m.Parents[0])
	}
	for n := range 120 { // more than may wait for one parent
		s.add(post(n+2, "In-Reply-To: <root@example.jp>"))
	}
	root := post(500)
	root.ID = "root@example.jp"
	s.add(root)
	if got := strings.Count(s.shape(), "|"); got != 1 {
		t.Errorf("%d threads, want 2", got+1)
	}
	s.check()
}
