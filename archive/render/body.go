package render

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"kairan/smtpd/message"
)

// Limits of what is shown of one message.
const (
	maxText  = 512 << 10 // bytes
	maxLines = 20_000
)

// Kind tells what a block is. Its values are the words that templates use.
type Kind string

// The kinds of a block.
const (
	Text      Kind = "text"
	Quote     Kind = "quote"
	Signature Kind = "signature"
)

// Block is a run of lines of one kind.
type Block struct {
	Kind         Kind
	Depth        int  // of a quote: the deepest level in it
	Lines        int  // how many
	Fold         bool // long enough to be shown on demand only
	Preformatted bool // a patch, a table or a drawing: columns matter, lines must not be wrapped
	HTML         template.HTML

	lines []string
}

// Body is what a page shows of a message.
type Body struct {
	Blocks      []Block
	Attachments []Attachment
	Cut         bool // there is more text than is shown

	mask func(string) string
}

// Text returns all lines that are shown, with an empty one between blocks, and then those of attached messages, with who wrote them and their subjects.
func (b Body) Text() string {
	size := 0
	for _, block := range b.Blocks {
		size += textSize(block.lines)
	}
	var out strings.Builder
	out.Grow(size)
	b.text(&out)
	if b.mask != nil {
		return b.mask(out.String()) // no address goes over the end of a line
	}
	return out.String()
}

func (b Body) text(out *strings.Builder) {
	for _, block := range b.Blocks {
		for _, line := range block.lines {
			out.WriteString(line)
			out.WriteByte('\n')
		}
		out.WriteByte('\n')
	}
	for _, a := range b.Attachments {
		if m := a.Message; m != nil {
			out.WriteString(m.From + "\n\n" + m.Subject + "\n\n")
			m.Body.text(out)
		}
	}
}

// textSize is how many bytes lines have with their ends, and an empty one behind them.
func textSize(lines []string) int {
	size := 1
	for _, line := range lines {
		size += len(line) + 1
	}
	return size
}

