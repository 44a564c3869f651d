package templates

import (
	"fmt"
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

// langAttribute returns the attribute that tells in which language a text from outside is, where that can be seen and is not the
// page's: browsers choose letters and line breaks by it, and readers' programs the voice. The text may be a string or safe HTML.
func langAttribute(page string, text any) template.HTMLAttr {
	var s string
	switch text := text.(type) {
	case string:
		s = text
	case template.HTML:
		s = string(text)
	}
	lang := languageOf(s)
	if lang == "" || lang == page {
		return ""
	}
	return template.HTMLAttr(fmt.Sprintf(` lang="%s"`, lang))
}

// Letters that only Chinese has as it is written today, and that nearly every text in it has some of.
const (
	simplified  = "们这说对请让进还为时问开关经发网门谢该给"
	traditional = "這們說讓嗎麼您你"
)

// languageOf guesses "ja" for a text with kana, "ko" for one with hangul, "zh-Hans" or "zh-Hant" for one with letters that only Chinese has, and "en" for one in ASCII; "" where it cannot tell, such as for most kanji alone.
func languageOf(s string) string {
	letters, other, chinese := false, false, ""
	for i := 0; i < len(s); {
		if c := s[i]; c <= unicode.MaxASCII {
			letters = letters || c|0x20 >= 'a' && c|0x20 <= 'z'
			if i++; letters {
				i += asciiRun(s[i:])
			}
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r >= 0x3041 && r <= 0x30ff && r != '・', r >= 0xff66 && r <= 0xff9d: // hiragana, katakana, half-width katakana
			return "ja"
		case r >= 0xac00 && r <= 0xd7a3:
			return "ko"
		case unicode.IsLetter(r):
			other = true
			if chinese == "" && r >= 0x4e00 && r <= 0x9fff {
				chinese = chineseOf(r)
			}
		}
	}
	if chinese != "" {
		return chinese
	}
	if letters && !other {
		return "en"
	}
	return ""
}

// asciiRun returns how many characters at the beginning of s are ASCII, or a few less: it looks at eight at a time.
func asciiRun(s string) (n int) {
	for len(s)-n >= 8 && (s[n]|s[n+1]|s[n+2]|s[n+3]|s[n+4]|s[n+5]|s[n+6]|s[n+7]) <= unicode.MaxASCII {
		n += 8
	}
	return n
}

// chineseOf tells which Chinese a letter is of, "" where it may be another language's.
func chineseOf(r rune) string {
	switch {
	case strings.ContainsRune(simplified, r):
		return "zh-Hans"
	case strings.ContainsRune(traditional, r):
		return "zh-Hant"
	}
	return ""
}
