package search

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func terms(s string) string {
	var out []string
	cut(s, 0, func(t token) { out = append(out, string(t.term)) })
	return strings.Join(out, " ")
}

func TestCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Routers, routed.":      "router rout",
		"東京都":                   "東京 京都 都",
		"ﾊﾞｰｼﾞｮﾝ":               "ばー ーじ じょ ょん ん",
		"ユーザー様":                 "ゆー ーざ ざ様 様",
		"コピー":                   "こぴ ぴー ー",
		"AS64500":               "as 64500",
		"2001:0DB8:0:0::1":      "2001 db8 1",
		"㈱回覧":                   "株 回覧 覧",
		"か\u3099":               "が",
		strings.Repeat("x", 99): strings.Repeat("x", 64),
	} {
		if got := terms(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	q := Parse(strings.Repeat("word ", 1000), time.UTC)
	if !q.Long || len(q.clauses) != maxClauses {
		t.Errorf("long %v, %d clauses", q.Long, len(q.clauses))
	}
	if q := Parse("date:yesterday has:fun !!! a", time.UTC); !slices.Equal(q.Ignored, []string{"date:yesterday", "has:fun", "!!!"}) {
		t.Errorf("ignored %q", q.Ignored)
	}
	if !Parse(" \u3000", time.UTC).Empty() {
		t.Error("a blank query asks for something")
	}
}

// TestParseAsTyped asks the same as keyboards for Japanese write it.
func TestParseAsTyped(t *testing.T) {
	t.Parallel()
	for want, typed := range map[string][]string{
		"経路 障害":                {"経路　障害", "　経路 　障害　", "経路 AND 障害"},
		`"route leak"`:         {"“route leak”", "＂ｒｏｕｔｅ　ｌｅａｋ＂", "「route leak」", "『route leak』"},
		"障害 -訓練":               {"障害　－訓練", "障害 −訓練", "障害　ー訓練"},
		"from:ann":             {"ｆｒｏｍ：ａｎｎ", "from：ann", "ＦＲＯＭ:ann", "Ｆｒｏｍ：「ann」"},
		`subject:"route leak"`: {"ｓｕｂｊｅｃｔ：「route leak」", "subject：“route leak”"},
		"-has:attachment":      {"－ｈａｓ：ａｔｔａｃｈｍｅｎｔ"},
		"list:ops":             {"ｌｉｓｔ：ｏｐｓ"},
		"date:2024-05":         {"ｄａｔｅ：２０２４年５月", "date:2024年05月", "date:2024/5", "date:令和6年5月", "date:令和６年５月"},
		"after:2024-05-03":     {"after：2024年5月3日", "after:令和6年5月3日"},
		"before:1989":          {"before:1989年", "before:平成元年", "before:平成1年"},
	} {
		q := Parse(want, time.UTC)
		for _, s := range typed {
			if got := Parse(s, time.UTC); !reflect.DeepEqual(got, q) || len(got.Ignored) > 0 {
				t.Errorf("%s: got %+v, want %+v", s, got, q)
			}
		}
	}
	if q := Parse(strings.Repeat("route has:fun ", 30), time.UTC); !slices.Equal(q.Ignored, []string{"has:fun", "route"}) {
		t.Errorf("of words that are repeated %q are told", q.Ignored)
	}
	if q := Parse("route OR leak ＯＲ", time.UTC); len(q.clauses) != 2 || !slices.Equal(q.Ignored, []string{"OR", "ＯＲ"}) {
		t.Errorf("OR: %+v", q)
	}
	for _, word := range []string{"or", `"OR"`, "ORF"} {
		if q := Parse(word, time.UTC); len(q.clauses) != 1 {
			t.Errorf("%s: %+v", word, q)
		}
	}
	if q := Parse("date:令和100年 date:2024年5月3日4 date:年", time.UTC); len(q.Ignored) != 3 {
		t.Errorf("ignored %q", q.Ignored)
	}
}

func flat(pieces []Piece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Mark {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, text, want string }{
		{"東京都", "ここは東京都の話です", "ここは[東京都]の話です"},
		{"害", "障害が出た", "障[害]が出た"},
		{"ネットワーク", "ﾈｯﾄﾜｰｸ障害", "[ﾈｯﾄﾜｰｸ]障害"},
		{`"route leak" asn`, "a route\n> leak here", "a [route leak] here"},
		{"2001:db8::1", "at 2001:0db8::1 now", "at [2001:0db8::1] now"},
		{"none", "the beginning", "the beginning"},
		{"needle", strings.Repeat("hay ", 200) + "needle" + strings.Repeat(" hay", 200), "… " + strings.Repeat("hay ", 14) + "[needle]" + strings.Repeat(" hay", 44) + " …"},
	} {
		if got := flat(Excerpt(Parse(c.query, time.UTC), c.text)); got != c.want {
			t.Errorf("%s\ngot  %q\nwant %q", c.query, got, c.want)
		}
	}
}

// TestExcerptOf looks for what stands deep in a long message, together or apart.
func TestExcerptOf(t *testing.T) {
	t.Parallel()
	hay := strings.Repeat("hay hay hay hay hay\n", 1000)
	deep := strings.Repeat(hay, 4)
	for _, c := range []struct{ query, text, want string }{
		{"needle", hay + "a needle\n" + hay, "[needle]"},
		{"needle", deep + "a needle\n", "[needle]"},
		{"thread needle", "thread\n" + hay + "a needle and thread\n" + hay, "[needle] and [thread]"},
		{"thread needle", "a thread\n" + deep + "needle\n", "a [thread] hay"},
		{"thread needle -hay", hay + "needle\nthread", "[needle] [thread]"},
		{"from:ann", "hay\n" + hay, "hay hay"},
		{"needle", deep + strings.Repeat("ｈａｙ ", 3000) + "ｎｅｅｄｌｅ", "[ｎｅｅｄｌｅ]"},
	} {
		raw := []byte("Content-Type: text/plain; charset=utf-8\n\n" + c.text)
		if got := flat(ExcerptOf(Parse(c.query, time.UTC), raw, nil)); !strings.Contains(got, c.want) {
			t.Errorf("%s\ngot  %q\nwant %q", c.query, got, c.want)
		}
	}
}

// TestPlain compares the characters that are cut without looking up their compatibility forms with these.
func TestPlain(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if form := norm.NFKC.String(string(r)); plain(r) && form != string(r) && (r != '\u00a0' || form != " ") {
			t.Errorf("%U is %q", r, form)
		}
	}
}

