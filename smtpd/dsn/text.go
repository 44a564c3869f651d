package dsn

import (
	"slices"
	"strings"

	"kairan/smtpd/address"
)

const (
	maxLines     = 2000    // lines of text that are looked at
	maxBlockText = 2 << 10 // bytes of text kept for an address
)

// cutOriginal parts what the mail system wrote from the message it returns in the text.
func cutOriginal(text string) (report, returned string) {
	at := 0
	fields := 0 // where the header-like lines that end here began
	inFields := false
	ruled := false
	for line := range strings.Lines(text) {
		next := at + len(line)
		bare := strings.TrimRight(line, "\r\n")
		field := fieldName(bare)
		switch {
		case field != "":
			if !inFields {
				fields, inFields = at, true
			}
			if slices.Contains(strongFields, field) && fields > 0 || ruled && slices.Contains(addressFields, field) {
				return text[:fields], text[fields:]
			}
		case inFields && strings.HasPrefix(bare, " ") || strings.HasPrefix(bare, "\t"):
		default:
			inFields = false
		}
		if at > 0 && announces(bare) {
			return text[:at], text[next:]
		}
		if strings.TrimSpace(bare) != "" {
			ruled = isRule(bare)
		}
		at = next
	}
	return text, ""
}

// strongFields only stand in a message, not in what is written about one; addressFields also do after a ruled line.
var (
	strongFields  = []string{"received", "return-path", "message-id", "dkim-signature"}
	addressFields = []string{"from", "to", "date", "subject", "reply-to", "sender"}
)

// fieldName returns the name of a header field that the line begins with, in lower case, or "".
func fieldName(line string) string {
	name, _, ok := strings.Cut(line, ":")
	if !ok || name == "" || len(name) > 60 {
		return ""
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c >= 0x7f {
			return ""
		}
	}
	return strings.ToLower(name)
}

// isRule reports whether the line is ruling.
func isRule(line string) bool {
	line = strings.TrimSpace(line)
	return len(line) >= 10 && strings.Trim(line, "-=_*#+~") == ""
}

// announces reports whether the line says that the returned message follows.
func announces(line string) bool {
	line = strings.TrimLeft(line, " \t-=_*#+|:[<>(")
	if len(line) == 0 || len(line) > 200 {
		return false
	}
	line = strings.ToLower(line)
	line = strings.TrimPrefix(strings.TrimPrefix(line, "the "), "your ")
	for _, o := range originals {
		if !strings.HasPrefix(line, o) {
			continue
		}
		after := strings.TrimLeft(line[len(o):], " ")
		// "The original message was received at …" announces nothing.
		return !strings.HasPrefix(after, "was ") && !strings.HasPrefix(after, "has ") && !strings.HasPrefix(after, "could") && !strings.HasPrefix(after, "to ") && !strings.HasPrefix(after, "details")
	}
	return false
}

// entry is an address in the text with the lines that belong to it.
type entry struct {
	addr  address.Address
	text  strings.Builder
	clear bool // the line is made for the address, it is not only mentioned
}

// addresses returns those that the report is about, as far as its lines tell: lines made for an address
// ("<a@example.jp>:", "RCPT TO:<a@example.jp>") if there are any, else all that are mentioned.
func (m *mail) addresses() []*entry {
	ours := m.header.Get("To") + " " + m.header.Get("From") + " " + m.header.Get("Delivered-To") + " " + m.header.Get("Return-Path")
	ours = strings.ToLower(clip(ours, 4000))
	var all []*entry
	byKey := map[string]*entry{}
	var cur *entry
	lines := 0
	for line := range strings.Lines(m.text) {
		if lines++; lines > maxLines {
			break
		}
		line = strings.TrimSpace(line)
		if a, clear, ok := lineAddress(line, ours); ok {
			e := byKey[a.Key()]
			if e == nil && len(all) < maxRecipients {
				e = &entry{addr: a}
				byKey[a.Key()] = e
				all = append(all, e)
			}
			if e != nil {
				e.clear = e.clear || clear
				cur = e
			}
		}
		if cur != nil && cur.text.Len()+len(line) < maxBlockText {
			cur.text.WriteString(line + "\n")
		}
	}
	if slices.ContainsFunc(all, func(e *entry) bool { return e.clear }) {
		all = slices.DeleteFunc(all, func(e *entry) bool { return !e.clear })
	}
	return all
}

