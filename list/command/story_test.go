package command_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/storagetest"
)

const (
	at      = "@" + listtest.Domain
	request = "janog-request" + at
	forge   = "192.0.2.66"
)

func mail(from, subject, body string) listtest.Mail {
	return listtest.Mail{From: from, To: []string{request}, Raw: fmt.Sprintf("From: Xyzzy <%s>\nTo: %s\nSubject: %s\nDate: Sun, 01 Nov 2026 12:00:00 +0900\nMessage-ID: <%s@client.test>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n%s\n",
		from, request, subject, storage.NewID(time.Now()), body)}
}

func send(t *testing.T, w *listtest.World, m listtest.Mail) {
	t.Helper()
	if code, text := w.Send(m); code != 250 {
		t.Errorf("%s to %v: %d %s", m.From, m.To, code, text)
	}
}

// ask sends commands and returns the answer's text, "" for none.
func ask(t *testing.T, w *listtest.World, from, commands string) string {
	t.Helper()
	return text(answer(t, w, mail(from, "", commands)))
}

// answer sends a mail and returns the one mail that its author got for it, or the zero Message.
func answer(t *testing.T, w *listtest.World, m listtest.Mail) smtptest.Message {
	t.Helper()
	before := len(inbox(w, m.From))
	send(t, w, m)
	got := inbox(w, m.From)[before:]
	if len(got) > 1 {
		t.Errorf("%d answers to %s", len(got), m.Raw)
	}
	if len(got) == 0 {
		return smtptest.Message{}
	}
	return got[0]
}

func inbox(w *listtest.World, addr string) []smtptest.Message {
	listtest.Rest(time.Second)
	return w.Sink.Inbox(addr)
}

func text(m smtptest.Message) string { return message.Parse(m.Data).Text() }

func header(m smtptest.Message, name string) string { return message.Parse(m.Data).Header().Text(name) }

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in:\n%s", p, text)
		}
	}
}

func hasNot(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(text, p) {
			t.Errorf("%q in:\n%s", p, text)
		}
	}
}

func member(t *testing.T, w *listtest.World, l *list.List, addr string) *list.Member {
	t.Helper()
	var m *list.Member
	w.Update(func(tx *storage.Tx) error {
		m, _ = list.GetMember(tx, l.ID, list.RoleMember, address.Must(addr))
		return nil
	})
	return m
}

// TestGolden shows every answer in both languages.
func TestGolden(t *testing.T) {
	for _, lang := range []string{"en", "ja"} {
		t.Run(lang, func(t *testing.T) {
			listtest.Story(t, func(t *testing.T, w *listtest.World) {
				l := w.List("janog", func(s *list.Settings) {
					s.DisplayName, s.PreferredLanguage = "JANOG", lang
					s.Description = list.Text{"en": "Network operators in Japan", "ja": "日本のネットワーク運用者の集まり"}
					s.MemberRosterVisibility = list.RosterMembers
				})
				w.List("secret", func(s *list.Settings) { s.Advertised = false })
				w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test", "shy@people.test")
				w.Join(l, list.RoleOwner, "olga@people.test")
				w.SetMember(l, "ann@people.test", func(m *list.Member) { m.DisplayName, m.Language = "Ann", lang })
				w.SetMember(l, "shy@people.test", func(m *list.Member) { m.Hide = true })
				var b strings.Builder
				for _, q := range []struct{ from, commands string }{
					{"ann@people.test", "help"},
					{"ann@people.test", "info\nlists\nwhich\nhelp set\necho a b\nwho\nadd x@y.test"},
					{"ann@people.test", "set show\nset delivery off\nset hide on\nset duplicates off\nset digest on\nset nonsense\non\noff"},
					{"ann@people.test", "get 1\nindex\nget x"},
					{"ann@people.test", "chaddr ann@new.test\nconfirm " + strings.Repeat("0", 32)},
					{"zed@people.test", "who\nset show\nwhich\nsubscirbe"},
					{"ann@people.test", "withdraw 7\nwithdraw <x@y.test>\nhide 7\nhelp withdraw"},
					{"olga@people.test", "help setmember\nhelp hide\nhelp unhide"},
					{"olga@people.test", "add new@people.test ann@people.test x@\nremove bob@people.test\ninvite guest@people.test\nset ann@people.test moderation hold\nhide 7 a phone number\nunhide <x@y.test>\npending"},
				} {
					before := len(inbox(w, q.from))
					send(t, w, mail(q.from, "", q.commands))
					fmt.Fprintf(&b, "==== %s:\n%s\n\n", q.from, q.commands)
					var answers []string
					for _, m := range inbox(w, q.from)[before:] {
						answers = append(answers, fmt.Sprintf("Subject: %s\n\n%s\n", header(m, "Subject"), text(m)))
					}
					slices.Sort(answers)
					b.WriteString(strings.Join(answers, ""))
				}
				ask := inbox(w, "olga@people.test")
				reply := mail("olga@people.test", "", "")
				reply.To = []string{header(ask[len(ask)-1], "Reply-To")}
				send(t, w, reply)
				for _, who := range []string{"olga@people.test", "new@people.test", "bob@people.test", "guest@people.test"} {
					got := inbox(w, who)
					m := got[len(got)-1]
					fmt.Fprintf(&b, "==== to %s\nSubject: %s\n\n%s\n", who, header(m, "Subject"), text(m))
				}
				s := regexp.MustCompile(`[0-9a-f]{32}|[\w-]+\.[\w-]{22}\n`).ReplaceAllString(b.String(), "TOKEN")
				storagetest.Golden(t, "answers."+lang+".txt", []byte(s))
			})
		})
	}
}

