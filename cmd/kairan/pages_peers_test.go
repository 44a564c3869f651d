package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"golang.org/x/text/encoding/japanese"
)

// peersMail is mail that other archives are known to show badly. It is old, so its list is quiet.
func peersMail(t *testing.T) []byte {
	var b bytes.Buffer
	n := 0
	add := func(id, header, body string) {
		n++
		at := time.Date(2019, 5, 3, 9, 0, 0, 0, time.FixedZone("", 2*3600)).Add(time.Duration(n) * time.Hour)
		fmt.Fprintf(&b, "From hana@example.jp %s\nFrom: Hana <hana@example.jp>\nTo: readers@%s\nMessage-ID: <%s@example.jp>\nDate: %s\nMIME-Version: 1.0\n%s\n\n%s\n\n",
			at.UTC().Format(time.ANSIC), demoDomain, id, at.Format(time.RFC1123Z), header, body)
	}
	utf8 := "Content-Type: text/plain; charset=utf-8"
	for i, text := range []string{"次回日程調整のお願いです。", "日程です", "開催日程表を更新しました", "会合は延期、新日程未定。", "候補日程その一", "日程を再度お知らせします",
		"日の程よい時間に", "予定は未定です", "程なく日が決まります", "Nothing to see here."} {
		add(fmt.Sprintf("day%d", i), "Subject: day "+fmt.Sprint(i)+"\n"+utf8, text)
	}
	sjis, err := japanese.ShiftJIS.NewEncoder().String(`<html><head><meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS"></head><body><p>HTMLだけのメールです。</p><ul><li>会場は札幌</ul></body></html>`)
	if err != nil {
		t.Fatal(err)
	}
	add("html", "Subject: HTML only\nContent-Type: text/html\nContent-Transfer-Encoding: 8bit", sjis)
	// ISO-2022-JP with what it does not have: circled digits and (株) of NEC row 13, and half-width kana.
	add("kana", "Subject: kana\nContent-Type: text/plain; charset=iso-2022-jp", "\x1b$B5DBj\x1b(B: \x1b$B-!-\"-j\x1b(B \x1b(IC^0@\x1b(B end")
	add("cp932", "Subject: cp932\nContent-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: 8bit", "\x87\x40\xfb\xfc\x8b\xb4\x82\xb3\x82\xf1\x82\xcc\xb6\xc5") // Shift_JIS of Windows, in truth
	add("flowed", "Subject: flowed\nContent-Type: text/plain; charset=utf-8; format=flowed; delsp=yes", "長い行は送る前に \n折り返されて \nいます。\n>> その前の引用\n> 引用も \n> つながります。\nEnglish too, with a  \nspace.")
	add("patch", "Subject: [PATCH] columns\n"+utf8, "Please look at this.\n\n"+
		"name        address\nweb1        192.0.2.1\nresolver9   192.0.2.20\n\nand this:\n\n"+
		"diff --git a/conf.c b/conf.c\n--- a/conf.c\n+++ b/conf.c\n@@ -1,2 +1,2 @@\n-\tretry = 1;\n+\tretry = 2; /* "+strings.Repeat("long ", 40)+"*/\n\nThat was all of it.")
	add("start", "Subject: 会場の相談\n"+utf8, "The first of the thread.")
	for i := range 12 {
		add(fmt.Sprintf("answer%d", i), "Subject: Re: 会場の相談\nReferences: <start@example.jp>\n"+utf8, fmt.Sprintf("Answer number %d.", i))
	}
	add("lost", "Subject: RE: [readers:00016] 会場の相談\n"+utf8, "An answer that names nothing.")
	add("lost2", "Subject: 返信: 会場の相談\n"+utf8, "An answer of a Japanese program.")
	return b.Bytes()
}

// peers reads what readers of other archives complain of.
func peers(t *testing.T, browser context.Context, d *demo) {
	file := filepath.Join(t.TempDir(), "readers.mbox")
	if err := os.WriteFile(file, peersMail(t), 0o600); err != nil {
		t.Fatal(err)
	}
	d.cli(t, "list", "create", "readers@"+demoDomain, "--owner", "haruka@example.jp")
	d.cli(t, "archive", "import", "readers@"+demoDomain, file)
	p := newTab(t, browser, d.app.Site.URL, view{width: 390, lang: "ja", noScript: true})

	// A quiet list shows what there is, with dates.
	p.open("/readers/", 200)
	p.sees("この4週間は投稿がありません。", "最後の投稿: 2019年5月", "会場の相談", "2019年5月4日（土）", "月別アーカイブ")
	p.legible()
	if got := p.eval(`String(document.querySelector(".threads li").getBoundingClientRect().bottom < innerHeight)`); got != "true" {
		t.Error("what was written last is not to be seen without scrolling")
	}

	// A thread is whole, without scripts, and what names nothing has not fallen out of it.
	p.open("/readers/t/start@example.jp/", 200)
	for i := range 12 {
		p.sees(fmt.Sprintf("Answer number %d.", i))
	}
	p.sees("15件", "An answer that names nothing.", "An answer of a Japanese program.", "2019年5月4日（土） 08:00 +09:00")
	if tree := p.eval(`[...document.querySelectorAll(".outline a")].map(a => a.textContent).join()`); strings.ContainsAny(tree, "|`-+\\") || !strings.Contains(tree, "Hana") {
		t.Errorf("the outline is %s", tree)
	}
	if body := p.eval(`document.body.innerText`); strings.Contains(body, "日前") || strings.Contains(body, "年前") {
		t.Error("ages stand for dates")
	}
	p.legible()

	for id, want := range map[string][]string{
		"html":   {"HTMLだけのメールです。", "会場は札幌"},
		"kana":   {"議題: ①②㈱ ﾃﾞｰﾀ end"},
		"cp932":  {"①髙橋さんのｶﾅ"},
		"flowed": {"長い行は送る前に折り返されています。", "引用もつながります。", "English too, with a space."},
	} {
		p.open("/readers/m/"+id+"@example.jp/", 200)
		p.sees(want...)
	}
	p.quotes()
	p.columns()
	p.prints()
	p.finds(d)
}

