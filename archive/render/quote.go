package render

import "strings"

// deepest is how many levels of quotes are shown one within the other.
const deepest = 8

// unmarked returns the level of a quoted line, of which deepest is the highest, and the line without its marks and the space after them.
func unmarked(line string) (level int, text string) {
	rest := line
	for level < deepest {
		next := strings.TrimPrefix(rest, " ")
		switch {
		case strings.HasPrefix(next, ">"):
			rest = next[1:]
		case strings.HasPrefix(next, "＞"):
			rest = next[len("＞"):]
		default:
			if level > 0 {
				rest = next
			}
			return level, rest
		}
		level++
	}
	return level, strings.TrimPrefix(rest, " ")
}

// writeQuote writes a quote without its marks: each level stands in a <blockquote> within that of the level above.
func (s *shower) writeQuote(b *strings.Builder, r run) {
	levels, texts := make([]int, len(r.lines)), make([]string, len(r.lines))
	for i, line := range r.lines {
		if levels[i], texts[i] = unmarked(line); texts[i] == "" && i > 0 { // an empty line ends no quote
			levels[i] = levels[i-1]
		}
	}
	for len(texts) > 1 && strings.TrimSpace(texts[0]) == "" { // as no block begins or ends with empty lines
		levels, texts = levels[1:], texts[1:]
	}
	for len(texts) > 1 && strings.TrimSpace(texts[len(texts)-1]) == "" {
		levels, texts = levels[:len(levels)-1], texts[:len(texts)-1]
	}
	var patches [deepest + 1]diff
	for i := range patches {
		if r.piece {
			patches[i] = piece()
		}
	}
	top := r.top
	at := top
	for i := 0; i < len(texts); {
		end := i + 1
		for end < len(texts) && levels[end] == levels[i] {
			end++
		}
		at = s.level(b, at, max(levels[i], top))
		s.writeLines(b, r, &patches[levels[i]], texts[i:end], end < len(texts))
		i = end
	}
	s.level(b, at, top)
}

// level goes from one level of quotes to another, which it returns.
func (s *shower) level(b *strings.Builder, at, to int) int {
	for ; at < to; at++ {
		b.WriteString("<blockquote>")
	}
	for ; at > to; at-- {
		b.WriteString("</blockquote>")
	}
	return to
}