// TestMangledMail: commands are found in whatever a mail program makes of them.
func TestMangledMail(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test")
		raw := func(header, body string) listtest.Mail {
			m := mail("ann@people.test", "", "")
			m.Raw = "From: ann@people.test\nTo: " + request + "\nMessage-ID: <" + storage.NewID(time.Now()) + "@client.test>\nMIME-Version: 1.0\n" + header + "\n\n" + body + "\n"
			return m
		}
		b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
		for name, m := range map[string]listtest.Mail{
			"html only":      raw("Content-Type: text/html; charset=utf-8", "<html><head><style>p{}</style></head><body><p>&nbsp;</p><div>which</div></body></html>"),
			"base64":         raw("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", b64("ｗｈｉｃｈ\r\n")),
			"base64 html":    raw("Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64", b64("<p>登録状況</p>")),
			"iso-2022-jp":    raw("Content-Type: text/plain; charset=iso-2022-jp", "\x1b$BEPO?>u67\x1b(B"),
			"subject":        raw("Subject: =?utf-8?B?"+b64("Re: 登録状況")+"?=\nContent-Type: text/plain", ""),
			"subject re":     raw("Subject: =?utf-8?B?"+b64("返信：[janog:00012] which")+"?=\nContent-Type: text/plain", "\n> which\n"),
			"alternative":    raw("Content-Type: multipart/alternative; boundary=x", "--x\nContent-Type: text/plain\n\nwhich\n--x\nContent-Type: text/html\n\n<b>leave</b>\n--x--"),
			"quoted-print":   raw("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "w=68ich=\n"),
			"with signature": raw("Content-Type: text/plain", "which\n\n-- \nleave\n"),
		} {
			got := answer(t, w, m)
			if !strings.Contains(text(got), "janog"+at+"  (") {
				t.Errorf("%s: %q", name, text(got))
			}
		}
		if member(t, w, l, "ann@people.test") == nil {
			t.Error("has left")
		}
	})
}

