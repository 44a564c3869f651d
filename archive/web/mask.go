package web

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// mailAddress finds what a harvester would take for an address.
var mailAddress = regexp.MustCompile(`[\pL\pN!#$%&'*+/=?^_{|}~.-]{1,64}@(?:[\pL\pN-]{1,63}\.){1,8}[\pL][\pL\pN-]{1,62}`)

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
	if !strings.Contains(s, "@") {
		return s
	}
	return mailAddress.ReplaceAllStringFunc(s, func(a string) string {
		if strings.EqualFold(a, keep) {
			return a
		}
		return maskAddress(a)
	})
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