// Own returns the lines that the author wrote, without quotes and signature, until they have limit bytes.
func (b Body) Own(limit int) (lines []string) {
	for _, block := range b.Blocks {
		if block.Kind != Text {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		for _, line := range block.lines {
			if limit -= len(line) + 2; limit < 0 {
				return lines
			}
			if b.mask != nil {
				line = b.mask(line)
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// Start returns the first limit bytes or so of the prose that the author wrote, in one line.
func (b Body) Start(limit int) string {
	var words []string
	for _, block := range b.Blocks {
		if block.Kind != Text || block.Preformatted {
			continue
		}
		for _, line := range block.lines {
			if limit <= 0 {
				break
			}
			if len(line) > limit {
				line = strings.ToValidUTF8(line[:limit], "")
			}
			limit -= len(line) + 1
			if b.mask != nil {
				line = b.mask(line)
			}
			words = append(words, strings.Fields(line)...)
		}
	}
	return strings.Join(words, " ")
}

// Options say how to show a message.
type Options struct {
	Filter   func(text string) string // takes out of each text and name what nobody is to see; nil leaves all
	Mask     func(text string) string // hides the addresses in a text from strangers; nil shows them
	Page     bool                     // mark what a page can show better: line ends that only say that a line was full, levels of quotes, and what patches change
	TextOnly bool                     // for [Body.Text]: blocks have no HTML, and attachments no size, which costs decoding
	Files    bool                     // show the text of attachments that are text
	Most     int                      // bytes of text that are shown, 0 for as many as any page shows
}

// Show renders a message.
func Show(msg *message.Message, o Options) Body {
	s := shower{Options: o, left: cmp.Or(o.Most, maxText), lines: maxLines, fileLeft: maxFileText, fileLines: maxFileLines,
		messages: maxMessages, body: Body{mask: o.Mask}}
	s.message(msg, "")
	return s.body
}

// message shows a message whose parts' names begin with prefix.
func (s *shower) message(msg *message.Message, prefix string) {
	parts := msg.Parts()
	texts := plainTexts(parts)
	n := 0
	for i, p := range parts {
		if p.IsMultipart() {
			continue
		}
		n++
		path := prefix + strconv.Itoa(n)
		switch {
		case !isText(p):
			s.attach(path, p)
		case p.ContentType == "text/plain":
			s.add(s.uuencoded(path, texts[i]))
		case !hasPlainAlternative(parts, texts, i):
			text, _ := p.Text()
			text, cut := htmlText(text)
			s.body.Cut = s.body.Cut || cut
			s.add(text)
		}
	}
	s.fold()
}

// plainTexts decodes the parts in plain text, by their place in parts.
func plainTexts(parts []message.Part) map[int]string {
	texts := map[int]string{}
	for i, p := range parts {
		if !p.IsMultipart() && isText(p) && p.ContentType == "text/plain" {
			texts[i], _ = p.Text()
		}
	}
	return texts
}

// hasPlainAlternative reports whether part i lies in a multipart/alternative that has plain text, too.
func hasPlainAlternative(parts []message.Part, texts map[int]string, i int) bool {
	for _, p := range parts {
		if p.ContentType != "multipart/alternative" || !p.IsMultipart() || !within(p, parts[i]) {
			continue
		}
		for j, text := range texts {
			if within(p, parts[j]) && strings.TrimSpace(text) != "" {
				return true
			}
		}
	}
	return false
}

// within reports whether part p lies in container c.
func within(c, p message.Part) bool {
	return c.Path == "" || strings.HasPrefix(p.Path, c.Path+".")
}

// shower collects the body.
type shower struct {
	Options
	left, lines int // what may still be shown
	fileLeft    int // of files, in bytes and lines
	fileLines   int
	messages    int // that may be shown within this one
	depth       int // of them
	body        Body
}

// add appends the blocks of a text.
func (s *shower) add(text string) {
	if len(text) > s.left {
		text = text[:s.left] // a broken character at the end is replaced
		s.body.Cut = true
	}
	text = s.filter(clean(text))
	lines := strings.Split(text, "\n")
	if len(lines) > s.lines {
		lines = lines[:s.lines]
		s.body.Cut = true
	}
	s.left -= len(text)
	s.lines -= len(lines)
	all := runs(lines)
	if s.TextOnly {
		for _, r := range all {
			s.body.Blocks = append(s.body.Blocks, Block{Kind: r.kind, Depth: r.depth, Lines: len(r.lines), lines: r.lines})
		}
		return
	}
	for _, r := range columned(all) {
		s.body.Blocks = append(s.body.Blocks, s.block(r))
	}
}

// filter takes out of a text what nobody is to see.
func (s *shower) filter(text string) string {
	if s.Filter == nil {
		return text
	}
	return s.Filter(text)
}

func (s *shower) block(r run) Block {
	var b strings.Builder
	size := 0
	for _, line := range r.lines {
		size += len(line) + 16 // for what is escaped and marked
	}
	b.Grow(size)
	if s.Page && r.kind == Quote {
		s.writeQuote(&b, r)
	} else {
		s.writeLines(&b, r, new(diff), r.lines, false)
	}
	return Block{
		Kind: r.kind, Depth: r.depth, Lines: len(r.lines),
		Preformatted: r.columns,
		HTML:         template.HTML(b.String()), lines: r.lines,
	}
}

// writeLines writes lines of a run as they are; more says that others follow, of another level.
func (s *shower) writeLines(b *strings.Builder, r run, d *diff, lines []string, more bool) {
	if s.Page && r.columns {
		s.writePatch(b, d, lines, more)
		return
	}
	var ends []string
	if s.Page && r.kind != Signature && !r.columns {
		ends = wrapped(lines)
	}
	for i, line := range lines {
		writeLine(b, line, s.Mask)
		switch {
		case i+1 == len(lines) && !more:
		case i+1 < len(lines) && ends != nil:
			b.WriteString(ends[i])
		default:
			b.WriteByte('\n')
		}
	}
}

// Blocks of more lines than these are folded.
const (
	foldQuote     = 12
	foldLastQuote = 5 // a quote that the author writes nothing after
	foldSignature = 8
)

// fold marks long quotes and signatures, unless there is nothing else to read.
func (s *shower) fold() {
	last := slices.IndexFunc(s.body.Blocks, func(b Block) bool { return b.Kind == Text })
	if last < 0 {
		return
	}
	for i, b := range s.body.Blocks {
		if b.Kind == Text {
			last = i
		}
	}
	for i := range s.body.Blocks {
		b := &s.body.Blocks[i]
		b.Fold = b.Kind == Quote && (b.Lines > foldQuote || i > last && b.Lines > foldLastQuote) || b.Kind == Signature && b.Lines > foldSignature
	}
}