func TestAnswersAreCorrect(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test")
		q := mail("ann@people.test", "which", "")
		id := message.MessageID(message.Parse(listtest.CRLF(q.Raw)).Header().Get("Message-ID"))
		a := answer(t, w, q)
		for name, want := range map[string]string{
			"Auto-Submitted": "auto-replied", "In-Reply-To": "<" + id + ">", "References": "<" + id + ">", "Reply-To": request, "From": "janog <janog-owner" + at + ">",
		} {
			if got := header(a, name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if a.From != "" || len(a.To) != 1 || !strings.Contains(string(a.Data), "d="+listtest.Domain) {
			t.Errorf("MAIL FROM:<%s> to %v, signed: %v", a.From, a.To, strings.Contains(string(a.Data), "d="+listtest.Domain))
		}

		w.SetMember(l, "ann@people.test", func(m *list.Member) { m.Language = "ja" })
		has(t, ask(t, w, "ann@people.test", "which"), "会員")
		has(t, ask(t, w, "zed@people.test", "ヘルプ"), "コマンド")

		for name, m := range map[string]listtest.Mail{
			"no command":      mail("ann@people.test", "A question", "Dear list, how do I set up a router that keeps its routes?"),
			"empty":           mail("ann@people.test", "", ""),
			"only quotes":     mail("ann@people.test", "Re: x y z a b", "> help\n"),
			"forged, unknown": func() listtest.Mail { m := mail("ann@people.test", "hlep", ""); m.IP = forge; return m }(),
			"automatic": func() listtest.Mail {
				m := mail("ann@people.test", "help", "")
				m.Raw = "Auto-Submitted: auto-generated\n" + m.Raw
				return m
			}(),
			"bulk": func() listtest.Mail {
				m := mail("ann@people.test", "help", "")
				m.Raw = "Precedence: bulk\n" + m.Raw
				return m
			}(),
		} {
			if got := answer(t, w, m); len(got.Data) > 0 {
				t.Errorf("%s is answered:\n%s", name, text(got))
			}
		}
		report := mail("ann@people.test", "help", "")
		report.From = ""
		before := w.Sink.Counts().Messages
		send(t, w, report)
		if inbox(w, ""); w.Sink.Counts().Messages != before {
			t.Error("a report is answered")
		}
	})
}

// TestForgedAuthor: what is not authenticated changes nothing and is told nothing; the envelope sender gets ten answers a day.
func TestForgedAuthor(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en"; s.MemberRosterVisibility = list.RosterPublic })
		w.Join(l, list.RoleMember, "ann@people.test")
		w.Join(l, list.RoleOwner, "olga@people.test")
		forged := func(from, commands string) listtest.Mail {
			m := mail(from, "", commands)
			m.IP, m.From = forge, "mallory@people.test"
			return m
		}
		got := text(answer(t, w, forged("ann@people.test", "info\nset delivery off\noff\nwho\nwhich\nchaddr mallory@people.test\nget 1\nindex\necho Buy-our-pills")))
		has(t, got, "janog"+at, "passes the checks")
		hasNot(t, got, "ann@people.test", "olga@people.test", "pills")
		if m := member(t, w, l, "ann@people.test"); !m.Receives(time.Now()) {
			t.Error("a forger has switched delivery off")
		}
		answer(t, w, forged("olga@people.test", "add mallory@people.test\nremove ann@people.test"))
		if n := len(inbox(w, "olga@people.test")); n != 0 {
			t.Errorf("%d mails to the owner", n)
		}
		for range 20 {
			send(t, w, forged("ann@people.test", "help"))
		}
		if n := len(inbox(w, "mallory@people.test")); n != 10 {
			t.Errorf("%d answers in a day, want 10", n)
		}
		if n := len(inbox(w, "ann@people.test")); n != 0 {
			t.Errorf("%d mails to who did not write", n)
		}
		time.Sleep(24 * time.Hour)
		if got := answer(t, w, forged("ann@people.test", "help")); len(got.Data) == 0 {
			t.Error("no answer the day after")
		}
	})
}

func TestOwnersConfirmTheirCommands(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en"; s.BanList = []string{"banned@people.test"} })
		w.Join(l, list.RoleOwner, "olga@people.test")
		w.Join(l, list.RoleMember, "ann@people.test", "bob@people.test")
		q := answer(t, w, mail("olga@people.test", "", "add new@people.test banned@people.test\nremove bob@people.test\nset ann@people.test delivery off"))
		has(t, text(q), "add new@people.test banned@people.test", "remove bob@people.test")
		if member(t, w, l, "new@people.test") != nil || member(t, w, l, "bob@people.test") == nil {
			t.Fatal("carried out before the confirmation")
		}
		yes := mail("olga@people.test", "Re: "+header(q, "Subject"), "")
		yes.To = []string{header(q, "Reply-To")}
		other := yes
		other.From, other.Raw = "ann@people.test", strings.Replace(yes.Raw, "olga@", "ann@", 1)
		if code, _ := w.Send(other); code != 550 {
			t.Errorf("somebody else confirms: %d", code)
		}
		a := answer(t, w, yes)
		has(t, text(a), "new@people.test: is a member now", "banned@people.test: is banned", "bob@people.test: is no longer a member", "delivery    off")
		if m := member(t, w, l, "ann@people.test"); m.DeliveryStatus != list.DeliveryByModerator {
			t.Errorf("ann's delivery: %s", m.DeliveryStatus)
		}
		has(t, ask(t, w, "ann@people.test", "on"), "The moderators have switched delivery off")
		has(t, ask(t, w, "ann@people.test", "add x@people.test"), "for the owners")
		if code, _ := w.Send(yes); code != 550 {
			t.Errorf("the token works twice: %d", code)
		}
		// Who is no owner any more when the confirmation comes has no command carried out.
		q = answer(t, w, mail("olga@people.test", "", "add late@people.test"))
		w.Update(func(tx *storage.Tx) error {
			return list.Leave(tx, l.ID, list.RoleOwner, address.Must("olga@people.test"), time.Now())
		})
		yes = mail("olga@people.test", "", "")
		yes.To = []string{header(q, "Reply-To")}
		send(t, w, yes)
		if member(t, w, l, "late@people.test") != nil {
			t.Error("a former owner's command was carried out")
		}
	})
}

