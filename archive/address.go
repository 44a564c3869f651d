package archive

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// What a harvester would take for an address: up to 64 of these characters, "@", one to eight labels with a dot after each, and a last one
// of two characters or more that begins with a letter. A test compares what finds it with a regular expression, which
// takes ten times as long.
const (
	mostLocal  = 64
	mostLabel  = 63
	mostLabels = 8
)

// NextAddress finds the first address of a person in s[from:], as those who gather addresses would.
func NextAddress(s string, from int) (start, end int, ok bool) {
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

// SeenOf returns how many bytes of the local part of an address strangers see: enough for those who know it, and too little to write to it.
func SeenOf(local string) (n int) {
	for range min(2, utf8.RuneCountInString(local)/2) {
		_, size := utf8.DecodeRuneInString(local[n:])
		n += size
	}
	return n
}
