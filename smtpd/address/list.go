package address

import (
	"errors"
	"fmt"
	"strings"
)

// Bounds of what ParseList reads.
const (
	maxListBytes = 256 << 10
	maxMailboxes = 5000
	maxLiteral   = 64  // octets looked at for the end of a domain literal
	maxPending   = 256 // octets of a name before its comma
)

// ParseList reads the value of an address field (From, To, Cc, Reply-To…), groups flattened,
// tolerant of what the wild writes (encoded words in quotes, carrier forms, trailing commas,
// missing quotes). It returns all mailboxes it could read, and an error naming the
// first it could not. decode turns encoded words into text (message.DecodeHeader);
// nil leaves names as they are.
func ParseList(value string, decode func(string) string) ([]Mailbox, error) {
	p := listParser{s: value, decode: decode}
	if len(value) > maxListBytes {
		return nil, fmt.Errorf("address list has %d octets, more than %d", len(value), maxListBytes)
	}
	for p.i < len(p.s) && len(p.found) < maxMailboxes {
		p.step()
	}
	if p.i < len(p.s) {
		p.fail(fmt.Errorf("address list has more than %d mailboxes", maxMailboxes))
		return p.found, p.err
	}
	p.end(false)
	p.dropPending()
	return p.found, p.err
}

// listParser reads an address list from left to right, once.
type listParser struct {
	s      string
	i      int
	decode func(string) string

	item    item
	pending string // "Doe" of `Doe, John <a@b>`, until its other half comes
	found   []Mailbox
	err     error

	noQuote, noComment bool // the rest has no closing quote or parenthesis
}

// item is what stands between two commas.
type item struct {
	name     strings.Builder // phrase, unquoted
	raw      strings.Builder // the same without comments, quotes kept
	comment  string          // the last one
	angle    string
	hasAngle bool
}

// step reads one token.
func (p *listParser) step() {
	rest := p.s[p.i:]
	switch c := rest[0]; c {
	case '"':
		p.quoted(rest)
	case '(':
		p.comment(rest)
	case '<':
		if p.item.hasAngle { // two addresses are two, whatever stands between
			p.end(false)
		}
		p.angle(rest)
	case ',':
		p.i++
		p.end(true)
	case ';':
		p.i++
		p.end(false)
		p.dropPending()
	case ':': // the name of a group ends; it says nothing about anybody
		p.i++
		p.item, p.pending = item{}, ""
	case '[': // a domain literal; its colons start no group
		n := strings.IndexAny(rest[:min(len(rest), maxLiteral)], "],<\"") + 1
		if n == 0 || rest[n-1] != ']' {
			n = 1
		}
		p.take(rest[:n], rest[:n])
	case '>':
		p.i++ // left over
	case '\x1b':
		n := jisLen(rest)
		p.take(rest[:n], rest[:n])
	case '\r', '\n':
		p.take(rest[:1], " ")
	default:
		n := strings.IndexAny(rest, "\"(<,;:[>\x1b\r\n")
		if n < 0 {
			n = len(rest)
		}
		p.take(rest[:n], rest[:n])
	}
}

// take adds a token to the item: as it stands, and as text of the name.
func (p *listParser) take(raw, text string) {
	p.i += len(raw)
	p.item.raw.WriteString(raw)
	p.item.name.WriteString(text)
}

// quoted reads a quoted string; a quote that nothing closes is left out.
func (p *listParser) quoted(rest string) {
	if !p.noQuote {
		if text, n, ok := unquote(rest); ok {
			p.take(rest[:n], text)
			return
		}
		p.noQuote = true
	}
	p.i++
}

// comment reads a comment with the comments within; a parenthesis that nothing
// closes is text.
func (p *listParser) comment(rest string) {
	if p.noComment {
		p.take("(", "(")
		return
	}
	depth := 0
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			p.item.comment = rest[1:i]
			p.i += i + 1
			p.item.raw.WriteByte(' ')
			return
		}
	}
	p.noComment = true
	p.take("(", "(")
}

