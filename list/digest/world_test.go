package digest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

const day = 24 * time.Hour

// world is a list of which the test counts what everybody gets.
type world struct {
	*listtest.World
	t *testing.T
	l *list.List
	n int // posts sent

	behave func(smtptest.Message) smtptest.Behaviour // nil accepts all
}

// story runs fn in a bubble where days pass in no time. ann posts and gets single posts, mim and tom get digests.
func story(t *testing.T, change func(*list.Settings), fn func(w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.World = listtest.New(t, func(m smtptest.Message) smtptest.Behaviour {
			if w.behave == nil {
				return smtptest.Behaviour{}
			}
			return w.behave(m)
		})
		w.l = w.List("janog", func(s *list.Settings) {
			s.PreferredLanguage = "en"
			if change != nil {
				change(s)
			}
		})
		w.Join(w.l, list.RoleMember, "ann@people.test", "mim@people.test", "tom@people.test")
		w.mode("mim@people.test", list.DeliveryMIMEDigests)
		w.mode("tom@people.test", list.DeliveryPlaintextDigests)
		w.Run()
		fn(w)
		w.Stop()
	})
}

func (w *world) mode(addr string, mode list.DeliveryMode) {
	w.t.Helper()
	w.SetMember(w.l, addr, func(m *list.Member) { m.DeliveryMode = mode })
}

// post sends a post whose text is about size bytes long and waits until what it leads to is done. It returns its Message-ID.
func (w *world) post(size int) string {
	w.t.Helper()
	id := w.send(strings.Repeat(strings.Repeat("x", 76)+"\n", size/77) + "Hello.\n")
	w.sleep(time.Second)
	return id
}

// send sends a post and does not wait.
func (w *world) send(body string) string {
	w.t.Helper()
	w.n++
	id := fmt.Sprintf("%d@people.test", w.n)
	w.mail(listtest.Post("Ann <ann@people.test>", w.l, id, fmt.Sprintf("Subject %d", w.n), body))
	return id
}

func (w *world) mail(raw string) {
	w.t.Helper()
	if code, text := w.Send(listtest.Mail{From: "ann@people.test", To: []string{w.l.Address.String()}, Raw: raw}); code != 250 {
		w.t.Fatal(code, text)
	}
}

func (w *world) sleep(d time.Duration) {
	listtest.Rest(d)
}

// received is a digest as its receiver reads it.
type received struct {
	subject string
	mime    bool
	posts   []string // Message-IDs
	text    string   // all that is text in it, but for the messages of the MIME form
	header  mail.Header
}

// copies are what an address got: single posts by their Message-IDs, and digests.
type copies struct {
	single  []string
	digests []received
}

// all returns the Message-IDs of all posts somebody got, in whatever form.
func (c copies) all() []string {
	all := slices.Clone(c.single)
	for _, d := range c.digests {
		all = append(all, d.posts...)
	}
	slices.Sort(all)
	return all
}

// got reads what the world outside has for an address, with the standard library's parsers.
func (w *world) got(addr string) (c copies) {
	w.t.Helper()
	for _, m := range w.Sink.Messages() {
		if slices.Contains(m.To, addr) {
			w.read(m, &c)
		}
	}
	return c
}

func (w *world) read(m smtptest.Message, c *copies) {
	w.t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		w.t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		w.t.Fatal(err)
	}
	d := received{subject: subject, header: msg.Header}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	switch {
	case !strings.Contains(msg.Header.Get("Feedback-Id"), ":digest:"):
		c.single = append(c.single, strings.Trim(msg.Header.Get("Message-Id"), "<>"))
		return
	case err != nil:
		w.t.Fatalf("%v: %s", err, m.Data)
	case kind == "multipart/mixed":
		d.mime = true
		d.readMixed(w.t, multipart.NewReader(msg.Body, params["boundary"]))
	default:
		d.text = decode(w.t, msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
		d.posts = undigest(w.t, d.text)
	}
	c.digests = append(c.digests, d)
}

func decode(t *testing.T, encoding string, r io.Reader) string {
	t.Helper()
	if encoding == "base64" {
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// readMixed reads the MIME form back: a text, a multipart/digest of messages, a text.
func (d *received) readMixed(t *testing.T, r *multipart.Reader) {
	t.Helper()
	var kinds []string
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, kind)
		if kind == "text/plain" {
			d.text += decode(t, p.Header.Get("Content-Transfer-Encoding"), p)
			continue
		}
		for inner := multipart.NewReader(p, params["boundary"]); ; {
			p, err := inner.NextRawPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.Header.Get("Content-Type") != "message/rfc822" {
				t.Errorf("a %q in the digest", p.Header.Get("Content-Type"))
			}
			msg, err := mail.ReadMessage(p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, msg.Body); err != nil {
				t.Fatal(err)
			}
			d.posts = append(d.posts, strings.Trim(msg.Header.Get("Message-Id"), "<>"))
		}
	}
	if got := strings.Join(kinds, " "); got != "text/plain multipart/digest text/plain" {
		t.Errorf("parts: %s", got)
	}
}

// undigest bursts the plain form as RFC 1153 says: by the line of 70 hyphens, then by those of 30.
func undigest(t *testing.T, text string) (ids []string) {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n\n"+strings.Repeat("-", 70)+"\n\n")
	if !ok {
		t.Fatalf("no line of 70 hyphens:\n%s", text)
	}
	parts := strings.Split(rest, "\n\n"+strings.Repeat("-", 30)+"\n\n")
	for _, p := range parts[:len(parts)-1] {
		msg, err := mail.ReadMessage(strings.NewReader(p))
		if err != nil {
			t.Fatalf("%v:\n%s", err, p)
		}
		ids = append(ids, strings.Trim(msg.Header.Get("Message-Id"), "<>"))
	}
	if last := parts[len(parts)-1]; !strings.HasSuffix(last, "\n"+strings.Repeat("*", 30)+"\n") {
		t.Errorf("the end is %q", last)
	}
	return ids
}

// history returns what is noted about a post in some stage.
func (w *world) history(id list.PostID, stage string) string {
	var b strings.Builder
	w.Update(func(tx *storage.Tx) error {
		b.Reset()
		for e := range list.History(tx, id) {
			if e.Stage == stage {
				b.WriteString(e.Text + "\n")
			}
		}
		return nil
	})
	return b.String()
}

func subjects(ds []received) (all []string) {
	for _, d := range ds {
		all = append(all, d.subject)
	}
	return all
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// bounce sends a report to an envelope sender of ours.
func (w *world) bounce(to, raw string) {
	w.t.Helper()
	if code, text := w.Send(listtest.Mail{From: "", To: []string{to}, Raw: raw}); code != 250 {
		w.t.Fatal(code, text)
	}
	w.sleep(time.Second)
}
