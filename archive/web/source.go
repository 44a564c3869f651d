package web

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strconv"
)

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
