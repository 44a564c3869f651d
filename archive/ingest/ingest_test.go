package ingest_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/archive/ingest"
)

const header = "From: Ann <ann@example.jp>\nDate: Fri, 1 May 2020 10:00:00 +0900\nMessage-ID: <%s@example.jp>\nSubject: s\n"

// head is the header of a message.
func head(id string, more ...string) string {
	return fmt.Sprintf(header, id) + strings.Join(more, "\n") + strings.Repeat("\n", min(1, len(more))) + "\n"
}

const envelope = "From ann@example.jp Fri May  1 01:00:00 2020\n"

// TestDialects imports mboxes as programs write them, and looks for the bodies.
func TestDialects(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mbox    string
		dialect ingest.Dialect
		want    []string // bodies
		lost    string   // what is said about the rest
	}{
		"mboxrd":   {mbox: envelope + head("a") + ">From x\n>>From y\n\n" + envelope + head("b") + "two\n\n", want: []string{"From x\n>From y\n", "two\n"}},
		"mboxo":    {mbox: envelope + head("a") + ">From x\n>>From y\n\n", dialect: ingest.Mboxo, want: []string{"From x\n>>From y\n"}},
		"CRLF":     {mbox: strings.ReplaceAll(envelope+head("a")+"one\n\n"+envelope+head("b")+"two\n\n", "\n", "\r\n"), want: []string{"one\n", "two\n"}},
		"no end":   {mbox: envelope + head("a") + "one\n\n" + envelope + head("b") + "two", want: []string{"one\n", "two\n"}},
		"no blank": {mbox: envelope + head("a") + "one\n" + envelope + head("b") + "two\n", want: []string{"one\n", "two\n"}},
		"unquoted": {mbox: envelope + head("a") + "\nFrom now on, at 10:00 in 2020\n\nFrom 10:00 to 11:00, 2020\nwe meet\n\n", want: []string{"\nFrom now on, at 10:00 in 2020\n\nFrom 10:00 to 11:00, 2020\nwe meet\n"}},
		"mboxcl2":  {mbox: envelope + head("a", "Content-Length: 81") + "look:\n\n" + envelope + "From: Bob <bob@example.jp>\n\n" + "\n" + envelope + head("b", "Content-Length: 4") + "two\n\n", want: []string{"look:\n\n" + envelope + "From: Bob <bob@example.jp>\n\n", "two\n"}},
		"mboxcl":   {mbox: envelope + head("a", "Content-Length: 8") + ">From x\n\n" + envelope + head("b", "Content-Length: 4") + "two\n\n", want: []string{"From x\n", "two\n"}},
		"forged length": {mbox: envelope + head("a") + "one\n\n" + envelope + head("b", "Content-Length: 190") + "two\n\n" + envelope + head("c") + "three\n\n" + envelope + head("d") + "four\n\n",
			want: []string{"one\n", "two\n", "three\n", "four\n"}},
		"wrong length": {mbox: envelope + head("a", "Content-Length: 99999") + "one\n\n" + envelope + head("b") + "two\n\n", want: []string{"one\n", "two\n"}},
		"pipermail":    {mbox: "From ann at example.jp  Fri May  1 01:00:00 2020\nFrom: ann at example.jp (Ann)\nDate: Fri, 1 May 2020 10:00:00 +0900\nSubject: s\nMessage-ID: <a@example.jp>\n\nbob at example.jp wrote\n\n", want: []string{"bob at example.jp wrote\n"}},
		"zone":         {mbox: "From ann@example.jp Fri May  1 01:00:00 JST 2020\n" + head("a") + "one\n\n", want: []string{"one\n"}},
		"mozilla":      {mbox: "From - Fri May  1 01:00:00 2020\nX-Mozilla-Status: 0001\n" + head("a") + "one\n\n", want: []string{"one\n"}},
		"no address":   {mbox: "From  Fri May  1 01:00:00 2020\n" + head("a") + "one\n\n", want: []string{"one\n"}},
		"mozilla without time": {mbox: "From \n" + head("a") + "one\n\nFrom\nwhat: is this\n\nFrom -\nhttp://www.example.jp/\n\nFrom \n" + head("b") + "two\n\nFrom -\n" + head("c") + "three\n\n",
			want: []string{"one\n\nFrom\nwhat: is this\n\nFrom -\nhttp://www.example.jp/\n", "two\n", "three\n"}},
		"no time": {mbox: "From ann@example.jp\n" + head("a") + "one\n\nFrom me\nhttp://www.example.jp/\n\nFrom all of us:\nwhy: because\n\nFrom bob@example.jp\n" + head("b") + "two\n",
			want: []string{"one\n\nFrom me\nhttp://www.example.jp/\n\nFrom all of us:\nwhy: because\n", "two\n"}},
		"no time later":   {mbox: envelope + head("a") + "one\n\nFrom ann@example.jp\n" + head("b") + "\n", want: []string{"one\n\nFrom ann@example.jp\n" + head("b")}},
		"byte order mark": {mbox: "\ufeff" + envelope + head("a") + "one\n\n", want: []string{"one\n"}},
		"marked message":  {mbox: "\ufeff" + head("a") + "one\n", want: []string{"one\n"}},
		"old Mac":         {mbox: strings.ReplaceAll(envelope+head("a")+"one\n\n"+envelope+head("b")+"two\n\n", "\n", "\r"), want: []string{"one\n", "two\n"}},
		"old Mac message": {mbox: strings.ReplaceAll(head("a")+"one\n\n", "\n", "\r"), want: []string{"one\n\n"}},
		"two hops":        {mbox: envelope + ">From ann@example.jp Fri May  1 01:00:00 2020\n" + head("a") + "one\n\n", want: []string{"one\n"}},
		"junk before":     {mbox: "what is this\n\n" + envelope + head("a") + "one\n\n", want: []string{"one\n"}, lost: "byte 0: there is no envelope line"},
		"empty":           {mbox: envelope + "\n" + envelope + head("a") + "one\n\n", want: []string{"one\n"}, lost: "byte 0: the message is empty"},
		"truncated":       {mbox: envelope + "From: ann@example.jp\nSubj" + "\n" + envelope + head("a") + "one\n\n", want: []string{"", "one\n"}},
		"no header":       {mbox: envelope + "\njust text\n\n", want: []string{"just text\n"}},
		"too long":        {mbox: envelope + head("a") + strings.Repeat("long\n", 300_000) + "\n" + envelope + head("b") + "two\n\n", want: []string{"two\n"}, lost: "byte 0: the message is longer than 1 MB"},
		"not an mbox":     {mbox: "\x00\x01\x02 nothing of the kind", lost: "byte 0: there is no envelope line"},
		"nothing":         {},
		"one message":     {mbox: head("a") + "one\n\n", want: []string{"one\n\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			source := ingest.Source{Path: file(t, "old.mbox", c.mbox), Dialect: c.dialect, Limit: 1 << 20}
			for _, again := range []bool{false, true} {
				r, err := s.with(ingest.Options{Sources: []ingest.Source{source}})
				if err != nil {
					t.Fatal(err)
				}
				if want := len(c.want); again && (r.Added != 0 || r.Known != want) || !again && r.Added != want {
					t.Errorf("again %t: %+v", again, r)
				}
				if c.lost == "" && len(s.notices) > 0 || c.lost != "" && (len(s.notices) != 1 || !strings.Contains(s.notices[0].Error(), c.lost)) {
					t.Errorf("notices: %v", s.notices)
				}
			}
			var got []string
			for _, m := range s.all() {
				_, body, _ := strings.Cut("\n"+strings.ReplaceAll(s.raw(m), "\r\n", "\n"), "\n\n")
				got = append(got, body)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			s.check()
		})
	}
}

