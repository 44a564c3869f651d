package message

import (
	"strings"
	"testing"
)

func TestBrief(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"hello", "hello"},
		{"障害報告：大阪", "障害報告：大阪"},
		{"   ", ""},
		{"\u200b\u200b", ""},
		{"\u3164 \u2060\ufeff\u2800\u00ad\u115f", ""},
		{"\u0301\u0301", ""},
		{"a\u200db", "a\u200db"}, // joins letters in some scripts
		{"👩‍💻", "👩‍💻"},
		{"か\u3099っこう", "か\u3099っこう"},
		{strings.Repeat("x", 20), strings.Repeat("x", 20)},
		{strings.Repeat("x", 21), strings.Repeat("x", 20) + "…"},
		{strings.Repeat("あ", 21), strings.Repeat("あ", 20) + "…"},
		{strings.Repeat("漢", 20), strings.Repeat("漢", 20)},
		{strings.Repeat("ア", 21), strings.Repeat("ア", 20) + "…"},
		{"an…@example.jp", "an…@example.jp"},
		{"…" + strings.Repeat("a", 20), "…" + strings.Repeat("a", 19) + "…"},
		{strings.Repeat("x", 19) + "  y", strings.Repeat("x", 19) + "…"},
		{"z" + strings.Repeat("\u0335", 100) + "!", "z" + strings.Repeat("\u0335", maxMarks) + "!"},
		{strings.Repeat("か\u3099", 20), strings.Repeat("か\u3099", 20)}, // marks take no room
	} {
		if got := Brief(c.in, 20); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
