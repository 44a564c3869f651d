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
	if len(s) <= n && isGraphicASCII(s) {
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

func isGraphicASCII(s string) bool {
	seen := false
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
		seen = seen || s[i] != ' '
	}
	return seen
}

// isVisible reports whether a character leaves ink. U+2800 is a Braille pattern without dots.
func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != 0x2800
}
