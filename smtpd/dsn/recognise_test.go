package dsn

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

// samples reads testdata/corpus: mail that we wrote in the forms that real hosts use.
func samples(t testing.TB) map[string]*message.Message {
	files, err := filepath.Glob("testdata/corpus/*.eml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples (%v)", err)
	}
	out := map[string]*message.Message{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = message.Parse(raw)
	}
	return out
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// TestSamples compares each sample with its line in want.tsv: name, kind, format, class of the whole, address of the
// recipient the class is from, identifier of the returned message; "-" for none.
func TestSamples(t *testing.T) {
	t.Parallel()
	mails := samples(t)
	raw, err := os.ReadFile("testdata/corpus/want.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		want := strings.Split(strings.TrimRight(line, "\n"), "\t")
		msg := mails[want[0]]
		if msg == nil || len(want) != 6 {
			t.Fatalf("want.tsv: %q", line)
		}
		delete(mails, want[0])
		for _, form := range []string{"LF", "CRLF"} {
			if form == "CRLF" {
				msg = message.Parse([]byte(strings.ReplaceAll(string(msg.Raw()), "\n", "\r\n")))
			}
			r := Recognise(msg)
			got := []string{want[0], string(r.Kind), dash(r.Format), string(r.Class), dash(blamedAddress(r)), dash(r.OriginalMessageID)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s in %s (-want +got):\n%s%s", want[0], form, diff, summary(r))
			}
		}
	}
	for name := range mails {
		t.Errorf("%s is not in want.tsv", name)
	}
}

func blamedAddress(r Report) string {
	for _, c := range r.Recipients {
		if c.Class == r.Class {
			return c.Address.String()
		}
	}
	return ""
}

func TestRecipientDetails(t *testing.T) {
	t.Parallel()
	mails := samples(t)
	for _, tt := range []struct {
		file string
		want []Recipient
	}{
		{"12-postfix-forwarded.eml", []Recipient{{
			Address: address.Must("t.yamada@example.org"), Original: address.Must("taro@example.net"), Action: "failed", Status: "5.1.1",
			Diagnostic: "550 no such mailbox", MTA: "mx.example.net", Class: Gone, Reason: "unknown-user",
		}}},
		{"43-qmail-two.eml", []Recipient{
			{Address: address.Must("taro@example.net"), Action: "failed", Status: "5.1.1", Class: Full, Reason: "mailbox-full",
				Diagnostic: "<taro@example.net>: User is over the quota. You can try again later. (#5.1.1)"},
			{Address: address.Must("jiro@example.net"), Action: "failed", Status: "5.1.1", Class: Gone, Reason: "unknown-user",
				Diagnostic: "<jiro@example.net>: Sorry, no mailbox here by that name. vpopmail (#5.1.1)"},
		}},
		{"06-postfix-two-one-delayed.eml", []Recipient{
			{Address: address.Must("taro@example.net"), Action: "delayed", Status: "4.4.1", MTA: "mx.example.net", Class: NotABounce, Reason: "delayed"},
			{Address: address.Must("jiro@example.net"), Action: "failed", Status: "5.1.1", MTA: "mx.example.net", Class: Gone, Reason: "unknown-user",
				Diagnostic: "550 5.1.1 no such user"},
		}},
		{"36-rfc3464-no-blank-lines.eml", []Recipient{
			{Address: address.Must("taro@example.net"), Action: "failed", Status: "5.1.1", Class: Gone, Reason: "status-5.1.1"},
			{Address: address.Must("jiro@example.net"), Action: "failed", Status: "5.2.2", Class: Full, Reason: "status-5.2.2"},
		}},
		{"44-exim-gone.eml", []Recipient{{
			Address: address.Must("taro@example.net"), Action: "failed", Diagnostic: "taro@example.net Unrouteable address", Class: Gone, Reason: "unknown-user",
		}}},
		{"80-exim-alias.eml", []Recipient{{
			Address: address.Must("taro@example.net"), Action: "failed", Class: Full, Reason: "mailbox-full",
			Diagnostic: "taro@example.net (ultimately generated from all@example.net) mailbox is full",
		}}},
		{"81-rfc3464-two-in-the-text.eml", []Recipient{
			{Address: address.Must("taro@example.net"), Action: "failed", Status: "5.0.0", Class: Gone, Reason: "unknown-user"},
			{Address: address.Must("jiro@example.net"), Action: "failed", Status: "5.0.0", Class: Full, Reason: "mailbox-full"},
		}},
	} {
		msg := mails[tt.file]
		if msg == nil {
			t.Fatalf("no sample %s", tt.file)
		}
		r := Recognise(msg)
		if diff := cmp.Diff(tt.want, r.Recipients, cmp.Comparer(func(a, b address.Address) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.file, diff)
		}
	}
}

func TestReportFor(t *testing.T) {
	t.Parallel()
	r := Recognise(samples(t)["12-postfix-forwarded.eml"])
	for _, asked := range []string{"taro@example.net", "T.Yamada@example.org", "somebody@else.test"} {
		c, ok := r.For(address.Must(asked))
		if !ok || c.Address.String() != "t.yamada@example.org" {
			t.Errorf("For(%s) = %v, %v", asked, c.Address, ok)
		}
	}
	if _, ok := (Report{}).For(address.Must("a@example.jp")); ok {
		t.Error("a report without recipients has one")
	}
}

