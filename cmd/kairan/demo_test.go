package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"kairan/archive"
	"kairan/list"
	"kairan/smtpd/address"
	"kairan/storage"
)

// demoPatience is how long a test of the demo waits for something to happen.
const demoPatience = 30 * time.Second

// startDemo runs the demo in a folder on free ports until stop. A port that was free a moment ago may be taken by another test: then it tries others.
func startDemo(t *testing.T, dir string) (d *demo, stop func()) {
	t.Helper()
	for try := 1; ; try++ {
		d, stop, err := tryDemo(t, dir)
		if err == nil {
			return d, stop
		}
		if try == 5 || !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatalf("the demo ended: %v", err)
		}
	}
}

func tryDemo(t *testing.T, dir string) (d *demo, stop func(), err error) {
	t.Helper()
	d = &demo{dir: dir, kept: true, smtp: "127.0.0.1:0", http: "127.0.0.1:0", slowness: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- d.run(ctx, func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		return nil, nil, err
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
	}
	t.Cleanup(stop)
	return d, stop, nil
}

// cli runs a command line of another terminal and returns what it prints.
func (d *demo) cli(t *testing.T, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if code := run(t.Context(), append([]string{"-c", d.configFile()}, args...), streams{out: &out, err: &out}); code != 0 {
		t.Errorf("kairan %q: exit %d: %s", args, code, &out)
	}
	return out.String()
}

// until repeats a command line until it prints what the pattern describes.
func (d *demo) until(t *testing.T, pattern string, args ...string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for deadline := time.After(demoPatience); ; {
		if last = d.cli(t, args...); re.MatchString(last) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("kairan %q never printed %q, but\n%s", args, pattern, last)
		}
	}
}

// get returns the status and body of a page.
func (d *demo) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get(d.app.Site.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// post sends an example and returns the server's last word.
func (d *demo) post(t *testing.T, e example) string {
	t.Helper()
	c, err := textproto.Dial("tcp", d.smtp)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var code int
	var text string
	for _, step := range []string{"", "EHLO client.test", "MAIL FROM:<" + e.sender + ">", "RCPT TO:<" + cmp.Or(e.list, exampleList) + ">", "DATA", string(e.message()) + "."} {
		if step != "" {
			if err := c.PrintfLine("%s", step); err != nil {
				t.Fatal(err)
			}
		}
		if code, text, err = c.ReadResponse(0); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
	}
	return fmt.Sprintf("%d %s", code, text)
}

func TestDemoFates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, stop := startDemo(t, dir)
	es := examples(time.Now())
	if len(es) != 3 {
		t.Fatalf("%d examples", len(es))
	}
	for i, want := range []struct{ reply, trace string }{
		{`^250 .*: accepted`, `(?s)decide +accept.*From rewritten.*enqueue +50 recipients`},
		{`^250 .*: held`, `authenticated; .*\n.*decide +hold: nonmember`},
		{`^550 .*: refused: `, `not authenticated; .*dmarc=fail.*\n.*decide +reject: unauthenticated`},
	} {
		if got := d.post(t, es[i]); !regexp.MustCompile(want.reply).MatchString(got) {
			t.Errorf("%s\ngot %q, want %s", es[i].fate, got, want.reply)
		}
		d.until(t, want.trace, "trace", "<"+es[i].id+">")
	}
	if got := d.cli(t, "held", "ls", exampleList); !strings.Contains(got, "tabibito@newcomer.test") || strings.Count(got, "\n") != 1+4 { // four wait from the start
		t.Errorf("held ls: %s", got)
	}
	d.delivered(t, es[0])
	d.shown(t, es[0])

	// A second demo in the folder is refused and spoils nothing.
	second := &demo{dir: dir, smtp: "127.0.0.1:0", http: "127.0.0.1:0"}
	if err := second.run(t.Context(), func() error { return nil }); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a second demo: %v", err)
	}
	if cfg, err := loadConfig(d.configFile()); err != nil || cfg.URL != d.app.Site.URL {
		t.Errorf("after a second demo the configuration says %+v, %v", cfg, err)
	}

	// Who left stays away, and nothing is told twice.
	d.cli(t, "member", "rm", exampleList, "misaki@example.jp")
	before := d.cli(t, "list", "show", exampleList)
	stop()
	d, _ = startDemo(t, dir)
	if after := d.cli(t, "list", "show", exampleList); numbers(after) != numbers(before) || !strings.Contains(numbers(after), "49") {
		t.Errorf("after a restart\n%s\nbefore\n%s", after, before)
	}
	if _, month := d.get(t, "/netops/"); !strings.Contains(month, "166") {
		t.Errorf("166 messages are not on the list's page after a restart:\n%s", month)
	}
	d.finds(t, "届いて", es[0])
}

// numbers are the counts in what list show prints; the page's address changes with the port.
func numbers(show string) string {
	return strings.Join(regexp.MustCompile(`(members|held posts|last post number) .*`).FindAllString(show, -1), ", ")
}

// finds waits until a search finds an example.
func (d *demo) finds(t *testing.T, query string, e example) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, page := d.get(t, "/netops/search?q="+url.QueryEscape(query))
		if strings.Contains(page, "/netops/m/"+e.id+"/") {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s is not found:\n%s", query, page)
		}
		time.Sleep(time.Millisecond)
	}
}

