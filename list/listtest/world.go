package listtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/list/bounce"
	"kairan/list/command"
	"kairan/list/digest"
	"kairan/list/inbound"
	"kairan/list/moderation"
	"kairan/list/posting"
	"kairan/list/rules"
	"kairan/list/subscribe"
	"kairan/smtpd"
	"kairan/smtpd/address"
	"kairan/smtpd/mailauth"
	"kairan/smtpd/queue"
	"kairan/smtpd/relay"
	"kairan/smtpd/resolver"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
	"kairan/storage"
	"kairan/storage/storagetest"
	"kairan/templates"
)

// Domain is where the world's lists live.
const Domain = "lists.kairan.test"

// Zone is what the world's DNS knows from the start. Mail of ann, bob and everybody else at people.test comes from 192.0.2.1;
// strict.test says that nobody else may write in its name; bare.test publishes nothing.
const Zone = `
people.test.          TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.people.test.   TXT "v=DMARC1; p=none"
people.test.          MX 10 mx.people.test.
strict.test.          TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.strict.test.   TXT "v=DMARC1; p=reject"
strangers.test.       TXT "v=spf1 ip4:192.0.2.66 -all"
_dmarc.strangers.test. TXT "v=DMARC1; p=none"
bare.test.            A 192.0.2.77
! temp TXT broken.test.
! temp TXT _dmarc.broken.test.
`

// World is everything, wired as the daemon wires it, but for its web.
type World struct {
	t   testing.TB
	dir string

	DB       *storage.DB
	Site     *list.Site
	DNS      *fakedns.Zone
	Archive  *archive.Archive
	Outbox   *queue.Outbox
	Copies   *posting.Copies
	Digests  *digest.Digester
	Path     *posting.Path
	Handler  *inbound.Handler
	Workflow *subscribe.Workflow
	Bounces  *bounce.Bouncer
	// Moderation brings held posts to moderators only while Moderation.Run or Round does.
	Moderation *moderation.Moderation
	Sink       *smtptest.Sink // the world outside

	// Line, where mail goes straight to mail hosts, is what stands in the way of a connection. Set it before anything is sent.
	Line func(addr string) error

	direct  bool
	outside *smtptest.PipeListener
	smtp    *smtptest.PipeListener
	stop    func()
	running sync.WaitGroup
}

// words are the templates, parsed once for all tests.
var words = sync.OnceValue(func() *templates.Set {
	s, err := templates.New()
	if err != nil {
		panic(err)
	}
	return s
})

// Requests returns what people wait for in a list, such as "join ann@people.test".
func (w *World) Requests(l *list.List) (waiting []string) {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) error {
		waiting = nil
		for r := range moderation.Requests(tx, l.ID) {
			waiting = append(waiting, r.Action+" "+r.Address.String())
		}
		return nil
	})
	return waiting
}

// New returns a world at rest: nothing runs before Run. behave is what the sink does, nil for a good receiver.
func New(t testing.TB, behave func(smtptest.Message) smtptest.Behaviour) *World {
	t.Helper()
	return newWorld(t, behave, false)
}

// NewDirect is New without a smarthost: mail goes to the mail hosts that DNS names, all of which are the sink.
func NewDirect(t testing.TB, behave func(smtptest.Message) smtptest.Behaviour) *World {
	t.Helper()
	return newWorld(t, behave, true)
}

func newWorld(t testing.TB, behave func(smtptest.Message) smtptest.Behaviour, direct bool) *World {
	t.Helper()
	w := &World{direct: direct, t: t, dir: t.TempDir(), DNS: fakedns.Must(Zone), outside: smtptest.NewPipeListener(), stop: func() {}}
	w.Site = &list.Site{Hostname: Domain, URL: "https://" + Domain, Admin: address.Must("postmaster@" + Domain), Language: "ja", Location: time.UTC}
	w.Sink = smtptest.NewSink(smtptest.Config{Record: true, Behave: behave})
	w.running.Go(func() { w.Sink.Serve(w.outside) })
	w.open()
	t.Cleanup(func() {
		w.Stop()
		w.Sink.Close()
		w.running.Wait()
	})
	return w
}