// TestComplaintCarriesWhatWeWrote: the reader's address may be blacked out, so the header must come back.
func TestComplaintCarriesWhatWeWrote(t *testing.T) {
	t.Parallel()
	for name, msg := range samples(t) {
		if !strings.Contains(name, "arf") && !strings.Contains(name, "jmrp") {
			continue
		}
		r := Recognise(msg)
		if got := r.Original.Get("List-Id"); got != "<neighbours.lists.example.jp>" || r.FeedbackType != "abuse" {
			t.Errorf("%s: List-Id %q, type %q", name, got, r.FeedbackType)
		}
	}
}

// BenchmarkWorst is the most work that a message of any size can make.
func BenchmarkWorst(b *testing.B) {
	var raw strings.Builder
	raw.WriteString("From: MAILER-DAEMON@mx.example.com\nSubject: failure notice\nContent-Type: multipart/report; boundary=b\n\n--b\n\n")
	for n := range 200 {
		raw.WriteString("<a" + strconv.Itoa(n) + "@example.net>: " + strings.Repeat("ip sender \u3300", 150) + "\n")
	}
	raw.WriteString("--b\nContent-Type: message/delivery-status\n\n")
	for n := range 200 {
		raw.WriteString("Final-Recipient: rfc822; a" + strconv.Itoa(n) + "@example.net\nAction: failed\nDiagnostic-Code: smtp; " + strings.Repeat("ip sender \u3300", 200) + "\n\n")
	}
	msg := message.Parse([]byte(raw.String()))
	for b.Loop() {
		if r := Recognise(msg); len(r.Recipients) < 20 {
			b.Fatalf("%d recipients", len(r.Recipients))
		}
	}
}

func TestLargeReportsAreBounded(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	many.WriteString("From: MAILER-DAEMON@mx.example.com\nSubject: failure notice\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n")
	for n := range 5000 {
		many.WriteString("Final-Recipient: rfc822; a" + strings.Repeat("x", n%7) + "@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 " + strings.Repeat("no ", 300) + "\n\n")
	}
	r := Recognise(message.Parse([]byte(many.String())))
	if len(r.Recipients) == 0 || len(r.Recipients) > maxRecipients {
		t.Fatalf("%d recipients, want 1 to %d", len(r.Recipients), maxRecipients)
	}
	for _, c := range r.Recipients {
		if len(c.Diagnostic) > maxDiagnostic {
			t.Fatalf("a diagnostic of %d bytes", len(c.Diagnostic))
		}
	}
	text := "From: MAILER-DAEMON@mx.example.com\nSubject: failure notice\n\n" + strings.Repeat("<b@example.net>: no such user\n", 200_000)
	if r := Recognise(message.Parse([]byte(text))); len(r.Recipients) != 1 || r.Class != Gone {
		t.Errorf("got %s", summary(r))
	}
}

// TestFarAwayIsNotRead: what stands behind the first MiB is not looked at, whatever it says.
func TestFarAwayIsNotRead(t *testing.T) {
	t.Parallel()
	raw := "From: a@example.com\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n" + strings.Repeat("Hello there.\n", maxRead/13) +
		"--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; a@example.net\nAction: failed\nStatus: 5.1.1\n\n--b--\n"
	if r := Recognise(message.Parse([]byte(raw))); r.Kind != Other {
		t.Errorf("got %s", summary(r))
	}
}

// TestWrapsAreCounted: a report inside more wrappings than we open is not found, and nothing else happens.
func TestWrapsAreCounted(t *testing.T) {
	t.Parallel()
	inner := "From: MAILER-DAEMON@mx.example.com\nSubject: failure notice\n\nHi. This is the qmail-send program at x.\n\n<a@example.net>:\nno such user\n"
	for wraps, want := range []Kind{Bounce, Bounce, Bounce, Other} {
		raw := inner
		for range wraps {
			raw = "From: a@example.com\nSubject: for you\nContent-Type: message/rfc822\n\n" + raw
		}
		if got := Recognise(message.Parse([]byte(raw))).Kind; got != want {
			t.Errorf("%d wraps: %s, want %s", wraps, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	for _, msg := range samples(f) {
		f.Add(msg.Raw())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := Recognise(message.Parse(raw))
		if len(r.Recipients) > maxRecipients {
			t.Fatalf("%d recipients", len(r.Recipients))
		}
		if r.Class == "" || r.Reason == "" || r.Kind == "" {
			t.Fatalf("a report without a class, reason or kind: %+v", r)
		}
		for _, c := range r.Recipients {
			if c.Class == "" || c.Reason == "" || len(c.Diagnostic) > maxDiagnostic || strings.ContainsAny(c.Diagnostic+c.MTA+c.Action, "\r\n") {
				t.Fatalf("recipient %+v", c)
			}
		}
	})
}
