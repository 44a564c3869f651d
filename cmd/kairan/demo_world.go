package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kairan/smtpd"
	"kairan/smtpd/message"
	"kairan/smtpd/resolver/fakedns"
	"kairan/smtpd/smtptest"
)

// demoDomain is the domain of the demo's lists, and the name of its host.
const demoDomain = "lists.kairan.test"

// demoZone is what the demo's DNS says. The people of example.jp and the rest send from this machine; example.com, isp.test
// and ix.test ask that mail that only pretends to be theirs be refused; dc.test publishes SPF alone, plain.test nothing.
const demoZone = `
lists.kairan.test.         A   127.0.0.1
lists.kairan.test.         MX  10 lists.kairan.test.
lists.kairan.test.         TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.lists.kairan.test.  TXT "v=DMARC1; p=reject"
example.jp.                TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.example.jp.         TXT "v=DMARC1; p=none"
example.com.               TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.example.com.        TXT "v=DMARC1; p=quarantine"
isp.test.                  TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.isp.test.           TXT "v=DMARC1; p=reject"
ix.test.                   TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.ix.test.            TXT "v=DMARC1; p=reject"
campus.test.               TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.campus.test.        TXT "v=DMARC1; p=none"
dc.test.                   TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
plain.test.                A   127.0.0.1
example.net.               TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.example.net.        TXT "v=DMARC1; p=none"
slow.test.                 TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
newcomer.test.             TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
_dmarc.newcomer.test.      TXT "v=DMARC1; p=none"
forger.test.               TXT "v=spf1 ip4:127.0.0.1 ip6:::1 -all"
`

// The members whose mail servers misbehave.
const (
	temporary = "temperror@example.net" // 451, for ever
	permanent = "permerror@example.net" // 550
	slow      = "slow@slow.test"        // takes its time, then takes the copy
	bouncing  = "bounce@example.net"    // takes the copy, then reports that it could not be delivered
)

// world is what a site finds outside: name servers, and the mail servers of everybody behind one smarthost.
type world struct {
	zone      *fakedns.Zone
	dns       *fakedns.Server
	sink      *smtptest.Sink
	smarthost string // host:port of the sink

	wg sync.WaitGroup
}

func (d *demo) startWorld() (w *world, err error) {
	w = &world{}
	if w.zone, err = fakedns.Parse(demoZone); err != nil {
		return nil, fmt.Errorf("demo's DNS: %w", err)
	}
	if w.dns, err = fakedns.Serve(w.zone); err != nil {
		return nil, fmt.Errorf("demo's DNS: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, w.dns.Close())
	}
	w.smarthost = l.Addr().String()
	w.sink = smtptest.NewSink(smtptest.Config{
		Hostname: "mx.example.net",
		Behave:   func(m smtptest.Message) smtptest.Behaviour { return misbehave(m, d.slowness) },
		OnMessage: func(m smtptest.Message) {
			d.outbox.add(m)
			if contains(m.To, bouncing) {
				w.wg.Go(func() {
					if err := sendReport(reachable(d.smtp), m, time.Now()); err != nil {
						d.app.Log.Warn("the demo's delivery report was not taken", "err", err)
					}
				})
			}
		},
	})
	w.wg.Go(func() { w.sink.Serve(l) })
	return w, nil
}

func (w *world) close() {
	w.sink.Close()
	w.wg.Wait()
	w.dns.Close()
}

func contains(to []string, address string) bool {
	for _, a := range to {
		if strings.EqualFold(a, address) {
			return true
		}
	}
	return false
}

// misbehave is how the mail servers of some members answer.
func misbehave(m smtptest.Message, slowness time.Duration) smtptest.Behaviour {
	switch {
	case m.Stage == smtptest.AtRcpt && contains(m.To, temporary):
		return smtptest.Behaviour{Code: 451, Text: "4.3.2 This mailbox is being moved, try again later"}
	case m.Stage == smtptest.AtRcpt && contains(m.To, permanent):
		return smtptest.Behaviour{Code: 550, Text: "5.1.1 No such user here"}
	case m.Stage == smtptest.AtEnd && contains(m.To, slow):
		return smtptest.Behaviour{Delay: slowness}
	}
	return smtptest.Behaviour{}
}

// sendReport sends the delivery report (RFC 3464) that a mail server writes when it accepted a copy and could not deliver it.
func sendReport(to string, m smtptest.Message, now time.Time) error {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(now.Add(30 * time.Second)); err != nil {
		return err
	}
	c, err := smtp.NewClient(conn, demoDomain)
	if err != nil {
		return err
	}
	if err := errors.Join(c.Hello("mx.example.net"), c.Mail(""), c.Rcpt(m.From)); err != nil {
		return err
	}
	body, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(deliveryReport(m, now)); err != nil {
		return err
	}
	return errors.Join(body.Close(), c.Quit())
}

func deliveryReport(m smtptest.Message, now time.Time) []byte {
	header, _, _ := bytes.Cut(m.Data, []byte("\r\n\r\n"))
	text := fmt.Sprintf(`From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: <%[1]s>
Subject: Undelivered Mail Returned to Sender
Date: %[2]s
Message-ID: <%[3]s>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset=us-ascii

The mail system could not deliver your message to <%[4]s>:
the mailbox is full.

--report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: %[2]s

Final-Recipient: rfc822; %[4]s
Action: failed
Status: 5.2.2
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full

--report
Content-Type: text/rfc822-headers

`, m.From, now.Format(time.RFC1123Z), message.NewID("mx.example.net", now), bouncing)
	return fmt.Appendf([]byte(strings.ReplaceAll(text, "\n", "\r\n")), "%s\r\n\r\n--report--\r\n", header)
}

// config writes a draft of the site's configuration and reads it. It becomes the one that command lines of other terminals use
// when the store is ours: another demo may be running in the folder.
func (d *demo) config() (*Config, error) {
	cert, key := filepath.Join(d.dir, "cert.pem"), filepath.Join(d.dir, "key.pem")
	if _, err := os.Stat(cert); errors.Is(err, os.ErrNotExist) {
		if err := writeCertificate(cert, key, time.Now()); err != nil {
			return nil, err
		}
	}
	text := fmt.Sprintf(`# Written by kairan demo at each start: ports change, and so does this file.
hostname = %q
data     = "data"
url      = "http://%s"
admin    = "haruka@example.jp"
language = "ja"
timezone = "Asia/Tokyo"

[smtp]
listen = %q

[http]
listen = %q
trusted_proxies = ["127.0.0.0/8"]

[tls]
cert = %q
key  = %q

[delivery]
smarthost = %q

[dns]
servers = [%q]
`, demoDomain, reachable(d.http), d.smtp, d.http, cert, key, d.world.smarthost, d.world.dns.Addr)
	draft := d.configFile() + ".new"
	if err := os.WriteFile(draft, []byte(text), 0o600); err != nil {
		return nil, err
	}
	return loadConfig(draft)
}

// writeCertificate writes a self-signed certificate, so that STARTTLS can be tried.
func writeCertificate(certFile, keyFile string, now time.Time) error {
	cert, err := smtpd.SelfSigned(demoDomain, now)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	// The certificate is written last: where it is, its key is.
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}), 0o600)
}
