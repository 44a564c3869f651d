package templates

import (
	"strconv"
	"strings"
)

// terms are the parameters of entries that hold terms of the program, several of them with commas between: the words of a
// term are those of this key with the term behind it.
var terms = map[string]string{
	"role":     "entry.role.",
	"settings": "setting.",
	"lang":     "entry.lang.",
	"style":    "style.",
	"class":    "health.class-",
	"action":   "entry.value.",
}

// Entry returns an entry of a log in words: those of "entry.WORD", with args as parameters. The parameters role, settings,
// lang, style, class and action are terms of the program and are put in words, too, and so are changes, lines such as "hide true -> false".
// why, if there is one, is what somebody said about it.
func (s *Set) Entry(lang, word string, args map[string]string) string {
	return s.words[s.known(lang)].entry(word, args)
}

// Entry returns an entry of a log in English, as records keep it.
func Entry(word string, args map[string]string) string { return english().entry(word, args) }

func (w words) entry(word string, args map[string]string) string {
	said := map[string]string{}
	for name, value := range args {
		if prefix, ok := terms[name]; ok {
			value = w.terms(prefix, value)
		}
		if name == "changes" {
			value = w.changes(value)
		}
		said[name] = value
	}
	return w.filled(word, said)
}

// terms are terms of the program in words, as far as there are any.
func (w words) terms(prefix, list string) string {
	all := strings.Split(list, ", ")
	for i, term := range all {
		if said, err := w.text(prefix+term, nil); err == nil {
			all[i] = said
		}
	}
	return strings.Join(all, ", ")
}

// changes are lines "FIELD BEFORE -> AFTER" in words.
func (w words) changes(lines string) string {
	all := strings.Split(lines, "\n")
	for i, line := range all {
		field, values, _ := strings.Cut(line, " ")
		was, is, _ := strings.Cut(values, " -> ")
		args := []any{"field", w.terms("entry.field.", field), "was", w.terms("entry.value.", was), "is", w.terms("entry.value.", is)}
		if said, err := w.text("entry.change", args); err == nil {
			all[i] = said
		}
	}
	return strings.Join(all, ", ")
}

// filled are the words of an entry, and behind them why; without words it is the name and the parameters.
func (w words) filled(word string, args map[string]string) string {
	var pairs []any
	for name, value := range args {
		if n, err := strconv.Atoi(value); name == "n" && err == nil {
			pairs = append(pairs, name, n)
			continue
		}
		pairs = append(pairs, name, value)
	}
	text, err := w.text("entry."+word, pairs)
	if err != nil {
		return word
	}
	if why := args["why"]; why != "" {
		if behind, err := w.text("entry.why", []any{"why", why}); err == nil {
			text += behind
		}
	}
	return text
}
