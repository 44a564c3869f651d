package subscribe_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/subscribe"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/storagetest"
)

const (
	at    = "@" + listtest.Domain
	forge = "192.0.2.66" // the host of strangers.test, where nobody may write as people.test
)

func mail(from, to, subject, body string) listtest.Mail {
	return listtest.Mail{From: from, To: []string{to}, Raw: fmt.Sprintf("From: Xyzzy <%s>\nTo: %s\nSubject: %s\nDate: Sun, 01 Nov 2026 12:00:00 +0900\nMessage-ID: <%s@client.test>\n\n%s\n",
		from, to, subject, storage.NewID(time.Now()), body)}
}

// send sends a mail, and waits until its answers have come: those to two mails of one instant may come in any order.
func send(t *testing.T, w *listtest.World, want int, m listtest.Mail) {
	t.Helper()
	defer listtest.Rest(time.Second)
	if code, text := w.Send(m); code != want {
		t.Errorf("%s to %v: %d %s, want %d", m.From, m.To, code, text, want)
	}
}

func forged(m listtest.Mail) listtest.Mail {
	m.IP = forge
	return m
}

// inbox waits until nothing moves any more and returns the mails for an address.
func inbox(w *listtest.World, addr string) []smtptest.Message {
	listtest.Rest(time.Second)
	return w.Sink.Inbox(addr)
}

func isMember(t *testing.T, w *listtest.World, l *list.List, addr string) (is bool) {
	t.Helper()
	err := w.DB.View(t.Context(), func(tx *storage.Tx) error {
		is = list.Has(tx, l.ID, address.Must(addr), list.RoleMember)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return is
}

func text(m smtptest.Message) string { return message.Parse(m.Data).Text() }

func header(m smtptest.Message, name string) string { return message.Parse(m.Data).Header().Text(name) }

var tokenRE = regexp.MustCompile(`/-/confirm/([0-9a-f]{32})\n`)

// token returns the token in the last mail to addr.
func token(t *testing.T, w *listtest.World, addr string) string {
	t.Helper()
	mails := inbox(w, addr)
	if len(mails) == 0 {
		t.Fatalf("%s got no mail", addr)
	}
	m := tokenRE.FindStringSubmatch(text(mails[len(mails)-1]))
	if m == nil {
		t.Fatalf("no token in the mail to %s:\n%s", addr, text(mails[len(mails)-1]))
	}
	return m[1]
}

func TestJoinAndLeaveByMail(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) {
			s.WelcomeMsg = list.Text{"ja": "はじめに自己紹介をどうぞ。"}
			s.AdminNotifyMchanges = true
		})
		w.Join(l, list.RoleOwner, "olga@people.test")
		question := mail("ann@people.test", "janog-join"+at, "leave", "leave\nwho\n")
		send(t, w, 250, question)
		got := inbox(w, "ann@people.test")
		if len(got) != 1 {
			t.Fatalf("%d mails", len(got))
		}
		id := message.MessageID(message.Parse(listtest.CRLF(question.Raw)).Header().Get("Message-ID"))
		for name, want := range map[string]string{
			"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All", "In-Reply-To": "<" + id + ">", "References": "<" + id + ">",
			"Reply-To": "janog-confirm+" + token(t, w, "ann@people.test") + at, "From": "janog <janog-owner" + at + ">", "List-Id": "<janog." + listtest.Domain + ">",
		} {
			if h := header(got[0], name); h != want {
				t.Errorf("%s: %q, want %q", name, h, want)
			}
		}
		if got[0].From != "" || strings.Contains(text(got[0]), "Xyzzy") {
			t.Errorf("MAIL FROM:<%s>\n%s", got[0].From, text(got[0]))
		}
		if isMember(t, w, l, "ann@people.test") {
			t.Fatal("a member before confirming")
		}

		send(t, w, 250, mail("ann@people.test", header(got[0], "Reply-To"), "Re: "+header(got[0], "Subject"), "> quoted"))
		if got = inbox(w, "ann@people.test"); len(got) != 2 || !strings.Contains(text(got[1]), "自己紹介") || !isMember(t, w, l, "ann@people.test") {
			t.Fatalf("%d mails after confirming", len(got))
		}
		if m := inbox(w, "olga@people.test"); len(m) != 1 || header(m[0], "Auto-Submitted") != "auto-generated" || !strings.Contains(text(m[0]), "ann@people.test") {
			t.Errorf("%d mails to the owner", len(m))
		}
		send(t, w, 550, mail("ann@people.test", header(inbox(w, "ann@people.test")[0], "Reply-To"), "again", ""))

		send(t, w, 250, mail("ann@people.test", "janog-subscribe"+at, "", ""))
		if got = inbox(w, "ann@people.test"); len(got) != 3 || !strings.Contains(text(got[2]), "すでに") {
			t.Errorf("joining twice: %d mails", len(got))
		}
		send(t, w, 250, mail("ann@people.test", "janog-unsubscribe"+at, "", "join"))
		if got = inbox(w, "ann@people.test"); len(got) != 4 || !strings.Contains(text(got[3]), "/-/undo/") || isMember(t, w, l, "ann@people.test") {
			t.Fatalf("%d mails after leaving", len(got))
		}
		send(t, w, 250, mail("ann@people.test", "janog-leave"+at, "", ""))
		if got = inbox(w, "ann@people.test"); len(got) != 5 || !strings.Contains(text(got[4]), "登録されていない") {
			t.Errorf("leaving twice: %d mails", len(got))
		}
	})
}

