package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// identifying are the fields whose "@" does not make an address of a person.
var identifying = map[string]bool{
	"message-id": true, "references": true, "in-reply-to": true, "content-id": true,
	"dkim-signature": true, "archived-at": true, "x-kairan-id": true,
}

// maskSource shortens every address in a message's source but for identifiers, so that a source does not give away what
// the page hides. Base64 has no "@", so encoded parts come through as they are.
func (q *request) maskSource(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	inHeader, keep := true, false
	for len(raw) > 0 {
		line := raw
		if i := bytes.IndexByte(raw, '\n'); i >= 0 {
			line = raw[:i+1]
		}
		raw = raw[len(line):]
		if inHeader && len(bytes.TrimRight(line, "\r\n")) == 0 {
			inHeader, keep = false, false
		}
		if inHeader && line[0] != ' ' && line[0] != '\t' {
			name, _, _ := bytes.Cut(line, []byte(":"))
			keep = identifying[strings.ToLower(string(name))]
		}
		if keep || bytes.IndexByte(line, '@') < 0 {
			out = append(out, line...)
			continue
		}
		out = append(out, q.mask(string(line))...)
	}
	return out
}

// disposition makes a download of a file, under its name as RFC 6266 writes it.
func disposition(name string) string {
	if d := mime.FormatMediaType("attachment", map[string]string{"filename": name}); d != "" {
		return d
	}
	return "attachment" // a name that cannot be written
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:12])
}

func itoa(n int) string { return strconv.Itoa(n) }

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n < 1000:
		return itoa(n) + " B"
	case n < 1000*1000:
		return itoa((n+500)/1000) + " KB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

// redirectFound leads to a path for now.
func (q *request) redirectFound(path string) {
	h := q.w.Header()
	h.Set("Cache-Control", "no-cache")
	if q.frame.Private {
		h.Set("Cache-Control", "private, no-store")
	}
	h.Set("Location", path)
	q.w.WriteHeader(http.StatusFound)
}
