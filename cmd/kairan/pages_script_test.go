package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// keyboard reads with keys alone.
func keyboard(t *testing.T, browser context.Context, d *demo) {
	p := newTab(t, browser, d.app.Site.URL, view{width: 1200, lang: "en"})
	p.axeScript = needAxe(t)
	focused := func() string { return p.eval(`document.activeElement.textContent.trim()`) }
	p.open("/netops/", 200)
	first, second := p.eval(`document.querySelector(".threads li:nth-child(1) .subject").textContent`), p.eval(`document.querySelector(".threads li:nth-child(2) .subject").textContent`)
	for _, step := range []struct{ key, want string }{{"j", first}, {"j", second}, {"k", first}} {
		if p.press(step.key); focused() != step.want {
			t.Errorf("%s leads to %q, want %q", step.key, focused(), step.want)
		}
	}
	p.press("/")
	p.press("j") // a word to look for
	if got := p.eval(`document.activeElement.value`); !strings.HasSuffix(got, "j") {
		t.Errorf("the search field holds %q", got)
	}
	p.eval(`document.activeElement.blur(), ""`)
	p.press("?")
	p.sees("Use these keys")
	p.audit("help")
	p.axe("help")
	p.do(chromedp.Click(chromedp.CSS(`#keys input`)))
	p.do(chromedp.Click(chromedp.CSS(`#keys button`)))
	p.eval(`document.activeElement.blur(), ""`)
	if p.press("j"); focused() == first {
		t.Error("keys that were switched off still work")
	}
	p.press("?")
	p.do(chromedp.Click(chromedp.CSS(`#keys input`)))
	p.do(chromedp.Click(chromedp.CSS(`#keys button`)))

	p.follow(`.busy a`)
	for _, step := range []struct{ key, want string }{{"n", "0"}, {"j", "1"}, {"p", "0"}} {
		p.press(step.key)
		if got := p.eval(`String([...document.querySelectorAll(".post")].findIndex(post => post.contains(document.activeElement)))`); got != step.want {
			t.Errorf("%s leads to message %s, want %s", step.key, got, step.want)
		}
	}
	p.follow(`.post .permalink`)
	one := p.path()
	p.arrive("n", chromedp.KeyEvent("n"))
	two := p.path()
	if p.arrive("p", chromedp.KeyEvent("p")); p.path() != one || two == one {
		t.Errorf("n leads from %s to %s, and p to %s", one, two, p.path())
	}
	if p.arrive("u", chromedp.KeyEvent("u")); !strings.HasPrefix(p.path(), "/netops/20") {
		t.Errorf("u leads to %s", p.path())
	}
	for _, m := range p.caught() {
		t.Error(m)
	}
}

// press types a key that leads to no other page.
func (p *tab) press(key string) {
	p.Helper()
	p.do(chromedp.KeyEvent(key))
}

// visits comes back to a list and to a thread after something was posted.
func visits(t *testing.T, browser context.Context, d *demo) {
	p := newTab(t, browser, d.app.Site.URL, view{width: 390, lang: "en"})
	id := func(n string) example {
		e := example{sender: "misaki@example.jp", id: "visit" + n + "@example.jp", lines: []string{
			"From: Misaki Uno <misaki@example.jp>", "To: " + exampleList, "Subject: What is new",
			"Date: " + time.Now().Format(time.RFC1123Z), "Message-ID: <visit" + n + "@example.jp>"}}
		if n != "1" {
			e.lines = append(e.lines, "References: <visit1@example.jp>")
		}
		e.lines = append(e.lines, "", "Text "+n+".")
		return e
	}
	post := func(e example) {
		if got := d.post(t, e); !strings.HasPrefix(got, "250 ") {
			t.Fatal(got)
		}
		d.until(t, `enqueue`, "trace", "<"+e.id+">")
	}
	marks := func() string {
		return p.eval(`[...document.querySelectorAll(".unread:not([hidden])")].map(a => a.textContent).join()`)
	}
	p.open("/netops/", 200)
	if got := marks(); got != "" {
		t.Errorf("on the first visit %q is new", got)
	}
	post(id("1"))
	p.open("/netops/t/visit1@example.jp/", 200)
	post(id("2"))
	post(id("3"))
	p.open("/netops/", 200)
	if got := p.eval(`document.querySelector('[data-thread="/netops/t/visit1@example.jp/"] .unread').textContent`); got != "2 new" {
		t.Errorf("the thread is marked %q", got)
	}
	p.follow(`[data-thread="/netops/t/visit1@example.jp/"] .unread`)
	p.sees("2 new posts")
	if got := p.eval(`document.querySelector(":target").closest(".post").textContent`); !strings.Contains(got, "Text 2.") {
		t.Errorf("the link leads to %s", got)
	}
	p.open("/netops/", 200)
	if got := p.eval(`String(document.querySelector('[data-thread="/netops/t/visit1@example.jp/"] .unread').hidden)`); got != "true" {
		t.Error("what was read stays new")
	}
}

// Limits of a first visit to a page: requests, and bytes as they come over the wire.
const (
	visitRequests = 4
	visitBytes    = 20_000
)

// weigh looks at each kind of page as somebody who was never there.
func weigh(t *testing.T, browser context.Context, d *demo) {
	thread := newTab(t, browser, d.app.Site.URL, view{width: 390, lang: "ja"})
	thread.open("/netops/", 200)
	paths := map[string]string{"home": "/", "list": "/netops/", "search": "/netops/search?q=BGP",
		"month":   thread.eval(`document.querySelector(".years a").pathname`),
		"thread":  thread.eval(`document.querySelector(".busy a").pathname`),
		"message": "/netops/m/" + hostileHTML().id + "/"}
	for kind, path := range paths {
		p := newTab(t, browser, d.app.Site.URL, view{width: 390, lang: "ja"})
		requests, bytes := 0, 0.0
		done := make(chan struct{}, 64)
		if err := chromedp.Listen(p.ctx, func(ev any) {
			if ev, ok := ev.(*network.EventLoadingFinished); ok {
				requests++
				bytes += ev.EncodedDataLength
				done <- struct{}{}
			}
		}); err != nil {
			t.Fatal(err)
		}
		p.open(path, 200)
		for range 3 { // page, style sheet, script; the icon comes when the browser likes
			<-done
		}
		t.Logf("%s: %d requests, %.0f bytes", kind, requests, bytes)
		if requests > visitRequests || bytes > visitBytes {
			t.Errorf("%s: %d requests and %.0f bytes on a first visit", kind, requests, bytes)
		}
	}
}
