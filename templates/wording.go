package templates

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Wording is the words of a mail that a site or a list writes itself: plain text with the {name} placeholders of the mail that it
// replaces.
type Wording struct {
	Subject, Body string
}

// Limits of a Wording.
const (
	maxWordingSubject = 200      // bytes
	maxWordingBody    = 20 << 10 // bytes
)

// essential are the placeholders without which a mail is of no use: its links, what it is about, how to answer it.
var essential = map[string]bool{
	"confirm": true, "mark": true, "never": true, "url": true, "mailto": true, "yes": true, "no": true,
	"commands": true, "results": true, "lines": true, "entries": true, "reason": true, "reasons": true, "back": true,
	"subject": true, "what": true, "who": true, "counts": true, "said": true, "remedy": true, "link": true, "code": true, "topics": true, "which": true,
}

// Mails returns the names of all mails, sorted.
func (s *Set) Mails() []string {
	names := map[string]bool{}
	for key := range s.mails {
		name, _, _ := strings.Cut(key, ".")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Wording returns the built-in words of a mail. ok is false if there is no such mail.
func (s *Set) Wording(name, lang string) (w Wording, ok bool) {
	m, ok := s.mails[name+"."+lang]
	return Wording{Subject: joined(m.subject), Body: joined(m.body)}, ok
}

// Placeholders returns the placeholders of a mail, sorted, and those of them that its words must have.
func (s *Set) Placeholders(name string) (all, needed []string) {
	for _, lang := range Languages() {
		m := s.mails[name+"."+lang]
		for _, seg := range slices.Concat(m.subject, m.body) {
			if seg.param && !slices.Contains(all, seg.text) {
				all = append(all, seg.text)
			}
		}
	}
	slices.Sort(all)
	for _, p := range all {
		if essential[p] {
			needed = append(needed, p)
		}
	}
	return all, needed
}

// Parts of a Wording that a fault may be about.
const (
	WordingSubject = "subject"
	WordingBody    = "text"
)

// Check returns faults that say why words cannot replace those of a mail.
func (s *Set) Check(name, lang string, w Wording) error {
	if _, ok := s.mails[name+"."+lang]; !ok {
		return fmt.Errorf("there is no mail %q in %q", name, lang)
	}
	var errs []error
	for _, part := range []struct {
		field, text string
		most        int
		layout      string // control characters that are allowed
	}{{WordingSubject, w.Subject, maxWordingSubject, ""}, {WordingBody, w.Body, maxWordingBody, "\n\t"}} {
		wrong := func(key string, args ...any) { errs = append(errs, NewFault(part.field, key, args...)) }
		switch {
		case strings.TrimSpace(part.text) == "":
			wrong("wording-empty")
		case len(part.text) > part.most:
			wrong("wording-long", "bytes", len(part.text), "most", part.most)
		case !utf8.ValidString(part.text):
			wrong("wording-utf8")
		case strings.ContainsFunc(part.text, func(r rune) bool { return isControl(r) && !strings.ContainsRune(part.layout, r) }):
			wrong("wording-control")
		}
	}
	return errors.Join(append(errs, s.checkPlaceholders(name, w)...)...)
}

func (s *Set) checkPlaceholders(name string, w Wording) (errs []error) {
	all, needed := s.Placeholders(name)
	used := map[string]bool{}
	check := func(field, text string) {
		for _, seg := range split(text) {
			if seg.param && !slices.Contains(all, seg.text) {
				errs = append(errs, NewFault(field, "wording-unknown", "placeholder", "{"+seg.text+"}", "all", "{"+strings.Join(all, "}, {")+"}"))
			}
			used[seg.text] = used[seg.text] || seg.param
		}
	}
	check(WordingSubject, w.Subject)
	check(WordingBody, w.Body)
	for _, p := range needed {
		if !used[p] {
			errs = append(errs, NewFault(WordingBody, "wording-needs", "placeholder", "{"+p+"}"))
		}
	}
	return errs
}

// MailAs is Mail with other words.
func (s *Set) MailAs(name string, w Wording, args map[string]string) (subject, body string, err error) {
	return s.write(name, mail{subject: split(w.Subject), body: split(strings.TrimRight(w.Body, "\n") + "\n")}, args)
}

func joined(segments []segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.param {
			b.WriteString("{" + s.text + "}")
			continue
		}
		b.WriteString(s.text)
	}
	return b.String()
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
