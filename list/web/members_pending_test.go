package web

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/storage"
)

// Moderators see who waits and decide about who waits for them; owners mail once more what was not answered, and withdraw it.
func TestPending(t *testing.T) {
	t.Parallel()
	w, lw, l := membersWorld(t, nil)
	olga, mori := w.login("olga@people.test"), w.login("mori@people.test")
	const at = "/-/admin/janog/pending"
	has(t, page2(w, at+"?lang=en", mori), "Nobody waits here.", "Invitations (0)")
	step := func(do func(tx *storage.Tx) (subscribe.Result, error)) {
		t.Helper()
		if _, err := lw.Workflow.Do(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		step(func(tx *storage.Tx) (subscribe.Result, error) {
			r := subscribe.Request{List: l, Address: address.Must(fmt.Sprintf("u%02d@people.test", i)), By: "olga@people.test", Now: time.Now().Add(-time.Hour)}
			return lw.Workflow.Invite(tx, r)
		})
	}
	step(func(tx *storage.Tx) (subscribe.Result, error) {
		return lw.Workflow.Join(tx, subscribe.Request{List: l, Address: address.Must(`"<b>x</b>"@people.test`), Name: `<script>`, Now: time.Now().Add(-time.Hour)})
	})
	err := lw.Moderation.HeldSubscription(t.Context(), subscribe.Held{List: l, Action: "join", Address: address.Must("cora@people.test"), Name: "Cora"})
	if err != nil {
		t.Fatal(err)
	}
	page := page2(w, at+"?lang=en", olga)
	has(t, page, "For a moderator (1)", "Invitations (60)", "Joining (1)", "cora@people.test", "wants to join", `value="accept"`)
	hasNot(t, page, "u00@")
	first := page2(w, at+"?kind=invite&lang=en", olga)
	has(t, first, "u00@people.test", "u49@people.test", "by olga@people.test", `value="resend"`)
	hasNot(t, first, "u50@people.test")
	second := page2(w, ways(first)["Next →"]+"&lang=en", olga)
	has(t, second, "u50@people.test", "u59@people.test")
	has(t, page2(w, ways(second)["← Previous"]+"&lang=en", olga), "u00@people.test", "u49@people.test")
	found := page2(w, at+"?kind=invite&q=U07", olga)
	has(t, found, "u07@people.test")
	hasNot(t, found, "u08@people.test")
	hasNot(t, page2(w, at+"?kind=invite", mori), `value="resend"`, `value="withdraw"`)
	has(t, page2(w, at+"?kind=join", mori), "&lt;script&gt;", "&lt;b&gt;x")
	if status, _ := w.get(at+"?kind=commands", olga); status != 404 {
		t.Errorf("a kind that there is not: %d", status)
	}

	press := func(who any, kind, do, addr string) (int, string) {
		t.Helper()
		form := url.Values{"kind": {kind}, "do": {do}, "address": {addr}}
		res := w.do("POST", at, form.Encode(), who, "Accept-Language: en")
		said := ""
		for _, c := range res.Cookies() {
			if strings.HasSuffix(c.Name, "flash") {
				said = page2(w, at+"?lang=en", who, c)
			}
		}
		return res.StatusCode, said
	}
	for _, do := range []string{"resend", "withdraw"} {
		if status, _ := press(mori, "invite", do, "u00@people.test"); status != 403 {
			t.Errorf("a moderator: %s: %d", do, status)
		}
	}
	for _, bad := range [][3]string{{"invite", "nonsense", "u00@people.test"}, {"invite", "accept", "u00@people.test"}, {"enable", "resend", "u00@people.test"}, {"held", "ban", "cora@people.test"}, {"invite", "resend", "nobody"}} {
		if status, _ := press(olga, bad[0], bad[1], bad[2]); status != 400 {
			t.Errorf("%v: %d", bad, status)
		}
	}
	for _, c := range [][3]string{
		{"resend", "u00@people.test", "is sent again"}, {"resend", "u00@people.test", "less than 15 minutes ago"}, {"withdraw", "u01@people.test", "is withdrawn"},
		{"withdraw", "u01@people.test", "Nothing waits"},
	} {
		_, said := press(olga, "invite", c[0], c[1])
		has(t, said, c[2])
	}
	_, said := press(mori, "held", "accept", "cora@people.test")
	has(t, said, "cora@people.test", "mori@people.test", `action="/-/moderate/undo`)
	_, late := press(olga, "held", "discard", "cora@people.test")
	has(t, late, "accepted by mori@people.test")
	if status, _ := press(olga, "held", "accept", "nobody@people.test"); status != 404 {
		t.Errorf("who does not wait: %d", status)
	}
	has(t, page2(w, "/-/admin/janog/log?lang=en", olga), "u00@people.test was invited once more", "The invitation of u01@people.test was withdrawn")
	w.update(func(tx *storage.Tx) error {
		if n := list.CountPending(tx, "invite", l.ID, 1000); n != 59 {
			t.Errorf("%d are waited for", n)
		}
		return nil
	})
}
