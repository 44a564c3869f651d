package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"kairan/smtpd/message"
)

// Piece is a piece of an excerpt.
type Piece struct {
	Text string
	Mark bool // it is what was looked for
}

// excerptLength is how long an excerpt is, in bytes: 80 characters of Japanese.
const excerptLength = 240

// maxMatches is how many matches of a clause in a text are looked at.
const maxMatches = 500

// place of a match in a text.
type match struct{ from, to, clause int }

// How much of a text is looked at for an excerpt, in bytes.
const (
	firstLook  = 4 << 10  // at first; where not all is found in it, more is
	enoughText = 64 << 10 // in this, what is not found together may stand apart
)

// ExcerptOf returns the piece of a message, as its readers see it, that shows most of what the query looks for, with it marked; the
// beginning if there is nothing. raw is what archive.Raw returned; mask, if not nil, hides addresses from strangers.
func ExcerptOf(q *Query, raw []byte, mask func(string) string) []Piece {
	msg := message.Parse(raw)
	text, _, cut := readable(msg, mask, enoughText)
	pieces, found := q.excerpt(text)
	if cut && !found {
		text, _, _ = readable(msg, mask, 0)
		pieces, _ = q.excerpt(text)
	}
	return pieces
}

// excerpt returns the piece of a text that shows most of what the query looks for, with it marked; the beginning, and false, if
// there is nothing.
func (q *Query) excerpt(text string) ([]Piece, bool) {
	found, best := q.place(text)
	from := 0
	if len(found) > 0 {
		from = start(text, found[best].from)
	}
	to := min(len(text), from+excerptLength)
	for to < len(text) && !utf8.RuneStart(text[to]) {
		to--
	}
	if n := strings.LastIndexByte(text[max(from, to-20):to], ' '); n >= 0 && to < len(text) {
		to = max(from, to-20) + n
	}
	pieces := mark(text, from, to, found)
	if from > 0 {
		pieces = append([]Piece{{Text: "… "}}, pieces...)
	}
	if to < len(text) {
		pieces = append(pieces, Piece{Text: " …"})
	}
	return pieces, len(found) > 0
}

// place returns matches in a text, and which of them begins the first piece that has matches of the most clauses. It looks no further than
// for a piece that has all, and, where there is one that has some, no further than is enough.
func (q *Query) place(text string) (found []match, best int) {
	all := 0
	for _, c := range q.clauses {
		if !c.not && c.field == "" {
			all++
		}
	}
	if all == 0 {
		return nil, 0
	}
	for look := firstLook; ; look *= 4 {
		part := text
		if look < len(text) {
			part = text[:strings.LastIndexByte(text[:look], '\n')+1] // words stay whole
		}
		found = q.matches(part, "")
		best, most := densest(found)
		whole := len(part) == len(text) || most > 0 && look >= enoughText
		if whole || most == all && found[best].from+excerptLength <= len(part) {
			return found, best
		}
	}
}

// densest returns which match begins the first piece of an excerpt's length that has matches of the most clauses, and how many that are.
func densest(found []match) (best, most int) {
	for i, m := range found {
		seen := map[int]bool{}
		for _, other := range found[i:] {
			if other.to > m.from+excerptLength*3/4 {
				break
			}
			seen[other.clause] = true
		}
		if len(seen) > most {
			best, most = i, len(seen)
		}
	}
	return best, most
}

// Highlight marks what the query looks for in a whole line, such as a subject.
func Highlight(q *Query, line string) []Piece {
	return mark(line, 0, len(line), q.matches(line, subject))
}

// start is where an excerpt begins that shows a match at i: at the beginning of a word or sentence a little before it.
func start(text string, i int) int {
	from := max(0, i-excerptLength/4)
	for from < i && !utf8.RuneStart(text[from]) {
		from++
	}
	if from > 0 {
		if n := strings.IndexAny(text[from:i], " \n。、"); n >= 0 {
			_, size := utf8.DecodeRuneInString(text[from+n:])
			from += n + size
		}
	}
	return from
}

// mark cuts text[from:to] where matches begin and end.
func mark(text string, from, to int, found []match) []Piece {
	var out []Piece
	put := func(s string, mark bool) {
		if s = oneLine(s); s != "" {
			out = append(out, Piece{Text: s, Mark: mark})
		}
	}
	at := from
	for _, m := range found {
		if m.to <= at || m.from >= to || m.to > to {
			continue
		}
		put(text[at:max(at, m.from)], false)
		put(text[max(at, m.from):m.to], true)
		at = m.to
	}
	put(text[at:to], false)
	return out
}

// oneLine makes line ends, with the quote marks behind them, a space.
func oneLine(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	lines := strings.Split(s, "\n")
	for i, l := range lines[1:] {
		lines[i+1] = strings.TrimLeft(l, " \t>＞|")
	}
	s = strings.Join(lines, " ")
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}

// matches finds the clauses in a text, in the order of their places. Clauses of other fields than the one given are left out, but for those of none.
func (q *Query) matches(text, field string) []match {
	type at struct {
		pos      uint32
		from, to int
	}
	places := map[string][]at{} // by the terms that the query has
	var chars []rune
	for _, c := range q.clauses {
		for _, t := range c.terms {
			bare := strings.TrimPrefix(t.term, c.field)
			places[bare] = nil
			if t.prefix {
				r, _ := utf8.DecodeRuneInString(bare)
				chars = append(chars, r)
			}
		}
	}
	cut(text, 0, func(t token) {
		if list, ok := places[string(t.term)]; ok {
			places[string(t.term)] = append(list, at{t.pos, t.from, t.to})
		}
		r, n := utf8.DecodeRune(t.term)
		if n < len(t.term) && slices.Contains(chars, r) {
			_, size := utf8.DecodeRuneInString(text[t.from:])
			places[string(r)] = append(places[string(r)], at{t.pos, t.from, t.from + size})
		}
	})
	var found []match
	for i, c := range q.clauses {
		if c.not || c.field != "" && c.field != field {
			continue
		}
		bare := func(t phraseTerm) string { return strings.TrimPrefix(t.term, c.field) }
		before := len(found)
	starts:
		for _, first := range places[bare(c.terms[0])] {
			m := match{first.from, first.to, i}
			for _, t := range c.terms[1:] {
				list := places[bare(t)]
				n, ok := slices.BinarySearchFunc(list, first.pos+t.at, func(a at, pos uint32) int { return int(int64(a.pos) - int64(pos)) })
				if !ok {
					continue starts
				}
				m.to = max(m.to, list[n].to)
			}
			if found = append(found, m); len(found)-before == maxMatches {
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b match) int {
		if a.from != b.from {
			return a.from - b.from
		}
		return b.to - a.to
	})
	return found
}
