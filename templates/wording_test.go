package templates

import (
	"strings"
	"testing"
)

// The built-in words of every mail pass the check of a site's own, in both languages.
func TestBuiltInWordsPass(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	for _, name := range s.Mails() {
		for _, lang := range Languages() {
			w, ok := s.Wording(name, lang)
			if !ok {
				t.Errorf("no mail %s in %s", name, lang)
			}
			if err := s.Check(name, lang, w); err != nil {
				t.Error(lang, err)
			}
		}
	}
}

func TestWordsThatDoNotFit(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	good := Wording{Subject: "Hello", Body: "Please see {url}\n"}
	if err := s.Check("welcome", "ja", good); err != nil {
		t.Fatal(err)
	}
	for want, w := range map[string]Wording{
		"text: this mail has no {nobody}":    {Subject: "Hello", Body: "{nobody} {url}"},
		"text: this mail needs {url}":        {Subject: "Hello", Body: "Nothing to see"},
		"subject: it is empty":               {Subject: " ", Body: "{url}"},
		"subject: it has control characters": {Subject: "Hello\nBcc: x@y.test", Body: "{url}"},
		"text: it is no UTF-8":               {Subject: "Hello", Body: "{url}\xff"},
		"200 is the most":                    {Subject: strings.Repeat("x", 201), Body: "{url}"},
		"20480 is the most":                  {Subject: "Hello", Body: "{url}" + strings.Repeat("x", 21000)},
	} {
		if err := s.Check("welcome", "ja", w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	if err := s.Check("welcom", "ja", good); err == nil {
		t.Error("a mail that is not there")
	}
}
