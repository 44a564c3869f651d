package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"kairan/smtpd/message"
)

// me signs in by mail and looks at what is kept of a member.
func (j *journey) me() {
	who := []string{"takumi@example.jp", "sora@isp.test", "ryo@isp.test", "yuki@isp.test"}[j.n]
	j.open("/netops/", 200)
	j.follow(`.tools a[href^="/-/login"]`)
	j.fill(`#address`, who)
	j.follow(`main form button.strong`)
	j.shoot("login-code")
	j.sees(who)
	j.fill(`#code`, "0000 0000")
	if got := j.submit(`main form button.strong`); got != 422 {
		j.Errorf("a wrong code: %d", got)
	}
	j.shoot("login-wrong-code")
	link := regexp.MustCompile(`/-/login/[0-9a-f]{32}`).FindString(j.demo.mailTo(j.T, who, "/-/login/"))
	j.open(link, 200)
	j.shoot("login-button")
	j.follow(`main button.strong`)
	if got := j.path(); got != "/netops/" {
		j.Errorf("signing in leads to %s", got)
	}
	j.follow(`.tools nav a[href="/-/my"]`)
	j.sees(who)
	for _, page := range []string{"posts", "erase"} {
		j.follow(`main a[href="/-/my/` + page + `"]`)
		j.shoot("my-" + page)
		j.follow(`main a[href="/-/my"]`)
	}
	j.addresses(who)
	if name, data := j.download(`main a[href="/-/my/export"]`); name != "kairan-my-data.json" || !strings.Contains(string(data), who) {
		j.Errorf("%s: %s", name, data)
	}
	j.follow(`form[action="/-/logout"] button`)
}

// addresses gives somebody who is signed in a second address, and moves a membership there.
func (j *journey) addresses(who string) {
	work := "work." + who
	j.follow(`main a[href="/-/my/addresses"]`)
	j.shoot("my-addresses")
	j.follow(`main a[href="/-/my/address"]`)
	j.shoot("my-address")
	j.open("/-/my/addresses", 200)
	j.fill(`#address`, who)
	if got := j.submit(`main button[value=add]`); got != 422 {
		j.Errorf("adding the address that is there: %d", got)
	}
	j.fill(`#address`, work)
	j.follow(`main button[value=add]`)
	j.sees(work)
	j.open(regexp.MustCompile(`/-/my/addresses/confirm/[0-9a-f]{32}`).FindString(j.demo.mailTo(j.T, work, "/-/my/addresses/confirm/")), 200)
	j.shoot("add-address")
	j.follow(`main form button.strong`)
	j.sees(who, work)
	j.shoot("my-addresses-two")
	j.follow(`main a[href="/-/my"]`)
	j.shoot("my-two")
	j.follow(`main a[href^="/-/my/list/netops"]`)
	j.shoot("membership-two")
	j.follow(`form[action$="/move"] button`)
	j.sees(work)
	j.follow(`main a[href="/-/my"]`)
}

// mailTo waits for a mail to somebody that has a word in it, and returns its text.
func (d *demo) mailTo(t *testing.T, who, word string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), demoPatience)
	defer cancel()
	for n := int64(1); ; n++ {
		for _, c := range d.outbox.all() {
			if text := message.Parse(c.raw).Text(); c.to == who && strings.Contains(text, word) {
				return text
			}
		}
		if err := d.world.sink.Wait(ctx, n); err != nil {
			t.Fatalf("no mail with %q to %s: %v", word, who, err)
		}
	}
}