// delivered checks what became of the copies of an accepted example.
func (d *demo) delivered(t *testing.T, e example) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), demoPatience)
	defer cancel()
	const copies = 50 - 2 // temperror and permerror get none
	if err := d.world.sink.Wait(ctx, copies); err != nil {
		t.Fatalf("%+v: %v", d.world.sink.Counts(), err)
	}
	people, err := readPeople()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, c := range d.outbox.all() {
		got[c.to]++
	}
	for _, p := range people {
		want := 1
		if a := p.address.String(); a == temporary || a == permanent {
			want = 0
		}
		if n := got[p.address.String()]; n != want {
			t.Errorf("%s got %d copies, want %d", p.address, n, want)
		}
	}
	for _, pattern := range []string{
		`deliver +48 delivered`,
		`failed +permerror@example\.net`,
		`deferred +temperror@example\.net`,
		`bounce +bounce@example\.net: bounce, full`,
		`delivered +slow@slow\.test`,
	} {
		d.until(t, pattern, "trace", "-r", "<"+e.id+">")
	}
}

// shown checks the pages about an accepted example.
func (d *demo) shown(t *testing.T, e example) {
	t.Helper()
	if code, page := d.get(t, "/netops/m/"+e.id+"/"); code != http.StatusOK || !strings.Contains(page, "日本語も届いていますか") {
		t.Errorf("archive: %d\n%s", code, page)
	}
	code, page := d.get(t, "/-/outbox/")
	if code != http.StatusOK || strings.Count(page, "[netops:00166] Hello from the demo") != 48 {
		t.Errorf("outbox: %d\n%s", code, page)
	}
	i := strings.Index(page, "alice@example.com")
	if i < 0 {
		t.Fatal("alice has no mailbox")
	}
	href := regexp.MustCompile(`href="(/-/outbox/\d+)"`).FindStringSubmatch(page[i:])
	if href == nil {
		t.Fatal("alice's mailbox is empty")
	}
	code, page = d.get(t, href[1])
	for _, want := range []string{"alice@example.com", "netops-bounces&#43;", "DKIM-Signature: ", `href="` + d.app.Site.URL + "/-/u/", "日本語も届いていますか"} {
		if code != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%s: %d, without %q\n%s", href[1], code, want, page)
		}
	}
	if code, page := d.get(t, href[1]+"/raw"); code != http.StatusOK || !strings.HasPrefix(page, "DKIM-Signature: ") {
		t.Errorf("raw: %d\n%s", code, page)
	}
	for _, missing := range []string{"/-/outbox/0", "/-/outbox/x", "/-/outbox/99999/raw"} {
		if code, _ := d.get(t, missing); code != http.StatusNotFound {
			t.Errorf("%s: %d", missing, code)
		}
	}
	if code, _ := d.get(t, "/wg-dns/2026-01/"); code != http.StatusForbidden {
		t.Errorf("a private archive: %d", code)
	}
}

// TestDemoCommands pastes what the demo prints into a shell.
func TestDemoCommands(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	d, _ := startDemo(t, t.TempDir())
	var out bytes.Buffer
	if err := d.welcome(t.Context(), &out, time.Now()); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if !strings.Contains(text, d.app.Site.URL+signInPath) {
		t.Errorf("the page to sign in is not named in\n%s", text)
	}
	commands := regexp.MustCompile(`(?m)^printf (?:.*[\\|]\n)+.*$`).FindAllString(text, -1)
	if len(commands) != 3 {
		t.Fatalf("%d commands in\n%s", len(commands), text)
	}
	for i, want := range []string{"< 250 ", "< 250 ", "< 550 "} {
		got, err := exec.CommandContext(t.Context(), "sh", "-c", commands[i]).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(got), want) || bytes.Count(got, []byte("\n")) != 1 {
			t.Errorf("%s\n%v: %s", commands[i], err, got)
		}
	}
	for _, id := range regexp.MustCompile(` trace '(.*)'`).FindAllStringSubmatch(text, -1) {
		d.until(t, `decide`, "trace", id[1])
	}
}

func TestDemoPortInUse(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for flag, d := range map[string]*demo{
		"--smtp": {dir: t.TempDir(), smtp: l.Addr().String(), http: "127.0.0.1:0"},
		"--http": {dir: t.TempDir(), smtp: "127.0.0.1:0", http: l.Addr().String()},
	} {
		err := d.run(t.Context(), func() error { return nil })
		if err == nil || !strings.Contains(err.Error(), flag+" "+l.Addr().String()) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

// TestDemoSeedGoesOn stops the seed in the middle; the next one tells the rest, and the one after it nothing.
func TestDemoSeedGoesOn(t *testing.T) {
	t.Parallel()
	d := &demo{dir: t.TempDir(), smtp: "127.0.0.1:0", http: "127.0.0.1:0"}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	if err := d.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		for told, _ := d.told(t); told < 20 && t.Context().Err() == nil; told, _ = d.told(t) {
		}
	}()
	if err := d.seed(ctx, time.Now()); !errors.Is(err, context.Canceled) {
		t.Fatalf("a seed that was stopped: %v", err)
	}
	if told, archived := d.told(t); told < 20 || told >= 165 || told != archived {
		t.Fatalf("stopped at number %d, with %d posts in the archive", told, archived)
	}
	for range 2 {
		if err := d.seed(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if told, archived := d.told(t); told != 165 || archived != 165 {
			t.Errorf("number %d, %d posts in the archive", told, archived)
		}
	}
}

// told returns the last number that netops gave, and how many posts are in its archive.
func (d *demo) told(t *testing.T) (number, archived int) {
	err := d.app.DB.View(t.Context(), func(tx *storage.Tx) error {
		l, err := list.ByAddress(tx, address.Must(exampleList))
		if errors.Is(err, list.ErrNoList) {
			return nil
		}
		if err != nil {
			return err
		}
		n, err := list.LastNumber(tx, l.ID)
		number = int(n)
		for m := range archive.Months(tx, string(l.ID)) {
			archived += m.Messages
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return number, archived
}
