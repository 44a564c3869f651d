package main

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kairan/archive/mbox"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/templates"
)

// How many copies the outbox keeps, and of how many bytes in all: the newest.
const (
	outboxCopies = 2000
	outboxBytes  = 20 << 20
)

// outbox shows the copies that would have left, for each recipient and as they were on the wire.
type outbox struct {
	app *App
	dir string // path of its pages

	mu     sync.Mutex
	last   int
	copies []capture // oldest first
	bytes  int
}

// capture is one copy to one recipient.
type capture struct {
	n             int // names its page
	to, sender    string
	subject, from string
	at            time.Time
	raw           []byte
}

// attach adds the outbox to the pages of the site.
func (o *outbox) attach(app *App) {
	o.app = app
	app.extra = map[string]http.Handler{
		"GET " + o.dir + "{$}":     o.page(o.list),
		"GET " + o.dir + "{n}":     o.page(o.show),
		"GET " + o.dir + "{n}/raw": o.page(o.raw),
		"GET " + o.dir + "mbox":    o.page(o.mbox),
	}
}

// add keeps a copy for each of its recipients.
func (o *outbox) add(m smtptest.Message) {
	header := message.Parse(m.Data).Header()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, to := range m.To {
		o.last++
		o.bytes += len(m.Data)
		o.copies = append(o.copies, capture{
			n: o.last, to: to, sender: m.From, at: m.At, raw: m.Data,
			subject: header.Text("Subject"), from: header.Text("From"),
		})
	}
	for len(o.copies) > outboxCopies || o.bytes > outboxBytes && len(o.copies) > 1 {
		o.bytes -= len(o.copies[0].raw)
		o.copies[0] = capture{} // let the bytes go
		o.copies = o.copies[1:]
	}
}

// all returns what is kept, newest first.
func (o *outbox) all() []capture {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := slices.Clone(o.copies)
	slices.Reverse(all)
	return all
}

// find returns the copy that a path names, or storage.ErrNotFound.
func (o *outbox) find(r *http.Request) (capture, error) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		return capture{}, storage.ErrNotFound
	}
	for _, c := range o.all() {
		if c.n == n {
			return c, nil
		}
	}
	return capture{}, storage.ErrNotFound
}

func (o *outbox) path(c capture) string { return o.dir + strconv.Itoa(c.n) }

// page makes a handler of a function that answers or returns an error: the only one it expects is that a copy is gone.
func (o *outbox) page(serve func(http.ResponseWriter, *http.Request, templates.Frame) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := templates.FrameOf(r.Context())
		f.Private = true // it changes with every copy
		err := serve(w, r, f)
		switch {
		case err == nil:
		case err == storage.ErrNotFound:
			err = o.app.Templates.Notice(w, r, http.StatusNotFound, f)
		default:
			o.app.Log.Error("outbox", "path", r.URL.Path, "err", err)
			err = o.app.Templates.Notice(w, r, http.StatusInternalServerError, f)
		}
		if err != nil {
			o.app.Log.Error("outbox", "path", r.URL.Path, "err", err)
		}
	})
}

func (o *outbox) list(w http.ResponseWriter, r *http.Request, f templates.Frame) error {
	byRecipient := map[string]*templates.Recipient{}
	view := templates.Outbox{}
	for _, c := range o.all() {
		to := byRecipient[c.to]
		if to == nil {
			to = &templates.Recipient{Address: c.to}
			byRecipient[c.to] = to
		}
		to.Copies = append(to.Copies, templates.CopyRow{Href: o.path(c), Subject: c.subject, From: c.from, Sent: o.time(f, c.at)})
		view.Copies++
	}
	for _, to := range byRecipient {
		view.Recipients = append(view.Recipients, *to)
	}
	slices.SortFunc(view.Recipients, func(a, b templates.Recipient) int { return cmp.Compare(a.Address, b.Address) })
	f.Title = o.app.Templates.T(f.Lang, "outbox.title")
	return o.app.Templates.Serve(w, r, templates.Reply{Page: "outbox", Frame: f, View: view})
}

func (o *outbox) show(w http.ResponseWriter, r *http.Request, f templates.Frame) error {
	c, err := o.find(r)
	if err != nil {
		return err
	}
	f.Title = cmp.Or(c.subject, o.app.Templates.T(f.Lang, "message.no-subject"))
	return o.app.Templates.Serve(w, r, templates.Reply{Page: "copy", Frame: f, View: templates.Copy{
		Recipient: c.to,
		Sender:    c.sender,
		Subject:   c.subject,
		Sent:      o.time(f, c.at),
		Back:      o.dir,
		Download:  o.path(c) + "/raw",
		Raw:       visible(c.raw),
		Links:     o.links(c.raw),
	}})
}

func (o *outbox) raw(w http.ResponseWriter, r *http.Request, _ templates.Frame) error {
	c, err := o.find(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8") // message/rfc822 would be saved instead of shown
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cache-Control", "private, no-store")
	w.Write(c.raw) // an error is the reader's going away
	return nil
}

// mbox is the mailbox of the recipient that "to" names, for a mail program, oldest first.
func (o *outbox) mbox(w http.ResponseWriter, r *http.Request, _ templates.Frame) error {
	copies := o.all()
	slices.Reverse(copies)
	var box []byte
	for _, c := range copies {
		if strings.EqualFold(c.to, r.URL.Query().Get("to")) {
			box = mbox.Append(box, mbox.Record{Received: c.at, Raw: c.raw})
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/mbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	w.Write(box) // an error is the reader's going away
	return nil
}

func (o *outbox) time(f templates.Frame, t time.Time) templates.Time {
	return templates.NewTime(f.Lang, t.In(o.app.Site.Location))
}

// links returns the addresses of our own pages that the header of a copy names.
func (o *outbox) links(raw []byte) (links []templates.Link) {
	header := message.Parse(raw).Header()
	for _, name := range []string{"Archived-At", "List-Unsubscribe", "List-Archive"} {
		for part := range strings.SplitSeq(header.Get(name), ",") {
			href := strings.Trim(part, "<> \t\r\n")
			if strings.HasPrefix(href, o.app.Site.URL+"/") {
				links = append(links, templates.Link{Href: href, Text: name})
			}
		}
	}
	return links
}

// visible is a message as text: bytes that are no text, such as the escapes of ISO-2022-JP, become visible signs.
func visible(raw []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return -1
		case r < ' ' && r != '\n' && r != '\t':
			return 0x2400 + r // control pictures
		case r >= 0x7f && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, string(bytes.ToValidUTF8(raw, []byte("\ufffd"))))
}
