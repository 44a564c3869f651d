package cook

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"kairan/list"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/message"
	"kairan/storage/storagetest"
)

var (
	received = time.Date(2026, 1, 14, 9, 30, 0, 0, time.FixedZone("JST", 9*3600))
	site     = &list.Site{Hostname: "mx.example.jp", URL: "https://lists.example.jp", Language: "ja", Location: time.UTC}
)

// input returns what Content and Dress need for a message to janog@lists.example.jp.
func input(s list.Settings, msg *message.Message) Input {
	h := msg.Header()
	p := &list.Post{ID: "0p", Number: 123, Received: received, MessageID: message.MessageID(h.Get("Message-ID"))}
	if p.MessageID == "" {
		p.MessageID = "made-by-us@lists.example.jp"
	}
	value, _ := message.DecodeCharset("", []byte(h.Get("From")))
	if boxes, _ := address.ParseList(value, message.DecodeHeader); len(boxes) == 1 {
		p.Author = boxes[0].Address
	}
	domain := p.Author.ASCIIDomain()
	p.Auth.SPF = mailauth.SPF{Result: mailauth.Pass, Domain: domain}
	p.Auth.DMARC = mailauth.DMARC{Result: mailauth.Pass, Domain: domain, Org: domain, SPFAligned: true}
	l := &list.List{ID: "0l", Address: address.Must("janog@lists.example.jp"), Name: "janog", Settings: s}
	return Input{Site: site, List: l, Post: p, Now: received}
}

// TestGolden cooks each message of testdata. A file's comment is the list's settings in TOML, "in" the message as received,
// "content" what is archived, "out" a copy with personal fields, "notes" what the trace says.
func TestGolden(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			comment, files := storagetest.Txtar(t, path)
			settings := list.DefaultSettings("ja")
			settings.DisplayName = "JANOG"
			if _, err := toml.Decode(comment, &settings); err != nil {
				t.Fatal(err)
			}
			if err := settings.Check(); err != nil {
				t.Fatal(err)
			}
			msg := message.Parse(crlf(files["in"]))
			in := input(settings, msg)
			archived := contentOf(in, msg)
			personal := Personal(in.Site, in.List, "0123456789abcdef0123456789abcdef")
			r := Dress(in, archived, personal)
			copied := append(personal, r.Message...)
			checkWire(t, r.Message)
			if again := Dress(in, contentOf(in, msg), personal); !bytes.Equal(again.Message, r.Message) {
				t.Error("cooking twice gives two results")
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "%s-- in --\n%s-- content --\n%s-- out --\n%s-- notes --\n", comment, lf(files["in"]), lf(archived.Raw()), lf(copied))
			for _, n := range append(r.Notes, "rewritten: "+r.Rewritten) {
				b.WriteString(strings.TrimSpace(n) + "\n")
			}
			storagetest.Golden(t, filepath.Base(path), b.Bytes())
		})
	}
}

// checkWire checks what any next hop may ask for.
func checkWire(t testing.TB, raw []byte) {
	t.Helper()
	msg := message.Parse(raw)
	if !isASCII(msg.Header().Bytes()) {
		t.Error("the header is not ASCII")
	}
	if n := longest(raw); n > 998 {
		t.Errorf("a line has %d octets", n)
	}
	if n := bytes.Count(raw, []byte("\r\n")); n != bytes.Count(raw, []byte("\n")) || n != bytes.Count(raw, []byte("\r")) {
		t.Error("bare CR or LF")
	}
	for _, name := range []string{"From", "Subject", "To", "Cc", "Date", "Message-ID", "Reply-To", "Content-Type", "List-Id", "List-Post", "Precedence"} {
		if n := len(msg.Header().All(name)); n > 1 {
			t.Errorf("%d fields %s", n, name)
		}
	}
	for _, f := range msg.Header() {
		if f.Name == "" || isBroken(f) {
			t.Errorf("malformed field %q", f.Raw)
		}
	}
	for _, name := range []string{"Approved", "Bcc", "Disposition-Notification-To", "List-Unsubscribe", "Return-Path"} {
		if msg.Header().Get(name) != "" {
			t.Errorf("%s leaves", name)
		}
	}
}

func crlf(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }

// lf ends b with a line end, or the next file of the archive would begin in its last line.
func lf(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	if len(b) > 0 && b[len(b)-1] != '\n' {
		b = append(b, '\n')
	}
	return b
}
