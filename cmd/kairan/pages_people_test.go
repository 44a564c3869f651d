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
	for _, page := range []string{"posts", "address", "erase"} {
		j.follow(`main a[href="/-/my/` + page + `"]`)
		j.shoot("my-" + page)
		j.follow(`main a[href="/-/my"]`)
	}
	if name, data := j.download(`main a[href="/-/my/export"]`); name != "kairan-my-data.json" || !strings.Contains(string(data), who) {
		j.Errorf("%s: %s", name, data)
	}
	j.follow(`form[action="/-/logout"] button`)
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
