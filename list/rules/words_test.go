package rules

import (
	"slices"
	"testing"

	"kairan/templates"
)

// names are those of all rules, in the order they are asked.
func names() (all []string) {
	for _, r := range table {
		all = append(all, r.name)
	}
	return all
}

// TestEveryRuleIsExplained compares the rules with the words that pages and SMTP replies lead to.
func TestEveryRuleIsExplained(t *testing.T) {
	t.Parallel()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names() {
		for _, lang := range templates.Languages() {
			for _, part := range []string{"title", "means", "do"} {
				if !set.Has(lang, "reason."+name+"."+part) {
					t.Errorf("rule %s: no %s in %s", name, part, lang)
				}
			}
		}
	}
	for _, name := range set.Reasons() {
		if !slices.Contains(names(), name) {
			t.Errorf("there are words for %s, which is no rule", name)
		}
	}
}