// prints makes sure that paper has the whole text, folded or not, and nothing to press.
func (p *tab) prints() {
	p.Helper()
	p.open("/netops/m/"+hostilePost().id+"/", 200)
	for medium, want := range map[string]string{"print": "true,false,false,pre-wrap", "screen": "false,true,true,pre"} {
		p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium})
			return err
		}))
		if got := p.eval(`["details.quote .text", ".tools", ".actions"].map(s => document.querySelector(s).checkVisibility()).concat(getComputedStyle(document.querySelector(".columns")).whiteSpace).join()`); got != want {
			p.Errorf("on %s, a folded quote, the tools and the actions are to be seen, and wide lines are: %s, want %s", medium, got, want)
		}
	}
	p.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{})
		return err
	}))
}

// legible makes sure that no letter is too small, and that the page is laid out for this window.
func (p *tab) legible() {
	p.Helper()
	small := p.eval(`(() => {
		const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), small = [];
		while (walker.nextNode()) {
			const e = walker.currentNode.parentElement;
			if (walker.currentNode.data.trim() && e.checkVisibility() && parseFloat(getComputedStyle(e).fontSize) < 12) small.push(e.outerHTML.slice(0, 100));
		}
		return innerWidth + " " + [...new Set(small)].join(" ");
	})()`)
	if small != fmt.Sprint(p.view.width, " ") {
		p.Errorf("%s: width and small letters: %s", p.path(), small)
	}
}

// quotes makes sure that levels of quotes are told apart by lines at their side, not by marks in the text.
func (p *tab) quotes() {
	p.Helper()
	p.open("/readers/m/flowed@example.jp/", 200)
	got := p.eval(`(() => {
		const quote = document.querySelector(".text.quote"), inner = quote.querySelector("blockquote");
		const bar = e => parseFloat(getComputedStyle(e).borderLeftWidth) > 0 && e.getBoundingClientRect().left;
		const text = document.querySelector(".body").getBoundingClientRect().top - document.querySelector(".post header").getBoundingClientRect().bottom;
		return [text < 24, bar(quote) > 0, bar(inner) > bar(quote) + 8, quote.innerText.includes(">"), inner.innerText.trim()].join();
	})()`)
	if got != "true,true,true,false,その前の引用" {
		p.Errorf("the text stands close to who wrote it, a quote has a line at its side, the one within it another, no marks are left, and the inner one is: %s", got)
	}
}

// columns looks at a patch and a table in the midst of a text.
func (p *tab) columns() {
	p.Helper()
	p.open("/readers/m/patch@example.jp/", 200)
	got := p.eval(`(() => {
		const box = word => {
			const walker = document.createTreeWalker(document.querySelector(".body"), NodeFilter.SHOW_TEXT);
			while (walker.nextNode()) {
				const at = walker.currentNode.data.indexOf(word);
				if (at < 0) continue;
				const range = document.createRange();
				range.setStart(walker.currentNode, at);
				range.setEnd(walker.currentNode, at + word.length);
				return { ...range.getBoundingClientRect().toJSON(), block: walker.currentNode.parentElement.closest(".text") };
			}
		};
		const table = box("192.0.2.1\n"), other = box("192.0.2.20"), patch = box("+\tretry = 2; /* " + "long ".repeat(40) + "*/"), prose = box("That was all of it.");
		const edge = Math.abs(patch.block.getBoundingClientRect().right - innerWidth) < 1;
		return [edge, table.x === other.x, patch.height < 2 * table.height, patch.block.scrollWidth > patch.block.clientWidth, prose.block === patch.block,
			getComputedStyle(patch.block).fontFamily.includes("mono"), getComputedStyle(prose.block).fontFamily.startsWith("system-ui")].join();
	})()`)
	if got != "true,true,true,true,false,true,true" {
		p.Errorf("a patch reaches the edge of a phone, columns in line, a line stays one, it scrolls within its block, prose is apart, in fixed and in proportional type: %s", got)
	}
	colours := p.eval(`[".columns", ".columns .del", ".columns .add"].map(s => getComputedStyle(document.querySelector(s)).backgroundColor).filter((c, i, all) => all.indexOf(c) === i).length + document.querySelector(".del").textContent[0] + document.querySelector(".add").textContent[0]`)
	if colours != "3-+" {
		p.Errorf("colours of what stays, goes and comes, and how a line begins that goes or comes: %s", colours)
	}
}

// finds searches in Japanese.
func (p *tab) finds(d *demo) {
	p.Helper()
	path := "/readers/search?q=" + url.QueryEscape("日程")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(demoPatience); ; {
		if _, body := d.get(p.T, path); strings.Contains(body, "<mark>") {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			p.Fatal("the import is not indexed")
		}
	}
	p.open(path, 200)
	if got := p.eval(`[document.querySelectorAll(".hits li").length, document.querySelectorAll(".hits p:first-of-type mark").length, [...document.querySelectorAll("mark")].every(m => m.textContent === "日程")].join()`); got != "6,6,true" {
		p.Errorf("hits, excerpts with a mark, and all marks are what was looked for: %s", got)
	}
	p.legible()
	p.open("/readers/search?q="+url.QueryEscape("存在しない言葉"), 200)
	p.sees("見つかりませんでした", "検索のしかた")
}
