package moderation_test

import (
	"context"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/list/moderation"
	"kairan/list/posting"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/templates"
)

// world is a list with the moderators mod, who reads English, and mio, and the members ann and bob.
type world struct {
	*listtest.World
	t    *testing.T
	m    *moderation.Moderation
	l    *list.List
	read int               // mails that mails() has returned
	last map[string][]mail // what it returned last
}

func newWorld(t *testing.T, change func(*list.Settings)) *world {
	t.Helper()
	set, err := templates.New()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{World: listtest.New(t, nil), t: t}
	w.m = moderation.New(moderation.Options{DB: w.DB, Path: w.Path, Site: w.Site, Templates: set, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	w.m.Subscribe, w.Workflow.Moderators, w.Handler.Moderate = w.Workflow, w.m, w.m.Answer
	w.l = w.List("janog", change)
	w.Join(w.l, list.RoleMember, "ann@people.test", "bob@people.test")
	w.Update(func(tx *storage.Tx) error {
		return list.Join(tx, list.Member{List: w.l.ID, Role: list.RoleModerator, Address: address.Must("mod@people.test"), Language: "en"})
	})
	w.Join(w.l, list.RoleModerator, "mio@people.test")
	w.Run()
	return w
}

// post sends a post and wants it held; proven posts come from where the author's domain says.
func (w *world) post(from, id, subject, body string, proven bool) *list.Post {
	w.t.Helper()
	m := listtest.Mail{From: from, To: []string{w.l.Address.String()}, Raw: listtest.Post(from, w.l, id, subject, body)}
	if proven != (strings.HasSuffix(from, "@strangers.test")) {
		m.IP = "192.0.2.1"
	} else {
		m.IP = "192.0.2.66"
	}
	if code, text := w.Send(m); code != 250 {
		w.t.Fatalf("post %s: %d %s", id, code, text)
	}
	p := w.get(id)
	if !p.Held() {
		w.t.Fatalf("post %s: %s, want it held", id, p.Verdict)
	}
	return p
}

func (w *world) get(id string) *list.Post {
	w.t.Helper()
	posts := w.Posts(id)
	if len(posts) != 1 {
		w.t.Fatalf("%d posts with Message-ID %s", len(posts), id)
	}
	return posts[0]
}

// round does what is due after a time from now.
func (w *world) round(after time.Duration) {
	w.t.Helper()
	if err := w.m.Round(w.t.Context(), time.Now().Add(after)); err != nil {
		w.t.Fatal(err)
	}
}

// mail is one that arrived outside.
type mail struct {
	to, subject, text string
	header            message.Header
	raw               string
}

// marker is who gets the mail that ends each call of mails.
const marker = "marker@people.test"

// mails waits for n more mails outside and returns them by recipient. A mail of its own that is queued last shows that no more come.
func (w *world) mails(n int) map[string][]mail {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) error {
		return w.Path.Queue(tx, posting.Notice{List: w.l, To: address.Must(marker), Subject: "marker"})
	})
	w.Path.Wake()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	err := w.Sink.Wait(ctx, int64(w.read+n+1))
	all := w.Sink.Messages()
	out, got := map[string][]mail{}, -1
	for _, m := range all[min(w.read, len(all)):] {
		w.t.Logf("to %v: %s", m.To, message.Parse(m.Data).Header().Text("Subject"))
		out[m.To[0]] = append(out[m.To[0]], read(m))
		got++
	}
	if err != nil || got != n || len(out[marker]) != 1 {
		w.t.Fatalf("%d mails arrived, want %d: %v", got, n, err)
	}
	w.read, w.last = len(all), out
	return out
}

func read(m smtptest.Message) mail {
	msg := message.Parse(m.Data)
	return mail{to: m.To[0], subject: msg.Header().Text("Subject"), text: msg.Text(), header: msg.Header(), raw: string(m.Data)}
}

// one returns the only mail to an address.
func one(t *testing.T, mails map[string][]mail, to string) mail {
	t.Helper()
	if len(mails[to]) != 1 {
		t.Fatalf("%d mails to %s, want 1", len(mails[to]), to)
	}
	return mails[to][0]
}

var tokenPattern = regexp.MustCompile(`/-/held/([0-9a-z]+)`)

// token is that of the page a mail names.
func (m mail) token(t *testing.T) string {
	t.Helper()
	found := tokenPattern.FindStringSubmatch(m.text)
	if found == nil {
		t.Fatalf("no page in\n%s", m.text)
	}
	return found[1]
}

// answer is an answer to a mail: who sends it, and what.
type answer struct {
	from   string
	ip     string // "" is that of the people
	fields string // further header fields, each with its line end
	text   string
}

// answer sends an answer to where the mail asks for it, with the mail quoted below, and returns the code.
func (w *world) answer(to mail, a answer) int {
	w.t.Helper()
	var quoted strings.Builder
	for line := range strings.Lines(to.text) {
		quoted.WriteString("> " + line)
	}
	raw := "From: " + a.from + "\nTo: " + to.header.Get("Reply-To") + "\nSubject: Re: " + to.subject + "\nMessage-ID: <" + storage.NewID(time.Now()) + "@client.test>\n" +
		a.fields + "Content-Type: text/plain; charset=utf-8\n\n" + a.text + "\n\nOn Sunday, the list wrote:\n" + quoted.String()
	sender, _, _ := strings.Cut(a.from, ",")
	return w.deliver(listtest.Mail{From: sender, IP: a.ip, To: []string{to.header.Get("Reply-To")}, Raw: raw})
}

// deliver sends a mail and returns the code of the reply.
func (w *world) deliver(m listtest.Mail) int {
	w.t.Helper()
	code, text := w.Send(m)
	w.t.Logf("%s to %v: %d %s", m.From, m.To, code, text)
	return code
}

// history is a post's history in lines of stage, text and who.
func (w *world) history(p *list.Post) (lines []string) {
	w.t.Helper()
	err := w.DB.View(w.t.Context(), func(tx *storage.Tx) error {
		for e := range list.History(tx, p.ID) {
			lines = append(lines, strings.TrimSpace(e.Stage+" "+e.Text+" "+e.By))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return lines
}

// verdict wants a post to be decided like that, such as "accept by mod@people.test".
func (w *world) verdict(id, want string) {
	w.t.Helper()
	v := w.get(id).Verdict
	got := string(v.Action)
	if v.By != "" {
		got += " by " + v.By
	}
	if got != want {
		w.t.Errorf("post %s: %s, want %s", id, got, want)
	}
}

func (w *world) settings() list.Settings {
	w.t.Helper()
	var s list.Settings
	w.Update(func(tx *storage.Tx) error {
		l, err := list.Get(tx, w.l.ID)
		if err == nil {
			s = l.Settings
		}
		return err
	})
	return s
}

// action is what becomes of further posts of an address that is no member.
func (w *world) action(addr string) (a list.Action) {
	w.Update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, w.l.ID, list.RoleNonmember, address.Must(addr))
		if err == nil {
			a = m.ModerationAction
		}
		return nil
	})
	return a
}

// dismiss makes a moderator somebody else.
func (w *world) dismiss(addr string) {
	w.Update(func(tx *storage.Tx) error {
		return list.Leave(tx, w.l.ID, list.RoleModerator, address.Must(addr), time.Now())
	})
}

func (w *world) member(addr string) bool {
	w.t.Helper()
	err := w.DB.View(w.t.Context(), func(tx *storage.Tx) error {
		_, err := list.GetMember(tx, w.l.ID, list.RoleMember, address.Must(addr))
		return err
	})
	return err == nil
}
