package templates

import (
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
	"subject": true, "what": true, "who": true, "counts": true, "said": true, "remedy": true, "link": true, "code": true, "topics": true,
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

// Check returns an error that says why words cannot replace those of a mail.
func (s *Set) Check(name, lang string, w Wording) error {
	if _, ok := s.mails[name+"."+lang]; !ok {
		return fmt.Errorf("there is no mail %q in %q", name, lang)
	}
	switch {
	case strings.TrimSpace(w.Subject) == "" || strings.TrimSpace(w.Body) == "":
		return fmt.Errorf("mail %s: subject and text are needed", name)
	case len(w.Subject) > maxWordingSubject:
		return fmt.Errorf("mail %s: the subject has %d bytes; %d is the most", name, len(w.Subject), maxWordingSubject)
	case len(w.Body) > maxWordingBody:
		return fmt.Errorf("mail %s: the text has %d bytes; %d is the most", name, len(w.Body), maxWordingBody)
	case !utf8.ValidString(w.Subject + w.Body):
		return fmt.Errorf("mail %s: it is no UTF-8", name)
	case strings.ContainsFunc(w.Subject, isControl) || strings.ContainsFunc(w.Body, func(r rune) bool { return isControl(r) && r != '\n' && r != '\t' }):
		return fmt.Errorf("mail %s: it has control characters", name)
	}
	all, needed := s.Placeholders(name)
	used := map[string]bool{}
	for _, seg := range slices.Concat(split(w.Subject), split(w.Body)) {
		if seg.param && !slices.Contains(all, seg.text) {
			return fmt.Errorf("mail %s has no {%s}; it has {%s}", name, seg.text, strings.Join(all, "}, {"))
		}
		used[seg.text] = used[seg.text] || seg.param
	}
	for _, p := range needed {
		if !used[p] {
			return fmt.Errorf("mail %s needs {%s} somewhere", name, p)
		}
	}
	return nil
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
