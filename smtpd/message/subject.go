package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// BaseSubject strips reply and forward words in any of their forms (Re: RE： Ｒｅ： Re[2]: Re^2: 返信： 転送： Fwd:), list prefixes
// in brackets and white space (RFC 5256, section 2.1, and Japanese practice). reply is true if a reply word was there;
// a word of forwarding is none.
func BaseSubject(subject string) (base string, reply bool) {
	base, reply, _ = baseSubject(subject)
	return base, reply
}

// IsForward reports whether a subject says that a message was forwarded, and answers nothing: "Fwd: x", "転送: x".
func IsForward(subject string) bool {
	_, reply, forward := baseSubject(subject)
	return forward && !reply
}

// CutReplyWord takes a reply or forward word with its colon, and white space before it, off the start of a subject.
func CutReplyWord(subject string) (rest string, ok bool) {
	s := strings.TrimSpace(subject)
	n, _ := replyWord(s)
	return s[n:], n > 0
}

func baseSubject(subject string) (base string, reply, forward bool) {
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
			s, forward = inner, true
		}
		if n, isReply := replyWord(s); n > 0 {
			s = s[n:]
			reply, forward = reply || isReply, forward || !isReply
		} else if rest := strings.TrimSpace(s[prefixLen(s):]); rest != "" {
			s = rest // a prefix alone is the subject itself
		}
		if s == before {
			break
		}
	}
	return strings.TrimSpace(s), reply, forward
}

// forwarded takes "[Fwd: …]" off.
func forwarded(s string) (inner string, ok bool) {
	const open = "[fwd:"
	if len(s) > len(open) && strings.EqualFold(s[:len(open)], open) && strings.HasSuffix(s, "]") {
		return s[len(open) : len(s)-1], true
	}
	return s, false
}

// prefixLen returns the length of a list prefix at the start of s: "[janog:00123]", or "(elena 00123)" as fml writes it, or
// "【janog:00123】". But for the first, brackets without a post number are part of what the author says.
func prefixLen(s string) int {
	if len(s) == 0 || s[0] < utf8.RuneSelf && s[0] != '[' && s[0] != '(' {
		return 0
	}
	if s[0] == '[' {
		if end := strings.IndexAny(s[1:], "[]"); end >= 0 && s[1+end] == ']' {
			return end + 2
		}
		return 0
	}
	for _, pair := range [][2]string{{"(", ")"}, {"【", "】"}, {"［", "］"}, {"（", "）"}, {"〔", "〕"}} {
		rest, ok := strings.CutPrefix(s, pair[0])
		if !ok {
			continue
		}
		if inner, _, closed := strings.Cut(rest, pair[1]); closed && isNumbered(inner) {
			return len(pair[0]) + len(inner) + len(pair[1])
		}
	}
	return 0
}

// isNumbered reports whether s is a name and a number: "janog:00123", "janog 123", "ｊａｎｏｇ：１２３".
func isNumbered(s string) bool {
	const longest = 200 // octets
	if len(s) > longest {
		return false
	}
	s = width.Fold.String(s)
	i := strings.LastIndexAny(s, ": ,")
	return i > 0 && i+1 < len(s) && isASCII(s) && strings.Trim(s[i+1:], "0123456789") == ""
}

// replyWord returns the length of a reply or forward word at the start of s
// with its number, a prefix after it, and its colon; 0 if there is none.
func replyWord(s string) (n int, isReply bool) {
	word, n := leadingWord(s)
	switch word {
	case "re", "aw", "sv", "vs", "antw", "odp", "res", "rif", "返信", "返", "回复", "回覆", "答复", "答覆":
		isReply = true
	case "fw", "fwd", "wg", "rv", "転送", "転", "转发", "轉寄", "轉發":
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
