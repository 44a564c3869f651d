package mailauth

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"iter"
)

// splitMessage returns the header without the blank line, and what follows it.
func splitMessage(raw []byte) (header, body []byte) {
	for at := 0; at < len(raw); {
		end := lineEnd(raw, at)
		if len(bytes.TrimRight(raw[at:end], "\r\n")) == 0 {
			return raw[:at], raw[end:]
		}
		at = end
	}
	return raw, nil
}

// lineEnd returns the offset after the line that starts at at.
func lineEnd(b []byte, at int) int {
	if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(b)
}

// fields returns the header fields in order, each with its continuation lines.
func fields(header []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := 0; at < len(header); {
			end := lineEnd(header, at)
			for end < len(header) && isWSP(header[end]) {
				end = lineEnd(header, end)
			}
			if !yield(header[at:end]) {
				return
			}
			at = end
		}
	}
}

func isWSP(c byte) bool { return c == ' ' || c == '\t' }

// fieldName returns the name of a field as written; ok is false for a line that is none.
func fieldName(field []byte) (name []byte, ok bool) {
	name, _, ok = bytes.Cut(field, []byte(":"))
	return bytes.TrimSpace(name), ok
}

// appendRelaxed appends a field in relaxed form (RFC 6376, section 3.4.2), without the CRLF at its end.
func appendRelaxed(dst, field []byte) []byte {
	name, ok := fieldName(field)
	if !ok {
		return dst
	}
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	dst = append(dst, ':')
	start, space := len(dst), false
	for _, c := range field[bytes.IndexByte(field, ':')+1:] {
		if isWSP(c) || c == '\r' || c == '\n' {
			space = true
			continue
		}
		if space && len(dst) > start {
			dst = append(dst, ' ')
		}
		space = false
		dst = append(dst, c)
	}
	return dst
}

// bodyHash returns the SHA-256 of a body in relaxed form (RFC 6376, section 3.4.4).
func bodyHash(body []byte) []byte {
	h := sha256.New()
	var line []byte
	blank := 0 // lines held back, in case they are the last
	for at := 0; at < len(body); {
		end := lineEnd(body, at)
		text := bytes.TrimRight(bytes.TrimSuffix(bytes.TrimSuffix(body[at:end], []byte("\n")), []byte("\r")), " \t")
		at = end
		if len(text) == 0 {
			blank++
			continue
		}
		for ; blank > 0; blank-- {
			h.Write([]byte("\r\n"))
		}
		line = line[:0]
		for i, c := range text {
			switch {
			case !isWSP(c):
				line = append(line, c)
			case i == 0 || !isWSP(text[i-1]):
				line = append(line, ' ')
			}
		}
		h.Write(append(line, "\r\n"...))
	}
	return h.Sum(nil)
}

// cloneHash copies the state of a SHA-256, so that a common beginning is hashed once.
func cloneHash(h hash.Cloner) hash.Hash {
	c, err := h.Clone()
	if err != nil {
		panic(err) // unreachable: SHA-256 can always be cloned
	}
	return c
}
