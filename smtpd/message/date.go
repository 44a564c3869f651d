package message

import (
	"crypto/rand"
	"strconv"
	"strings"
	"time"
)

// Date returns the Date field's time, read tolerantly; ok is false when it is missing or absurd.
// A time without a zone is taken as UTC. Absurd is what lies before 1980; a time in
// the future is the caller's to judge, who knows when the message came.
func (m *Message) Date() (t time.Time, ok bool) {
	value := m.header.Get("Date")
	if value == "" || len(value) > 200 {
		return time.Time{}, false
	}
	var r dateReader
	for _, word := range strings.Fields(strings.NewReplacer(",", " ", "\"", " ").Replace(withoutComments(value))) {
		if !r.read(word) {
			return time.Time{}, false
		}
	}
	return r.time()
}

// dateReader collects what the words of a date say (RFC 5322, sections 3.3 and
// 4.3; also asctime and ISO 8601 order, which are seen in old mail).
type dateReader struct {
	day, year, hour, minute, second int
	month                           time.Month
	hasClock, hasZone               bool
	zone                            int // seconds east of UTC
}

// read takes one word; false means that it is no part of a date.
func (r *dateReader) read(word string) bool {
	if date, clock, ok := strings.Cut(word, "T"); ok && len(date) == 10 {
		return r.iso(date) && r.clock(clock)
	}
	switch c := word[0]; {
	case strings.Contains(word, ":") && c >= '0' && c <= '9':
		return r.clock(word)
	case c == '+' || c == '-':
		return r.offset(word)
	case c >= '0' && c <= '9':
		if strings.Count(word, "-") == 2 {
			return r.iso(word)
		}
		return r.number(word)
	}
	if m := monthOf(word); m != 0 && r.month == 0 {
		r.month = m
		return true
	}
	if isWeekday(word) {
		return true // whether it is the right one matters to nobody
	}
	if seconds, ok := zoneOf(word); ok && !r.hasZone {
		r.zone, r.hasZone = seconds, true
	}
	return r.hasZone || r.hasClock // an unknown zone after the time means nothing
}

// number is a day or a year, whichever is missing.
func (r *dateReader) number(word string) bool {
	n, err := strconv.Atoi(word)
	switch {
	case err != nil:
		return false
	case r.day == 0 && len(word) <= 2:
		r.day = n
		return n > 0
	case r.year == 0:
		r.year = fullYear(n, len(word))
		return true
	case r.hasClock && len(word) == 4: // a zone without its sign
		return r.offset("+" + word)
	}
	return false
}

// fullYear completes years of two and three digits (RFC 5322, section 4.3).
func fullYear(n, digits int) int {
	switch {
	case digits <= 2 && n < 50:
		return n + 2000
	case digits <= 3:
		return n + 1900
	}
	return n
}

// iso reads 2006-01-02, or 02-Jan-2006.
func (r *dateReader) iso(word string) bool {
	f := strings.Split(word, "-")
	if len(f) != 3 {
		return false
	}
	if m := monthOf(f[1]); m != 0 {
		r.month = m
		return r.number(f[0]) && r.number(f[2])
	}
	month, err := strconv.Atoi(f[1])
	r.month = time.Month(month)
	return err == nil && len(f[0]) == 4 && r.number(f[0]) && r.number(f[2])
}

// clock reads 15:04, 15:04:05 and 15:04:05.000, with a zone behind it or not.
func (r *dateReader) clock(word string) bool {
	if r.hasClock {
		return false
	}
	r.hasClock = true
	if i := strings.IndexAny(word, "+-Z"); i > 0 {
		if !r.offset(word[i:]) {
			return false
		}
		word = word[:i]
	}
	f := strings.Split(word, ":")
	if len(f) < 2 || len(f) > 3 {
		return false
	}
	into := []*int{&r.hour, &r.minute, &r.second}
	for i, s := range f {
		s, _, _ = strings.Cut(s, ".")
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return false
		}
		*into[i] = n
	}
	return r.hour < 24 && r.minute < 60 && r.second <= 60
}

// offset reads +0900, +09:00, +9 and Z.
func (r *dateReader) offset(word string) bool {
	if r.hasZone {
		return true
	}
	r.hasZone = true
	if word == "Z" {
		return true
	}
	digits := strings.ReplaceAll(word[1:], ":", "")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return false
	}
	if len(digits) <= 2 {
		n *= 100
	}
	if len(digits) > 4 || n/100 > 14 || n%100 > 59 {
		n = 0 // RFC 5322, section 3.3: nonsense tells nothing about the zone
	}
	r.zone = n/100*3600 + n%100*60
	if word[0] == '-' {
		r.zone = -r.zone
	}
	return true
}

// time puts the words together.
func (r *dateReader) time() (time.Time, bool) {
	if r.day == 0 || r.month == 0 || r.year < 1980 || r.year > 9999 || !r.hasClock {
		return time.Time{}, false
	}
	zone := time.UTC
	if r.zone != 0 {
		zone = time.FixedZone("", r.zone)
	}
	t := time.Date(r.year, r.month, r.day, r.hour, r.minute, min(r.second, 59), 0, zone)
	return t, t.Day() == r.day && t.Month() == r.month
}

func monthOf(word string) time.Month {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(word) < 3 || len(word) > 9 {
		return 0
	}
	if i := strings.Index(names, strings.ToLower(word[:3])); i >= 0 && i%3 == 0 {
		return time.Month(i/3 + 1)
	}
	return 0
}

func isWeekday(word string) bool {
	const names = "montuewedthufrisatsun"
	word = strings.ToLower(strings.TrimRight(word, "."))
	if len(word) < 3 || len(word) > 9 {
		return false
	}
	i := strings.Index(names, word[:3])
	return i >= 0 && i%3 == 0
}

// zoneOf reads the names of zones (RFC 5322, section 4.3) and Japan's.
func zoneOf(word string) (seconds int, ok bool) {
	hours := map[string]int{
		"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "JST": 9, "KST": 9,
		"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
		"CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "BST": 1,
	}
	h, ok := hours[strings.ToUpper(word)]
	return h * 3600, ok
}

// withoutComments takes "(JST)" away; what nothing closes goes to the end.
func withoutComments(s string) string {
	var b strings.Builder
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth = max(0, depth-1)
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// NewID returns a new message identifier (RFC 5322, section 3.6.4) without
// "<>": the time, 128 random bits, and the domain.
func NewID(domain string, now time.Time) string {
	return now.UTC().Format("20060102150405") + "." + strings.ToLower(rand.Text()) + "@" + domain
}
