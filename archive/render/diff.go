package render

import (
	"math"
	"strconv"
	"strings"
)

// diff tells what the lines of a patch do. It believes the numbers at the head of a hunk, so that what follows a patch is none of it.
type diff struct {
	old, new int // lines of the hunk that are still to come, as they were and as they are
}

// piece is a diff for a piece of a patch that has lost its head, as those have who comment on it line by line.
func piece() diff { return diff{old: math.MaxInt, new: math.MaxInt} }

// class returns what a line does, in the words of the style sheet; "" for one that stays as it is.
func (d *diff) class(line string) string {
	if line == "" { // some programs take the space away that begins it
		d.old--
		d.new--
		return ""
	}
	switch c := line[0]; {
	case c == '@':
		if old, new, ok := hunkSize(line); ok {
			d.old, d.new = old, new
			return "hunk"
		}
	case c == 'd' && strings.HasPrefix(line, "diff --git "):
		d.old, d.new = 0, 0
		return "name"
	case c == '+' && d.new > 0:
		d.new--
		return "add"
	case c == '-' && d.old > 0:
		d.old--
		return "del"
	case c == ' ' || c == '\t':
		d.old--
		d.new--
	}
	return ""
}

// hunkSize reads the head of a hunk, "@@ -12,9 +12,13 @@ main()": how many lines it had and has.
func hunkSize(line string) (old, new int, ok bool) {
	ranges, _, ok1 := strings.Cut(strings.TrimPrefix(line, "@@ -"), " @@")
	from, to, ok2 := strings.Cut(ranges, " +")
	old, ok3 := rangeSize(from)
	new, ok4 := rangeSize(to)
	return old, new, ok1 && ok2 && ok3 && ok4
}

// rangeSize reads how many lines a range has: 9 of "12,9", and 1 of "12".
func rangeSize(s string) (int, bool) {
	_, size, ok := strings.Cut(s, ",")
	if !ok {
		return 1, s != "" && strings.Trim(s, "0123456789") == ""
	}
	n, err := strconv.ParseUint(size, 10, 31)
	return int(n), err == nil
}

// writePatch writes lines, those that a patch changes in spans. Each span has whole lines, with their ends; more says that lines follow.
func (s *shower) writePatch(b *strings.Builder, d *diff, lines []string, more bool) {
	open := ""
	for i, line := range lines {
		class := d.class(line)
		if class != open {
			if open != "" {
				b.WriteString("</span>")
			}
			if class != "" {
				b.WriteString(`<span class="` + class + `">`)
			}
			open = class
		}
		writeLine(b, line, s.Mask)
		if more || i+1 < len(lines) {
			b.WriteByte('\n')
		}
	}
	if open != "" {
		b.WriteString("</span>")
	}
}

// isPiece reports whether quoted lines are a piece of a patch. What is indented by a tab after the sign of a change is one by itself. Else a
// head was seen before, all lines of the deepest level look like a patch, and not all like items of a list.
func isPiece(lines []string, seen bool) bool {
	deepest, like, items := 0, true, true
	for _, line := range lines {
		level, text := unmarked(line)
		if strings.HasPrefix(text, "+\t") || strings.HasPrefix(text, "-\t") {
			return true
		}
		if strings.TrimSpace(text) == "" || level < deepest {
			continue
		}
		if level > deepest {
			deepest, like, items = level, true, true
		}
		like = like && strings.IndexByte("+- \t@", text[0]) >= 0
		items = items && strings.HasPrefix(text, "- ")
	}
	return seen && deepest > 0 && like && !items
}