func FuzzQuery(f *testing.F) {
	f.Add(`from:ann "東京都" -x date:2026`, "東京都 ann サーバー\n> 2001:db8::1 ﾊﾞ")
	f.Fuzz(func(t *testing.T, query, text string) {
		q := Parse(query, time.UTC)
		if len(q.clauses) > maxClauses || q.terms > maxTerms {
			t.Errorf("%d clauses, %d terms", len(q.clauses), q.terms)
		}
		last := 0
		cut(text, 0, func(tok token) {
			if tok.from < last-len(text) || tok.from > tok.to || tok.to > len(text) {
				t.Errorf("token %q at %d to %d of %d", tok.term, tok.from, tok.to, len(text))
			}
			last = tok.from
		})
		Excerpt(q, text)
		Highlight(q, text)
	})
}

func FuzzSegment(f *testing.F) {
	s, err := newBuilder().some("one", 1, 2).segment()
	if err != nil {
		f.Fatal(err)
	}
	data, err := s.read(0, s.size)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := inMemory(data); err == nil {
			s.terms("", func(e entry) bool {
				if data, err := s.read(e.at, e.length); err == nil {
					p := newPostings(data)
					for d := p.seek(0); d < 1000; d = p.seek(d + 1) {
						p.positions(nil)
					}
				}
				return true
			})
		}
	})
}
