package render

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// maxSignature is how many lines after "-- " can be a signature.
const maxSignature = 30

// run is a run of lines of one kind.
type run struct {
	kind    Kind
	depth   int
	top     int  // of a quote: the level that all of it has
	columns bool // a patch, a table or a drawing
	piece   bool // of a patch, without its head
	lines   []string
}

// runs cuts lines into runs without empty lines round them.
func runs(lines []string) []run {
	var all []run
	for i := 0; i < len(lines); {
		r := run{kind: Text}
		end := i
		switch {
		case quoteLevel(lines[i]) > 0:
			r.kind = Quote
			for ; end < len(lines) && quoteLevel(lines[end]) > 0; end++ {
				r.depth = max(r.depth, quoteLevel(lines[end]))
			}
			r.top = 1
		case isOriginal(lines, i):
			r.kind, r.depth, end = Quote, 1, len(lines)
		case isSignature(lines, i):
			r.kind = Signature
			end = nextQuote(lines, i)
		default:
			for end++; end < len(lines) && quoteLevel(lines[end]) == 0 && !isSignature(lines, end) && !isOriginal(lines, end); end++ {
			}
		}
		if r.lines = trimBlank(lines[i:end]); len(r.lines) > 0 {
			all = append(all, r)
		}
		i = end
	}
	return all
}

// columned cuts runs of text into prose and what has columns, and finds the quotes that have columns.
func columned(runs []run) []run {
	var all []run
	patch := false // one was quoted
	for _, r := range runs {
		if r.kind == Text {
			all = append(all, splitColumns(r.lines)...)
			continue
		}
		if r.top > 0 {
			whole := isPatch(r.lines)
			patch = patch || whole
			r.piece = !whole && isPiece(r.lines, patch)
			r.columns = whole || r.piece || isDrawing(r.lines)
		}
		all = append(all, r)
	}
	return all
}

// quoteLevel counts the ">"s that a line begins with; spaces may stand between them.
// Full-width ones count, as some Japanese programs write them.
func quoteLevel(line string) int {
	n, spaces := 0, 0
	for _, c := range line {
		switch c {
		case '>', '＞':
			n++
			spaces = 0
		case ' ':
			if spaces++; spaces > 1 {
				return n
			}
		default:
			return n
		}
	}
	return n
}

// isSignature reports whether a signature starts at line i: "-- ", or "--" as
// what is left of it, and no more than maxSignature lines up to a quote or the end; or what Mailman adds to each post.
func isSignature(lines []string, i int) bool {
	if isFooter(lines[i:]) {
		return true
	}
	if lines[i] != "-- " && lines[i] != "--" {
		return false
	}
	for n, line := range lines[i+1 : min(len(lines), i+maxSignature+2)] {
		if quoteLevel(line) > 0 {
			return true
		}
		if n == maxSignature || line == "-- " {
			return false
		}
	}
	return true
}

// isFooter reports whether lines are what lists add to the end of each post: a long rule, and below it a few lines with the list's address in the web.
func isFooter(lines []string) bool {
	const least, most = 40, 6
	if len(lines[0]) < least || strings.Trim(lines[0], "_") != "" {
		return false
	}
	below, linked := 0, false
	for _, line := range lines[1:] {
		if strings.TrimSpace(line) != "" {
			below++
		}
		if linked = linked || strings.Contains(line, "://"); below > most || quoteLevel(line) > 0 {
			return false
		}
	}
	return linked
}

// originalMark is the line that some programs write above the whole message that is answered.
var originalMark = regexp.MustCompile(`(?i)^-{2,} ?(original message|元のメッセージ) ?-{2,}$`)

// originalField is a line of the header that they write there.
var originalField = regexp.MustCompile(`^(From|Sent|Date|To|Cc|Subject|差出人|送信元|送信者|送信日時|日時|日付|宛先|件名) ?[:：]`)

// isOriginal reports whether at line i the message that is answered begins, as programs quote it that write no ">": below a mark, or
// with its header.
func isOriginal(lines []string, i int) bool {
	if trimmed := strings.TrimSpace(lines[i]); strings.HasPrefix(trimmed, "--") && originalMark.MatchString(trimmed) {
		return true
	}
	if lines[i] == "" || strings.IndexByte("FSDTC\xe5\xe9\xe6\xe4", lines[i][0]) < 0 { // what the fields begin with
		return false
	}
	if i > 0 && strings.Trim(lines[i-1], "_-=* ") != "" || !originalField.MatchString(lines[i]) {
		return false
	}
	fields := 0
	for _, line := range lines[i:min(len(lines), i+6)] {
		if originalField.MatchString(line) {
			fields++
		}
	}
	first := []rune(lines[i])[0]
	return fields >= 3 && (first == 'F' || first == '差' || first == '送')
}

func nextQuote(lines []string, i int) int {
	for i < len(lines) && quoteLevel(lines[i]) == 0 {
		i++
	}
	return i
}

func trimBlank(lines []string) []string {
	isText := func(s string) bool { return strings.TrimSpace(s) != "" }
	first := slices.IndexFunc(lines, isText)
	if first < 0 {
		return nil
	}
	for !isText(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return lines[first:]
}

// isHidden reports whether a character is not to be written: controls but tab and line end, and marks that change the direction
// of text.
func isHidden(r rune) bool {
	if r >= ' ' && r < 0x7f || r >= 0x3000 && r < 0xd800 { // most letters
		return false
	}
	return r != '\t' && r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
