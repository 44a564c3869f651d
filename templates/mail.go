package templates

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// mail is a text mail with {name} placeholders.
type mail struct{ subject, body []segment }

func readMails() (map[string]mail, error) {
	names, err := fs.Glob(files, "mail/*.txt")
	if err != nil {
		return nil, err // unreachable: the pattern is well formed
	}
	mails := map[string]mail{}
	for _, file := range names {
		b, err := files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		subject, body, ok := strings.Cut(string(b), "\n\n")
		if !ok || strings.Contains(subject, "\n") {
			return nil, fmt.Errorf("%s: a mail is its subject, a blank line and its text", file)
		}
		mails[strings.TrimSuffix(path.Base(file), ".txt")] = mail{subject: split(subject), body: split(body)}
	}
	return mails, nil
}

// Mail returns subject and text (lines ended by LF) of a mail in a language. Every placeholder needs a value in args.
// A line break in a value for the subject becomes a space, so that it cannot add header fields.
func (s *Set) Mail(name, lang string, args map[string]string) (subject, body string, err error) {
	m, ok := s.mails[name+"."+s.known(lang)]
	if !ok {
		return "", "", fmt.Errorf("no mail %q in %q", name, lang)
	}
	return s.write(name, m, args)
}

func (s *Set) write(name string, m mail, args map[string]string) (subject, body string, err error) {
	if subject, err = fill(m.subject, args); err == nil {
		body, err = fill(m.body, args)
	}
	if err != nil {
		return "", "", fmt.Errorf("mail %s: %w", name, err)
	}
	return strings.Join(strings.Fields(subject), " "), body, nil
}

func fill(segments []segment, args map[string]string) (string, error) {
	var b strings.Builder
	for _, s := range segments {
		if !s.param {
			b.WriteString(s.text)
			continue
		}
		value, ok := args[s.text]
		if !ok {
			return "", fmt.Errorf("no value for {%s}", s.text)
		}
		b.WriteString(value)
	}
	return b.String(), nil
}
