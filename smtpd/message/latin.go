package message

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// latinSigns are the octets of windows-1252 that are no letters and yet stand in texts of western languages.
const latinSigns = "\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99\xa0\xa1\xa3\xa7\xa9\xaa\xab\xae\xb0\xb4\xb7\xba\xbb\xbf"

// looksLatin reports whether all octets that are not ASCII are letters and signs of western languages, no more than there are letters
// of ASCII, and none form a character of UTF-8.
func looksLatin(b []byte) bool {
	others := 0
	for i := 0; i < len(b); i++ {
		c := b[i]
		if isLetter(rune(c)) {
			others--
		} else if c >= utf8.RuneSelf {
			others++
		}
		if c < utf8.RuneSelf || c >= 0xc0 && c != 0xd7 && c != 0xf7 || bytes.IndexByte([]byte(latinSigns), c) >= 0 {
			if r, _ := utf8.DecodeRune(b[i:]); r == utf8.RuneError || r < utf8.RuneSelf {
				continue
			}
		}
		return false
	}
	return others <= 0
}

// standApart reports whether no two Japanese characters are side by side in a text and each kanji or full kana touches a letter of ASCII:
// so "Québec" and "it’s" look when they are taken for Shift_JIS ("Qu饕ec", "it痴"), and no Japanese text does.
func standApart(text string) bool {
	var before, beforeThat rune
	for _, r := range text + " " {
		if isJapanese(before) && (isJapanese(r) || !isHalfKana(before) && !isLetter(beforeThat) && !isLetter(r)) {
			return false
		}
		beforeThat, before = before, r
	}
	return true
}

func isJapanese(r rune) bool {
	return r >= 0x2000 && r != utf8.RuneError && (r < 0xe000 || r > 0xf8ff) // not private
}

func isLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }

func decodeLatin(b []byte) string {
	text, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(bytes.ToValidUTF8(b, []byte("\ufffd"))) // unreachable: every octet is a character
	}
	return string(text)
}
