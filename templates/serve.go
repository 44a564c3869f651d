package templates

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// ContentSecurityPolicy is what every page says: nothing but our own style sheet, script, images and forms.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// compressFrom is the size in bytes from which a page is worth compressing.
const compressFrom = 1400

// Reply is a page as an HTTP answer.
type Reply struct {
	Status int // 0 is 200
	Page   string
	Frame  Frame
	View   any
}

// Serve answers a request with a page. Nothing has been written when it returns an error.
// A page for everybody carries an ETag and answers 304 to who has it already; a private one is stored nowhere.
func (s *Set) Serve(w http.ResponseWriter, r *http.Request, p Reply) error {
	body := s.buffer()
	defer s.release(body)
	if err := s.Page(body, p.Page, p.Frame, p.View); err != nil {
		return err
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", s.known(p.Frame.Lang))
	h.Set("Content-Security-Policy", ContentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if p.Frame.Private || p.Frame.User != "" || p.Frame.Flash.Text != "" || p.Status != http.StatusOK {
		h.Set("Cache-Control", "private, no-store")
	} else {
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Cookie, Accept-Language, Accept-Encoding")
		sum := sha256.Sum256(body.Bytes())
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		if matches(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		// Pages for one reader are not compressed: their length would tell of secrets beside what a stranger chose.
		if body.Len() >= compressFrom && acceptsGzip(r) {
			plain := body
			body = s.buffer()
			defer s.release(body)
			s.compress(body, plain.Bytes())
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		w.Write(body.Bytes()) // an error is the reader's going away
	}
	return nil
}

// matches reports whether an If-None-Match field names the tag (RFC 9110, section 13.1.2, weak comparison).
func matches(field, tag string) bool {
	if strings.TrimSpace(field) == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(field, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// acceptsGzip reports whether a client asks for gzip; one that weighs it with q=0 does not.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.TrimSpace(name) == "gzip" {
			q := strings.ReplaceAll(weight, " ", "")
			return strings.Trim(strings.TrimPrefix(q, "q="), "0.") != "" || q == ""
		}
	}
	return false
}

// largestKept is the size in bytes up to which a buffer is used again.
const largestKept = 256 << 10

// buffer returns an empty buffer, for release afterwards.
func (s *Set) buffer() *bytes.Buffer {
	if b, ok := s.buffers.Get().(*bytes.Buffer); ok {
		b.Reset()
		return b
	}
	return bytes.NewBuffer(make([]byte, 0, 32<<10))
}

func (s *Set) release(b *bytes.Buffer) {
	if b.Cap() <= largestKept {
		s.buffers.Put(b)
	}
}

// compress writes b with gzip, quickly. A compressor is large, so it is used again.
func (s *Set) compress(to *bytes.Buffer, b []byte) {
	z, ok := s.zips.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is right, so there is no error
	}
	z.Reset(to)
	z.Write(b) // a buffer does not fail
	z.Close()
	s.zips.Put(z)
}
