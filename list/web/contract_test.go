package web

import (
	"slices"
	"strings"
	"testing"

	archiveweb "kairan/archive/web"
	"kairan/list"
	"kairan/list/rules"
	"kairan/templates"
)

// TestEveryRuleIsExplained compares the rules with the words that pages and SMTP replies lead to.
func TestEveryRuleIsExplained(t *testing.T) {
	t.Parallel()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	names := rules.Names()
	for _, name := range set.Reasons() {
		if !slices.Contains(names, name) {
			t.Errorf("there are words for %s, which is no rule", name)
		}
	}
	for _, name := range names {
		for _, lang := range templates.Languages() {
			for _, part := range []string{"title", "means", "do"} {
				if !set.Has(lang, "reason."+name+"."+part) {
					t.Errorf("rule %s: no %s in %s", name, part, lang)
				}
			}
		}
	}
}

// hostileIDs are Message-IDs that mail really carries, or might.
var hostileIDs = []string{
	"a@example.jp", "a/b@example.jp", "a%2Fb@example.jp", `"a b"@example.jp`, "a?b#c@example.jp", "..@example.jp", "../../-/login",
	"日本語@example.jp", "a+b=c&d@example.jp", "<>'`{}|\\^[]@x", "//", "a\x00b\xff@x", "%", "raw", "2", "att/1/x", strings.Repeat("x", 900) + "@example.jp", "a;b,c$!*()~@[192.0.2.1]",
}

// TestLinksAreTheSame compares the links in mails with those on pages: two packages make them, and may not import each other.
func TestLinksAreTheSame(t *testing.T) {
	t.Parallel()
	s := &list.Site{URL: "https://lists.example.jp"}
	l := &list.List{Name: "janog"}
	for _, id := range hostileIDs {
		if got, want := "https://lists.example.jp/janog/m/"+archiveweb.EscapeSegment(id)+"/", s.MessageURL(l, id); got != want {
			t.Errorf("%q on a page is %s, in a mail %s", id, got, want)
		}
	}
}
