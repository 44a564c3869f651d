package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/smtp"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kairan": main})
}

// TestScript runs testdata/script: the manual of the command line, carried out by the binary. Each script is a site of its own with
//
//	kairan.toml       its configuration, in the working folder; the data folder is data
//	$SMTP $LMTP $HTTP where its daemon listens, with `kairan serve &daemon&` and `ready`
//	$DNS              a DNS server that knows people.test and strangers.test, and something odd
//	$SINK             the smarthost, which takes all mail but for gone@… (550), never@… (451) and later@… (451 until `sink later`)
//
// and these commands beside those of testscript:
//
//	ready                     waits until the daemon answers
//	term NAME                 sends SIGTERM to a background command
//	smtp CODE FROM TO FILE    sends a mail; the last reply must have the code and is the output
//	sink wait N               waits until the smarthost took N messages in all
//	sink inbox ADDRESS        prints the messages it took for an address
//	sink later                makes it take mail for later@…
//	until REGEXP COMMAND…     repeats a command until its output matches
//	get PATH                  prints status and body of a web page
//	metrics                   prints the metrics from the control socket
//	lines FILE FORMAT N       writes a file of N lines, each with its number
func TestScript(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		RequireUniqueNames: true,
		Setup:              setUpSite,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ready":   scriptReady,
			"term":    scriptTerm,
			"smtp":    scriptSMTP,
			"sink":    scriptSink,
			"until":   scriptUntil,
			"get":     scriptGet,
			"metrics": scriptMetrics,
			"lines":   scriptLines,
		},
	})
}

// scriptZone is what the scripts' DNS knows. Mail of people.test comes from this machine.
const scriptZone = `
people.test.           TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.people.test.    TXT "v=DMARC1; p=none"
people.test.           MX 10 mx.people.test.
strangers.test.        TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.strangers.test. TXT "v=DMARC1; p=none"
_dmarc.odd.test.       TXT "v=DMARC1; p=\027[2J"
! temp TXT broken.test.
! temp TXT _dmarc.broken.test.
`

// patience is how long a script or test waits for what another process does.
const patience = 20 * time.Second

// nextPort goes through ports below those that outgoing connections take.
var nextPort = func() *atomic.Int32 {
	n := &atomic.Int32{}
	n.Store(int32(10_000 + os.Getpid()%1000*20))
	return n
}()

func freePort() (string, error) {
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+nextPort.Add(1)%20_000)
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port")
}

// outside is the world outside a script's site.
type outside struct {
	sink  *smtptest.Sink
	later atomic.Bool // later@… is taken
}

type outsideKey struct{}

func (o *outside) behave(m smtptest.Message) smtptest.Behaviour {
	if m.Stage != smtptest.AtRcpt {
		return smtptest.Behaviour{}
	}
	switch to := m.To[0]; {
	case strings.HasPrefix(to, "gone@"):
		return smtptest.Behaviour{Code: 550, Text: "5.1.1 No such user"}
	case strings.HasPrefix(to, "later@") && !o.later.Load(), strings.HasPrefix(to, "never@"):
		return smtptest.Behaviour{Code: 451, Text: "4.2.1 Not now"}
	}
	return smtptest.Behaviour{}
}

func setUpSite(env *testscript.Env) error {
	dns, err := fakedns.Serve(fakedns.Must(scriptZone))
	if err != nil {
		return err
	}
	env.Defer(func() { dns.Close() })
	o := &outside{}
	o.sink = smtptest.NewSink(smtptest.Config{Record: true, Behave: o.behave})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go o.sink.Serve(l)
	env.Defer(func() { o.sink.Close() })
	env.Values[outsideKey{}] = o

	env.Setenv("DNS", dns.Addr)
	env.Setenv("SINK", l.Addr().String())
	for _, name := range []string{"SMTP", "LMTP", "HTTP"} {
		addr, err := freePort()
		if err != nil {
			return err
		}
		env.Setenv(name, addr)
	}
	env.Setenv("HOME", env.WorkDir)
	config := env.Getenv
	return os.WriteFile(filepath.Join(env.WorkDir, "kairan.toml"), fmt.Appendf(nil, `hostname = "lists.kairan.test"
data     = "data"
url      = "http://lists.kairan.test"
admin    = "postmaster@people.test"
language = "en"
timezone = "UTC"
smtp.listen = %q
lmtp.listen = %q
http.listen = %q
delivery.smarthost = %q
dns.servers = [%q]
`, config("SMTP"), config("LMTP"), config("HTTP"), config("SINK"), config("DNS")), 0o600)
}

