package render

import (
	"slices"
	"strings"
	"unicode"
)

// maxSignature is how many lines after "-- " can be a signature.
const maxSignature = 30

// run is a run of lines of one kind.
type run struct {
	kind  Kind
	depth int
	lines []string
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
		case isSignature(lines, i):
			r.kind = Signature
			end = nextQuote(lines, i)
		default:
			for end++; end < len(lines) && quoteLevel(lines[end]) == 0 && !isSignature(lines, end); end++ {
			}
		}
		r.lines = trimBlank(lines[i:end])
		all = append(all, r)
		i = end
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
// what is left of it, and no more than maxSignature lines up to a quote or the end.
func isSignature(lines []string, i int) bool {
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

// isPreformatted reports whether lines are a patch, or so often have gaps and
// lines drawn of characters that they are a table or a drawing.
func isPreformatted(lines []string) bool {
	drawn, filled := 0, 0
	for i, line := range lines {
		line = strings.TrimLeft(line, "> ＞")
		if strings.HasPrefix(line, "diff --git ") || strings.HasPrefix(line, "@@ -") ||
			strings.HasPrefix(line, "--- ") && i+1 < len(lines) && strings.HasPrefix(strings.TrimLeft(lines[i+1], "> ＞"), "+++ ") {
			return true
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		filled++
		if isDrawn(line) {
			drawn++
		}
	}
	return drawn >= 2 && 3*drawn >= filled
}

// isDrawn reports whether a line has columns or is made of strokes.
func isDrawn(line string) bool {
	if strings.Contains(line, "   ") || strings.Contains(line, "\t") || strings.Contains(line, "+--") || strings.Contains(line, "--+") ||
		strings.HasPrefix(line, "|") && strings.HasSuffix(line, "|") && len(line) > 1 {
		return true
	}
	return strings.ContainsFunc(line, func(r rune) bool { return r >= 0x2500 && r <= 0x257f })
}

// isHidden reports whether a character is not to be written: controls but the
// tab, and marks that change the direction of text.
func isHidden(r rune) bool {
	return r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