// open opens the store and wires the parts.
func (w *World) open() {
	w.t.Helper()
	w.DB = storagetest.OpenAt(w.t, w.dir, list.Migrations()...)
	db := w.DB
	w.t.Cleanup(func() {
		if db == w.DB { // no other is open since Crash
			w.checkWords()
		}
	})
	log := slog.New(slog.NewTextHandler(w.t.Output(), nil))
	dns := resolver.Resolver(w.DNS)
	w.Archive = &archive.Archive{DB: w.DB, Location: time.UTC, Log: log, Acted: list.LogAct}
	w.Copies = &posting.Copies{DB: w.DB, Site: w.Site}
	to := relay.Options{Hostname: Domain, Resolver: w.DNS, Log: log, Dial: func(_ context.Context, _, addr string) (net.Conn, error) {
		if w.Line != nil {
			if err := w.Line(addr); err != nil {
				return nil, err
			}
		}
		return w.outside.Dial()
	}}
	opts := queue.Options{Connections: 4, Log: log}
	if !w.direct {
		to.Smarthost, opts.Smarthost = "outside.test:25", true
	}
	w.Outbox = queue.New(w.DB, w.Copies, relay.New(to), opts)
	w.Digests = digest.New(digest.Options{DB: w.DB, Archive: w.Archive, Outbox: w.Outbox, Site: w.Site, Templates: words(), Log: log})
	w.Path = posting.New(posting.Options{
		DB: w.DB, Archive: w.Archive, Outbox: w.Outbox, Digests: w.Digests, Site: w.Site, Templates: words(), Log: log,
		Checker: &mailauth.Checker{Resolver: dns, Hostname: Domain},
		Rules:   rules.Site{MaxSize: 25 << 20},
		Trust:   posting.Trust{Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}},
	})
	w.Moderation = moderation.New(moderation.Options{DB: w.DB, Archive: w.Archive, Path: w.Path, Site: w.Site, Templates: words(), Log: log})
	w.Workflow = &subscribe.Workflow{DB: w.DB, Site: w.Site, Templates: words(), Path: w.Path, Moderators: w.Moderation, Log: log}
	w.Moderation.Subscribe = w.Workflow
	commands := &command.Processor{Archive: w.Archive, Workflow: w.Workflow, Moderation: w.Moderation, Templates: words(), Log: log}
	w.Bounces = &bounce.Bouncer{DB: w.DB, Path: w.Path, Site: w.Site, Subscribe: w.Workflow, Templates: words(), Log: log}
	w.Copies.Returned = w.Bounces.Returned
	w.Workflow.Actions = map[string]subscribe.Action{subscribe.ActionCommands: commands.Confirmed, subscribe.ActionEnable: w.Bounces.Enable}
	w.Handler = &inbound.Handler{DB: w.DB, Path: w.Path, Site: w.Site, Log: log, Leave: w.leave, Refused: w.refused, Subscribe: w.Workflow, Commands: commands, Moderate: w.Moderation.Answer, Bounces: w.Bounces}
}

func (w *World) leave(ctx context.Context, token string) error {
	return w.DB.Update(ctx, func(tx *storage.Tx) error {
		_, _, err := list.LeaveByToken(tx, token, time.Now())
		if errors.Is(err, list.ErrLeft) {
			return nil
		}
		return err
	})
}

// refused stands for the mail whose words the daemon takes from the templates.
func (w *World) refused(ctx context.Context, l *list.List, p *list.Post) error {
	return w.Path.Notify(ctx, posting.Notice{List: l, To: p.Author, Subject: "refused", Body: p.Verdict.String() + "\n"})
}

