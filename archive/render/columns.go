package render

import "strings"

// splitColumns cuts a text into prose and what has columns: patches, tables and drawings, which a proportional type or a wrapped line
// would spoil. It decides by paragraphs.
func splitColumns(lines []string) []run {
	var all []run
	from, columns, inPatch := 0, false, false // of the run that is being collected
	add := func(to int) {
		if part := trimBlank(lines[from:to]); len(part) > 0 {
			all = append(all, run{kind: Text, columns: columns, lines: part})
		}
		from = to
	}
	for i := 0; i < len(lines); {
		end := i
		for end < len(lines) && strings.TrimSpace(lines[end]) != "" {
			end++
		}
		if paragraph := lines[i:end]; len(paragraph) > 0 {
			inPatch = isPatch(paragraph) || inPatch && goesOnPatch(paragraph)
			if is := inPatch || isDrawing(paragraph); is != columns {
				add(i)
				columns = is
			}
		}
		i = end + 1
	}
	add(len(lines))
	return all
}

// isPatch reports whether a patch begins in these lines, quoted or not.
func isPatch(lines []string) bool {
	for i, line := range lines {
		line = unquoted(line)
		if strings.HasPrefix(line, "diff --git ") || strings.HasPrefix(line, "@@ -") ||
			strings.HasPrefix(line, "--- ") && i+1 < len(lines) && strings.HasPrefix(unquoted(lines[i+1]), "+++ ") {
			return true
		}
	}
	return false
}

// goesOnPatch reports whether lines after a patch, or after an empty line in it, can belong to it.
func goesOnPatch(lines []string) bool {
	for _, line := range lines {
		if !strings.ContainsRune(" +-@\\", rune(line[0])) && !strings.HasPrefix(line, "diff ") && !strings.HasPrefix(line, "index ") {
			return false
		}
	}
	return true
}

// isDrawing reports whether lines so often have gaps, or are drawn of characters, that they are a table or a drawing.
func isDrawing(lines []string) bool {
	drawn, filled, gaps := 0, 0, 0
	var starts map[int]int // how many lines go on at a column after a gap
	for _, line := range lines {
		line = unquoted(line)
		if strings.TrimSpace(line) == "" {
			continue
		}
		filled++
		if isDrawn(strings.TrimSpace(line)) {
			drawn++
		}
		if at := afterGap(line); at > 0 {
			if starts == nil {
				starts = map[int]int{}
			}
			gaps++
			starts[at]++
		}
	}
	for _, n := range starts {
		if n >= 2 && filled >= 3 && 3*gaps >= 2*filled {
			return true
		}
	}
	return drawn >= 2 && 3*drawn >= filled
}

func unquoted(line string) string { return strings.TrimLeft(line, "> ＞") }

// isDrawn reports whether a line has columns or is made of strokes.
func isDrawn(line string) bool {
	if strings.Contains(line, "   ") || strings.Contains(line, "\t") || strings.Contains(line, "+--") || strings.Contains(line, "--+") || strings.Contains(line, "-->") ||
		strings.Count(line, "|") > 1 && strings.HasPrefix(line, "|") || diffstat(line) {
		return true
	}
	strokes, letters, mixed := 0, 0, false
	var kind rune
	for _, r := range line {
		switch {
		case r >= 'a' && r <= 'z' || r >= 0x3000:
			letters++
		case r >= 0x2500 && r <= 0x257f:
			return true
		case strings.ContainsRune(`/\|_-+=*#<>()[]^~`, r):
			strokes++
			mixed = mixed || kind != 0 && kind != r
			kind = r
		case r != ' ':
			letters++
		}
	}
	return strokes >= 4 && strokes > 2*letters && mixed // a rule has one kind of stroke
}

// diffstat reports whether a line tells how much of a file a patch changes: "web/page.go | 12 +++---".
func diffstat(line string) bool {
	_, change, ok := strings.Cut(line, " | ")
	change = strings.TrimSpace(change)
	return ok && change != "" && change[0] >= '0' && change[0] <= '9' && strings.Trim(change, "0123456789 +-") == ""
}

// afterGap returns the column at which a line goes on after its first gap of two spaces or more; 0 without one. The space after a
// sentence is no gap.
func afterGap(line string) int {
	if !strings.Contains(line, "  ") {
		return 0
	}
	column, spaces := 0, 0
	var before rune // the gap
	for _, r := range line {
		if r == ' ' {
			spaces++
			column++
			continue
		}
		if spaces > 1 && before != 0 && !strings.ContainsRune(".!?:。", before) {
			return column
		}
		spaces, before = 0, r
		if column++; isWide(r) {
			column++
		}
	}
	return 0
}
