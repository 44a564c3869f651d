package command

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxOff is for how long a member may switch delivery off with a date; without one it has no end.
const maxOff = 366 * 24 * time.Hour

var (
	untilWords = regexp.MustCompile(`^(?:until|till|til|through|to|for|up to) +|(?:まで|迄|間)$`)
	wholeDate  = regexp.MustCompile(`^(?:(\d{4})[-/.])?(\d{1,2})[-/.](\d{1,2})$`)
	kanjiDate  = regexp.MustCompile(`^(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日$`)
	stretch    = regexp.MustCompile(`^(\d{1,3}) ?(day|week|month|日|週|週間|か月|ヶ月|ヵ月|カ月|箇月|ケ月)s?$`)
)

// looksLikeUntil reports whether words behind "off" are meant to say for how long.
func looksLikeUntil(args []string) bool {
	if len(args) == 0 || len(args) > 4 {
		return len(args) == 0
	}
	text := strings.ToLower(strings.Join(args, " "))
	return untilWords.MatchString(text) || text[0] >= '0' && text[0] <= '9'
}

// until reads the day on which mail is wanted again: "until 2026-12-24", "12/24", "12月24日まで", "for 2 weeks", "2週間". A day without
// a year is the next of that name. The time is the beginning of that day in now's zone.
func until(words []string, now time.Time) (time.Time, bool) {
	text := untilWords.ReplaceAllString(strings.ToLower(strings.Join(words, " ")), "")
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	if m := stretch.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1]) // at most three digits
		switch m[2] {
		case "day", "日":
			return today.AddDate(0, 0, n), true
		case "week", "週", "週間":
			return today.AddDate(0, 0, 7*n), true
		}
		return today.AddDate(0, n, 0), true
	}
	m := wholeDate.FindStringSubmatch(text)
	if m == nil {
		m = kanjiDate.FindStringSubmatch(text)
	}
	if m == nil {
		return time.Time{}, false
	}
	month, _ := strconv.Atoi(m[2])
	day, _ := strconv.Atoi(m[3])
	year, err := strconv.Atoi(m[1])
	if err != nil { // none was named
		year = now.Year()
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, now.Location())
	if t.Day() != day || int(t.Month()) != month {
		return time.Time{}, false // February 30
	}
	if err != nil && !t.After(now) {
		t = t.AddDate(1, 0, 0)
	}
	return t, true
}
