package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

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

// TestLinksLeadBack: whatever a Message-ID holds, its link is one segment, from which a page reads the same ID.
func TestLinksLeadBack(t *testing.T) {
	t.Parallel()
	s := &list.Site{URL: "https://lists.example.jp"}
	l := &list.List{Name: "janog"}
	for _, id := range hostileIDs {
		link := s.MessageURL(l, id)
		segment, ok := strings.CutPrefix(link, "https://lists.example.jp/janog/m/")
		segment, ok2 := strings.CutSuffix(segment, "/")
		if got, err := url.PathUnescape(segment); !ok || !ok2 || err != nil || got != id || strings.ContainsAny(segment, "/?# ") {
			t.Errorf("%q: the link %s leads to %q, %v", id, link, got, err)
		}
	}
}