// notAbout are starts of lines whose addresses are not those that failed; leadIn stands before one that did.
var (
	notAbout = []string{"from:", "sender", "reply-to:", "message-id:", "subject:", "cc:", "date:", "> ", "mail from", ">>> mail", "reporting-mta", "for more", "for assistance",
		"for further", "if you", "please", "contact", "message from", "envelope", "smtp:mail", "(ultimately", "(generated from", "a message sent by"}
	leadIn = []string{"rcpt to", "recipient", "recipients", "user", "could not be delivered to", "undeliverable to", "address", "宛先"}
)

// lineAddress returns the address a line is about, if it is about one; clear when the line is made for it.
func lineAddress(line, ours string) (a address.Address, clear, ok bool) {
	lower := strings.ToLower(line)
	if slices.ContainsFunc(notAbout, func(p string) bool { return strings.HasPrefix(lower, p) }) {
		return a, false, false
	}
	for _, i := range anAddress.FindAllStringIndex(line[:min(len(line), 2000)], 10) {
		found := strings.Trim(line[i[0]:i[1]], ".=+*'`|{}/")
		// "<postmaster@example.net>: host said" is about it; elsewhere it is mostly the one to ask.
		made := strings.HasPrefix(line, "<") && i[0] == 1 && strings.HasPrefix(line[i[1]:], ">:")
		if !made && isHelp(found) || strings.Contains(ours, strings.ToLower(found)) {
			continue
		}
		parsed, err := address.Parse(found)
		if err != nil || !strings.Contains(parsed.Domain(), ".") {
			continue
		}
		before := strings.ToLower(strings.Trim(line[:i[0]], " \t<>*-:\"'(="))
		after := strings.TrimLeft(line[i[1]:], " >\"")
		alone := before == "" && (after == "" || strings.ContainsAny(after[:1], ":.,;<(-[/#") || strings.HasPrefix(after, "on "))
		return parsed, alone || slices.ContainsFunc(leadIn, func(w string) bool { return strings.HasSuffix(before, w) }), true
	}
	return a, false, false
}

// isHelp reports whether an address is one that reports name for help.
func isHelp(a string) bool {
	local, _, _ := strings.Cut(strings.ToLower(a), "@")
	return slices.Contains([]string{"postmaster", "mailer-daemon", "abuse", "helpdesk", "support", "hostmaster", "webmaster", "help", "noc"}, local)
}

// listed fills in the recipients of a report without machine-readable fields.
func (m *mail) listed(r *Report) {
	whole := classify(0, "", m.text)
	if whole.weight < firm {
		if s := classify(0, "", m.header.Text("Subject")); s.weight == worded {
			whole = s
		}
	}
	entries := m.addresses()
	if failed := m.header.Get("X-Failed-Recipients"); failed != "" {
		entries = m.named(failed, entries)
	}
	for _, e := range entries {
		text := e.text.String()
		f := classify(0, "", text)
		if f.weight < firm && whole.weight > f.weight {
			f = whole
		}
		r.Recipients = append(r.Recipients, Recipient{
			Address: e.addr, Action: action(r.Kind), Status: statusCode(text),
			Diagnostic: oneLine(text), Class: f.class, Reason: f.rule,
		})
	}
	if len(r.Recipients) == 0 {
		r.Recipients = []Recipient{{Action: action(r.Kind), Status: statusCode(m.text), Class: whole.class, Reason: whole.rule}}
	}
}

func action(k Kind) string {
	if k == Delayed {
		return "delayed"
	}
	return "failed"
}

// named returns the entries of the addresses in an X-Failed-Recipients field.
func (m *mail) named(failed string, entries []*entry) []*entry {
	var out []*entry
	for _, found := range anAddress.FindAllString(clip(failed, 8000), maxRecipients) {
		a, err := address.Parse(found)
		if err != nil {
			continue
		}
		e := find(entries, a)
		if e == nil {
			e = &entry{addr: a}
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return entries
	}
	return out
}

// find returns the entry of an address, or nil.
func find(entries []*entry, a address.Address) *entry {
	if i := slices.IndexFunc(entries, func(e *entry) bool { return e.addr.Key() == a.Key() }); i >= 0 {
		return entries[i]
	}
	return nil
}
