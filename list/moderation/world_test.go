package moderation_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kairan/list"
	"kairan/list/listtest"
	"kairan/smtpd/address"
	"kairan/smtpd/message"
	"kairan/smtpd/smtptest"
	"kairan/storage"
)

// world is a list with the moderators mod, who reads English, and mio, and the members ann and bob.
type world struct {
	*listtest.World
	t     *testing.T
	l     *list.List
	begun time.Time
	read  int               // mails that mails() has returned
	last  map[string][]mail // what it returned last
}

// story runs fn in a bubble of time, with a world that runs.
func story(t *testing.T, change func(*list.Settings), fn func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, change)
		w.moderate()
		fn(t, w)
	})
}

func newWorld(t *testing.T, change func(*list.Settings)) *world {
	t.Helper()
	w := &world{World: listtest.New(t, nil), t: t, begun: time.Now()}
	w.l = w.List("janog", change)
	w.Join(w.l, list.RoleMember, "ann@people.test", "bob@people.test")
	w.Update(func(tx *storage.Tx) error {
		return list.Join(tx, list.Member{List: w.l.ID, Role: list.RoleModerator, Address: address.Must("mod@people.test"), Language: "en"})
	})
	w.Join(w.l, list.RoleModerator, "mio@people.test")
	w.Run()
	return w
}

// moderate tells, reminds and expires until the test ends.
func (w *world) moderate() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { w.Moderation.Run(ctx) })
	w.t.Cleanup(func() { cancel(); wg.Wait() })
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
	time.Sleep(time.Second) // after the one before it
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

// at lets time pass until a while after the beginning of the story, and what is due then be done.
func (w *world) at(after time.Duration) {
	w.t.Helper()
	listtest.Rest(time.Until(w.begun.Add(after)) + 20*time.Second)
}

// mail is one that arrived outside.
type mail struct {
	to, subject, text string
	header            message.Header
	raw               string
}

// mails wants n more mails to have arrived outside when nothing moves any more, and returns them by recipient.
func (w *world) mails(n int) map[string][]mail {
	w.t.Helper()
	listtest.Rest(time.Second)
	all, out := w.Sink.Messages(), map[string][]mail{}
	for _, m := range all[w.read:] {
		w.t.Logf("to %v: %s", m.To, message.Parse(m.Data).Header().Text("Subject"))
		out[m.To[0]] = append(out[m.To[0]], read(m))
	}
	if got := len(all) - w.read; got != n {
		w.t.Fatalf("%d mails arrived, want %d", got, n)
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
