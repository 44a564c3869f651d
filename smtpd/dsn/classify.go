package dsn

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	maxDiagnostic = 500     // bytes kept of what a server said
	maxClassified = 8 << 10 // bytes looked at to classify
	maxGap        = 100     // bytes that " ... " in a phrase may stand for
)

// weight is how sure a classification is.
type weight int

const (
	none   weight = iota
	vague         // the reply code alone, or a code that many use for anything
	hinted        // words that many use for anything
	firm          // an enhanced code that says what it means
	worded        // words that say what they mean
)

// finding is a class with the rule that found it.
type finding struct {
	class  Class
	rule   string
	weight weight
}

// Classify says what a reply to a delivery attempt means: code is the SMTP reply code or 0, enhanced
// the enhanced status code (RFC 3463) or "", text the rest of the reply. rule names the row of the
// tables that decided.
//
// Words that say what they mean decide before codes, because many hosts send 5.1.1 or 5.7.1 with
// anything; then codes that say what they mean, then vague words, then the rest of the codes.
// Whether the failure is final is not said: that is the first digit of the code, and the queue's to judge.
func Classify(code int, enhanced, text string) (class Class, rule string) {
	if code/100 == 2 {
		return NotABounce, "accepted"
	}
	f := classify(code, enhanced, text)
	return f.class, f.rule
}

func classify(code int, enhanced, text string) finding {
	text = text[:min(len(text), maxClassified)]
	if m := wrapped.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if code == 0 {
		code = replyCode(text)
	}
	words := fold(text)
	if f := match(phrases, words, worded); f.weight > none {
		return f
	}
	// A code in the text is that of the host that refused; the other may be made up by one in between.
	status := []string{statusCode(text), enhanced}
	for _, s := range status {
		if f := lookUp(s); f.weight == firm {
			return f
		}
	}
	if f := match(hints, words, hinted); f.weight > none {
		return f
	}
	for _, s := range status {
		if f := lookUp(s); f.weight > none && f.class != Unknown {
			return f
		}
	}
	return byReply(code, enhanced)
}

// byReply is for replies that say nothing but their code (RFC 5321, section 4.2.3).
func byReply(code int, enhanced string) finding {
	for _, r := range replies {
		if r.code == code {
			return finding{r.class, "reply-" + strconv.Itoa(code), vague}
		}
	}
	if code/100 == 4 || strings.HasPrefix(enhanced, "4.") {
		return finding{Transient, "temporary", vague}
	}
	return finding{Unknown, "no-rule", none}
}

// match returns the first rule with a phrase in words.
func match(rules []rule, words string, w weight) finding {
	for _, r := range rules {
		for _, p := range r.phrases {
			if contains(words, p) {
				return finding{r.class, r.name, w}
			}
		}
	}
	return finding{class: Unknown, rule: "no-rule"}
}

// contains reports whether words has the phrase, in which " ... " stands for up to maxGap bytes.
func contains(words, phrase string) bool {
	first, rest, gap := strings.Cut(phrase, " ... ")
	if !gap {
		return strings.Contains(words, phrase)
	}
	for {
		i := strings.Index(words, first)
		if i < 0 {
			return false
		}
		words = words[i+len(first):]
		if strings.Contains(words[:min(len(words), maxGap+len(rest))], rest) {
			return true
		}
	}
}

// fold makes text comparable: NFKC (half-width kana, full-width letters), lower case, one blank for
// white space and none between Japanese characters, straight apostrophes, a blank in front, and "@" for every
// address, since a mailbox may be called spam@.
func fold(text string) string {
	text = strings.ToLower(clip(norm.NFKC.String(strings.ToValidUTF8(text, " ")), 4*maxClassified))
	text = folding.Replace(text)
	text = anAddress.ReplaceAllStringFunc(text, func(a string) string {
		if strings.HasSuffix(a, "docomo.ne.jp") {
			return "@docomo.ne.jp" // its words mean more than they say: see phrases
		}
		return "@"
	})
	var out strings.Builder
	out.WriteByte(' ') // so that a phrase may begin at a word
	var last rune
	blank := false
	for _, r := range text {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			blank = true
			continue
		}
		if blank && last != 0 && (last < 0x2e80 || r < 0x2e80) {
			out.WriteByte(' ')
		}
		blank, last = false, r
		out.WriteRune(r)
	}
	return out.String()
}

var folding = strings.NewReplacer("\u2019", "'", "\u2018", "'")

var (
	anAddress = regexp.MustCompile(`[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]+@(?:[A-Za-z0-9-]+\.)*[A-Za-z0-9-]+`)
	aStatus   = regexp.MustCompile(`(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.[^0-9]|\.?$)`)
	// wrapped is how IronPort reports what the other side said; its own words before it mean nothing.
	wrapped = regexp.MustCompile(`(?s)^\s*[45]\.[0-9]\.[0-9x] - [A-Za-z/ ]+ ([45][0-9][0-9]-'.*)`)
	aReply  = regexp.MustCompile(`(?:^|[\s:;(<"'=\[])([45][0-5][0-9])(?:[\s,:)-]|$)`)
)

// statusCode returns the first enhanced status code in text that is of class 4 or 5, or "".
func statusCode(text string) string {
	for _, m := range aStatus.FindAllStringSubmatch(text, 20) {
		if m[1][0] != '2' {
			return m[1]
		}
	}
	return ""
}

// replyCode returns the first number in text that looks like the reply code of a refusal, or 0.
func replyCode(text string) int {
	m := aReply.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// lookUp finds an enhanced status code in the table of codes.
func lookUp(status string) finding {
	class, detail, ok := strings.Cut(status, ".")
	if !ok || class != "4" && class != "5" {
		return finding{class: Unknown, rule: "no-rule"}
	}
	for _, c := range codes {
		if c.matches(class, detail) {
			return finding{c.class, "status-" + status, c.weight}
		}
	}
	return finding{class: Unknown, rule: "no-rule"}
}

// matches compares "x.7.606-649", "5.1.1" or "x.4.*" with a code that was cut at its first dot.
func (c code) matches(class, detail string) bool {
	wantClass, want, _ := strings.Cut(c.status, ".")
	if wantClass != "x" && wantClass != class {
		return false
	}
	if want == detail {
		return true
	}
	subject, last, _ := strings.Cut(want, ".")
	haveSubject, haveLast, _ := strings.Cut(detail, ".")
	if subject != haveSubject {
		return false
	}
	if last == "*" {
		return true
	}
	low, high, isRange := strings.Cut(last, "-")
	if !isRange {
		return false
	}
	n, err := strconv.Atoi(haveLast)
	from, err2 := strconv.Atoi(low)
	to, err3 := strconv.Atoi(high)
	return err == nil && err2 == nil && err3 == nil && from <= n && n <= to
}