// TestPolicies asks and confirms in each direction under each policy.
func TestPolicies(t *testing.T) {
	type way struct {
		asked     bool // a confirmation was mailed
		held      bool
		succeeded bool
	}
	for _, tt := range []struct {
		policy         list.Policy
		verified, auto bool
		first, then    way // after the request; after the confirmation if one was asked
	}{
		{list.PolicyOpen, true, false, way{succeeded: true}, way{}},
		{list.PolicyOpen, false, false, way{asked: true}, way{succeeded: true}},
		{list.PolicyConfirm, true, false, way{asked: true}, way{succeeded: true}},
		{list.PolicyConfirm, false, false, way{asked: true}, way{succeeded: true}},
		{list.PolicyModerate, true, false, way{held: true}, way{}},
		{list.PolicyModerate, false, false, way{asked: true}, way{held: true}},
		{list.PolicyConfirmThenModerate, true, false, way{asked: true}, way{held: true}},
		{list.PolicyConfirmThenModerate, false, false, way{asked: true}, way{held: true}},
		{list.PolicyModerate, true, true, way{succeeded: true}, way{}},
		{list.PolicyConfirmThenModerate, false, true, way{asked: true}, way{succeeded: true}},
	} {
		for _, direction := range []string{"join", "leave"} {
			if tt.auto && direction == "leave" {
				continue // subscribe_auto_approval is for joining
			}
			t.Run(fmt.Sprintf("%s %s verified=%v auto=%v", direction, tt.policy, tt.verified, tt.auto), func(t *testing.T) {
				listtest.Story(t, func(t *testing.T, w *listtest.World) {
					w.Join(w.List("friends", nil), list.RoleMember, "ann@people.test")
					l := w.List("janog", func(s *list.Settings) {
						s.SubscriptionPolicy, s.UnsubscriptionPolicy = tt.policy, tt.policy
						if tt.auto {
							s.SubscribeAutoApproval = []string{"@friends" + at}
						}
					})
					if direction == "leave" {
						w.Join(l, list.RoleMember, "ann@people.test")
					}
					seen := 0
					check := func(stage string, want way) {
						t.Helper()
						mails := inbox(w, "ann@people.test")
						got := way{
							asked:     len(mails) > seen && tokenRE.MatchString(text(mails[len(mails)-1])),
							held:      slices.Equal(w.Requests(l), []string{direction + " ann@people.test"}),
							succeeded: isMember(t, w, l, "ann@people.test") == (direction == "join"),
						}
						if len(mails) != seen+1 {
							t.Errorf("%s: %d mails, want one more than %d", stage, len(mails), seen)
						}
						seen = len(mails)
						if got != want {
							t.Errorf("%s: %+v, want %+v", stage, got, want)
						}
					}
					m := mail("ann@people.test", "janog-"+direction+at, "", "")
					if !tt.verified {
						m = forged(m)
					}
					send(t, w, 250, m)
					check("request", tt.first)
					if !tt.first.asked {
						return
					}
					answer := forged(mail("ann@people.test", "janog-confirm+"+token(t, w, "ann@people.test")+at, "", ""))
					send(t, w, 250, answer) // from a place that proves nothing: the token does
					check("confirmation", tt.then)
					send(t, w, 550, answer)
				})
			})
		}
	}
}

