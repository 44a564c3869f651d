package mbox_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kairan/archive/mbox"
)

func record(raw string) mbox.Record {
	return mbox.Record{
		Post: "0abc", Number: 17, ID: "a@example.jp", Seq: 18,
		Received: time.Date(2026, 1, 2, 3, 4, 5, 6e8, time.UTC), Raw: []byte(raw),
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	got := string(mbox.Append(nil, record("Subject: x\r\n\r\nFrom here\r\n>From there\r\nfrom\r\n")))
	want := `From MAILER-DAEMON Fri Jan  2 03:04:05 2026
X-Kairan-ID: 0abc
X-Kairan-Number: 17
X-Kairan-Message-ID: a@example.jp
X-Kairan-Seq: 18
X-Kairan-Received: 2026-01-02T03:04:05.6Z
X-Kairan-Raw: 44 ed3d4be77c9db475579dadfde13ebab18a31d698da2f7715b7e0ab66d6418a5c
Subject: x

>From here
>>From there
from

`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var roundTrips = []string{
	"",
	"\r\n",
	"\n",
	"a",
	"a\r",
	"a\n",
	"a\r\n",
	"a\r\n\r\n",
	"a\r\n\r\n\r\n",
	"a\r\r\n\r\n",
	"From x Fri Jan  2 03:04:05 2026\r\n\r\nFrom y Fri Jan  2 03:04:05 2026\r\n",
	"a\n\nFrom y Fri Jan  2 03:04:05 2026\nb",
	">>>>From \r\n>\r\n> From\r\n",
	"X-Kairan-Raw: 1 2\r\nX-Kairan-ID: z\r\n\r\nbody\r\n",
	"Subject: =?\r\n\r\n\x00\xff\x80\r\n",
	strings.Repeat(">", 100_000) + "From \r\n",
	"a\r\nb\nc\r\n",
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	var file []byte
	for _, raw := range roundTrips {
		file = mbox.Append(file, record(raw))
	}
	r := mbox.NewReader(iotest.OneByteReader(bytes.NewReader(file)), 1<<20)
	var last int64
	for i, raw := range roundTrips {
		got, err := r.Next()
		if err != nil {
			t.Fatalf("%d %q: %v", i, raw, err)
		}
		want := record(raw)
		want.Checked = true
		if got.Raw == nil {
			got.Raw = []byte{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
		start, end := r.Span()
		if one, err := mbox.Parse(file[start:end]); err != nil || !one.Checked || start != last {
			t.Errorf("%d: the record alone, at %d after %d: %v, checked %t", i, start, last, err, one.Checked)
		}
		last = end
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
}

func TestCutIsSeen(t *testing.T) {
	t.Parallel()
	first := mbox.Append(nil, record("Subject: one\r\n\r\nbody\r\n\r\n\r\n"))
	whole := mbox.Append(bytes.Clone(first), record("Subject: two\r\n\r\nFrom us\r\n\r\n\r\n"))
	for n := len(first) + 1; n < len(whole); n++ {
		r := mbox.NewReader(bytes.NewReader(whole[:n]), 1<<20)
		if rec, err := r.Next(); n > len(first)+60 && (err != nil || !rec.Checked) {
			t.Fatalf("cut at %d: the first record: %v, checked %t", n, err, rec.Checked)
		}
		if rec, err := r.Next(); err == nil && rec.Checked {
			t.Errorf("cut at %d of %d: the second record looks whole", n, len(whole))
		}
	}
	for i := len(first) + 60; i < len(whole); i++ {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x10
		r := mbox.NewReader(bytes.NewReader(damaged), 1<<20)
		r.Next()
		rec, err := r.Next()
		if err == nil && rec.Checked && !bytes.Equal(rec.Raw, []byte("Subject: two\r\n\r\nFrom us\r\n\r\n\r\n")) {
			t.Errorf("damage at %d is not seen", i)
		}
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"LF": {
			"From ann@example.jp Fri Jan  2 03:04:05 2026\nSubject: a\n\nbody\n\nFrom bob@example.jp Fri Jan  2 03:04:05 2026\nSubject: b\n\n>From me\n",
			[]string{"Subject: a\r\n\r\nbody\r\n", "Subject: b\r\n\r\nFrom me\r\n"},
		},
		"CRLF": {
			"From ann@example.jp Fri Jan  2 03:04:05 2026\r\nSubject: a\r\n\r\nbody\r\n\r\nFrom bob@example.jp Fri Jan  2 03:04:05 2026\r\nSubject: b\r\n\r\n",
			[]string{"Subject: a\r\n\r\nbody\r\n", "Subject: b\r\n"},
		},
		"pipermail and unquoted From": {
			"From ann at example.jp  Fri Jan  2 03:04:05 2026\nSubject: a\n\nx\nFrom ann at example.jp Fri Jan  2 03:04:05 2026\n\nFrom what I know\n\n",
			[]string{"Subject: a\r\n\r\nx\r\nFrom ann at example.jp Fri Jan  2 03:04:05 2026\r\n\r\nFrom what I know\r\n"},
		},
		"fields that are not ours": {
			"From ann@example.jp Fri Jan  2 03:04:05 2026\nX-Kairan-Number: 1\nSubject: a\n\n",
			[]string{"X-Kairan-Number: 1\r\nSubject: a\r\n"},
		},
		"no end": {"From a@example.jp Fri Jan  2 03:04:05 2026\na: b\n\nc", []string{"a: b\r\n\r\nc\r\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			r := mbox.NewReader(strings.NewReader(c.file), 1<<20)
			for {
				rec, err := r.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if rec.Checked || rec.Post != "" {
					t.Error("a foreign record passes as ours")
				}
				got = append(got, string(rec.Raw))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEnvelopeTime(t *testing.T) {
	t.Parallel()
	rec, err := mbox.Parse([]byte("From ann@example.jp Fri Jan  2 03:04:05 2026\na: b\n\n"))
	if want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC); err != nil || !rec.Received.Equal(want) {
		t.Errorf("got %v, %v; want %v", rec.Received, err, want)
	}
}

func TestJunkAndLength(t *testing.T) {
	t.Parallel()
	file := "junk\n\n" + string(mbox.Append(nil, record("a: b\r\n\r\n"+strings.Repeat("long", 1000)+"\r\n"))) + string(mbox.Append(nil, record("a: c\r\n")))
	r := mbox.NewReader(strings.NewReader(file), 2000)
	if _, err := r.Next(); !errors.Is(err, mbox.ErrJunk) {
		t.Errorf("junk: %v", err)
	}
	if start, end := r.Span(); start != 0 || end != 6 {
		t.Errorf("junk lies at %d to %d", start, end)
	}
	if _, err := r.Next(); !errors.Is(err, mbox.ErrTooLong) {
		t.Errorf("long record: %v", err)
	}
	if rec, err := r.Next(); err != nil || string(rec.Raw) != "a: c\r\n" || !rec.Checked {
		t.Errorf("the record after: %q, %v", rec.Raw, err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	r := mbox.NewReader(io.MultiReader(strings.NewReader("From a b Fri Jan  2 03:04:05 2026\nx"), iotest.ErrReader(broken)), 100)
	if _, err := r.Next(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, raw := range roundTrips {
		f.Add([]byte(raw), "0abc", "a@example.jp")
	}
	f.Add([]byte("x"), "\"\n", "\r\n X-Kairan-Raw: 1")
	f.Fuzz(func(t *testing.T, raw []byte, post, id string) {
		if post == "" {
			return
		}
		want := mbox.Record{Post: post, ID: id, Raw: raw, Received: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
		file := mbox.Append(mbox.Append(nil, want), record("the next"))
		r := mbox.NewReader(bytes.NewReader(file), 1<<20)
		got, err := r.Next()
		if err != nil || !got.Checked || !bytes.Equal(got.Raw, raw) || got.Post != post || got.ID != id {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		if next, err := r.Next(); err != nil || string(next.Raw) != "the next" {
			t.Errorf("the next record: %q, %v", next.Raw, err)
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("From a@example.jp Fri Jan  2 03:04:05 2026\nX-Kairan-ID: 1\nX-Kairan-Raw: 99999999999 x\n\n\n"))
	f.Add([]byte("\n\nFrom \n>From \nFrom a 1:23 2026\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r := mbox.NewReader(bytes.NewReader(file), 100)
		var last int64
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			start, end := r.Span()
			if start < last || end <= start {
				t.Fatalf("record from %d to %d after %d", start, end, last)
			}
			last = end
		}
	})
}
