package main

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

// site runs the site as its administrator: makes a list, gives it another address, bans somebody everywhere, and looks at the queue, the
// domains and the log. The list stays, because others look at the site meanwhile.
func (j *journey) site() {
	j.open("/-/demo", 200)
	j.follow(`button[value="haruka@example.jp"]`)
	j.follow(`.tools a[href="/-/site/"]`)
	name := fmt.Sprintf("wg-new%d", j.n)
	j.fill(`#address`, "netops@lists.kairan.test")
	if got := j.submit(`#new button.strong`); got != 422 {
		j.Errorf("a list at an address that is taken: %d", got)
	}
	j.see(`#wrong`)
	j.shoot("site-lists-wrong")
	j.fill(`#address`, name+"@lists.kairan.test")
	j.do(chromedp.Click(`input[name=style][value=private]`))
	j.follow(`#new button.strong`)
	j.see(`.flash`)
	j.shoot("site-list-made")
	j.fill(`#to`, "netops@lists.kairan.test")
	if got := j.submit(`#rename button`); got != 422 {
		j.Errorf("renamed to an address that is taken: %d", got)
	}
	j.see(`#wrong-to`)
	j.fill(`#to`, name+"-2@lists.kairan.test")
	j.follow(`#rename button`)
	j.see(`.flash`)
	j.sees(name+"-2@lists.kairan.test", name+"@lists.kairan.test")
	j.shoot("site-list-renamed")
	j.siteQuota(name + "-2")
	j.siteBans()
	j.sitePeople()
	j.siteTexts()
	for _, page := range []string{"queue", "domains", "log"} {
		j.follow(`.tabs a[href="/-/site/` + page + `"]`)
		j.shoot("site-" + page)
	}
	j.sees(name + "-2@lists.kairan.test")
	j.follow(`form[action="/-/logout"] button`)
}

// siteQuota lets a list have one member, makes one, and sees that another cannot join.
func (j *journey) siteQuota(name string) {
	j.follow(`main a[href="/-/admin/` + name + `/settings#quotas"]`)
	j.fill(`input[name=max_members]`, "-1")
	if got := j.submit(`.bar button`); got != 422 {
		j.Errorf("a negative quota: %d", got)
	}
	j.see(`.wrong a[href="#s-max_members"]`)
	j.shoot("quota-wrong")
	j.fill(`input[name=max_members]`, "1")
	j.follow(`.bar button`)
	j.follow(`main form button.strong`)
	j.open("/-/admin/"+name+"/members/add", 200)
	j.fill(`textarea[name=lines]`, "ann@example.net")
	j.do(chromedp.Click(`input[name=do][value=add]`))
	j.follow(`main form button.strong`)
	j.follow(`main form button.strong`)
	j.open("/-/site/list/"+name, 200)
	j.shoot("site-list-full")
	j.sees(map[string]string{"ja": "1 / 1", "en": "1 of 1"}[j.view.lang])
	j.open("/-/join/"+name+"?other=1", 200)
	j.sees(name + "-owner@lists.kairan.test")
	j.shoot("join-full")
	j.open("/-/site/lists?q="+name, 200)
	j.sees(name + "@lists.kairan.test")
}

// siteTexts sees what a mail of the site would look like in other words, which do not fit.
func (j *journey) siteTexts() {
	j.follow(`.tabs a[href="/-/site/texts"]`)
	j.shoot("site-texts")
	j.follow(`main a[href="/-/site/texts/welcome"]`)
	j.fill(`#subject\.`+j.view.lang, "{nothing}")
	if got := j.submit(`main .bar button.strong`); got != 422 {
		j.Errorf("words of the site that do not fit: %d", got)
	}
	j.see(`.wrong[id="wrong-subject.` + j.view.lang + `"]`)
	j.shoot("site-text-wrong")
}

// siteBans bans a pattern of its own from the site, and lifts that.
func (j *journey) siteBans() {
	entry, why := fmt.Sprintf("^<script>site%d@", j.n), "<b>迷惑</b>"
	j.follow(`.tabs a[href="/-/site/bans"]`)
	j.fill(`#entry`, "haruka@example.jp")
	if got := j.submit(`main form.fields button`); got != 422 {
		j.Errorf("the administrator is banned: %d", got)
	}
	j.see(`#wrong`)
	j.shoot("site-bans-wrong")
	j.fill(`#entry`, entry)
	j.fill(`#why`, why)
	j.follow(`main form.fields button`)
	j.shoot("site-bans")
	j.sees(entry, why)
	j.follow(`.rows li:has(input[value="` + entry + `"]) button`)
	j.see(`.flash`)
}

// sitePeople finds somebody, looks at what is known, switches delivery off and on, and stops before the end of what cannot be undone: others
// look at the people meanwhile.
func (j *journey) sitePeople() {
	who := []string{"mei@ix.test", "daichi@isp.test", "saki@dc.test", "jun@dc.test"}[j.n]
	j.follow(`.tabs a[href="/-/site/people"]`)
	j.shoot("site-people")
	j.fill(`input[name=q]`, who[1:])
	j.follow(`main .search button`)
	j.shoot("site-people-found")
	j.follow(`main a[href="/-/site/person/` + who + `"]`)
	j.sees(who)
	if got := j.submit(`#places button[value=off]`); got != 422 {
		j.Errorf("no list is chosen: %d", got)
	}
	j.see(`#wrong-places`)
	j.do(chromedp.Click(`#places input[name=place]`))
	j.fill(`#why`, "<b>満杯</b>")
	j.follow(`#places button[value=off]`)
	j.see(`.flash`)
	j.sees("<b>満杯</b>")
	j.shoot("site-person")
	j.do(chromedp.Click(`#places input[name=place]`))
	j.follow(`#places button[value=on]`)
	j.do(chromedp.Click(`#places input[name=place]`))
	if got := j.submit(`#places button[value=remove]`); got != 200 {
		j.Errorf("the preview: %d", got)
	}
	j.shoot("site-person-remove")
	j.follow(`main a[href="/-/site/person/` + who + `"]`)
	if name, data := j.download(`#data button`); name != "kairan-person.json" || !strings.Contains(string(data), who) {
		j.Errorf("%s: %s", name, data)
	}
	j.follow(`#data a`)
	j.fill(`#sure`, "haruka@example.jp")
	if got := j.submit(`main button.danger`); got != 422 {
		j.Errorf("another address is typed: %d", got)
	}
	j.see(`#wrong`)
	j.shoot("site-person-erase")
}
