package templates

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
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

// inJSON is a view that has a form for programs. It is written down in docs/json.md and only grows.
type inJSON interface{ JSON() any }

// form writes the page, or its form for programs, and returns its media type.
func (s *Set) form(body *bytes.Buffer, r *http.Request, p Reply) (kind string, err error) {
	if v, ok := p.View.(inJSON); ok && WantsJSON(r) {
		e := json.NewEncoder(body)
		e.SetIndent("", " ")
		return JSON, e.Encode(v.JSON())
	}
	return "text/html; charset=utf-8", s.Page(body, p.Page, p.Frame, p.View)
}

// WantsJSON reports whether a request is for the form of a page for programs: by the ending of the address, or by an Accept
// field that likes JSON better than HTML (RFC 9110, section 12.5.1).
func WantsJSON(r *http.Request) bool {
	if strings.HasSuffix(r.URL.Path, ".json") {
		return true
	}
	weights := map[string]float64{}
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, params, err := mime.ParseMediaType(one)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(cmp.Or(params["q"], "1"), 64)
		if err == nil {
			weights[kind] = q
		}
	}
	return weights[JSON] > weights["text/html"]
}

// Serve answers a request with a page, or with its form in JSON if it has one and that is asked for. Nothing has been written when it returns an error.
// A page for everybody carries an ETag and answers 304 to who has it already; a private one is stored nowhere.
func (s *Set) Serve(w http.ResponseWriter, r *http.Request, p Reply) error {
	body := s.buffer()
	defer s.release(body)
	kind, err := s.form(body, r, p)
	if err != nil {
		return err
	}
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Language", s.known(p.Frame.Lang))
	policy := ContentSecurityPolicy
	if p.Frame.Script != "" {
		policy += "; connect-src 'self'"
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	if p.Frame.Noindex || p.Frame.Private {
		h.Set("X-Robots-Tag", "noindex")
	}
	if p.Frame.Private || p.Frame.User != "" || p.Frame.Flash.Text != "" || p.Status != http.StatusOK {
		h.Set("Cache-Control", "private, no-store")
	} else {
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Cookie, Accept, Accept-Language, Accept-Encoding")
		sum := sha256.Sum256(body.Bytes())
		tag := `W/"` + hex.EncodeToString(sum[:12]) + `"`
		h.Set("ETag", tag)
		if Unchanged(r, tag) {
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

// Unchanged reports whether the client of a request has what the tag names.
func Unchanged(r *http.Request, tag string) bool { return matches(r.Header.Get("If-None-Match"), tag) }

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

// compressors is how many pages are compressed at one time: no reader waits long, for it is work of the processor alone, and each has a megabyte.
const compressors = 2

// compress writes b with gzip, quickly.
func (s *Set) compress(to *bytes.Buffer, b []byte) {
	z := <-s.zips
	defer func() { s.zips <- z }()
	if z == nil {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is right, so there is no error
	}
	z.Reset(to)
	z.Write(b) // a buffer does not fail
	z.Close()
}
