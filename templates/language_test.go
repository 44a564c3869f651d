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
		{"ja", "关于骨干网的讨论", ` lang="zh-Hans"`},
		{"ja", "請各位把門戶的設定寄給我們", ` lang="zh-Hant"`},
		{"ja", "添付資料: 申請書、進捗、感謝状", ""},
		{"ja", "这は読めます", ""},
		{"ja", "회의 안내", ` lang="ko"`},
		{"ja", "Größe", ""},
		{"ja", "2026-01 !", ""},
		{"ja", "", ""},
	} {
		if got := langAttribute(c.page, c.text); got != c.want {
			t.Errorf("%q on a page in %s: %q, want %q", c.text, c.page, got, c.want)
		}
	}
}
