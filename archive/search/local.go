package search

import (
	"slices"

	"kairan/archive"
)

// localPart is the local part of an address in a text. Strangers see the beginning of it, and must not find the rest: who can ask
// whether an address occurs can find it out.
type localPart struct {
	from, at int      // in the text; at is that of the "@"
	seen     [][]byte // the terms of what strangers see
}

// localParts returns those of a text, in order.
func localParts(text string) (all []localPart) {
	for start, end, ok := archive.NextAddress(text, 0); ok; start, end, ok = archive.NextAddress(text, end) {
		p := localPart{from: start, at: start}
		for text[p.at] != '@' {
			p.at++
		}
		cut(text[start:start+archive.SeenOf(text[start:p.at])], 0, func(t token) { p.seen = append(p.seen, slices.Clone(t.term)) })
		all = append(all, p)
	}
	return all
}