// TestEachMailOfCommandsIsConfirmed: every mail has its own token, in whatever order they come back.
func TestEachMailOfCommandsIsConfirmed(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleOwner, "olga@people.test")
		var asked []smtptest.Message
		for _, who := range []string{"one", "two", "three"} {
			asked = append(asked, answer(t, w, mail("olga@people.test", "", "add "+who+"@people.test")))
		}
		confirm := func(i, want int) {
			t.Helper()
			yes := mail("olga@people.test", "", "")
			yes.To = []string{header(asked[i], "Reply-To")}
			if code, text := w.Send(yes); code != want {
				t.Errorf("token %d: %d %s", i, code, text)
			}
		}
		is := func(want ...string) {
			t.Helper()
			for _, who := range []string{"one", "two", "three"} {
				if got := member(t, w, l, who+"@people.test") != nil; got != slices.Contains(want, who) {
					t.Errorf("%s is a member: %v", who, got)
				}
			}
		}
		confirm(0, 250)
		is("one")
		confirm(0, 550)
		confirm(2, 250)
		is("one", "three")
		time.Sleep(list.PendingLife)
		confirm(1, 550)
		is("one", "three")
	})
}

// confirmed sends commands, confirms them and returns the text of the answer.
func confirmed(t *testing.T, w *listtest.World, from, commands string) string {
	t.Helper()
	yes := mail(from, "", "")
	yes.To = []string{header(answer(t, w, mail(from, "", commands)), "Reply-To")}
	return text(answer(t, w, yes))
}

