package message

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// BaseSubject strips reply and forward words in any of their forms (Re: RE： Ｒｅ： Re[2]: Re^2: 返信： 転送： Fwd:), list prefixes
// in brackets and white space (RFC 5256, section 2.1, and Japanese practice). reply is true if a reply word was there;
// a word of forwarding is none.
func BaseSubject(subject string) (base string, reply bool) {
	const most = 100 // words and prefixes that are stripped
	s := subject
	if !isASCII(s) || strings.ContainsAny(s, "\t\r\n") || strings.Contains(s, "  ") {
		s = strings.Join(strings.Fields(s), " ")
	}
	for range most {
		before := s
		s = strings.TrimSpace(s)
		if i := len(s) - len("(fwd)"); i >= 0 && strings.EqualFold(s[i:], "(fwd)") {
			s = s[:i]
		}
		if inner, ok := forwarded(s); ok {
			s = inner
		}
		if n, isReply := replyWord(s); n > 0 {
			s = s[n:]
			reply = reply || isReply
		} else if rest := strings.TrimSpace(s[prefixLen(s):]); rest != "" {
			s = rest // a prefix alone is the subject itself
		}
		if s == before {
			break
		}
	}
	return strings.TrimSpace(s), reply
}

// forwarded takes "[Fwd: …]" off.
func forwarded(s string) (inner string, ok bool) {
	const open = "[fwd:"
	if len(s) > len(open) && strings.EqualFold(s[:len(open)], open) && strings.HasSuffix(s, "]") {
		return s[len(open) : len(s)-1], true
	}
	return s, false
}

// prefixLen returns the length of a list prefix at the start of s: "[janog:00123]",
// or "(elena 00123)" as fml writes it.
func prefixLen(s string) int {
	if len(s) == 0 || s[0] != '[' && s[0] != '(' {
		return 0
	}
	if s[0] == '[' {
		if end := strings.IndexAny(s[1:], "[]"); end >= 0 && s[1+end] == ']' {
			return end + 2
		}
		return 0
	}
	end := strings.IndexByte(s, ')')
	if end < 0 {
		return 0
	}
	i := strings.LastIndexAny(s[:end], ": ,")
	if i <= 1 || i+1 == end || strings.Trim(s[i+1:end], "0123456789") != "" {
		return 0
	}
	return end + 1
}

// replyWord returns the length of a reply or forward word at the start of s
// with its number, a prefix after it, and its colon; 0 if there is none.
func replyWord(s string) (n int, isReply bool) {
	word, n := leadingWord(s)
	switch word {
	case "re", "aw", "sv", "vs", "antw", "odp", "返信", "返", "回复", "回覆", "答复", "答覆":
		isReply = true
	case "fw", "fwd", "転送", "転", "转发", "轉寄", "轉發":
	default:
		return 0, false
	}
	n += numberLen(s[n:])
	n += spaceLen(s[n:])
	if blob := prefixLen(s[n:]); blob > 0 && s[n] == '[' { // "Re [janog]:"
		n += blob + spaceLen(s[n+blob:])
	}
	for _, colon := range []string{":", "：", "﹕"} {
		if strings.HasPrefix(s[n:], colon) {
			return n + len(colon), isReply
		}
	}
	return 0, false
}

// leadingWord returns the letters at the start of s, half width and lower case,
// and their length in s; "" for more than a reply word has.
func leadingWord(s string) (word string, n int) {
	const most = 16 // octets; no reply word is longer
	n = len(s)
	for i, r := range s {
		if i > most {
			return "", i
		}
		if !unicode.IsLetter(r) {
			n = i
			break
		}
	}
	if word = s[:n]; !isASCII(word) {
		word = width.Fold.String(word)
	}
	return strings.ToLower(word), n
}

// numberLen returns the length of the count of replies: "[2]", "(2)", "^2", "*2", "2".
func numberLen(s string) int {
	digits := false
	for i, r := range s {
		f := width.LookupRune(r).Folded()
		if f == 0 {
			f = r
		}
		switch {
		case f >= '0' && f <= '9':
			digits = true
		case strings.ContainsRune("[(^*", f) && i == 0:
		case (f == ']' || f == ')') && digits:
			return i + len(string(r))
		default:
			if digits {
				return i
			}
			return 0
		}
		if i > 16 {
			return 0
		}
	}
	return 0
}

func spaceLen(s string) int {
	return len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
}
