package main

import (
	"github.com/chromedp/chromedp"
)

// panel looks at what the administrator of a list has beside its settings.
func (j *journey) panel() {
	j.texts()
	j.health()
	j.history()
}

// history looks at the changes of the setting that this journey has changed, and at what going back would mean.
func (j *journey) history() {
	name := []string{"require_subject", "include_ml_headers", "admin_notify_mchanges", "ask_author"}[j.n]
	j.open("/-/admin/netops/settings?q="+name, 200)
	j.follow(`#s-` + name + ` .name a`)
	j.shoot("setting-history")
	j.sees(name)
	j.follow(`.revision:last-of-type button`)
}

// health sees how a list is doing.
func (j *journey) health() {
	j.open("/-/admin/netops/health", 200)
	j.see(`#growth svg`)
	j.see(`#deliveries svg`)
	j.shoot("health")
	j.do(chromedp.Click(`#deliveries summary`))
	j.see(`#deliveries table`)
	j.axe("health")
}

// texts sees what a mail would look like in other words, which are not saved.
func (j *journey) texts() {
	j.open("/-/admin/netops/texts", 200)
	j.shoot("texts")
	j.follow(`main a[href="/-/admin/netops/texts/welcome"]`)
	j.shoot("text")
	subject, letter := `#subject\.`+j.view.lang, `#preview-`+j.view.lang
	j.fill(subject, "{list} ♪")
	if j.view.noScript {
		j.follow(`button[formaction$="/preview"]`)
	} else {
		j.do(chromedp.SendKeys(chromedp.CSS(subject), " "))
		j.eval(`new Promise(done => { const look = () => document.querySelector(` + quoteJS(letter) + `).textContent.includes("♪") ? done("") : setTimeout(look, 50); look() })`)
	}
	if got := j.eval(`document.querySelector(` + quoteJS(letter+" b") + `).textContent`); got != "netops ♪" {
		j.Errorf("the preview's subject is %q", got)
	}
	j.fill(subject, "{nothing}")
	if got := j.submit(`main .bar button.strong`); got != 422 {
		j.Errorf("words that do not fit: %d", got)
	}
	j.see(`.wrong[id="wrong-subject.` + j.view.lang + `"]`)
	j.shoot("text-wrong")
}
