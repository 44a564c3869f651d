package cook

import (
	"fmt"
	"regexp"
	"strings"

	"kairan/smtpd/message"
)

var (
	numberVerb = regexp.MustCompile(`%0?[0-9]?d`)
	// replyWord is one reply word in the forms seen in Japan: Re: RE： Ｒｅ： Re[2]: Re^2: Re(2): 返信： 返:
	replyWord   = regexp.MustCompile(`^\s*(?:[RrＲｒ][EeＥｅ]|[Aa][Ww]|[Ss][Vv]|返信|返)\s*(?:[\[(（［^＾*]?[0-9０-９]{1,4}[\])）］]?)?\s*[:：]\s*`)
	wordCharset = regexp.MustCompile(`=\?([^?* ]+)[?*]`)
)

// subject puts the list's prefix before the Subject, takes off the one of the post replied to, and leaves one "Re:".
// The encoded words of the rest keep their bytes where they held none of it.
func subject(d *draft) string {
	prefix := d.prefix()
	if prefix == "" {
		return ""
	}
	old := prefixPattern(d.List.Settings.SubjectPrefix)
	raw := d.header.Get("Subject")
	base, reply := strip(message.DecodeHeader(raw), old)
	start := prefix
	if reply {
		start += " Re:"
	}
	rest, again := strip(raw, old)
	if reply == again && isASCII(rest) && isASCII(start) && tidy(message.DecodeHeader(rest)) == tidy(base) {
		value := strings.TrimSpace(start + " " + rest)
		if tidy(value) == tidy(raw) {
			return "" // it has all that already: not even its folding changes
		}
		d.header = d.header.Set(message.NewField("Subject", value))
		return "subject prefix"
	}
	d.header = d.header.Set(message.TextField("Subject", strings.TrimSpace(start+" "+base), subjectCharset(raw)))
	return "subject prefix, subject encoded again"
}

// prefix returns the prefix of this post without white space at its end, or "".
func (d *draft) prefix() string {
	return strings.TrimSpace(numberVerb.ReplaceAllStringFunc(d.List.Settings.SubjectPrefix, func(verb string) string {
		return fmt.Sprintf(verb, d.Post.Number)
	}))
}

// prefixPattern matches a prefix of any number with the white space round it.
func prefixPattern(setting string) *regexp.Regexp {
	setting = strings.TrimSpace(setting)
	var p strings.Builder
	p.WriteString(`(?i)\s*`)
	end := 0
	for _, at := range numberVerb.FindAllStringIndex(setting, -1) {
		p.WriteString(regexp.QuoteMeta(setting[end:at[0]]) + `[0-9]+`)
		end = at[1]
	}
	p.WriteString(regexp.QuoteMeta(setting[end:]) + `\s*`)
	return regexp.MustCompile(p.String())
}

// strip takes reply words off the start of s and old prefixes out of all of it.
func strip(s string, old *regexp.Regexp) (rest string, reply bool) {
	s = strings.TrimSpace(old.ReplaceAllString(s, " "))
	for {
		word := replyWord.FindString(s)
		if word == "" {
			return s, reply
		}
		s, reply = s[len(word):], true
	}
}

func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

// subjectCharset returns the charset of the first encoded word.
func subjectCharset(raw string) string {
	m := wordCharset.FindStringSubmatch(raw)
	if m != nil && strings.HasPrefix(strings.ToLower(m[1]), "iso-2022-jp") {
		return "ISO-2022-JP"
	}
	return "UTF-8"
}