func TestPipermail(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.run(file(t, "2020-May.txt", "From ann at example.jp  Fri May  1 01:00:00 2020\nFrom: ann at example.jp (Ann)\nDate: Fri, 1 May 2020 10:00:00 +0900\nMessage-ID: <a@example.jp>\n\nx\n\n"))
	m := s.all()[0]
	if m.FromAddr != "ann@example.jp" || !strings.HasPrefix(s.raw(m), "From: ann@example.jp (Ann)\r\n") {
		t.Errorf("%+v\n%s", m, s.raw(m))
	}
}

// TestWhatIsMissing imports messages that lack what they should have.
func TestWhatIsMissing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header   string
		received string // RFC 3339
		number   uint64
	}{
		"date":                  {header: "Date: Sat, 2 May 2020 10:00:00 +0900", received: "2020-05-02T01:00:00Z"},
		"date near Received":    {header: "Received: from a by b; Mon, 4 May 2020 10:00:00 +0900\nDate: Sat, 2 May 2020 10:00:00 +0900", received: "2020-05-02T01:00:00Z"},
		"date far off":          {header: "Received: from a by b; Mon, 4 May 2020 10:00:00 +0900\nDate: Sat, 2 May 1998 10:00:00 +0900", received: "2020-05-04T01:00:00Z"},
		"date in the future":    {header: "Date: Sat, 2 May 2120 10:00:00 +0900", received: "2020-05-01T01:00:00Z"},
		"no date":               {header: "Subject: x", received: "2020-05-01T01:00:00Z"},
		"date is nonsense":      {header: "Date: yesterday", received: "2020-05-01T01:00:00Z"},
		"Received is nonsense":  {header: "Received: from a\nDate: Sat, 2 May 2020 10:00:00 +0900", received: "2020-05-02T01:00:00Z"},
		"X-Mail-Count":          {header: "X-Mail-Count: 00123\nSubject: [janog:7] x", received: "2020-05-01T01:00:00Z", number: 123},
		"X-Sequence":            {header: "X-Sequence: 42", received: "2020-05-01T01:00:00Z", number: 42},
		"tag":                   {header: "Subject: [janog:123] x", received: "2020-05-01T01:00:00Z", number: 123},
		"tag with zeros":        {header: "Subject: Re: [JANOG 00123] x", received: "2020-05-01T01:00:00Z", number: 123},
		"tag encoded":           {header: "Subject: =?ISO-2022-JP?B?W2phbm9nOjEyM10gGyRCMnNNdxsoQg==?=", received: "2020-05-01T01:00:00Z", number: 123},
		"tag in Japanese":       {header: "Subject: 【janog:123】x", received: "2020-05-01T01:00:00Z", number: 123},
		"tag in full width":     {header: "Subject: RE：Re^2: ［ｊａｎｏｇ：００１２３］ x", received: "2020-05-01T01:00:00Z", number: 123},
		"tag of a forward":      {header: "Subject: 転送：[janog:123] x", received: "2020-05-01T01:00:00Z", number: 123},
		"Date that is no day":   {header: "Date: 31 Feb 2020 10:00:00 +0900", received: "2020-05-01T01:00:00Z"},
		"Date of 1970":          {header: "Date: Thu, 1 Jan 1970 09:00:00 +0900", received: "2020-05-01T01:00:00Z"},
		"zone of nowhere":       {header: "Date: Sat, 2 May 2020 10:00:00 +9999", received: "2020-05-02T10:00:00Z"},
		"tag of another":        {header: "Subject: [other:123] x", received: "2020-05-01T01:00:00Z"},
		"tag later":             {header: "Subject: about [janog:123]", received: "2020-05-01T01:00:00Z"},
		"eight bits":            {header: "From: \x8eR\x93c <yamada@example.jp>\nSubject: \xb2\xf3\xcd\xf7", received: "2020-05-01T01:00:00Z"},
		"huge Message-ID":       {header: "Message-ID: <" + strings.Repeat("x", 5000) + "@example.jp>", received: "2020-05-01T01:00:00Z"},
		"Message-ID is no text": {header: "Message-ID: <\x00\xff>", received: "2020-05-01T01:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			name := file(t, "old.mbox", envelope+c.header+"\n\nx\n\n")
			if r := s.run(name); r.Added != 1 || r.Highest != c.number {
				t.Fatalf("%+v %v", r, s.notices)
			}
			if r := s.run(name); r.Known != 1 {
				t.Errorf("again: %+v", r)
			}
			m := s.all()[0]
			if got := m.Received.Format("2006-01-02T15:04:05Z07:00"); got != c.received || m.Number != c.number || m.ID == "" {
				t.Errorf("received %s, number %d, ID %q", got, m.Number, m.ID)
			}
			s.check()
		})
	}
}