func TestWhatDoesNotConfirm(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		send(t, w, 250, mail("ann@people.test", "janog-join"+at, "", ""))
		to := "janog-confirm+" + token(t, w, "ann@people.test") + at

		away := mail("ann@people.test", to, "Out of office", "I am away.")
		away.Raw = "Auto-Submitted: auto-replied\n" + away.Raw
		send(t, w, 250, away)
		report := mail("ann@people.test", to, "Undeliverable", "")
		report.From = ""
		send(t, w, 250, report)
		send(t, w, 550, mail("bob@people.test", to, "", ""))
		send(t, w, 550, forged(mail("mallory@strangers.test", to, "", "")))
		send(t, w, 550, mail("ann@people.test", "janog-confirm+"+strings.Repeat("0", 32)+at, "", ""))
		send(t, w, 550, mail("ann@people.test", "janog-confirm+"+at, "", ""))
		two := mail("ann@people.test", to, "", "")
		two.Raw = strings.Replace(two.Raw, "From: ", "From: bob@people.test, ", 1)
		send(t, w, 550, two)
		if isMember(t, w, l, "ann@people.test") {
			t.Fatal("confirmed by what must not confirm")
		}
		time.Sleep(3 * 24 * time.Hour)
		send(t, w, 550, mail("ann@people.test", to, "", ""))
		if isMember(t, w, l, "ann@people.test") || len(inbox(w, "ann@people.test")) != 1 {
			t.Error("confirmed after three days, or answered")
		}
		if err := w.Workflow.Expire(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		w.Update(func(tx *storage.Tx) error {
			for _, p := range list.PendingsOf(tx, address.Must("ann@people.test")) {
				t.Errorf("%s of %s is kept", p.Action, p.Address)
			}
			return nil
		})
	})
}

// TestStrangersLearnNothing: the answer to a request without authentication does not tell who is a member, banned, blocked or unknown.
func TestStrangersLearnNothing(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.Workflow.BanList = []string{"^sitebanned@"}
		l := w.List("janog", func(s *list.Settings) { s.BanList = []string{"banned@people.test"} })
		w.Join(l, list.RoleMember, "member@people.test")
		w.Update(func(tx *storage.Tx) error {
			return subscribe.SetBlocked(tx, address.Must("blocked@people.test"), true, time.Now())
		})
		mails := map[string]int{}
		for _, who := range []string{"member", "banned", "sitebanned", "blocked", "unknown"} {
			for _, what := range []string{"join", "leave"} {
				send(t, w, 250, forged(mail(who+"@people.test", "janog-"+what+at, "", "")))
			}
			mails[who] = len(inbox(w, who+"@people.test"))
		}
		// Only the mailbox itself sees a difference: a member is asked about leaving, an unknown person about joining.
		if mails["member"] != 1 || mails["unknown"] != 1 || mails["banned"]+mails["sitebanned"]+mails["blocked"] != 0 {
			t.Errorf("mails: %v", mails)
		}
		send(t, w, 550, mail("banned@people.test", "janog-join"+at, "", "")) // who is authenticated is told
		send(t, w, 550, mail("sitebanned@people.test", "janog-join"+at, "", ""))
		send(t, w, 250, mail("blocked@people.test", "janog-join"+at, "", "")) // and what one asks for oneself, one gets
		if got := inbox(w, "blocked@people.test"); len(got) != 1 {
			t.Errorf("%d mails to who asks herself", len(got))
		}
	})
}