// angle reads "<address>"; without the ">" it ends at the next comma.
func (p *listParser) angle(rest string) {
	end, inQuote := len(rest), false
	for i := 1; i < len(rest); i++ {
		c := rest[i]
		if c == '\\' && inQuote {
			i++
		} else if c == '"' && !p.noQuote {
			inQuote = !inQuote
		} else if !inQuote && (c == '>' || c == ',' && rest[1] != '@') {
			end = i
			break
		}
	}
	p.item.angle, p.item.hasAngle = rest[1:end], true
	if end < len(rest) && rest[end] == '>' {
		end++
	}
	p.i += end
}

// end finishes an item. mayJoin says that a comma ended it, so that a name
// without an address may be the first half of `Doe, John <a@b>`.
func (p *listParser) end(mayJoin bool) {
	it := &p.item
	raw := strings.TrimSpace(it.raw.String())
	switch {
	case it.hasAngle:
		name := strings.TrimSpace(it.name.String())
		if p.pending != "" {
			name = p.pending + ", " + name
		}
		if name == "" {
			name = it.comment
		}
		p.add(it.angle, name)
		p.pending = ""
	case raw == "":
	case mayJoin && !strings.Contains(raw, "@") && len(p.pending)+len(raw) < maxPending:
		name := strings.TrimSpace(it.name.String())
		if p.pending != "" {
			name = p.pending + ", " + name
		}
		p.pending = name
	default:
		p.dropPending()
		p.bare(raw)
	}
	p.item = item{}
}

// bare reads an item without "<>": an address, or `John Doe a@b`.
func (p *listParser) bare(raw string) {
	if a, err := parseLoose(raw); err == nil {
		p.found = append(p.found, Mailbox{Name: p.text(p.item.comment), Address: a})
		return
	}
	if i := strings.LastIndexAny(raw, " \t"); i >= 0 && !strings.Contains(raw[:i], "@") {
		p.add(raw[i+1:], strings.ReplaceAll(raw[:i], `"`, ""))
		return
	}
	p.add(raw, "")
}

// add reads an address and keeps the mailbox.
func (p *listParser) add(addr, name string) {
	a, err := parseLoose(addr)
	if err != nil {
		p.fail(err)
		return
	}
	p.found = append(p.found, Mailbox{Name: p.text(name), Address: a})
}

// dropPending reports a name for which no address came.
func (p *listParser) dropPending() {
	if p.pending != "" {
		p.fail(fmt.Errorf("address %q: %w", clip(p.pending), errors.New(`no "@"`)))
	}
	p.pending = ""
}

func (p *listParser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// text decodes a name. Cleaning comes after decoding, since an encoded word can
// hold anything.
func (p *listParser) text(s string) string {
	if p.decode != nil && s != "" {
		s = p.decode(s)
	}
	return cleanName(s)
}

// parseLoose is Parse that also takes an obsolete route ("@a,@b:c@d", RFC 5322,
// section 4.4), "mailto:" and white space round the address and its "@".
func parseLoose(s string) (Address, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "@") {
		s = strings.TrimSpace(s[strings.IndexByte(s, ':')+1:])
	}
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	a, err := Parse(s)
	if err == nil {
		return a, nil
	}
	if local, domain, ok := strings.Cut(s, "@"); ok && !strings.Contains(domain, "@") {
		if a, err := Parse(strings.TrimSpace(local) + "@" + strings.TrimSpace(domain)); err == nil {
			return a, nil
		}
	}
	return Address{}, err
}

// jisLen returns the length of raw ISO-2022-JP text at the start of s, up to
// where it returns to ASCII: its bytes look like commas, quotes and brackets.
func jisLen(s string) int {
	if !strings.HasPrefix(s, "\x1b$") {
		return 1
	}
	for i := 2; i+2 < len(s); i++ {
		if s[i] == '\r' || s[i] == '\n' {
			return i
		}
		if s[i] == 0x1b && s[i+1] == '(' && (s[i+2] == 'B' || s[i+2] == 'J') {
			return i + 3
		}
	}
	return len(s)
}