// TestDuplicates has one Message-ID four times, twice with the same words.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	mbox := envelope + head("a") + "one\n\n" + envelope + head("a", "X-Loop: x") + "one  \n\n\n" + envelope + head("a") + "two\n\n" + envelope + head("a", "X-Mail-Count: 1") + "three\n\n" + envelope + head("b", "X-Mail-Count: 1") + "four\n\n"
	name := file(t, "old.mbox", mbox)
	r := s.run(name)
	if r.Added != 4 || r.Known != 1 || len(s.notices) != 1 || s.notices[0].Lost || !strings.Contains(s.notices[0].Error(), "post number 1 is that of another") {
		t.Errorf("%+v %v", r, s.notices)
	}
	all := s.all()
	if len(all) != 4 || all[1].Nth != 2 || all[2].Nth != 3 {
		t.Errorf("%+v", all)
	}
	s.check()
	if err := s.Reindex(t.Context(), "list1", nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, s.all()); diff != "" {
		t.Error(diff)
	}
	s.check()
}

// TestDeclined leaves out what asks to be in no archive, and names it.
func TestDeclined(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	name := file(t, "old.mbox", envelope+head("a", "X-No-Archive: Yes")+"one\n\n"+envelope+head("b", "Archive: no")+"two\n\n"+envelope+head("c", "X-No-Archive: no")+"three\n\n")
	for _, added := range []int{1, 0} {
		r := s.run(name)
		if r.Added != added || r.Declined != 2 || r.Lost != 0 || len(s.notices) != 2 || !s.notices[0].Lost {
			t.Errorf("%+v %v", r, s.notices)
		}
		if want := name + ": byte 0 <a@example.jp>: its author asks that it not be archived (X-No-Archive)"; s.notices[0].Error() != want {
			t.Errorf("%v, want %s", s.notices[0].Error(), want)
		}
	}
	if all := s.all(); len(all) != 1 || all[0].ID != "c@example.jp" {
		t.Errorf("%+v", all)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(envelope + head("a") + "one\n\n"))
	z.Close()
	s := newShelf(t)
	if r := s.run(file(t, "2020-May.txt.gz", b.String())); r.Added != 1 {
		t.Errorf("%+v", r)
	}
	_, err := s.with(ingest.Options{Sources: []ingest.Source{{Path: file(t, "cut.gz", b.String()[:b.Len()-9]), Limit: 1 << 20}}})
	if err == nil {
		t.Error("a file that was cut is read without a word")
	}
}