// TestBans: addresses and patterns, of the list and of the site, keep people off, whoever adds or invites them.
func TestBans(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.Workflow.BanList = []string{`^.*@bad\.people\.test$`, "site@people.test"}
		l := w.List("janog", func(s *list.Settings) {
			s.SubscriptionPolicy, s.BanList = list.PolicyOpen, []string{"^spam[0-9]+@", "one@people.test"}
		})
		other := w.List("other", func(s *list.Settings) { s.SubscriptionPolicy = list.PolicyOpen })
		for who, want := range map[string][2]int{"spam12@people.test": {550, 250}, "one@people.test": {550, 250}, "site@people.test": {550, 550}, "spammer@people.test": {250, 250}} {
			send(t, w, want[0], mail(who, "janog-join"+at, "", ""))
			send(t, w, want[1], mail(who, "other-join"+at, "", ""))
			if got := isMember(t, w, l, who); got != (want[0] == 250) {
				t.Errorf("%s is a member: %v", who, got)
			}
		}
		for _, who := range []string{"x@bad.people.test", "site@people.test"} {
			a := address.Must(who)
			if res := do(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Admit(tx, subscribe.Request{List: other, Address: a, By: "olga@people.test", Now: time.Now()})
			}); res.State != subscribe.Refused {
				t.Errorf("an owner adds %s: %s", who, res.State)
			}
			do(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Invite(tx, subscribe.Request{List: other, Address: a, By: "olga@people.test", Now: time.Now()})
			})
			if n := len(inbox(w, who)); n != 0 {
				t.Errorf("%d mails to %s", n, who)
			}
		}
	})
}

// TestOwnWords: a list's welcome and goodbye are in the language of who reads them.
func TestOwnWords(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) {
			s.SubscriptionPolicy = list.PolicyOpen
			s.WelcomeMsg = list.Text{"ja": "自己紹介をどうぞ。", "en": "Please introduce yourself."}
			s.GoodbyeMsg = list.Text{"ja": "またどうぞ。", "en": "Come again."}
		})
		silent := w.List("silent", func(s *list.Settings) {
			s.SubscriptionPolicy, s.SendWelcomeMessage, s.SendGoodbyeMessage = list.PolicyOpen, false, false
		})
		last := func(who string) string {
			t.Helper()
			mails := inbox(w, who)
			if len(mails) == 0 {
				t.Fatalf("no mail to %s", who)
			}
			return text(mails[len(mails)-1])
		}
		send(t, w, 250, mail("ann@people.test", "janog-join"+at, "", ""))
		if got := last("ann@people.test"); !strings.Contains(got, "自己紹介をどうぞ。") || strings.Contains(got, "introduce") {
			t.Errorf("the welcome is\n%s", got)
		}
		w.SetMember(l, "ann@people.test", func(m *list.Member) { m.Language = "en" })
		send(t, w, 250, mail("ann@people.test", "janog-leave"+at, "", ""))
		if got := last("ann@people.test"); !strings.Contains(got, "Come again.") || strings.Contains(got, "またどうぞ") {
			t.Errorf("the goodbye is\n%s", got)
		}
		send(t, w, 250, mail("bob@people.test", "silent-join"+at, "", ""))
		send(t, w, 250, mail("bob@people.test", "silent-leave"+at, "", ""))
		if n := len(inbox(w, "bob@people.test")); n != 0 || isMember(t, w, silent, "bob@people.test") {
			t.Errorf("%d mails of a silent list", n)
		}
	})
}

// TestChangedMind: who waits for the moderators withdraws by asking for the opposite.
func TestChangedMind(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) {
			s.SubscriptionPolicy, s.UnsubscriptionPolicy = list.PolicyModerate, list.PolicyModerate
		})
		w.Join(l, list.RoleMember, "bob@people.test")
		send(t, w, 250, mail("ann@people.test", "janog-join"+at, "", ""))
		send(t, w, 250, mail("bob@people.test", "janog-leave"+at, "", ""))
		if got := w.Requests(l); len(got) != 2 {
			t.Fatalf("waiting: %q", got)
		}
		send(t, w, 250, forged(mail("ann@people.test", "janog-leave"+at, "", "")))
		if got := w.Requests(l); len(got) != 2 {
			t.Errorf("a forger withdraws: %q", got)
		}
		send(t, w, 250, mail("ann@people.test", "janog-leave"+at, "", ""))
		send(t, w, 250, mail("bob@people.test", "janog-join"+at, "", ""))
		if got := w.Requests(l); len(got) != 0 || isMember(t, w, l, "ann@people.test") || !isMember(t, w, l, "bob@people.test") {
			t.Errorf("waiting: %q", got)
		}
		for _, who := range []string{"ann@people.test", "bob@people.test"} {
			mails := inbox(w, who)
			if got := text(mails[len(mails)-1]); !strings.Contains(got, "取り下げました") {
				t.Errorf("%s reads\n%s", who, got)
			}
		}
	})
}