// TestDecideByCommand: who moderates decides about posts and requests with the ID or address that pending names.
func TestDecideByCommand(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) {
			s.PreferredLanguage, s.SubscriptionPolicy, s.UnsubscriptionPolicy = "en", list.PolicyModerate, list.PolicyModerate
			s.RejectTexts = map[string]list.Text{"topic": {"en": "Not our topic."}}
		})
		other := w.List("other", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleModerator, "mod@people.test")
		w.Join(l, list.RoleMember, "ann@people.test", "gone@people.test")
		w.Join(other, list.RoleOwner, "olga@people.test")
		id := map[string]string{}
		for _, from := range []string{"a@strangers.test", "b@strangers.test", "c@strangers.test", "d@strangers.test", "e@strangers.test"} {
			raw := listtest.Post(from, l, from[:1]+"@p.test", "Post of "+from[:1], "Hello.\n")
			send(t, w, listtest.Mail{From: from, IP: forge, To: []string{l.Address.String()}, Raw: raw})
			id[from[:1]] = string(w.Posts(from[:1] + "@p.test")[0].ID)
		}
		for _, who := range []string{"cora", "dan", "eve"} {
			send(t, w, mail(who+"@people.test", "join", ""))
		}
		send(t, w, mail("gone@people.test", "leave", ""))

		for _, who := range []string{"ann@people.test", "olga@people.test", "zed@people.test"} { // olga owns another list
			has(t, ask(t, w, who, "accept "+id["a"]+"\npending"), "for those who moderate the list")
		}
		got := confirmed(t, w, "mod@people.test", "pending")
		for _, what := range []string{"accept " + id["a"] + "\n", "Post of a, a@strangers.test (authenticated): The author is not a member", "accept cora@people.test\n", "cora@people.test wants to join", "gone@people.test wants to leave"} {
			has(t, got, what)
		}
		got = confirmed(t, w, "mod@people.test", fmt.Sprintf("accept %s cora@people.test gone@people.test\n却下　%s　topic\nreject dan@people.test Full at the moment\ndiscard %s eve@people.test\ntrust %s\nban %s\naccept 0000000000000000 nobody@people.test", id["a"], id["b"], id["c"], id["d"], id["e"]))
		has(t, got, "Post of a: accepted by mod@people.test", "cora@people.test wants to join: accepted by mod@people.test", "gone@people.test wants to leave: accepted",
			"Post of b: rejected by", "dan@people.test wants to join: rejected by", "Post of c: discarded by", "eve@people.test wants to join: discarded by",
			"Post of d: accepted by", "Post of e: discarded by", "Nothing of that name waits here: 0000000000000000", "Nothing of that name waits here: nobody@people.test")
		if member(t, w, l, "cora@people.test") == nil || member(t, w, l, "gone@people.test") != nil || member(t, w, l, "dan@people.test") != nil {
			t.Error("the wrong people are members")
		}
		for who, want := range map[string]string{"b@strangers.test": "Not our topic.", "dan@people.test": "Full at the moment"} {
			mails := inbox(w, who)
			has(t, text(mails[len(mails)-1]), want)
		}
		w.Update(func(tx *storage.Tx) error {
			l, err := list.Get(tx, l.ID)
			if err == nil && !slices.Equal(l.Settings.BanList, []string{"e@strangers.test"}) {
				t.Errorf("banned %v", l.Settings.BanList)
			}
			m, err := list.GetMember(tx, l.ID, list.RoleNonmember, address.Must("d@strangers.test"))
			if err != nil || m.ModerationAction != list.Accept {
				t.Errorf("trusted %+v %v", m, err)
			}
			return nil
		})
		has(t, confirmed(t, w, "mod@people.test", "discard "+id["a"]+" cora@people.test"), "Post of a: accepted by mod@people.test", "cora@people.test wants to join: accepted by")
		has(t, confirmed(t, w, "mod@people.test", "trust dan@people.test"), "trust and ban are for posts")
		has(t, confirmed(t, w, "mod@people.test", "pending"), "There are none.")

		// The owner of one list decides nothing in another.
		raw := listtest.Post("a@strangers.test", l, "f@p.test", "Post of f", "Hello.\n")
		send(t, w, listtest.Mail{From: "a@strangers.test", IP: forge, To: []string{l.Address.String()}, Raw: raw})
		order := mail("olga@people.test", "", "accept "+string(w.Posts("f@p.test")[0].ID))
		order.To = []string{"other-request" + at}
		yes := mail("olga@people.test", "", "")
		yes.To = []string{header(answer(t, w, order), "Reply-To")}
		has(t, text(answer(t, w, yes)), "Nothing of that name waits here")
		if p := w.Posts("f@p.test")[0]; !p.Held() {
			t.Errorf("decided from another list: %s", p.Verdict)
		}
	})
}

func TestArchiveByMail(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage, s.ArchivePolicy = "en", "private" })
		w.Join(l, list.RoleMember, "ann@people.test")
		for i := range 25 {
			m := listtest.Mail{From: "ann@people.test", To: []string{l.Address.String()}, Raw: listtest.Post("Ann <ann@people.test>", l, fmt.Sprintf("m%d@people.test", i+1), fmt.Sprintf("Number %d", i+1), fmt.Sprintf("Body %d", i+1))}
			if i == 1 {
				m.Raw = "In-Reply-To: <m1@people.test>\n" + m.Raw
			}
			send(t, w, m)
			inbox(w, "")
		}
		count := func(m smtptest.Message) int { return strings.Count(string(m.Data), "Content-Type: message/rfc822\r\n") }
		for commands, want := range map[string]int{"get 3": 1, "get 3\nget 2-4": 3, "mget 2-4,last:2,3": 5, "get 1,x": 0, "get last:2": 2, "thread 2": 2, "get thread 1": 2, "get 1-25": 20, "get 99": 0, "get last:0": 0, "get 9-1": 0} {
			a := answer(t, w, mail("ann@people.test", "", commands))
			if got := count(a); got != want {
				t.Errorf("%s: %d messages, want %d:\n%s", commands, got, want, text(a))
			}
			hasNot(t, string(a.Data), "\r\nList-Unsubscribe")
		}
		a := answer(t, w, mail("ann@people.test", "", "get 3"))
		has(t, string(a.Data), "Subject: Number 3\r\n", "Body 3\r\n")
		if header(a, "Auto-Submitted") != "auto-replied" || a.From != "" {
			t.Errorf("MAIL FROM:<%s>\n%s", a.From, a.Data)
		}
		has(t, ask(t, w, "ann@people.test", "index"), "     3  ", "Number 25")
		for _, command := range []string{"get 3", "index", "thread 3"} {
			got := answer(t, w, mail("zed@people.test", "", command))
			has(t, text(got), "The archive is for members")
			if count(got) != 0 || strings.Contains(text(got), "Number") {
				t.Errorf("a stranger gets %s", command)
			}
		}
		w.Update(func(tx *storage.Tx) error {
			s := l.Settings
			s.ArchivePolicy = "public"
			_, err := list.Change(tx, l.ID, s, list.Edit{})
			return err
		})
		got := answer(t, w, mail("zed@people.test", "", "get 3\nindex"))
		has(t, text(got), "https://"+listtest.Domain+"/janog/m/m3@people.test/", "Number 3")
		hasNot(t, string(got.Data), "ann@people.test", "message/rfc822")
		hasNot(t, text(got), "ann@people.test")
	})
}

