package main

import "github.com/chromedp/chromedp"

// members looks at the members of a list as an owner, changes one, and bans, adds and removes others. Each journey has people of its own.
func (j *journey) members() {
	j.open("/-/demo", 200)
	j.follow(`button[value="haruka@example.jp"]`)
	j.open("/-/moderate", 200)
	j.follow(`main a[href="/-/admin/netops/settings"]`)
	j.follow(`.tabs a[href="/-/admin/netops/members"]`)
	j.shoot("members")
	j.do(chromedp.Click(`main summary`))
	j.fill(`input[name=q]`, "@isp.test")
	j.do(chromedp.SetValue(`#m-delivery`, "enabled"))
	j.follow(`.search button`)
	j.shoot("members-narrowed")
	j.sees("@isp.test")
	j.follow(`.rows li:nth-child(` + []string{"2", "3", "4", "5"}[j.n] + `) a`)
	j.shoot("member")
	j.do(chromedp.SetValue(`#action`, "hold"))
	j.fill(`#name`, `<script>alert(1)</script> 山田`)
	j.follow(`main form.fields button.strong`)
	j.shoot("member-changed")
	j.sees("<script>alert(1)</script> 山田", "haruka@example.jp")
	j.do(chromedp.SetValue(`#action`, "default"))
	j.follow(`main form.fields button.strong`)
	j.see(`.flash`)
	j.follow(`form[action="/-/logout"] button`)
}
