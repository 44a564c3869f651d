package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

// The tests of this file do to a whole site, over real sockets, what must not harm it.

// testSite is an assembled site that serves in this process, with one list: ann, bob and carol at people.test.
type testSite struct {
	t    *testing.T
	app  *App
	sink *smtptest.Sink
	log  bytes.Buffer // read after stop

	stop func()
}

const (
	testList   = "janog@lists.kairan.test"
	noResolver = "127.0.0.1:9" // discard: nobody answers
)

// newSite makes a site in folder data and starts it. dns is its resolver, "" one that knows scriptZone;
// behave is what the smarthost does; extra are further lines of its configuration.
func newSite(t *testing.T, data, dns string, behave func(smtptest.Message) smtptest.Behaviour, extra ...string) *testSite {
	t.Helper()
	s := &testSite{t: t, sink: smtptest.NewSink(smtptest.Config{Record: true, RecordBytes: 256 << 20, Behave: behave})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { s.sink.Serve(l) })
	if dns == "" {
		server, err := fakedns.Serve(fakedns.Must(scriptZone))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		dns = server.Addr
	}
	smtp, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("hostname = 'lists.kairan.test'\nurl = 'http://lists.kairan.test'\nadmin = 'postmaster@people.test'\ndata = %q\n"+
		"smtp.listen = %q\nhttp.listen = ''\ndelivery.smarthost = %q\ndns.servers = [%q]\nlimits.message_size = 25600\n", data, smtp, l.Addr(), dns)
	text += strings.Join(extra, "\n")
	cfg, err := parseConfig(filepath.Join(data, "kairan.toml"), text)
	if err != nil {
		t.Fatal(err)
	}
	s.app, err = assemble(t.Context(), cfg, slog.New(slog.NewTextHandler(&s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	running.Go(func() {
		if err := s.app.serve(ctx, func() { close(ready) }); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	s.stop = sync.OnceFunc(func() {
		cancel()
		s.sink.Close()
		running.Wait()
		if err := s.app.Close(); err != nil {
			t.Error(err)
		}
		if strings.Contains(s.log.String(), "panic") {
			t.Errorf("a panic:\n%s", &s.log)
		}
	})
	t.Cleanup(s.stop)
	<-ready
	return s
}

// withList makes the list.
func (s *testSite) withList() *testSite {
	s.t.Helper()
	s.run("list", "create", testList, "--quiet", "--owner", "ann@people.test")
	s.run("list", "set", testList, "max_message_size=0")
	for _, name := range []string{"ann", "bob", "carol"} {
		s.run("member", "add", testList, name+"@people.test", "--no-welcome")
	}
	return s
}

// run carries out a command line in the site and returns its output.
func (s *testSite) run(args ...string) string {
	s.t.Helper()
	var out, errs bytes.Buffer
	if code := s.app.run(s.t.Context(), call{Args: args}, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != 0 {
		s.t.Fatalf("kairan %s: exit %d\n%s%s", strings.Join(args, " "), code, &out, &errs)
	}
	return out.String()
}

// until repeats a command line until its output has a text.
func (s *testSite) until(want string, args ...string) {
	s.t.Helper()
	out := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) { // workers are waited for
		if out = s.run(args...); strings.Contains(out, want) {
			return
		}
	}
	s.t.Fatalf("kairan %s: no %q in\n%s", strings.Join(args, " "), want, out)
}

// known reports whether the site has a post of that Message-ID.
func (s *testSite) known(id string) bool {
	return s.app.run(s.t.Context(), call{Args: []string{"trace", id}}, streams{out: &bytes.Buffer{}, err: &bytes.Buffer{}}) == 0
}

// send mails raw to the list and returns the last reply.
func (s *testSite) send(from string, raw []byte) (int, string) {
	s.t.Helper()
	code, text, err := sendMail(s.app.Config.SMTP.Listen[0], from, []string{testList}, raw)
	if err != nil {
		s.t.Fatal(err)
	}
	return code, text
}

func post(from, id, body string) []byte {
	return fmt.Appendf(nil, "From: %s\nTo: %s\nSubject: %s\nDate: Sun, 01 Nov 2026 12:00:00 +0900\nMessage-ID: <%s>\n\n%s\n", from, testList, id, id, body)
}

// TestHugeMail: what is large or absurd is taken or refused with a clear reply, and the site goes on.
func TestHugeMail(t *testing.T) {
	t.Parallel()
	s := newSite(t, t.TempDir(), "", nil).withList()
	line := strings.Repeat("0123456789", 7) + "\n"
	parts := strings.Repeat("--b\nContent-Type: text/plain\n\nx\n", 10_000) + "--b--\n"
	multipart := func(id string) string {
		return strings.Replace(string(post("ann@people.test", id, parts)), "Subject:", "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nSubject:", 1)
	}
	for _, tt := range []struct {
		id   string
		raw  string
		code int
		text string
	}{
		{"large@people.test", string(post("ann@people.test", "large@people.test", strings.Repeat(line, 24<<20/len(line)))), 250, ""},
		{"larger@people.test", string(post("ann@people.test", "larger@people.test", strings.Repeat(line, 26<<20/len(line)))), 552, "Message is too large"},
		{"parts@people.test", multipart("parts@people.test"), 554, "MIME parts or more, the limit is 200"},
		{"fields@people.test", strings.Repeat("X-Bomb: 1\n", 100_000) + string(post("ann@people.test", "fields@people.test", "x")), 554, "header"},
		{"header@people.test", "X-Bomb: 1\n" + strings.Repeat(" "+line, 20_000) + string(post("ann@people.test", "header@people.test", "x")), 554, "header"},
		{"line@people.test", string(post("ann@people.test", "line@people.test", strings.Repeat("x", 1<<20))), 554, "line that is too long"},
		{"nested@people.test", nested(200), 554, "nest"},
		{"to@people.test", "To: " + strings.Repeat("a@people.test,\n ", 50_000) + "b@people.test\n" + string(post("ann@people.test", "to@people.test", "x")), 554, "header"},
		{"hops@people.test", strings.Repeat("Received: from a by b; Sun, 01 Nov 2026 12:00:00 +0900\n", 150) + string(post("ann@people.test", "hops@people.test", "x")), 554, ""},
		{"small@people.test", string(post("ann@people.test", "small@people.test", "x")), 250, ""},
	} {
		code, text := s.send("ann@people.test", []byte(tt.raw))
		if code != tt.code || !strings.Contains(text, tt.text) {
			t.Errorf("%s: %d %s, want %d …%s…", tt.id, code, text, tt.code, tt.text)
		}
		if known := s.known(tt.id); known != (tt.code == 250) {
			t.Errorf("%s: known: %t", tt.id, known)
		}
	}
	s.until("3 delivered", "trace", "large@people.test")
	s.until("3 delivered", "trace", "small@people.test")
	got, bytes := s.sink.Inbox("carol@people.test"), 0
	for _, m := range got {
		bytes += len(m.Data)
	}
	if len(got) != 2 || bytes < 24<<20 {
		t.Errorf("carol got %d messages of %d bytes", len(got), bytes)
	}
	s.run("check")
}

// nested is a message of multiparts in multiparts.
func nested(depth int) string {
	var b strings.Builder
	b.WriteString("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b0\n")
	b.WriteString(strings.TrimSuffix(string(post("ann@people.test", "nested@people.test", "")), "\n"))
	for i := range depth {
		fmt.Fprintf(&b, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	fmt.Fprintf(&b, "--b%d\n\nx\n", depth)
	for i := depth; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\n", i)
	}
	return b.String()
}

// TestDNSDown: when the DNS fails and its answer would decide, a post is deferred, not refused and not recorded.
func TestDNSDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, t.TempDir(), "", nil).withList()
	s.run("member", "add", testList, "dora@broken.test", "--no-welcome")
	code, text := s.send("dora@broken.test", post("dora@broken.test", "broken@broken.test", "x"))
	if code != 451 {
		t.Errorf("%d %s, want 451", code, text)
	}
	if code, text := s.send("ann@people.test", post("ann@people.test", "fine@people.test", "x")); code != 250 {
		t.Errorf("a domain that can be asked about: %d %s", code, text)
	}
	s.until("4 delivered", "trace", "fine@people.test")
	if s.known("broken@broken.test") {
		t.Error("the deferred post was recorded")
	}
}

// TestNoResolver: nobody answers at all.
func TestNoResolver(t *testing.T) {
	t.Parallel()
	s := newSite(t, t.TempDir(), noResolver, nil).withList()
	if code, text := s.send("ann@people.test", post("ann@people.test", "deaf@people.test", "x")); code != 451 {
		t.Errorf("%d %s, want 451", code, text)
	}
}

// TestSmarthostFails: a smarthost that is away, and one that hangs up in the middle of a message or before its
// reply, get every copy later; who was answered for gets it once.
func TestSmarthostFails(t *testing.T) {
	t.Parallel()
	var bad atomic.Pointer[smtptest.Stage]
	connect := smtptest.AtConnect
	bad.Store(&connect)
	s := newSite(t, t.TempDir(), "", func(m smtptest.Message) smtptest.Behaviour {
		if stage := bad.Load(); stage != nil && m.Stage == *stage && !(m.Stage == smtptest.AtData && m.To[0] == "ann@people.test") {
			return smtptest.Behaviour{HangUp: true}
		}
		return smtptest.Behaviour{}
	}).withList()
	for i, stage := range []smtptest.Stage{smtptest.AtConnect, smtptest.AtData} {
		bad.Store(&stage)
		id := fmt.Sprintf("post%d@people.test", i)
		if code, text := s.send("ann@people.test", post("ann@people.test", id, "x")); code != 250 {
			t.Fatalf("%d %s", code, text)
		}
		s.until("deferred", "trace", id)
		bad.Store(nil)
		s.run("queue", "retry")
		s.until("3 delivered", "trace", id)
		for _, name := range []string{"ann", "bob", "carol"} {
			if got := len(s.sink.Inbox(name + "@people.test")); got != i+1 {
				t.Errorf("%s: %s has %d messages, want %d", stage, name, got, i+1)
			}
		}
	}
	if out := s.run("queue", "ls", "--json"); out != "[]\n" {
		t.Errorf("the queue has %s", out)
	}
}

const fullDiskFolder = "KAIRAN_FULL_DISK"

// TestFullDisk: on a full disk mail is deferred, what was accepted stays, and with room again all goes on. The disk is a small one in a
// namespace of its own.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv(fullDiskFolder); dir != "" {
		fillDisk(t, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	script := `mount -t tmpfs -o size=48m none "$` + fullDiskFolder + `" || { echo no mount; exit 0; }; exec "$@"`
	cmd := exec.Command("unshare", "--mount", "sh", "-c", script, "sh", os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), fullDiskFolder+"="+dir)
	out, err := cmd.CombinedOutput()
	if _, missing := exec.LookPath("unshare"); missing != nil || bytes.Contains(out, []byte("no mount")) || bytes.HasPrefix(out, []byte("unshare:")) {
		t.Skip("a disk cannot be mounted here")
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestFullDisk")) {
		t.Errorf("%v\n%s", err, out)
	}
}

func fillDisk(t *testing.T, dir string) {
	s := newSite(t, dir, "", nil).withList()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat(strings.Repeat("x", 70)+"\n", 1<<20/71)
	var accepted, deferred []string
	for i := range 100 {
		id := fmt.Sprintf("post%d@people.test", i)
		code, text := s.send("ann@people.test", post("ann@people.test", id, body))
		switch code {
		case 250:
			accepted = append(accepted, id)
		case 451, 452:
			deferred = append(deferred, id)
		default:
			t.Fatalf("%s: %d %s", id, code, text)
		}
		if len(deferred) == 5 {
			break
		}
	}
	if len(accepted) == 0 || len(deferred) < 5 {
		t.Fatalf("%d accepted, %d deferred", len(accepted), len(deferred))
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for _, id := range deferred[:1] { // it comes again
		if code, text := s.send("ann@people.test", post("ann@people.test", id, "with room again")); code != 250 {
			t.Errorf("with room again: %d %s", code, text)
		}
	}
	for _, id := range accepted {
		s.until("3 delivered", "trace", id)
	}
	if got, want := len(s.sink.Inbox("bob@people.test")), len(accepted)+1; got != want {
		s.until("3 delivered", "trace", deferred[0])
		if got = len(s.sink.Inbox("bob@people.test")); got != want {
			t.Errorf("bob got %d messages, want %d", got, want)
		}
	}
	s.run("check")
}
