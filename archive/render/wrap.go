package render

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// A mail program that wraps lines does so at a column in this range.
const (
	leastWrap = 60
	mostWrap  = 84
)

// What stands in place of a line end that only says that the line was full; on a narrow page the style sheet makes a space of the
// first and nothing of the second.
const (
	softSpace = "<span class=\"soft\">\n</span>"
	softNone  = "<span class=\"soft none\">\n</span>"
)

// wrapped returns for each line end of a text whether it only says that the line was full: the next word had no place in the line.
// What begins a paragraph, an item of a list or anything indented is not taken for the rest of the line before.
func wrapped(lines []string) []string {
	widths, widest := make([]int, len(lines)), 0
	for i, line := range lines {
		if widths[i] = columnsOf(line); widths[i] <= mostWrap {
			widest = max(widest, widths[i])
		}
	}
	ends := make([]string, len(lines))
	for i := range lines {
		ends[i] = "\n"
		if i+1 == len(lines) || widest < leastWrap || widths[i] > mostWrap || widths[i] < leastWrap/2 || !isContinuation(lines[i+1]) {
			continue
		}
		line := strings.TrimRight(lines[i], " ")
		last, _ := utf8.DecodeLastRuneInString(line)
		first, size := utf8.DecodeRuneInString(lines[i+1])
		switch {
		case isWide(last) && isWide(first):
			if widths[i]+2 > widest {
				ends[i] = softNone
			}
		case !isWide(last) && !isWide(first):
			word, _, _ := strings.Cut(lines[i+1], " ")
			if columnsOf(line)+1+columnsOf(word) > widest {
				ends[i] = softSpace
			}
		case widths[i]+size > widest:
			ends[i] = softNone
		}
	}
	return ends
}

// isContinuation reports whether a line can be the rest of the one before.
func isContinuation(line string) bool {
	first, _ := utf8.DecodeRuneInString(line)
	if line == "" || unicode.IsSpace(first) || strings.ContainsRune("-*+#>|=~_・●○■□◆◇▼▽※→＞", first) {
		return false
	}
	digits := strings.TrimLeft(line, "0123456789")
	return len(digits) == len(line) || !strings.HasPrefix(digits, ".") && !strings.HasPrefix(digits, ")")
}

func isWide(r rune) bool {
	kind := width.LookupRune(r).Kind()
	return kind == width.EastAsianWide || kind == width.EastAsianFullwidth
}

// columnsOf returns how many columns a line has in a fixed type.
func columnsOf(line string) int {
	n := 0
	for _, r := range line {
		if n++; r >= 0x1100 && isWide(r) {
			n++
		}
	}
	return n
}
