package main

import (
	"fmt"
	"strings"
	"time"

	"kairan/list"
	"kairan/storage"
)

// held lets a post of a stranger wait, with markup where a page shows it, and returns its ID.
func (j *journey) held() (id list.PostID) {
	j.Helper()
	who := fmt.Sprintf("traveller%d@newcomer.test", j.n)
	e := example{sender: who, id: fmt.Sprintf("journey%d@newcomer.test", j.n), lines: []string{
		`From: "<b>Traveller</b>" <` + who + `>`,
		"To: " + exampleList,
		"Subject: <script>alert(1)</script> May I?",
		"Date: " + time.Now().Format(time.RFC1123Z),
		fmt.Sprintf("Message-ID: <journey%d@newcomer.test>", j.n),
		`Content-Type: multipart/mixed; boundary="b"`, "",
		"--b", "Content-Type: text/plain; charset=utf-8", "", "</textarea><img src=http://tracker.test/x onerror=alert(2)>",
		"--b", "Content-Type: image/svg+xml", `Content-Disposition: attachment; filename="<iframe src=x>.svg"`, "", hostileScript, "--b--",
	}}
	if got := j.demo.post(j.T, e); !strings.HasPrefix(got, "250 ") {
		j.Fatalf("%s: %s", who, got)
	}
	err := j.demo.app.DB.View(j.T.Context(), func(tx *storage.Tx) error {
		for _, p := range list.PostsByMessageID(tx, e.id) {
			id = p.ID
		}
		return nil
	})
	if err != nil {
		j.Fatal(err)
	}
	return id
}

// press is follow for a button that the bar at the bottom of a page may cover.
func (j *journey) press(selector string) {
	j.Helper()
	j.eval(`document.querySelector(` + quoteJS(selector) + `)?.scrollIntoView({ block: "center", behavior: "instant" }); "scrolled"`)
	j.follow(selector)
}

// moderate claims a post, discards it, takes that back, and discards it for good; then it hides a message and shows it again.
func (j *journey) moderate() {
	id := j.held()
	post := `article:has(input[value="netops ` + string(id) + `"])`
	j.open("/-/demo", 200)
	j.follow(`button[value="kenji@example.jp"]`)
	j.open("/-/moderate?order=risk", 200)
	j.sees("<script>alert(1)</script> May I?", "<img src=http://tracker.test/x", "<iframe src=x>.svg")
	j.eval(`document.querySelectorAll("main details").forEach(d => d.open = true); "open"`)
	j.shoot("moderate-open")
	j.press(post + ` button[value=claim]`)
	j.see(post + ` .note`)
	j.press(post + ` button[value=discard]`)
	j.shoot("moderate-decided")
	j.follow(`.flash button`)
	j.see(post)
	j.press(post + ` button[value=discard]`)
	j.press(`form[action="/-/moderate/undo"]:has(button[value="netops ` + string(id) + `"]) button`)
	j.see(post)
	j.press(post + ` button[value=discard]`)
	if v := j.demo.cli(j.T, "held", "ls", exampleList); strings.Contains(v, string(id)) {
		j.Errorf("it still waits:\n%s", v)
	}

	j.open(fmt.Sprintf("/netops/%d", 20+j.n), 200)
	j.follow(`form[action$="/hide"] button`)
	j.open("/-/admin/netops/hidden", 200)
	j.shoot("hidden")
	j.follow(fmt.Sprintf(`main .rows button[value="demo%05d"]`, 20+j.n))
	j.see(`.flash`)
	j.open(fmt.Sprintf("/netops/%d", 20+j.n), 200)
	j.follow(`form[action="/-/logout"] button`)
}

// undoList is a list whose posts can be taken back for a while.
const undoList = "wg-dns@" + demoDomain

// undo takes a post back that has not left.
func (j *journey) undo() {
	e := example{sender: "haruka@example.jp", id: fmt.Sprintf("undo%d@example.jp", j.n), list: undoList, lines: []string{
		"From: haruka@example.jp", "To: " + undoList, fmt.Sprintf("Subject: <b>too early</b> %d", j.n),
		"Date: " + time.Now().Format(time.RFC1123Z), fmt.Sprintf("Message-ID: <undo%d@example.jp>", j.n), "", "Oh.",
	}}
	if got := j.demo.post(j.T, e); !strings.HasPrefix(got, "250 ") {
		j.Fatal(got)
	}
	j.open(j.demo.loginLink(j.T), 200)
	j.follow(`main button`)
	j.open("/-/my/posts", 200)
	j.sees("<b>too early</b>")
	j.shoot("my-posts-undo")
	id := j.eval(`[...document.querySelectorAll("main li")].find(l => l.textContent.includes("too early</b> ` + fmt.Sprint(j.n) + `")).querySelector("input[name=post]").value`)
	mine := `li:has(input[value="` + id + `"])`
	j.follow(mine + ` button[value=withdraw]`)
	j.see(`.flash`)
	if j.eval(`String(!!document.querySelector('`+mine+` button'))`) != "false" {
		j.Error("it can be undone twice")
	}
	j.follow(`form[action="/-/logout"] button`)
}