// TestWho: the roster is for those whom the setting names; who hides is seen by moderators.
func TestWho(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test", "shy@people.test")
		w.Join(l, list.RoleModerator, "mod@people.test")
		w.SetMember(l, "shy@people.test", func(m *list.Member) { m.Hide = true })
		for _, tt := range []struct {
			policy, who   string
			seen, shySeen bool
		}{
			{list.RosterPublic, "zed@people.test", true, false},
			{list.RosterMembers, "zed@people.test", false, false},
			{list.RosterMembers, "ann@people.test", true, false},
			{list.RosterMembers, "mod@people.test", true, true},
			{list.RosterModerators, "ann@people.test", false, false},
			{list.RosterModerators, "mod@people.test", true, true},
		} {
			w.Update(func(tx *storage.Tx) error {
				s := l.Settings
				s.MemberRosterVisibility = tt.policy
				_, err := list.Change(tx, l.ID, s, list.Edit{By: "test", At: time.Now()})
				return err
			})
			got := ask(t, w, tt.who, "who")
			if seen, shy := strings.Contains(got, "ann@people.test\n"), strings.Contains(got, "shy@people.test"); seen != tt.seen || shy != tt.shySeen {
				t.Errorf("%s asks under %s:\n%s", tt.who, tt.policy, got)
			}
		}
	})
}

// TestArchiveHidesByMail: what readers of the archive do not see does not come by mail either.
func TestArchiveHidesByMail(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleMember, "ann@people.test")
		for i := range 3 {
			raw := "References: <m1@people.test>\n" + listtest.Post("Ann <ann@people.test>", l, fmt.Sprintf("m%d@people.test", i+1), fmt.Sprintf("Number %d", i+1), fmt.Sprintf("Secret %d", i+1))
			send(t, w, listtest.Mail{From: "ann@people.test", To: []string{l.Address.String()}, Raw: raw})
			inbox(w, "")
		}
		for n, edit := range map[uint64]func(context.Context, *archive.Message, archive.Order) error{2: w.Archive.Hide, 3: w.Archive.Redact} {
			var m *archive.Message
			w.Update(func(tx *storage.Tx) (err error) {
				m, err = archive.ByNumber(tx, string(l.ID), n)
				return err
			})
			if err := edit(t.Context(), m, archive.Order{By: "test"}); err != nil {
				t.Fatal(err)
			}
		}
		for _, commands := range []string{"get 2", "get 3", "get 1-3", "last:3", "get last:3", "thread 1", "index"} {
			a := answer(t, w, mail("ann@people.test", "", commands))
			hasNot(t, string(a.Data)+text(a), "Secret 2", "Secret 3", "Number 2", "Number 3")
		}
		has(t, ask(t, w, "ann@people.test", "get 2"), "There is no message 2.")
		w.Update(func(tx *storage.Tx) error {
			s := l.Settings
			s.ArchivePolicy = "never"
			_, err := list.Change(tx, l.ID, s, list.Edit{By: "test", At: time.Now()})
			return err
		})
		for _, commands := range []string{"get 1", "thread 1", "index"} {
			got := answer(t, w, mail("ann@people.test", "", commands))
			has(t, text(got), "There is no archive.")
			hasNot(t, string(got.Data), "Secret 1", "message/rfc822")
		}
	})
}

