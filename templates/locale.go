package templates

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

// words are the texts of a language, by key.
type words map[string]entry

// entry is a text, and its singular where the language has one.
type entry struct{ one, other []segment }

// segment is a piece of a text: literal words, or a parameter's name.
type segment struct {
	text  string
	param bool
}

// UnmarshalJSON reads "text" or {"one": "text", "other": "text"}.
func (e *entry) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		e.other = split(text)
		return nil
	}
	var plural struct{ One, Other string }
	if err := json.Unmarshal(b, &plural); err != nil {
		return err
	}
	if plural.Other == "" {
		return fmt.Errorf(`%s: a plural needs "other"`, b)
	}
	e.one, e.other = split(plural.One), split(plural.Other)
	return nil
}

// split cuts "text with {name}" at its parameters.
func split(text string) []segment {
	var out []segment
	for text != "" {
		before, rest, ok := strings.Cut(text, "{")
		if before != "" {
			out = append(out, segment{text: before})
		}
		name, after, closed := strings.Cut(rest, "}")
		if ok && closed {
			out = append(out, segment{text: name, param: true})
		}
		text = after
	}
	return out
}

// readWords reads the files of a language: LANG.json, and one for each large part of the site, such as settings.LANG.json.
func readWords(lang string) (words, error) {
	names, err := fs.Glob(files, "locale/*"+lang+".json")
	if err != nil {
		return nil, err // unreachable: the pattern is well formed
	}
	all := words{}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var w words
		if err := json.Unmarshal(b, &w); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, e := range w {
			if _, twice := all[key]; twice {
				return nil, fmt.Errorf("%s: words for %q stand elsewhere too", name, key)
			}
			all[key] = e
		}
	}
	return all, nil
}

// text fills in the words of a key; args are pairs of name and value.
func (w words) text(key string, args []any) (string, error) {
	e, ok := w[key]
	if !ok {
		return "", fmt.Errorf("no words for %q", key)
	}
	segments := e.other
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "n" && args[i+1] == 1 && e.one != nil {
			segments = e.one
		}
	}
	if len(segments) == 1 && !segments[0].param {
		return segments[0].text, nil
	}
	var b strings.Builder
	for _, s := range segments {
		if !s.param {
			b.WriteString(s.text)
			continue
		}
		value, ok := argument(args, s.text)
		if !ok {
			return "", fmt.Errorf("words for %q: no parameter %q", key, s.text)
		}
		fmt.Fprint(&b, value)
	}
	return b.String(), nil
}

func argument(args []any, name string) (any, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1], true
		}
	}
	return nil, false
}
