package message_test

import (
	"strings"
	"testing"

	"kairan/smtpd/message"
)

// uuencode writes a zero as the first programs of that name did.
func uuencode(name, data, zero string) string {
	head, lines, _ := strings.Cut(message.Uuencode(name, []byte(data)), "\n")
	return head + "\n" + strings.ReplaceAll(lines, "`", zero)
}

func TestFindUuencoded(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("\x00\x01binary\xff \x00\x00\x00", 20)
	file := uuencode("map.gif", data, "`")
	var stripped []string // by a program that takes spaces off the ends of lines
	for line := range strings.Lines(uuencode("map.gif", data, " ")) {
		stripped = append(stripped, strings.TrimRight(line, " \n")+"\n")
	}
	for name, c := range map[string]struct{ text, rest, files string }{
		"a file":              {"see\n" + file + "bye\n", "see\nbye\n", "map.gif"},
		"with spaces":         {"see\n" + uuencode("map.gif", data, " ") + "bye\n", "see\nbye\n", "map.gif"},
		"spaces lost":         {"see\n" + strings.Join(stripped, "") + "bye\n", "see\nbye\n", "map.gif"},
		"two files":           {file + "and\n" + uuencode("../b c.tar", data, "`"), "and\n", "map.gif b c.tar"},
		"without a last line": {"see\n" + strings.TrimSuffix(file, "\n"), "see\n", "map.gif"},
		"a sentence":          {"begin 644 is how a file begins\nsays the manual.\nend\n", "begin 644 is how a file begins\nsays the manual.\nend\n", ""},
		"no end":              {strings.TrimSuffix(file, "end\n"), strings.TrimSuffix(file, "end\n"), ""},
		"a line cut":          {strings.Replace(file, "\nM", "\nMab\nM", 1), strings.Replace(file, "\nM", "\nMab\nM", 1), ""},
		"quoted":              {"> begin 644 a\n> #0V%T\n> `\n> end\n", "> begin 644 a\n> #0V%T\n> `\n> end\n", ""},
		"nothing in it":       {"begin 644 a\n`\nend\n", "begin 644 a\n`\nend\n", ""},
		"damaged, then whole": {"begin 644 a\nno\n" + file, "begin 644 a\nno\n", "map.gif"},
	} {
		rest, at := "", 0
		var names []string
		for _, f := range message.FindUuencoded(c.text) {
			rest += c.text[at:f.From]
			at = f.To
			if names = append(names, f.Name); string(f.Data) != data {
				t.Errorf("%s: %s is %q", name, f.Name, f.Data)
			}
		}
		if rest += c.text[at:]; rest != c.rest || strings.Join(names, " ") != c.files {
			t.Errorf("%s: files %q, and is left %q", name, names, rest)
		}
	}
	if n := len(message.FindUuencoded(strings.Repeat(file, 101))); n != 100 {
		t.Errorf("%d files in one text", n)
	}
}