func TestMaildir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"cur/1588294800.M1.host:2,S":  head("a") + "one\n",
		"new/1588294801.M2.host":      head("b") + "two\n",
		"tmp/1588294802.M3.host":      head("c") + "not yet\n",
		"cur/1588294803.M4.host:2,":   "",
		"cur/.lock":                   "x",
		".Sent/cur/1588294800.M5:2,S": head("d") + "other\n",
	} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newShelf(t)
	r := s.run(dir)
	if r.Added != 2 || r.Lost != 1 || !strings.Contains(s.notices[0].Error(), "M4.host:2,: byte 0: the message is empty") {
		t.Errorf("%+v %v", r, s.notices)
	}
	if all := s.all(); all[0].ID != "a@example.jp" || all[1].ID != "b@example.jp" {
		t.Errorf("%+v", all)
	}
	if _, err := s.with(ingest.Options{Sources: []ingest.Source{{Path: t.TempDir(), Limit: 1 << 20}}}); err == nil {
		t.Error("an empty folder is imported without a word")
	}
}

// TestSpool reads a folder with a file for each message, in the order of numbers.
func TestSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := 1; n <= 12; n++ {
		os.WriteFile(filepath.Join(dir, fmt.Sprint(n)), []byte(head(fmt.Sprint("m", n), fmt.Sprintf("X-Mail-Count: %05d", n))+"x\n"), 0o600)
	}
	s := newShelf(t)
	if r := s.run(dir); r.Added != 12 || r.Highest != 12 {
		t.Errorf("%+v %v", r, s.notices)
	}
	for i, m := range s.all() {
		if m.Number != uint64(i+1) {
			t.Errorf("message %d has number %d", i+1, m.Number)
		}
	}
}