// eventually repeats try until it is true.
func eventually(ts *testscript.TestScript, what string, try func() bool) {
	for end := time.Now().Add(patience); !try(); time.Sleep(20 * time.Millisecond) { // another process is waited for
		if time.Now().After(end) {
			ts.Fatalf("%s: not within %s", what, patience)
		}
	}
}

func usage(ts *testscript.TestScript, neg bool, ok bool, text string) {
	if neg || !ok {
		ts.Fatalf("usage: %s", text)
	}
}

func scriptReady(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "ready")
	eventually(ts, "the daemon", func() bool {
		conn, err := net.Dial("unix", ts.MkAbs("data/kairan.sock"))
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

func scriptTerm(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "term")
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(syscall.SIGTERM))
	}
}

func scriptSMTP(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 4, "smtp CODE FROM TO FILE")
	code, text, err := sendMail(ts.Getenv("SMTP"), args[1], strings.Split(args[2], ","), []byte(ts.ReadFile(args[3])))
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%d %s\n", code, text)
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("the reply is %d %s, want %s", code, text, args[0])
	}
}

// sendMail sends a mail whose lines end with LF and returns the last reply: the one that refused it, or the one to its content.
func sendMail(addr, from string, to []string, raw []byte) (code int, text string, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, "", err
	}
	c, err := smtp.NewClient(conn, "client.test")
	if err != nil {
		return 0, "", err
	}
	err = c.Hello("client.people.test")
	if err == nil {
		err = c.Mail(strings.Trim(from, "<>"))
	}
	for _, to := range to {
		if err == nil {
			err = c.Rcpt(to)
		}
	}
	var d io.WriteCloser
	if err == nil {
		d, err = c.Data()
	}
	if err == nil {
		_, err = d.Write(raw)
		err = errors.Join(err, d.Close())
	}
	if te, ok := errors.AsType[*textproto.Error](err); ok {
		return te.Code, te.Msg, nil
	}
	return 250, "", err
}

func scriptSink(ts *testscript.TestScript, neg bool, args []string) {
	o := ts.Value(outsideKey{}).(*outside)
	const text = "sink wait N | sink inbox ADDRESS | sink later"
	usage(ts, neg, len(args) > 0, text)
	switch {
	case args[0] == "wait" && len(args) == 2:
		var n int64
		_, err := fmt.Sscan(args[1], &n)
		ts.Check(err)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := o.sink.Wait(ctx, n); err != nil {
			ts.Fatalf("the sink took %+v: %v", o.sink.Counts(), err)
		}
	case args[0] == "inbox" && len(args) == 2:
		for _, m := range o.sink.Inbox(args[1]) {
			ts.Stdout().Write(m.Data)
		}
	case args[0] == "later":
		o.later.Store(true)
	default:
		ts.Fatalf("usage: %s", text)
	}
}

func scriptUntil(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) > 1, "until REGEXP COMMAND…")
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	eventually(ts, strings.Join(args, " "), func() bool {
		err := ts.Exec(args[1], args[2:]...)
		return err == nil && want.MatchString(ts.ReadFile("stdout"))
	})
}

func printResponse(ts *testscript.TestScript, resp *http.Response, err error) {
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	fmt.Fprintf(ts.Stdout(), "%s\n%s", resp.Status, body)
}

func scriptGet(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "get PATH")
	resp, err := http.Get("http://" + ts.Getenv("HTTP") + args[0])
	printResponse(ts, resp, err)
}

func scriptMetrics(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 0, "metrics")
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return net.Dial("unix", ts.MkAbs("data/kairan.sock"))
		},
	}}
	resp, err := client.Get("http://daemon/-/metrics")
	printResponse(ts, resp, err)
}

func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "lines FILE FORMAT N")
	var n int
	_, err := fmt.Sscan(args[2], &n)
	ts.Check(err)
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, args[1]+"\n", i+1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text.String()), 0o600))
}