// Crash closes the store without ending anything and wires new parts over what is on disk.
func (w *World) Crash() {
	w.t.Helper()
	w.Stop()
	if err := w.DB.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// Dir is the folder of the store.
func (w *World) Dir() string { return w.dir }

// Leave closes the store, for another process, and returns its folder. The world is of no use any more.
func (w *World) Leave() (dir string) {
	w.t.Helper()
	w.Stop()
	if err := w.DB.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.DB = nil
	return w.dir
}

// Run starts the SMTP server, publishing and sending.
func (w *World) Run() {
	ctx, cancel := context.WithCancel(context.Background())
	server := &smtpd.Server{Handler: w.Handler, Hostname: Domain, Log: slog.New(slog.NewTextHandler(w.t.Output(), nil))}
	w.smtp = smtptest.NewPipeListener()
	var wg sync.WaitGroup
	wg.Go(func() { server.Serve(w.smtp) })
	wg.Go(func() { w.Path.Run(ctx) })
	wg.Go(func() { w.Digests.Run(ctx) })
	wg.Go(func() { w.Bounces.Run(ctx) })
	wg.Go(func() {
		if err := w.Outbox.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	w.stop = func() {
		server.Close()
		cancel()
		wg.Wait()
		w.stop = func() {}
	}
}

// Stop ends what Run started.
func (w *World) Stop() { w.stop() }

// List makes a list at Domain with a DKIM key, its settings changed by change (nil for none).
func (w *World) List(name string, change func(*list.Settings)) *list.List {
	w.t.Helper()
	s := list.DefaultSettings("ja")
	if change != nil {
		change(&s)
	}
	var l *list.List
	w.Update(func(tx *storage.Tx) (err error) {
		l, err = list.Create(tx, address.Must(name+"@"+Domain), s, time.Now())
		return err
	})
	w.Update(func(tx *storage.Tx) error { return list.SetDKIMKey(tx, Domain, testKey()) })
	return l
}

// testKey is one key for all tests: making one takes a while.
var testKey = sync.OnceValue(func() list.DKIMKey {
	key, err := mailauth.GenerateKey()
	if err != nil {
		panic(err)
	}
	pem, err := mailauth.EncodeKey(key)
	if err != nil {
		panic(err)
	}
	return list.DKIMKey{Selector: "test", PEM: string(pem)}
})

// Join gives addresses a role in a list.
func (w *World) Join(l *list.List, role list.Role, addrs ...string) {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) error {
		for _, a := range addrs {
			if err := list.Join(tx, list.Member{List: l.ID, Role: role, Address: address.Must(a), Joined: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetMember changes a member.
func (w *World) SetMember(l *list.List, addr string, change func(*list.Member)) {
	w.t.Helper()
	w.Update(func(tx *storage.Tx) error {
		m, err := list.GetMember(tx, l.ID, list.RoleMember, address.Must(addr))
		if err != nil {
			return err
		}
		change(m)
		return list.SetMember(tx, *m)
	})
}

// Update runs fn in a transaction.
func (w *World) Update(fn func(tx *storage.Tx) error) {
	w.t.Helper()
	if err := w.DB.Update(context.Background(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// Posts returns the posts of a Message-ID, oldest first.
func (w *World) Posts(messageID string) (posts []*list.Post) {
	w.t.Helper()
	err := w.DB.View(context.Background(), func(tx *storage.Tx) error {
		for _, p := range list.PostsByMessageID(tx, messageID) {
			posts = append(posts, p)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return posts
}

// Mail is a message on its way in over SMTP.
type Mail struct {
	IP   string // where it comes from; "" is 192.0.2.1, the host of people.test
	From string // envelope sender
	To   []string
	Raw  string // lines ended by LF are made CRLF
}

// Send sends a mail over SMTP and returns the code and text of the last reply.
func (w *World) Send(m Mail) (code int, text string) {
	w.t.Helper()
	if m.IP == "" {
		m.IP = "192.0.2.1"
	}
	conn, err := w.smtp.DialFrom(netip.MustParseAddr(m.IP))
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	err = dialogue(conn, m)
	if te, ok := errors.AsType[*textproto.Error](err); ok {
		return te.Code, te.Msg
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return 250, ""
}

func dialogue(conn net.Conn, m Mail) error {
	c, err := smtp.NewClient(conn, Domain)
	if err != nil {
		return err
	}
	if err := c.Hello("client.test"); err != nil {
		return err
	}
	if err := c.Mail(m.From); err != nil {
		return err
	}
	for _, to := range m.To {
		if err := c.Rcpt(to); err != nil {
			return err
		}
	}
	d, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := d.Write([]byte(m.Raw)); err != nil {
		return err
	}
	return d.Close()
}

// Post is a plain message from an address to a list.
func Post(from string, l *list.List, id, subject, body string) string {
	return fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nDate: Sun, 01 Nov 2026 12:00:00 +0900\nMessage-ID: <%s>\n\n%s\n", from, l.Address, subject, id, body)
}

// CRLF ends the lines of a text with CRLF, as a message on the wire has them.
func CRLF(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// Envelope is that of a mail from an address at people.test's host to lists, for calls below the wire.
func (w *World) Envelope(from string, to ...*list.List) *smtpd.Envelope {
	env := &smtpd.Envelope{ID: storage.NewID(time.Now()), RemoteIP: netip.MustParseAddr("192.0.2.1"), Helo: "client.test", At: time.Now()}
	if from != "" {
		env.From = address.Must(from)
	}
	for _, l := range to {
		env.To = append(env.To, l.Address)
	}
	return env
}

// Record is the DNS record of a key.
func Record(k list.DKIMKey) string {
	key, err := mailauth.ParseKey([]byte(k.PEM))
	if err != nil {
		panic(err)
	}
	_, txt := (&mailauth.Signer{Domain: Domain, Selector: k.Selector, Key: key}).Record()
	return txt
}
