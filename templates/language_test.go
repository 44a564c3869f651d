package templates

import (
	"html/template"
	"testing"
)

func TestLangAttribute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		page string
		text any
		want template.HTMLAttr
	}{
		{"en", "次回の勉強会", ` lang="ja"`},
		{"ja", "次回の勉強会", ""},
		{"ja", "Route leak", ` lang="en"`},
		{"en", "Route leak", ""},
		{"ja", template.HTML(`see <a href="https://example.jp/">https://example.jp/</a>`), ` lang="en"`},
		{"en", template.HTML("BGP の話"), ` lang="ja"`},
		{"en", "ﾃﾞｰﾀ", ` lang="ja"`},
		{"en", "会議", ""}, // may be Chinese
		{"ja", "Größe", ""},
		{"ja", "2026-01 !", ""},
		{"ja", "", ""},
	} {
		if got := langAttribute(c.page, c.text); got != c.want {
			t.Errorf("%q on a page in %s: %q, want %q", c.text, c.page, got, c.want)
		}
	}
}
