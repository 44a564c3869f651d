package dsn

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kairan/smtpd/address"
	"kairan/smtpd/message"
)

const maxField = 2 << 10 // bytes of a field of a delivery status

// structured reads the fields of a delivery status (RFC 3464, RFC 6533) into r. It reports false when they name
// no recipient and no action.
//
// The blocks should be parted by blank lines; not all hosts do that, so a field that the block has already
// begins a new one if it is a recipient's.
func (m *mail) structured(r *Report, format, fields string) bool {
	var rcpts []*block
	for _, b := range blocks(fields) {
		if b.recipient() {
			rcpts = append(rcpts, b)
		}
	}
	if len(rcpts) == 0 {
		return false
	}
	warns := m.has(formats[0]) || m.has(formats[1])
	human, entries := classify(0, "", m.text), m.addresses()
	failed, delayed := false, false
	for _, b := range rcpts[:min(len(rcpts), maxRecipients)] {
		c := b.read()
		if !slices.Contains(actions, c.Action) {
			c.Action = assumed(c.Status, warns)
		}
		said := human
		if e := find(entries, c.Address); e != nil {
			if f := classify(0, "", e.text.String()); f.weight >= hinted {
				said = f
			}
		}
		switch c.Action {
		case "delivered", "relayed", "expanded":
			c.Class, c.Reason = NotABounce, c.Action
		case "delayed":
			delayed = true
			f := b.class(c, said)
			c.Class, c.Reason = f.class, f.rule
		default:
			failed = true
			f := b.class(c, said)
			c.Class, c.Reason = f.class, f.rule
		}
		r.Recipients = append(r.Recipients, c)
	}
	r.Format, r.Kind = format, Delivered
	switch {
	case failed:
		r.Kind = Bounce
		for n, c := range r.Recipients {
			if c.Action == "delayed" {
				r.Recipients[n].Class, r.Recipients[n].Reason = NotABounce, "delayed"
			}
		}
	case delayed:
		r.Kind = Delayed
	}
	return true
}

// actions are those of RFC 3464, section 2.3.3.
var actions = []string{"failed", "delayed", "delivered", "relayed", "expanded"}

// assumed is the action of a block that names none of them; warns says that the report speaks of a delay.
func assumed(status string, warns bool) string {
	switch {
	case strings.HasPrefix(status, "2."):
		return "delivered"
	case warns:
		return "delayed"
	}
	return "failed"
}

// block is the fields of one recipient, by lower-case name; the first of a name counts.
type block map[string]string

// recipient reports whether the block is about a recipient, not about the report.
func (b *block) recipient() bool {
	for _, name := range []string{"final-recipient", "original-recipient", "action", "status", "x-actual-recipient", "diagnostic-code"} {
		if (*b)[name] != "" {
			return true
		}
	}
	return false
}

// blocks cuts fields into blocks; white space continues a field, lines of another form are passed over.
func blocks(text string) []*block {
	var out []*block
	cur, name := &block{}, ""
	flush := func() {
		if len(*cur) > 0 {
			out = append(out, cur)
		}
		cur, name = &block{}, ""
	}
	for line := range strings.Lines(clip(text, maxText)) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		if (line[0] == ' ' || line[0] == '\t') && name != "" {
			if len((*cur)[name]) < maxField {
				(*cur)[name] += " " + strings.TrimSpace(line)
			}
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		key = strings.ToLower(strings.TrimSpace(key))
		if !ok || key == "" || strings.ContainsAny(key, " \t") {
			if name == "diagnostic-code" && len((*cur)[name]) < maxField { // a folded line that lost its blank
				(*cur)[name] += " " + strings.TrimSpace(line)
			}
			continue
		}
		if _, seen := (*cur)[key]; seen && (key == "final-recipient" || key == "action") {
			flush()
		}
		name = key
		if _, seen := (*cur)[key]; !seen {
			(*cur)[key] = clip(strings.TrimSpace(value), maxField)
		} else {
			name = "" // a second field of the name is not read, nor are its further lines
		}
	}
	flush()
	return out
}

// read turns the fields into a Recipient without a class.
func (b *block) read() Recipient {
	get := func(name string) string { return (*b)[name] }
	var c Recipient
	c.Address, _ = typedAddress(get("final-recipient"))
	c.Original, _ = typedAddress(get("original-recipient"))
	if actual, ok := typedAddress(get("x-actual-recipient")); ok && c.Address.IsNull() {
		c.Address = actual
	}
	c.Action, _, _ = strings.Cut(strings.ToLower(get("action")), " ")
	c.Action = clip(strings.Trim(c.Action, "();"), 20)
	if s := aStatus.FindStringSubmatch(get("status")); s != nil {
		c.Status = s[1]
	}
	c.MTA = clip(oneLine(typed(get("remote-mta"))), 255)
	c.Diagnostic = oneLine(typed(get("diagnostic-code")))
	return c
}

// class decides about a recipient: by what the other side said, else by what the report says to people.
func (b *block) class(c Recipient, human finding) finding {
	f := classify(0, c.Status, typed((*b)["diagnostic-code"]))
	if f.weight < hinted && human.weight == worded || f.weight == none {
		return human
	}
	return f
}

// typed returns the value of a "type; value" field.
func typed(s string) string {
	kind, value, ok := strings.Cut(s, ";")
	if !ok || strings.ContainsAny(strings.TrimSpace(kind), " \t") {
		return strings.TrimSpace(s)
	}
	return strings.TrimSpace(value)
}

var unitext = regexp.MustCompile(`\\x\{([0-9A-Fa-f]{2,6})\}`)

// typedAddress reads "rfc822; a@example.jp" or "utf-8; …" with its escapes (RFC 6533, section 3).
func typedAddress(s string) (address.Address, bool) {
	if s == "" {
		return address.Address{}, false
	}
	value := typed(clip(s, 2000))
	value = unitext.ReplaceAllStringFunc(value, func(e string) string {
		n, err := strconv.ParseUint(unitext.FindStringSubmatch(e)[1], 16, 32)
		if err != nil || n < 0x80 || n > 0x10ffff {
			return e
		}
		return string(rune(n))
	})
	return anyAddress(message.DecodeHeader(value))
}

// oneLine makes a diagnostic fit for a row and a log.
func oneLine(s string) string {
	return clip(strings.Join(strings.Fields(clip(s, 4*maxDiagnostic)), " "), maxDiagnostic)
}

// statusLines returns text from its first line with a field of a recipient on, or "": some hosts and gateways put the
// machine-readable fields into the text.
func statusLines(text string) string {
	rest := text
	for line := range strings.Lines(text) {
		name, _, ok := strings.Cut(strings.ToLower(line), ":")
		if ok && (name == "final-recipient" || name == "original-recipient") {
			return rest
		}
		rest = rest[len(line):]
	}
	return ""
}
