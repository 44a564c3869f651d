package web

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a harvester would take for an address: up to 64 of these characters, "@", one to eight labels with a dot after each, and a last one
// of two characters or more that begins with a letter. A test compares the functions that find it with a regular expression, which
// takes ten times as long.
const (
	mostLocal  = 64
	mostLabel  = 63
	mostLabels = 8
)

// nextAddress finds the first address in s[from:].
func nextAddress(s string, from int) (start, end int, ok bool) {
	for at := from; ; at++ {
		i := strings.IndexByte(s[at:], '@')
		if i < 0 {
			return 0, 0, false
		}
		at += i
		start = localStart(s, from, at)
		if end = domainEnd(s, at+1); start < at && end > 0 {
			return start, end, true
		}
	}
}

// localStart returns where the local part begins that ends at, no earlier than from.
func localStart(s string, from, at int) int {
	for range mostLocal {
		r, n := utf8.DecodeLastRuneInString(s[from:at])
		if !isLabel(r) && (r >= utf8.RuneSelf || strings.IndexByte("!#$%&'*+/=?^_{|}~.", byte(r)) < 0) || n == 0 {
			break
		}
		at -= n
	}
	return at
}

// domainEnd returns where the domain ends that begins at, 0 if none does.
func domainEnd(s string, at int) (end int) {
	for range mostLabels {
		dot := labelEnd(s, at, mostLabel)
		if dot == at || dot == len(s) || s[dot] != '.' {
			return end
		}
		at = dot + 1
		if first, n := utf8.DecodeRuneInString(s[at:]); unicode.IsLetter(first) {
			if last := labelEnd(s, at+n, mostLabel-1); last > at+n {
				end = last
			}
		}
	}
	return end
}

// labelEnd returns where up to most characters of a label end that begin at.
func labelEnd(s string, at, most int) int {
	for range most {
		r, n := utf8.DecodeRuneInString(s[at:])
		if n == 0 || !isLabel(r) {
			break
		}
		at += n
	}
	return at
}

func isLabel(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// maskAddress shortens an address so that people who know it recognise it and nobody can write to it: "an…@example.jp".
func maskAddress(a string) string {
	local, domain, ok := strings.Cut(a, "@")
	if !ok {
		return a
	}
	keep := 0
	for range min(2, utf8.RuneCountInString(local)/2) {
		_, n := utf8.DecodeRuneInString(local[keep:])
		keep += n
	}
	return local[:keep] + "…@" + domain
}

// MaskText shortens every address in a text for strangers, "an…@example.jp", but for keep: the list's own, which is for everybody.
func MaskText(s, keep string) string {
	start, end, ok := nextAddress(s, 0)
	if !ok {
		return s
	}
	var b strings.Builder
	done := 0
	for ; ok; start, end, ok = nextAddress(s, end) {
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