// TestHistoryNamesWho: what the member, an owner and both addresses did stands in the member's history.
func TestHistoryNamesWho(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", func(s *list.Settings) { s.PreferredLanguage = "en" })
		w.Join(l, list.RoleOwner, "olga@people.test")
		confirmed(t, w, "olga@people.test", "add ann@people.test")
		for _, commands := range []string{"set hide on", "off", "on", "set language ja\nset language ja\nset show", "set nonsense on"} {
			ask(t, w, "ann@people.test", commands)
		}
		confirmed(t, w, "olga@people.test", "set ann@people.test moderation hold")
		send(t, w, mail("ann@people.test", "", "chaddr ann@new.test"))
		question := inbox(w, "ann@people.test")
		for _, m := range question[len(question)-2:] { // the answer, and the question to the old address
			if to := header(m, "Reply-To"); strings.Contains(to, "confirm+") {
				yes := mail("ann@people.test", "", "")
				yes.To = []string{to}
				send(t, w, yes)
			}
		}
		last := inbox(w, "ann@new.test")
		yes := mail("ann@new.test", "", "")
		yes.To, yes.IP = []string{header(last[len(last)-1], "Reply-To")}, forge
		send(t, w, yes)
		var got []string
		w.Update(func(tx *storage.Tx) error {
			for e := range list.MemberHistory(tx, l.ID, address.Must("ann@people.test")) {
				got = append(got, strings.TrimSpace(e.Stage+" "+e.Text)+" / "+e.By)
			}
			return nil
		})
		want := []string{
			"join ann@people.test was added / olga@people.test",
			"set hide false -> true / ann@people.test",
			"set delivery_status default -> by_user / ann@people.test",
			"set delivery_status by_user -> enabled / ann@people.test",
			"set language default -> ja / ann@people.test",
			"set moderation_action default -> hold / olga@people.test",
			"chaddr is now ann@new.test / ann@people.test",
		}
		if !slices.Equal(got, want) {
			t.Errorf("history\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestLanguageOfAStranger: the list's, unless the question or its header says another.
func TestLanguageOfAStranger(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		w.List("janog", nil)
		tagged := func(field string) listtest.Mail {
			m := mail("zed@people.test", "", "lists")
			m.Raw = field + m.Raw
			return m
		}
		for field, want := range map[string]string{"": "コマンド", "Content-Language: en-US\n": "Your commands", "Accept-Language: ja-JP, en-US\n": "コマンド", "Content-Language: fr\nAccept-Language: en, ja\n": "Your commands"} {
			if got := header(answer(t, w, tagged(field)), "Subject"); !strings.Contains(got, want) {
				t.Errorf("%q: %s", field, got)
			}
		}
	})
}

// TestJoinByCommand: joining and leaving by command are the same as by address, without a second mail about it.
func TestJoinByCommand(t *testing.T) {
	listtest.Story(t, func(t *testing.T, w *listtest.World) {
		l := w.List("janog", nil)
		a := answer(t, w, mail("ann@people.test", "登録", ""))
		m := regexp.MustCompile(`/-/confirm/([0-9a-f]{32})\n`).FindStringSubmatch(text(a))
		if m == nil {
			t.Fatalf("no token:\n%s", text(a))
		}
		answer(t, w, mail("ann@people.test", "Re: confirm "+m[1], "leave\n"))
		if got := member(t, w, l, "ann@people.test"); got == nil || got.DisplayName != "Xyzzy" {
			t.Fatalf("after the confirmation: %+v", got)
		}
		answer(t, w, mail("ann@people.test", "", "退会希望です"))
		if member(t, w, l, "ann@people.test") != nil {
			t.Error("still a member")
		}
		forged := mail("bob@people.test", "", "subscribe Buy Our Pills")
		forged.IP = forge
		a = answer(t, w, forged)
		hasNot(t, text(a), "Pills")
		m = regexp.MustCompile(`/-/confirm/([0-9a-f]{32})\n`).FindStringSubmatch(text(a))
		answer(t, w, mail("bob@people.test", "", "confirm "+m[1]))
		if got := member(t, w, l, "bob@people.test"); got == nil || got.DisplayName != "" {
			t.Errorf("with a name that somebody else chose: %+v", got)
		}
	})
}
