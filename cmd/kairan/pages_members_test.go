package main

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

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
	j.bulk()
	j.pending()
	j.nonmembers()
	j.bans()
	j.roles()
	j.follow(`form[action="/-/logout"] button`)
}

// bulk adds people of its own to a list, after it has seen what would happen, and takes them off again.
func (j *journey) bulk() {
	who := fmt.Sprintf("new%d@example.net", j.n)
	j.open("/-/admin/netops/members", 200)
	j.follow(`main a[href$="/members/add"]`)
	j.shoot("bulk-add")
	if got := j.submit(`main form.fields button.strong`); got != 422 {
		j.Errorf("nobody is added: %d", got)
	}
	j.shoot("bulk-add-wrong")
	j.fill(`#lines`, "新人 花子 <"+who+">\nkenji@example.jp\n<script>alert(1)</script>")
	j.do(chromedp.Click(`input[value=add]`), chromedp.Click(`input[name=tell]`))
	j.follow(`main form.fields button.strong`)
	j.shoot("bulk-plan")
	j.sees(who, "<script>alert(1)</script>", "kenji@example.jp")
	j.follow(`main form button.strong`)
	j.shoot("bulk-done")
	j.follow(`main a[href$="/members"]`)
	if name, data := j.download(`main a[href$="/members/export"]`); name != "netops-members.csv" || !strings.Contains(string(data), who+",新人 花子,") {
		j.Errorf("%s: %s", name, data)
	}
	j.follow(`main a[href$="/members/remove"]`)
	j.fill(`#lines`, who)
	j.shoot("bulk-remove")
	j.follow(`main form.fields button.strong`)
	j.shoot("bulk-remove-plan")
	j.follow(`main form button.danger`)
	j.open("/-/admin/netops/members?q="+who, 200)
	if rows := j.eval(`String(document.querySelectorAll(".rows li").length)`); rows != "0" {
		j.Errorf("%s rows of who was removed", rows)
	}
}

// pending invites somebody of its own, and withdraws that.
func (j *journey) pending() {
	who := fmt.Sprintf("waits%d@example.net", j.n)
	j.open("/-/admin/netops/members/add", 200)
	j.fill(`#lines`, who)
	j.follow(`main form.fields button.strong`)
	j.follow(`main form button.strong`)
	j.follow(`.tabs a[href$="/pending"]`)
	j.follow(`.toc a[href$="kind=invite"]`)
	j.shoot("pending")
	j.sees(who, "haruka@example.jp")
	j.follow(`.rows li:has(input[value="` + who + `"]) button.danger`)
	j.see(`.flash`)
}

// nonmembers adds somebody of its own who may post without being a member, and drops that.
func (j *journey) nonmembers() {
	who := fmt.Sprintf("cron%d@example.net", j.n)
	j.open("/-/admin/netops/members?role=nonmember", 200)
	j.shoot("nonmembers")
	j.follow(`main a[href$="/members/add?role=nonmember"]`)
	j.fill(`#lines`, who)
	j.shoot("nonmembers-add")
	j.follow(`main form.fields button.strong`)
	j.follow(`main form button.strong`)
	j.open("/-/admin/netops/member/"+who+"?role=nonmember", 200)
	j.shoot("nonmember")
	j.follow(`main form button.danger`)
	j.see(`.flash`)
}

// bans bans a pattern of its own from a list, and lifts that.
func (j *journey) bans() {
	entry, why := fmt.Sprintf("^<script>%d@", j.n), "<b>迷惑</b>"
	j.follow(`.tabs a[href$="/bans"]`)
	j.fill(`#entry`, "^(")
	if got := j.submit(`main form.fields button`); got != 422 {
		j.Errorf("a pattern that is none: %d", got)
	}
	j.shoot("bans-wrong")
	j.fill(`#entry`, entry)
	j.fill(`#why`, why)
	j.follow(`main form.fields button`)
	j.shoot("bans")
	j.sees(entry, why)
	j.follow(`.rows li:has(input[value="` + entry + `"]) button`)
	j.see(`.flash`)
}

// roles makes somebody a moderator for a while.
func (j *journey) roles() {
	who := fmt.Sprintf("helper%d@example.net", j.n)
	j.follow(`.tabs a[href$="/roles"]`)
	j.fill(`#address`, who)
	j.do(chromedp.SetValue(`#role`, "moderator"))
	j.follow(`main form.fields button`)
	j.shoot("roles")
	j.sees(who)
	j.follow(`.rows li:has(input[value="` + who + `"]) button`)
	j.see(`.flash`)
}
