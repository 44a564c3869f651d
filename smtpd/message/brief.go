package message

import (
	"strings"
	"unicode"
)

// maxMarks is how many marks one letter may carry in a line; no script needs more.
const maxMarks = 6

// Brief is a line of text for a place with room for n characters: cut, if it is longer, with an ellipsis, without towers of marks, and "" where
// nothing of it could be seen. Readers need something to see, and to click on, whatever a stranger writes as a subject or a name.
func Brief(s string, n int) string {
	if isUsual(s, n) {
		return s
	}
	var b strings.Builder
	written, marks, seen := 0, 0, false
	for _, r := range s {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
			if written++; written > n {
				return strings.TrimRight(b.String(), " ") + "…"
			}
			seen = seen || isVisible(r)
		}
		b.WriteRune(r)
	}
	if !seen {
		return ""
	}
	return b.String()
}

// isUsual reports whether s is short, as nearly all lines are, and has something to see and no character but those of ASCII and usual Japanese.
func isUsual(s string, n int) bool {
	seen := false
	for _, r := range s {
		switch {
		case r == ' ':
		case r > ' ' && r <= '~', r == '…', 'ぁ' <= r && r <= 'ゖ', 'ァ' <= r && r <= 'ー', '一' <= r && r <= '鿿':
			seen = true
		default:
			return false
		}
		n--
	}
	return seen && n >= 0
}

// isVisible reports whether a character leaves ink. U+2800 is a Braille pattern without dots.
func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != 0x2800
}