func TestNeverAgain(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.List("janog", nil)
		send(t, w, 250, forged(mail("victim@people.test", "janog-join"+at, "", "")))
		mails := inbox(w, "victim@people.test")
		m := regexp.MustCompile(`/-/never/(\S+)\n`).FindStringSubmatch(text(mails[0]))
		if m == nil {
			t.Fatalf("no link:\n%s", text(mails[0]))
		}
		w.Update(func(tx *storage.Tx) error {
			a, err := subscribe.NeverAddress(tx, m[1])
			if err != nil || a.String() != "victim@people.test" {
				t.Fatalf("%s, %v", a, err)
			}
			for _, wrong := range []string{"", ".", "x.y", m[1][1:], m[1] + "A", strings.Repeat("a", 1000) + m[1]} {
				if _, err := subscribe.NeverAddress(tx, wrong); err == nil {
					t.Errorf("%q is believed", wrong)
				}
			}
			return subscribe.SetBlocked(tx, a, true, time.Now())
		})
		time.Sleep(48 * time.Hour)
		send(t, w, 250, forged(mail("victim@people.test", "janog-join"+at, "", "")))
		if got := inbox(w, "victim@people.test"); len(got) != 1 {
			t.Errorf("%d mails, although never again", len(got))
		}
		w.Update(func(tx *storage.Tx) error {
			return subscribe.SetBlocked(tx, address.Must("victim@people.test"), false, time.Now())
		})
		send(t, w, 250, forged(mail("victim@people.test", "janog-join"+at, "", "")))
		if got := inbox(w, "victim@people.test"); len(got) != 2 {
			t.Errorf("%d mails after taking it back", len(got))
		}
	})
}

// do runs a step of the workflow.
func do(t *testing.T, w *listtest.World, step func(tx *storage.Tx) (subscribe.Result, error)) subscribe.Result {
	t.Helper()
	res, err := w.Workflow.Do(t.Context(), step)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestInvite(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) {
			s.SubscriptionPolicy = list.PolicyModerate
			s.BanList = []string{"banned@people.test"}
		})
		w.Join(l, list.RoleMember, "member@people.test")
		for _, who := range []string{"ann", "banned", "member"} {
			do(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
				return w.Workflow.Invite(tx, subscribe.Request{List: l, Address: address.Must(who + "@people.test"), By: "olga@people.test", Now: time.Now()})
			})
		}
		if n := len(inbox(w, "banned@people.test")) + len(inbox(w, "member@people.test")); n != 0 {
			t.Errorf("%d mails to who must not be invited", n)
		}
		m := inbox(w, "ann@people.test")[0]
		if header(m, "Auto-Submitted") != "auto-generated" || !strings.Contains(text(m), "招待") || !strings.Contains(text(m), "invite you") {
			t.Errorf("the invitation:\n%s", m.Data)
		}
		send(t, w, 250, mail("ann@people.test", "janog-confirm+"+token(t, w, "ann@people.test")+at, "", ""))
		if !isMember(t, w, l, "ann@people.test") || len(w.Requests(l)) != 0 {
			t.Error("who was invited needs no moderator")
		}
	})
}