// TestFolderOfMboxes reads a folder as pipermail leaves it: an mbox for each month, some gzipped, and pages beside them.
func TestFolderOfMboxes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(envelope + head("c") + "three\n\n" + envelope + head("d") + "four\n\n"))
	z.Close()
	for name, content := range map[string]string{
		"2020-April.txt":   envelope + head("a") + "one\n\n" + envelope + head("b") + "two\n\n",
		"2020-May.txt.gz":  packed.String(),
		"2020-July.txt.gz": packed.String()[:packed.Len()-9],
		"index.html":       "<!DOCTYPE html>\n<title>x</title>\n",
		"single":           head("e") + "five\n",
		"2019.tar.xz":      "\xfd7zXZ\x00\x00",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "2020-May"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newShelf(t)
	if r := s.run(dir); r.Added != 5 || r.Lost != 4 {
		t.Errorf("%+v", r)
	}
	var said []string
	for _, n := range s.notices {
		said = append(said, n.Error())
	}
	for _, want := range []string{"index.html: byte 0: there is no envelope line", "2019.tar.xz: byte 0: this is packed (xz)", "2020-July.txt.gz: byte ", "2020-May: byte 0: this is a folder"} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("%q does not say %q", said, want)
		}
	}
	if r := s.run(dir); r.Added != 0 || r.Known < 5 {
		t.Errorf("again: %+v", r)
	}
}

// TestPublicInbox makes repositories as public-inbox does: version 1 with a file for each message, version 2 with one file "m" that changes, and "d" for what is deleted.
func TestPublicInbox(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	base := t.TempDir()
	git := func(dir string, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.jp"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	commit := func(dir, name, content string) {
		t.Helper()
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		git(dir, "add", "-A")
		git(dir, "commit", "-q", "-m", "x")
	}
	v1, v2 := filepath.Join(base, "v1"), filepath.Join(base, "v2", "git", "0.git")
	for _, dir := range []string{v1, v2} {
		os.MkdirAll(dir, 0o700)
		git(dir, "init", "-q")
	}
	for n := range 3 {
		commit(v1, fmt.Sprintf("%02x/%038x", n, n), head(fmt.Sprint("m", n))+"x\n")
		commit(v2, "m", head(fmt.Sprint("m", n))+"x\n")
	}
	git(v1, "rm", "-q", fmt.Sprintf("01/%038x", 1))
	git(v1, "commit", "-q", "-m", "spam")
	git(v2, "rm", "-q", "m")
	commit(v2, "d", head("m1")+"x\n")
	git(base, "clone", "-q", "--bare", v1, filepath.Join(base, "v1.git"))
	if err := os.Rename(filepath.Join(v2, ".git"), filepath.Join(base, "v2", "git", "bare")); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(v2)
	if err := os.Rename(filepath.Join(base, "v2", "git", "bare"), v2); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{v1, filepath.Join(base, "v1.git"), filepath.Join(base, "v2")} {
		s := newShelf(t)
		if r := s.run(source); r.Added != 2 || r.Lost != 0 {
			t.Errorf("%s: %+v %v", source, r, s.notices)
		}
		if all := s.all(); len(all) != 2 || all[0].ID != "m0@example.jp" || all[1].ID != "m2@example.jp" {
			t.Errorf("%s: %+v", source, all)
		}
		if r := s.run(source); r.Added != 0 || r.Known != 2 {
			t.Errorf("%s again: %+v", source, r)
		}
	}
}
