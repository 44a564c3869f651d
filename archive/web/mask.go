package web

import (
	"strings"

	"kairan/archive"
)

// maskAddress shortens an address so that people who know it recognise it and nobody can write to it: "an…@example.jp".
func maskAddress(a string) string {
	local, domain, ok := strings.Cut(a, "@")
	if !ok {
		return a
	}
	return local[:archive.SeenOf(local)] + "…@" + domain
}

// MaskText shortens every address in a text for strangers, "an…@example.jp", but for keep: the list's own, which is for everybody.
func MaskText(s, keep string) string {
	start, end, ok := archive.NextAddress(s, 0)
	if !ok {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16) // most are longer than what is shown of them
	done := 0
	for ; ok; start, end, ok = archive.NextAddress(s, end) {
		b.WriteString(s[done:start])
		if done = end; strings.EqualFold(s[start:end], keep) {
			b.WriteString(s[start:end])
			continue
		}
		b.WriteString(maskAddress(s[start:end]))
	}
	b.WriteString(s[done:])
	return b.String()
}

// mask is MaskText for the pages of the request's list.
func (q *request) mask(s string) string { return MaskText(s, q.list.Address) }

// show returns a text that may hold addresses as this reader may see it.
func (q *request) show(s string) string {
	if q.stranger() {
		return q.mask(s)
	}
	return s
}