func TestBothAddressesConfirmAChange(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		w.Join(l, list.RoleMember, "old@people.test")
		w.Join(l, list.RoleOwner, "old@people.test")
		w.SetMember(l, "old@people.test", func(m *list.Member) { m.Language, m.NoOwnPosts = "en", true })
		step := func(tx *storage.Tx) (subscribe.Result, error) {
			r := subscribe.Request{List: l, Address: address.Must("old@people.test"), Verified: true, Now: time.Now()}
			return w.Workflow.Readdress(tx, r, address.Must("new@strangers.test"))
		}
		do(t, w, step)
		if n := len(inbox(w, "new@strangers.test")); n != 0 {
			t.Fatalf("%d mails to the new address before the old one has confirmed", n)
		}
		send(t, w, 250, mail("old@people.test", "janog-confirm+"+token(t, w, "old@people.test")+at, "", ""))
		if isMember(t, w, l, "new@strangers.test") {
			t.Fatal("changed with one confirmation")
		}
		last := inbox(w, "new@strangers.test")[0]
		if strings.Contains(text(last), "old@people.test") {
			t.Error("the new address is told the old one")
		}
		tok := token(t, w, "new@strangers.test")
		send(t, w, 550, mail("old@people.test", "janog-confirm+"+tok+at, "", ""))
		send(t, w, 250, forged(mail("new@strangers.test", "janog-confirm+"+tok+at, "", "")))
		w.Update(func(tx *storage.Tx) error {
			m, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must("new@strangers.test"))
			if err != nil || m.Language != "en" || !m.NoOwnPosts || m.Token == "" {
				t.Errorf("the new member: %+v %v", m, err)
			}
			if !list.Has(tx, l.ID, address.Must("new@strangers.test"), list.RoleOwner) || list.Has(tx, l.ID, address.Must("old@people.test"), list.RoleOwner, list.RoleMember) {
				t.Error("roles did not move")
			}
			if _, key, left, err := list.ByToken(tx, m.Token); err != nil || key != "new@strangers.test" || !left.IsZero() {
				t.Errorf("the unsubscribe token leads to %s %v %v", key, left, err)
			}
			return nil
		})
	})
}

// TestLongName: where an address has no room for a token, the Subject carries it.
func TestLongName(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		name := strings.Repeat("n", 31)
		w.List(name, nil)
		send(t, w, 250, mail("ann@people.test", name+"-join"+at, "", ""))
		m := inbox(w, "ann@people.test")[0]
		if got, want := header(m, "Reply-To"), name+"-request"+at; got != want {
			t.Errorf("Reply-To %s, want %s", got, want)
		}
		if want := "(confirm " + token(t, w, "ann@people.test") + ")"; !strings.HasSuffix(header(m, "Subject"), want) {
			t.Errorf("Subject %s, want %s at its end", header(m, "Subject"), want)
		}
	})
}

// TestMailsSurviveACrash: what a request caused is sent although the process ends right after it.
func TestMailsSurviveACrash(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := listtest.New(t, nil)
		l := w.List("janog", nil)
		do(t, w, func(tx *storage.Tx) (subscribe.Result, error) {
			return w.Workflow.Join(tx, subscribe.Request{List: l, Address: address.Must("ann@people.test"), Now: time.Now()})
		})
		w.Crash()
		w.Run()
		if n := len(inbox(w, "ann@people.test")); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
}

// TestGoldenMails shows every mail of the workflow in both languages.
func TestGoldenMails(t *testing.T) {
	t.Parallel()
	w := listtest.New(t, nil)
	l := w.List("janog", func(s *list.Settings) { s.DisplayName = "JANOG" })
	var b strings.Builder
	w.Update(func(tx *storage.Tx) error {
		for _, lang := range []string{"en", "ja"} {
			for _, name := range []string{"confirm-join", "confirm-leave", "confirm-chaddr", "invite", "welcome", "goodbye", "already-member", "not-member", "held-join", "held-leave", "changed", "member-joined", "member-left"} {
				n, err := w.Workflow.Letter(tx, subscribe.Letter{List: l, To: address.Must("ann@people.test"), Name: name, Lang: lang, Args: map[string]string{
					"confirm": "https://x.test/-/confirm/TOKEN", "never": "https://x.test/-/never/TOKEN", "expires": "2026-01-04 00:00 JST", "mark": "",
					"text": "The list's own words.\n\n", "back": "The way back.", "who": "bob@people.test",
				}})
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "==== %s.%s\nSubject: %s\n\n%s\n", name, lang, n.Subject, n.Body)
			}
		}
		return nil
	})
	storagetest.Golden(t, "mails.txt", []byte(b.String()))
}
