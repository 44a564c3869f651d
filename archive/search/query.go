package search

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Limits of a query.
const (
	maxQuery   = 500 // characters
	maxClauses = 16
	maxTerms   = 64 // in all clauses
)

// Query is what a reader looks for: all of its clauses.
type Query struct {
	Ignored []string // words of the query that mean nothing, as written, each once
	Long    bool     // the query is longer than is looked at

	clauses    []clause
	after      time.Time // from then on
	before     time.Time // before then
	attachment int       // 1 with, -1 without
	lists      []string  // names; none is any
	notLists   []string
	terms      int
}

// clause is a phrase in a field.
type clause struct {
	field string
	terms []phraseTerm
	not   bool
}

// phraseTerm is a term and its distance from the first.
type phraseTerm struct {
	term   string
	at     uint32
	prefix bool // a single character of Chinese or Japanese: any term that begins with it
}

// Empty reports whether the query asks for nothing.
func (q *Query) Empty() bool {
	return len(q.clauses) == 0 && q.after.IsZero() && q.before.IsZero() && q.attachment == 0 && len(q.lists)+len(q.notLists) == 0
}

// Parse reads a query; days are those of loc. It never fails: what it does not understand is in Ignored.
func Parse(s string, loc *time.Location) *Query {
	q := &Query{}
	if utf8.RuneCountInString(s) > maxQuery {
		s, q.Long = string([]rune(s)[:maxQuery]), true
	}
	s = strings.ToValidUTF8(s, " ")
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		var word string
		word, s = nextWord(s)
		if !q.word(word, loc) && !slices.Contains(q.Ignored, word) {
			q.Ignored = append(q.Ignored, word)
		}
	}
	return q
}

// isQuote reports whether a character begins or ends a phrase.
func isQuote(r rune) bool { return strings.ContainsRune(`"＂“”„「」『』`, r) }

// isMinus reports whether a character before a word means "without": also what a keyboard for kana gives in its place, which begins no word.
func isMinus(r rune) bool { return strings.ContainsRune("-－−‐ー", r) }

// nextWord cuts off a word or phrase with what stands before it.
func nextWord(s string) (word, rest string) {
	quoted := false
	for i, r := range s {
		switch {
		case isQuote(r):
			quoted = !quoted
		case !quoted && (r == ' ' || r == '　' || r == '\t' || r == '\n' || r == '\r'):
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// word takes one word and reports whether it means something.
func (q *Query) word(word string, loc *time.Location) bool {
	text := word
	not := false
	switch width.Fold.String(word) {
	case "AND":
		return true // all words must be there anyway
	case "OR":
		return false // there is no such operator, and who writes it so does not mean the word
	}
	if r, n := utf8.DecodeRuneInString(text); isMinus(r) && n < len(text) {
		not, text = true, text[n:]
	}
	name, value, ok := strings.Cut(strings.Replace(text, "：", ":", 1), ":")
	if ok {
		value = strings.TrimFunc(value, isQuote)
		switch strings.ToLower(width.Fold.String(name)) {
		case "subject":
			return q.add(subject, value, not)
		case "from":
			return q.add(author, value, not)
		case "before", "after", "date":
			return !not && q.date(strings.ToLower(width.Fold.String(name)), value, loc)
		case "has":
			return q.has(value, not)
		case "list":
			return q.list(strings.ToLower(width.Fold.String(value)), not)
		}
	}
	return q.add("", text, not)
}

func (q *Query) has(value string, not bool) bool {
	if v := strings.ToLower(width.Fold.String(value)); v != "attachment" && v != "attachments" {
		return false
	}
	q.attachment = 1
	if not {
		q.attachment = -1
	}
	return true
}

func (q *Query) list(name string, not bool) bool {
	switch {
	case name == "" || len(q.lists)+len(q.notLists) >= maxClauses:
		return false
	case not:
		q.notLists = append(q.notLists, name)
	default:
		q.lists = append(q.lists, name)
	}
	return true
}

// era is a year of Reiwa or Heisei.
var era = regexp.MustCompile(`^(令和|平成)(元|[0-9]{1,2})年`)

// dashed writes a date such as 2026/1/31, 2026年1月31日 or 令和8年1月 as 2026-1-31.
func dashed(value string) string {
	value = width.Fold.String(value)
	if m := era.FindStringSubmatch(value); m != nil {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			n = 1 // 元
		}
		if n += 1988; m[1] == "令和" {
			n += 30
		}
		value = strconv.Itoa(n) + "年" + value[len(m[0]):]
	}
	return strings.TrimSuffix(strings.NewReplacer("/", "-", "年", "-", "月", "-", "日", "").Replace(value), "-")
}

// date takes a day, month or year, such as 2026-01-31, 2026/1, 2026 or 2026年1月.
func (q *Query) date(name, value string, loc *time.Location) bool {
	value = dashed(value)
	var from, to time.Time
	for i, layout := range []string{"2006-1-2", "2006-1", "2006"} {
		t, err := time.ParseInLocation(layout, value, loc)
		if err != nil {
			continue
		}
		from, to = t, [...]time.Time{t.AddDate(0, 0, 1), t.AddDate(0, 1, 0), t.AddDate(1, 0, 0)}[i]
		break
	}
	if from.IsZero() {
		return false
	}
	if name != "before" && from.After(q.after) {
		q.after = from
	}
	if name == "before" {
		to = from
	}
	if name != "after" && (q.before.IsZero() || to.Before(q.before)) {
		q.before = to
	}
	return true
}

// add takes a word or phrase.
func (q *Query) add(field, text string, not bool) bool {
	var all []phraseTerm
	var first uint32
	cut(text, 0, func(t token) {
		if len(all) == 0 {
			first = t.pos
		}
		all = append(all, phraseTerm{term: field + string(t.term), at: t.pos - first})
	})
	all = sparse(all, len(field))
	if len(all) == 0 || len(q.clauses) == maxClauses || q.terms+len(all) > maxTerms {
		return false
	}
	q.terms += len(all)
	q.clauses = append(q.clauses, clause{field: field, terms: all, not: not})
	return true
}

// sparse leaves out what a run of Chinese or Japanese does not need: the lone character at its end, and every second pair. A character that is a run alone begins any pair.
func sparse(all []phraseTerm, field int) []phraseTerm {
	isPair := func(i int) bool {
		if i < 0 || i >= len(all) {
			return false
		}
		r, n := utf8.DecodeRuneInString(all[i].term[field:])
		return isCJK(r) && n < len(all[i].term)-field
	}
	var out []phraseTerm
	run := 0 // pairs of this run so far
	for i, t := range all {
		r, _ := utf8.DecodeRuneInString(t.term[field:])
		switch {
		case !isCJK(r):
			out, run = append(out, t), 0
		case isPair(i):
			last := !isPair(i+1) || all[i+1].at != t.at+1
			if run%2 == 0 || last {
				out = append(out, t)
			}
			run++
		case run > 0: // the end of a run
			run = 0
		default:
			t.prefix = true
			out = append(out, t)
		}
	}
	return out
}
