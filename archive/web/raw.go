package web

import (
	"bytes"
	"net/http"
	"time"

	"kairan/archive"
	"kairan/archive/render"
	"kairan/smtpd/message"
	"kairan/storage"
)

// downloadPolicy lets a download do nothing if a browser shows it after all.
const downloadPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'"

// load returns the message that the path names, and its source.
func (h *handler) load(q *request) (m *archive.Message, raw []byte, err error) {
	err = h.arch.DB.View(q.r.Context(), func(tx *storage.Tx) (err error) {
		m, err = q.find(tx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	raw, err = h.read(m)
	return m, raw, err
}

// read returns the source of a message as it may leave the archive.
func (h *handler) read(m *archive.Message) ([]byte, error) {
	raw, err := h.arch.Raw(m)
	if err != nil {
		return nil, err
	}
	return archive.Public(raw), nil
}

// raw serves the source of a message. Without a session nobody gets more than archive.Public lets out.
func (h *handler) raw(q *request) error {
	m, raw, err := h.load(q)
	if err != nil {
		return err
	}
	raw = q.source(raw)
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q.download(raw, m.Received)
	return nil
}

// source returns the source of a message for the reader.
func (q *request) source(raw []byte) []byte {
	if q.stranger() {
		return archive.MaskSource(raw, q.list.Address)
	}
	return raw
}

// attachment serves a file that came with a message. Addresses that can be read in it are shortened for strangers, as they are on pages. Only
// types that a browser does not run are told.
func (h *handler) attachment(q *request) error {
	m, raw, err := h.load(q)
	if err != nil {
		return err
	}
	a, p, ok := render.Open(message.Parse(raw), q.r.PathValue("n"))
	if !ok {
		return storage.ErrNotFound
	}
	var data []byte
	if q.stranger() {
		data = archive.MaskPart(p, q.list.Address)
	} else {
		data = p.Decode()
	}
	q.w.Header().Set("Content-Type", harmless(a.Type))
	q.w.Header().Set("Content-Disposition", disposition(a.FileName()))
	q.download(data, m.Received)
	return nil
}

// download answers with bytes that came from outside.
func (q *request) download(b []byte, modified time.Time) {
	h := q.w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", downloadPolicy)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	q.caching()
	h.Set("ETag", `"`+sum(b)+`"`)
	http.ServeContent(q.w, q.r, "", modified, bytes.NewReader(b))
}

// caching says who may keep the answer.
func (q *request) caching() {
	h := q.w.Header()
	if q.frame.Private || !q.stranger() {
		h.Set("Cache-Control", "private, no-store")
		return
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Cookie")
}
